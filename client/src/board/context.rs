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
    pub fn server_now_untracked(self) -> u64 {
        self.clock.try_get_untracked().unwrap_or_default().server_now(crate::browser::now())
    }

    /// Returns the moment that the board shows: the end of a fixed range, or else the server's present time; reactive.
    #[must_use]
    pub fn shown_moment(self) -> Millis {
        self.view.past.at.get().unwrap_or_else(|| Millis(self.server_now.get()))
    }

    /// Does the same to the millisecond and not reactive, for painters.
    #[must_use]
    pub fn shown_moment_untracked(self) -> Millis {
        self.view.past.at.try_get_untracked().flatten().unwrap_or_else(|| Millis(self.server_now_untracked()))
    }

    /// Calls `look` with the track of a series as of the moment that the board shows; reactive. On a live board, points
    /// ahead of now are left out ([`shared::as_of`]); returns `None` if all are ahead. While a point is ahead, the
    /// result also follows the clock. For a past moment see [`Past::with_track`](crate::past::Past::with_track).
    pub fn with_track<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        if self.view.past.at.get().is_some() {
            return self.view.past.with_track(name, look);
        }
        let now = Millis(self.server_now_untracked());
        if self.live.with_track(name, |track| track.is_ahead(now)).unwrap_or_default() {
            self.server_now.track();
        }
        self.live.with_track_untracked(name, |track| track.as_of(now).map(|track| look(&track))).flatten()
    }

    /// Calls `look` with the track of a series, untracked, for painters. A live one has points ahead of now too.
    pub fn with_track_untracked<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        if self.view.past.is_shown() {
            self.view.past.with_track_untracked(name, look)
        } else {
            self.live.with_track_untracked(name, look)
        }
    }

    /// Returns a number that changes whenever the track of a series does; not tracked.
    #[must_use]
    pub fn version(self, name: &SeriesName) -> u64 {
        if self.view.past.is_shown() { self.view.past.version() } else { self.live.version(name) }
    }

    /// Returns the time of the newest point of a series up to the moment that the board shows; reactive.
    #[must_use]
    pub fn newest(self, name: &SeriesName) -> Option<Millis> {
        self.with_track(name, |track| track.latest_at().ts)
    }
}
