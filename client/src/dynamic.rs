//! What moves, each kind of one type.
//!
//! A closure has a type of its own, and all that Leptos does with one is compiled again for each: some kilobytes. Behind
//! a box they are all alike, and the page is a good part smaller. So no view has bare closures in it, and nothing is put
//! into a bare [`signal`]: what is reactive goes through one of these.

pub mod signal;

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;

pub use signal::{LocalValue, Memo, RwSignal, StoredValue};

/// Text that follows signals.
pub type Text = Box<dyn FnMut() -> String + Send>;

/// Something that is true or not, by signals.
pub type Flag = Box<dyn FnMut() -> bool + Send>;

/// A part of a view that is made anew as signals change.
pub type Inside = Box<dyn FnMut() -> AnyView + Send>;

/// Something that is waited for.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T>>>;

/// Text that follows signals: between tags, or as an attribute, a class or a style.
pub fn text(what: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(what)
}

/// An attribute that is there or not, such as `hidden`.
pub fn flag(what: impl FnMut() -> bool + Send + 'static) -> Flag {
    Box::new(what)
}

/// A part of a view that is made anew as signals change.
pub fn part(what: impl FnMut() -> AnyView + Send + 'static) -> Inside {
    Box::new(what)
}

/// Runs `what` now, and again whenever a signal changes that it read; it ends with the reactive owner.
pub fn effect(what: impl FnMut() + 'static) {
    let what: Box<dyn FnMut()> = Box::new(what);
    Effect::new(what);
}

/// Text that is only told where it has changed: for whoever is dear to run.
pub fn memo_text(what: impl Fn() -> String + Send + Sync + 'static) -> Memo<String> {
    Memo::new(what)
}

/// As [`memo_text`], of what is true or not.
pub fn memo_flag(what: impl Fn() -> bool + Send + Sync + 'static) -> Memo<bool> {
    Memo::new(what)
}

/// Does what waits for something outside, beside all else.
pub fn spawn(what: impl Future<Output = ()> + 'static) {
    let what: Waiting<()> = Box::pin(what);
    spawn_local(what);
}
