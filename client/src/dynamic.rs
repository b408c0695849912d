//! Type-erased reactive values: closures, effects, memos and futures that Leptos compiles only once.
//!
//! Each closure has its own type, and Leptos' code is compiled again for each type: some kilobytes each time. Boxed
//! closures all have the same type, which makes the page much smaller. So views contain no bare closures, and values
//! go into the signals of [`signal`], not into those of Leptos.

pub mod signal;

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;

pub use signal::{LocalValue, Memo, RwSignal, StoredValue};

/// A text that follows signals.
pub type Text = Box<dyn FnMut() -> String + Send>;

/// A boolean that follows signals.
pub type Flag = Box<dyn FnMut() -> bool + Send>;

/// A part of a view that is made anew when signals change.
pub type Inside = Box<dyn FnMut() -> AnyView + Send>;

/// A boxed future.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T>>>;

/// Boxes a text that follows signals: for use between tags, or as an attribute, a class or a style.
pub fn text(what: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(what)
}

/// Boxes a boolean attribute that follows signals, such as `hidden`.
pub fn flag(what: impl FnMut() -> bool + Send + 'static) -> Flag {
    Box::new(what)
}

/// Boxes a part of a view that is made anew when signals change.
pub fn part(what: impl FnMut() -> AnyView + Send + 'static) -> Inside {
    Box::new(what)
}

/// Runs `what` now, and again whenever a signal changes that it read. It ends with the reactive owner.
pub fn effect(what: impl FnMut() + 'static) {
    let what: Box<dyn FnMut()> = Box::new(what);
    Effect::new(what);
}

/// Memoised text, for expensive subscribers: they run only when the text changes.
pub fn memo_text(what: impl Fn() -> String + Send + Sync + 'static) -> Memo<String> {
    Memo::new(what)
}

/// Memoised boolean, for expensive subscribers: they run only when the value changes.
pub fn memo_flag(what: impl Fn() -> bool + Send + Sync + 'static) -> Memo<bool> {
    Memo::new(what)
}

/// Runs a future in the background.
pub fn spawn(what: impl Future<Output = ()> + 'static) {
    let what: Waiting<()> = Box::pin(what);
    spawn_local(what);
}
