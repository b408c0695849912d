//! Parts of the page that are fetched when they are first needed.
//!
//! Who looks at a board waits for what boards are made of, and not for the editor, the doctor or a kind of widget that is
//! not on it. A build with the feature `split` is cut apart after it was linked (`tools/split.sh`); what a [`Module`] has
//! behind its door, and nobody else uses, becomes a file of its own. Without it all is there from the start.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use leptos::prelude::{ArcRwSignal, Get as _, GetUntracked as _, Set as _, set_timeout, untrack};

use crate::dynamic::spawn;
use crate::part::Part;
use crate::reload;

/// How long after it could not be had a module is fetched again.
const AGAIN: Duration = Duration::from_secs(10);

/// A part of the page that is or is not there yet: what of it the rest calls is in a table.
pub struct Module<T: 'static> {
    /// What it is called where it cannot be had.
    name: &'static str,
    table: OnceLock<T>,
    /// How it stands with it: whoever shows something of it follows this.
    standing: LazyLock<ArcRwSignal<Standing>>,
    /// Whether it will be fetched again by itself: once at a time, however often it fails and whoever asks.
    again: AtomicBool,
    door: Door<T>,
}

/// How one comes to a table.
pub enum Door<T> {
    /// It is in the page.
    #[cfg(not(feature = "split"))]
    Open(fn() -> T),
    /// It is in a file of its own.
    #[cfg(feature = "split")]
    Apart(fn() -> crate::dynamic::Waiting<Result<T, Absent>>),
}

/// That a module cannot be had; the browser's console says why.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

/// What is seen until a module is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A place of the size of what will be there.
    Blank,
    /// Nothing.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Unasked,
    Asked,
    Here,
    Failed,
    /// It failed, and the server has another page by now.
    Gone,
}

impl Standing {
    fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Gone)
    }
}

impl<T: Send + Sync + 'static> Module<T> {
    /// A module behind a door.
    #[must_use]
    pub const fn new(name: &'static str, door: Door<T>) -> Self {
        Self {
            name,
            table: OnceLock::new(),
            standing: LazyLock::new(|| ArcRwSignal::new(Standing::Unasked)),
            again: AtomicBool::new(false),
            door,
        }
    }

    /// What is in it, where it is there; followed. It is fetched where it is not.
    pub fn get(&'static self) -> Option<&'static T> {
        let standing = self.standing.get();
        if standing == Standing::Unasked {
            self.fetch();
        }
        self.table.get()
    }

    /// Fetches it, where nobody has.
    pub fn fetch(&'static self) {
        let standing = self.standing.get_untracked();
        if standing == Standing::Unasked || standing.is_failure() {
            self.standing.set(Standing::Asked);
            self.enter();
        }
    }

    /// What is in it, for who can wait; nothing where it cannot be had now.
    pub async fn wait(&'static self) -> Option<&'static T> {
        match &self.door {
            #[cfg(not(feature = "split"))]
            Door::Open(make) => self.arrived(Ok(make())),
            #[cfg(feature = "split")]
            Door::Apart(fetch) => self.arrived(fetch().await),
        }
        self.table.get()
    }

    #[cfg(not(feature = "split"))]
    fn enter(&'static self) {
        let Door::Open(make) = &self.door;
        self.arrived(Ok(make()));
    }

    #[cfg(feature = "split")]
    fn enter(&'static self) {
        let Door::Apart(fetch) = &self.door;
        spawn(async move { self.arrived(fetch().await) });
    }

    fn arrived(&'static self, table: Result<T, Absent>) {
        match table {
            Ok(table) => {
                // Who waited for it and who showed it may both have fetched it: it is the same one.
                _ = self.table.set(table);
                self.standing.set(Standing::Here);
            }
            Err(Absent) => {
                self.standing.set(Standing::Failed);
                look(&self.standing);
                // A wall has nobody who could press a button.
                if !self.again.swap(true, Ordering::Relaxed) {
                    let again = move || {
                        self.again.store(false, Ordering::Relaxed);
                        self.fetch();
                    };
                    set_timeout(again, AGAIN);
                }
            }
        }
    }

    /// That it cannot be had, where that is so; it is not fetched for that.
    pub fn trouble(&'static self) -> Part {
        let trouble = move || self.standing.get().is_failure().then(|| self.missing(Until::Nothing));
        Part::new("div", "host").live_inside(move || trouble().into_iter().collect())
    }

    /// A part made of what is in it, and what `until` says as long as it is not there.
    pub fn part(&'static self, until: Until, make: impl Fn(&'static T) -> Part + 'static) -> Part {
        let inside = move || match self.get() {
            // What making it reads once is no reason to make it anew.
            Some(table) => untrack(|| make(table)),
            None => self.missing(until),
        };
        Part::new("div", "host").live_inside(move || vec![inside()])
    }

    fn missing(&'static self, until: Until) -> Part {
        let standing = self.standing.get();
        if standing.is_failure() {
            let again = Part::button("Try again", "module-again", move || self.fetch());
            return missing(self.name, standing, &again);
        }
        match until {
            Until::Blank => Part::new("div", "blank").with("aria-hidden", "true"),
            Until::Nothing => Part::nothing(),
        }
    }
}

/// Whether somebody looks already.
static LOOKS: AtomicBool = AtomicBool::new(false);

/// Looks whether what failed is gone with the page that it belongs to: then the new one comes by itself, or it is told.
fn look(standing: &ArcRwSignal<Standing>) {
    if LOOKS.swap(true, Ordering::Relaxed) {
        return;
    }
    let standing = standing.clone();
    spawn(async move {
        let replaced = reload::is_replaced().await;
        LOOKS.store(false, Ordering::Relaxed);
        if replaced && standing.get_untracked() == Standing::Failed {
            standing.set(Standing::Gone);
        }
    });
}

/// What is in the place of a module that cannot be had.
fn missing(name: &str, standing: Standing, again: &Part) -> Part {
    let anew = Part::new("a", "").with("href", "").text("load the page anew");
    let notice = Part::new("p", "notice").with("role", "alert").with("data-testid", "module-missing");
    match standing {
        Standing::Gone => {
            let words = format!("A new version of this page is here, and this part of the old one ({name}) is gone. ");
            notice.text(&words).text("Save what you edit, then ").put(&anew).text(".")
        }
        _ => {
            let words = format!("This part of the page ({name}) could not be loaded. ");
            notice.text(&words).put(again).text(" or ").put(&anew).text(".")
        }
    }
}

/// Makes a [`Module`]: its name, what is behind its door, and for the split the file that it is in.
macro_rules! module {
    ($(#[$doc:meta])* $vis:vis static $name:ident: $table:ty = $file:ident, $made:expr) => {
        $(#[$doc])*
        $vis static $name: $crate::lazy::Module<$table> = {
            #[cfg(feature = "split")]
            #[::leptos::wasm_split::wasm_split($file, wasm_split_path = ::leptos::wasm_split, fallible)]
            fn open() -> Result<$table, $crate::lazy::Absent> {
                Ok($made)
            }
            #[cfg(feature = "split")]
            let door: $crate::lazy::Door<$table> = $crate::lazy::Door::Apart(|| Box::pin(open()));
            #[cfg(not(feature = "split"))]
            let door: $crate::lazy::Door<$table> = $crate::lazy::Door::Open(|| $made);
            $crate::lazy::Module::new(stringify!($file), door)
        };
    };
}
pub(crate) use module;

#[cfg(feature = "split")]
impl From<leptos::wasm_split::SplitLoaderError> for Absent {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}
