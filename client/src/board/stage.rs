//! What all widgets of a board share.

use crate::chart::frames::Frames;
use crate::dynamic::RwSignal;
use crate::history::History;
use crate::live::Live;
use crate::range::view::View;
use crate::stream::clock::ServerClock;
use shared::{Millis, SeriesName, Track};

/// Handles on it: given to each widget, and cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// The picture.
    pub live: Live,
    /// The one loop of animation frames.
    pub frames: Frames,
    /// The server's clock as the page knows it.
    pub clock: RwSignal<ServerClock>,
    /// The server's time in milliseconds; changes once a second.
    pub server_now: RwSignal<u64>,
    /// Which stretch of time is shown, and which moment is pointed at.
    pub view: View,
    /// What the page has of the past.
    pub history: History,
}

impl Stage {
    /// The server's time right now, in milliseconds, without following it.
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
