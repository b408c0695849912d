//! Modules: parts of the page that are fetched when they are first needed.
//!
//! A user who opens a board waits for the code of boards only, not for the editor, the doctor or notes. A build with the feature `split` is cut into files after linking (`tools/split.sh`):
//! code that only one [`Module`] uses becomes a file of its own. Without the feature all code is in the page from the
//! start.

use leptos::task::spawn_local;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use leptos::prelude::*;

use crate::reload;

/// Wait before a module that failed to load is fetched again.
const AGAIN: Duration = Duration::from_secs(10);

/// A part of the page that may not be loaded yet. The rest of the page calls it through a table of functions.
pub struct Module<T: 'static> {
    /// Name of the module, for the message that it could not be loaded.
    name: &'static str,
    table: OnceLock<T>,
    /// Loading state; code that shows something of the module tracks this signal.
    standing: LazyLock<ArcRwSignal<Standing>>,
    /// True while a retry is scheduled: at most one, however many callers there are and however often it fails.
    again: AtomicBool,
    door: Door<T>,
}

/// A boxed future.
#[cfg(feature = "split")]
pub type Waiting<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

/// The way to a module's table of functions.
pub enum Door<T> {
    /// The table is in the page.
    #[cfg(not(feature = "split"))]
    Open(fn() -> T),
    /// The table is in a file of its own.
    #[cfg(feature = "split")]
    Apart(fn() -> Waiting<Result<T, Absent>>),
}

/// The error of a module that could not be loaded. The browser's console has the reason.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

/// Placeholder that is shown until a module is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A blank area of the size of the later content.
    Blank,
    /// No element.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Unasked,
    Asked,
    Here,
    Failed,
    /// Loading failed, and the server has another version of the page by now.
    Gone,
}

impl Standing {
    fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Gone)
    }
}

impl<T: Send + Sync + 'static> Module<T> {
    /// Makes a module that is not loaded yet.
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

    /// Returns the table if it is loaded, and tracks the loading state. Starts to fetch the module otherwise.
    pub fn get(&'static self) -> Option<&'static T> {
        let standing = self.standing.get();
        if standing == Standing::Unasked {
            self.fetch();
        }
        self.table.get()
    }

    /// Fetches the module, unless it is loaded or under way.
    pub fn fetch(&'static self) {
        let standing = self.standing.get_untracked();
        if standing == Standing::Unasked || standing.is_failure() {
            self.standing.set(Standing::Asked);
            self.enter();
        }
    }

    /// Waits for the table. Returns `None` if it cannot be loaded now.
    pub async fn wait(&'static self) -> Option<&'static T> {
        if let Some(table) = self.table.get() {
            return Some(table);
        }
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
        spawn_local(async move { self.arrived(fetch().await) });
    }

    fn arrived(&'static self, table: Result<T, Absent>) {
        match table {
            Ok(table) => {
                // Two callers may both have fetched it; the second table is the same, so it is dropped.
                _ = self.table.set(table);
                // A second notification would build every view of the module again.
                if self.standing.get_untracked() != Standing::Here {
                    self.standing.set(Standing::Here);
                }
            }
            Err(Absent) => {
                self.standing.set(Standing::Failed);
                look(&self.standing);
                // Retries without a user, since a wall screen has nobody who could press a button.
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

    /// A message while the module cannot be loaded. Does not start to fetch it.
    pub fn trouble(&'static self) -> AnyView {
        view! { {move || self.standing.get().is_failure().then(|| self.missing())} }.into_any()
    }

    /// The view that `make` builds from the table, and the placeholder `until` before that.
    pub fn view(&'static self, until: Until, make: impl Fn(&'static T) -> AnyView + Send + 'static) -> AnyView {
        view! {
            {move || match self.get() {
                // Signals that `make` reads must not make the view be built again.
                Some(table) => untrack(|| make(table)),
                None if self.standing.get().is_failure() => self.missing(),
                None => until.view(),
            }}
        }
        .into_any()
    }

    /// The message in the place of a module that could not be loaded.
    fn missing(&'static self) -> AnyView {
        let name = self.name;
        let words = match self.standing.get() {
            Standing::Gone => {
                let words =
                    format!("A new version of this page is here, and this part of the old one ({name}) is gone. ");
                view! { {words} "Save what you edit, then " }.into_any()
            }
            _ => {
                let words = format!("This part of the page ({name}) could not be loaded. ");
                view! {
                    {words}
                    <button class="button" type="button" data-testid="module-again" on:click=move |_| self.fetch()>
                        "Try again"
                    </button>
                    " or "
                }
                .into_any()
            }
        };
        view! {
            <p class="notice" role="alert" data-testid="module-missing">
                {words}
                <a href="">"load the page anew"</a>
                "."
            </p>
        }
        .into_any()
    }
}

impl Until {
    fn view(self) -> AnyView {
        match self {
            Self::Blank => view! { <div class="blank" aria-hidden="true"></div> }.into_any(),
            Self::Nothing => ().into_any(),
        }
    }
}

/// True while [`look`] is under way.
static LOOKS: AtomicBool = AtomicBool::new(false);

/// Checks if the failed module belongs to a page that the server has replaced. If so, [`reload`] loads the new page,
/// or the message says that there is a new version.
fn look(standing: &ArcRwSignal<Standing>) {
    if LOOKS.swap(true, Ordering::Relaxed) {
        return;
    }
    let standing = standing.clone();
    spawn_local(async move {
        let replaced = reload::is_replaced().await;
        LOOKS.store(false, Ordering::Relaxed);
        if replaced && standing.get_untracked() == Standing::Failed {
            standing.set(Standing::Gone);
        }
    });
}

/// Makes a [`Module`] from its table, and the name of the file that it is split into.
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
