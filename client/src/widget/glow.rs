//! The glow of a value that changed.
//!
//! It is a class that is set and taken away again: two paints. A fading animation would paint the page in each frame,
//! which is most of the work of a board on which a number changes every second.

use std::time::Duration;

use leptos::prelude::*;

/// Least time between two glows, in milliseconds: a value that changes more often would never rest.
pub(super) const GLOW_MS: u64 = 1_000;

/// Time for which a value glows.
const SHOWN: Duration = Duration::from_millis(600);

/// Sets the signal for a moment.
pub(super) fn glow_once(glow: RwSignal<bool>) {
    glow.set(true);
    set_timeout(move || _ = glow.try_set(false), SHOWN);
}
