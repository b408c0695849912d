//! What the browser says of the page's own life: seen, asleep, without a network.

use leptos::prelude::{document, window};

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
    let (window, document) = (window(), document());
    let on_window = [
        ("online", Vital::Online),
        ("offline", Vital::Offline),
        ("pagehide", Vital::Asleep),
        ("pageshow", Vital::Awake),
    ];
    let on_document = [("freeze", Vital::Asleep), ("resume", Vital::Awake)];
    let of_window = on_window.map(|(kind, vital)| Listener::new(&window, kind, move |_| tell(vital)));
    let of_document = on_document.map(|(kind, vital)| Listener::new(&document, kind, move |_| tell(vital)));
    let seen = Listener::new(&document, "visibilitychange", move |_| tell(seen()));
    of_window.into_iter().chain(of_document).chain([seen]).collect()
}

/// Whether the page is seen now.
#[must_use]
pub fn seen() -> Vital {
    if browser::is_hidden() { Vital::Hidden } else { Vital::Shown }
}
