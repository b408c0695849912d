//! Modules: parts of the page that are fetched when they are first needed.
//!
//! A user who opens a board waits for the code of boards only, not for the editor, the doctor or notes. A build with
//! the feature `split` is cut into files after linking (`tools/split.sh`): code that only one [`Module`] uses becomes a
//! file of its own. Without the feature all code is in the page from the start.

use leptos::task::spawn_local;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use leptos::prelude::*;

use crate::reload;

/// Wait before a module that failed to load is fetched again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// A part of the page that may not be loaded yet. The rest of the page calls it through a table of functions.
pub struct Module<T: 'static> {
    /// The file that the module is split into.
    file: &'static str,
    table: OnceLock<T>,
    /// Loading state; code that shows something of the module tracks this signal.
    state: LazyLock<ArcRwSignal<LoadState>>,
    /// True while a retry is scheduled: at most one, however many callers there are and however often it fails.
    retry_scheduled: AtomicBool,
    loader: Loader<T>,
}

/// A boxed future.
#[cfg(feature = "split")]
pub type Waiting<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

/// The way to a module's table of functions.
pub enum Loader<T> {
    /// The table is in the page.
    #[cfg(not(feature = "split"))]
    Bundled(fn() -> T),
    /// The table is in a file of its own.
    #[cfg(feature = "split")]
    Split(fn() -> Waiting<Result<T, LoadError>>),
}

/// The error of a module that could not be loaded. The browser's console has the reason.
#[derive(Clone, Copy, Debug)]
pub struct LoadError;

/// Placeholder that is shown until a module is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// A blank area of the size of the later content.
    Blank,
    /// No element.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoadState {
    Unrequested,
    Loading,
    Loaded,
    Failed,
    /// Loading failed, and the server has another version of the page by now.
    Replaced,
}

impl LoadState {
    fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Replaced)
    }
}

impl<T: Send + Sync + 'static> Module<T> {
    /// Makes a module that is not loaded yet.
    #[must_use]
    pub const fn new(file: &'static str, loader: Loader<T>) -> Self {
        Self {
            file,
            table: OnceLock::new(),
            state: LazyLock::new(|| ArcRwSignal::new(LoadState::Unrequested)),
            retry_scheduled: AtomicBool::new(false),
            loader,
        }
    }

    /// Returns the table if it is loaded, and tracks the loading state. Starts to fetch the module otherwise.
    pub fn get(&'static self) -> Option<&'static T> {
        // Before it is tracked: what this changes must not call the caller again.
        if self.state.get_untracked() == LoadState::Unrequested {
            self.fetch();
        }
        self.state.track();
        self.table.get()
    }

    /// Returns the table if it is loaded; not tracked.
    #[must_use]
    pub fn loaded_untracked(&'static self) -> Option<&'static T> {
        self.table.get()
    }

    /// Fetches the module, unless it is loaded or under way.
    pub fn fetch(&'static self) {
        let state = self.state.get_untracked();
        if state == LoadState::Unrequested || state.is_failure() {
            self.state.set(LoadState::Loading);
            self.load();
        }
    }

    /// Waits for the table. Returns `None` if it cannot be loaded now.
    pub async fn wait(&'static self) -> Option<&'static T> {
        if self.table.get().is_none() {
            match &self.loader {
                #[cfg(not(feature = "split"))]
                Loader::Bundled(make) => self.loaded(Ok(make())),
                #[cfg(feature = "split")]
                Loader::Split(fetch) => self.loaded(fetch().await),
            }
        }
        self.table.get()
    }

    #[cfg(not(feature = "split"))]
    fn load(&'static self) {
        let Loader::Bundled(make) = &self.loader;
        self.loaded(Ok(make()));
    }

    #[cfg(feature = "split")]
    fn load(&'static self) {
        let Loader::Split(fetch) = &self.loader;
        spawn_local(async move { self.loaded(fetch().await) });
    }

    fn loaded(&'static self, table: Result<T, LoadError>) {
        match table {
            Ok(table) => {
                // Two callers may both have fetched it; the second table is the same, so it is dropped.
                _ = self.table.set(table);
                // A second notification would build every view of the module again.
                if self.state.get_untracked() != LoadState::Loaded {
                    self.state.set(LoadState::Loaded);
                }
            }
            Err(LoadError) => {
                self.state.set(LoadState::Failed);
                check_replaced(&self.state);
                // Retries without a user, since a wall screen has nobody who could press a button.
                if !self.retry_scheduled.swap(true, Ordering::Relaxed) {
                    let retry = move || {
                        self.retry_scheduled.store(false, Ordering::Relaxed);
                        self.fetch();
                    };
                    set_timeout(retry, RETRY_AFTER);
                }
            }
        }
    }

    /// A message while the module cannot be loaded. Does not start to fetch it.
    pub fn failure_view(&'static self) -> AnyView {
        view! { {move || self.state.get().is_failure().then(|| self.failure_notice())} }.into_any()
    }

    /// The view that `make` builds from the table, and the placeholder before that.
    pub fn view(
        &'static self,
        placeholder: Placeholder,
        make: impl Fn(&'static T) -> AnyView + Send + 'static,
    ) -> AnyView {
        view! {
            {move || match self.get() {
                // Signals that `make` reads must not make the view be built again.
                Some(table) => untrack(|| make(table)),
                None if self.state.get().is_failure() => self.failure_notice(),
                None => placeholder.view(),
            }}
        }
        .into_any()
    }

    /// The message in the place of a module that could not be loaded.
    fn failure_notice(&'static self) -> AnyView {
        let part = readable(self.file);
        let words = match self.state.get() {
            LoadState::Replaced => {
                let words = format!("A new version of this page is here, and {part} of the old one cannot be loaded. ");
                view! { {words} "Save what you edit, then " }.into_any()
            }
            _ => {
                let words = format!("Could not load {part}. ");
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

/// Returns the name of a module for users.
fn readable(file: &str) -> &'static str {
    match file {
        "notes" => "the notes",
        "board" => "the document of this board",
        "edit" => "the editor",
        "pages" => "the list of boards and the other pages",
        "past" => "the view of the past",
        _ => "a part of this page",
    }
}

impl Placeholder {
    fn view(self) -> AnyView {
        match self {
            Self::Blank => view! { <div class="blank" aria-hidden="true"></div> }.into_any(),
            Self::Nothing => ().into_any(),
        }
    }
}

/// True while [`check_replaced`] is under way.
static CHECKING: AtomicBool = AtomicBool::new(false);

/// Checks if the failed module belongs to a page that the server has replaced. If so, [`reload`] loads the new page,
/// or the message says that there is a new version.
fn check_replaced(state: &ArcRwSignal<LoadState>) {
    if CHECKING.swap(true, Ordering::Relaxed) {
        return;
    }
    let state = state.clone();
    spawn_local(async move {
        let replaced = reload::is_replaced().await;
        CHECKING.store(false, Ordering::Relaxed);
        if replaced && state.get_untracked() == LoadState::Failed {
            state.set(LoadState::Replaced);
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
            fn open() -> Result<$table, $crate::lazy::LoadError> {
                Ok($made)
            }
            #[cfg(feature = "split")]
            let loader: $crate::lazy::Loader<$table> = $crate::lazy::Loader::Split(|| Box::pin(open()));
            #[cfg(not(feature = "split"))]
            let loader: $crate::lazy::Loader<$table> = $crate::lazy::Loader::Bundled(|| $made);
            $crate::lazy::Module::new(stringify!($file), loader)
        };
    };
}
pub(crate) use module;

#[cfg(feature = "split")]
impl From<leptos::wasm_split::SplitLoaderError> for LoadError {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_module_has_a_name_that_users_understand() {
        // The first words of each declaration `static NAME: Table = file, …`.
        let sources = [
            include_str!("widget.rs"),
            include_str!("board/document.rs"),
            include_str!("edit/entry.rs"),
            include_str!("pages.rs"),
            include_str!("past.rs"),
        ];
        let mut modules = 0;
        for source in sources {
            for declared in source.split("module! {").skip(1) {
                let (_, file) = declared.split_once(" = ").unwrap();
                let (file, _) = file.split_once(',').unwrap();
                assert_ne!(readable(file), readable(""), "{file} has no name for users");
                modules += 1;
            }
        }
        assert_eq!(modules, 5);
    }
}
