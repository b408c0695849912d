//! Events of the page's lifecycle from the browser: visible, frozen, without a network.

use leptos::prelude::{document, window};
use web_sys::EventTarget;

use super::listener::Listener;
use crate::browser;

/// A change in the lifecycle of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// The page is visible.
    Shown,
    /// The page is hidden.
    Hidden,
    /// There is a network again.
    Online,
    /// There is no network.
    Offline,
    /// The page is about to be frozen, put into the back/forward cache, or closed: its code stops.
    Asleep,
    /// The page runs again.
    Awake,
}

/// Calls `notify` for each change while the listeners live.
#[must_use]
pub fn listen(notify: impl Fn(LifecycleEvent) + Copy + 'static) -> Vec<Listener> {
    let listen = |target: &EventTarget, kind, vital: fn() -> LifecycleEvent| {
        Listener::new(target, kind, move |_| notify(vital()))
    };
    let (window, document) = (window(), document());
    vec![
        listen(&window, "online", || LifecycleEvent::Online),
        listen(&window, "offline", || LifecycleEvent::Offline),
        listen(&window, "pagehide", || LifecycleEvent::Asleep),
        listen(&window, "pageshow", || LifecycleEvent::Awake),
        listen(&document, "freeze", || LifecycleEvent::Asleep),
        listen(&document, "resume", || LifecycleEvent::Awake),
        listen(&document, "visibilitychange", seen),
    ]
}

/// Returns the page's present visibility.
#[must_use]
pub fn seen() -> LifecycleEvent {
    if browser::is_hidden() { LifecycleEvent::Hidden } else { LifecycleEvent::Shown }
}
