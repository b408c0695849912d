//! The shared context of a board's widgets: the live picture, the clock, the view and the history.

use crate::chart::frames::Frames;
use crate::history::History;
use crate::live::Live;
use crate::range::view::View;
use crate::stream::clock::ServerClock;
use leptos::prelude::*;
use leptos::reactive::traits::Track as _;
use shared::{Millis, SeriesName, Track};

/// Handles that each widget gets. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct BoardContext {
    /// The live picture of the series.
    pub live: Live,
    /// The loop of animation frames.
    pub frames: Frames,
    /// The page's estimate of the server's clock.
    pub clock: RwSignal<ServerClock>,
    /// The server's time in milliseconds; changes once a second.
    pub server_now: RwSignal<u64>,
    /// The shown time range, and the moment under the pointer.
    pub view: View,
    /// The past that the page has fetched.
    pub history: History,
}

impl BoardContext {
    /// The server's present time in milliseconds; not reactive.
    #[must_use]
    pub fn now(self) -> u64 {
        self.clock.try_get_untracked().unwrap_or_default().server_now(crate::browser::now())
    }

    /// Calls `look` with the track of a series as of now; reactive. Points ahead of now are left out
    /// ([`shared::as_of`]); returns `None` if all are ahead. While a point is ahead, the result also follows the clock.
    pub fn track<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        let now = Millis(self.now());
        if self.live.track(name, |track| track.is_ahead(now)).unwrap_or_default() {
            self.server_now.track();
        }
        self.live.with_track(name, |track| track.as_of(now).map(|track| look(&track))).flatten()
    }

    /// Returns the time of the newest point of a series that is not ahead of now; reactive.
    #[must_use]
    pub fn newest(self, name: &SeriesName) -> Option<Millis> {
        self.track(name, |track| track.latest_at().ts)
    }
}
