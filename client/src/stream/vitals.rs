//! What the browser says of the page's own life: seen, asleep, without a network.

use leptos::prelude::{document, window};
use web_sys::EventTarget;

use super::listener::Listener;
use crate::browser;

/// A turn in the life of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vital {
    /// Somebody can see it.
    Shown,
    /// Nobody can see it.
    Hidden,
    /// There is a network again.
    Online,
    /// There is no network.
    Offline,
    /// It is about to be frozen, kept aside for the back button, or gone: nothing of it runs any more.
    Asleep,
    /// It runs again.
    Awake,
}

/// Tells all of it while the listeners live.
#[must_use]
pub fn listen(tell: impl Fn(Vital) + Copy + 'static) -> Vec<Listener> {
    let listen = |target: &EventTarget, kind, vital: fn() -> Vital| Listener::new(target, kind, move |_| tell(vital()));
    let (window, document) = (window(), document());
    vec![
        listen(&window, "online", || Vital::Online),
        listen(&window, "offline", || Vital::Offline),
        listen(&window, "pagehide", || Vital::Asleep),
        listen(&window, "pageshow", || Vital::Awake),
        listen(&document, "freeze", || Vital::Asleep),
        listen(&document, "resume", || Vital::Awake),
        listen(&document, "visibilitychange", seen),
    ]
}

/// Whether the page is seen now.
#[must_use]
pub fn seen() -> Vital {
    if browser::is_hidden() { Vital::Hidden } else { Vital::Shown }
}
