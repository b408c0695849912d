//! The past on a board: a board with a fixed range shows all of itself as of the end of that range.
//!
//! [`Past`] holds the track of each series as of then, and every widget reads it instead of the live one
//! ([`BoardContext::track`](crate::board::context::BoardContext::track)). The tracks are rebuilt from history
//! ([`shared::reading::past`]): [`follow`] requests it and rebuilds them, [`needed`] decides what to request. [`lookback`]
//! does the same for numbers over a range. [`bar`] moves the end. All but this file is a lazily loaded module.

pub mod bar;
pub mod follow;
pub mod lookback;
pub mod needed;
pub mod player;
pub mod scale;

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;

use leptos::prelude::*;
use leptos::reactive::traits::Track as _;
use shared::reading::{Detail, JoinedCells, Lookback};
use shared::{Millis, SeriesName, Track};
use std::collections::HashMap;

use crate::board::context::BoardContext;
use crate::board::page::Screen;
use crate::history::SeriesCache;
use crate::lazy::module;
use crate::widget::lookback::WidgetHistory;

module! {
    /// The module.
    pub static PAST: PastModule = past, PastModule { bar: bar::view, ask: lookback::ask, join: lookback::join }
}

/// The functions of the module that the rest of the page calls.
pub struct PastModule {
    /// The bar below the head of a board that shows the past. It also requests the history.
    pub bar: fn(BoardContext, Screen) -> AnyView,
    /// Requests the missing history of a widget as of a moment.
    pub ask: fn(WidgetHistory, &[SeriesName], Lookback, Millis) -> bool,
    /// Joins the buckets of a lookback from a newest point.
    pub join: Join,
}

/// A function that joins the buckets of a lookback from the newest point at a time in milliseconds.
pub type Join = for<'a> fn(&'a mut SeriesCache, Lookback, u64, Detail) -> Option<JoinedCells<'a>>;

/// A series at a past moment.
#[derive(Clone, Debug, PartialEq)]
pub enum PastTrack {
    /// It had no points yet.
    Nothing,
    /// It had this track.
    Known(Track),
}

/// The past that the board shows. A handle, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// The moment that the board shows: the end of a fixed range. `None` while it is live.
    pub at: Memo<Option<Millis>>,
    /// The series whose history has arrived.
    tracks: StoredValue<HashMap<SeriesName, PastTrack>, LocalStorage>,
    /// Number of changes of the tracks.
    version: RwSignal<u64>,
    /// Factor by which the moment moves faster than time; 0 while it stands.
    pub pace: RwSignal<u64>,
}

/// Time for which history is requested ahead of a moment that moves, in milliseconds.
const AHEAD_MS: u64 = 15_000;

impl Past {
    /// The past at a moment that may change.
    #[must_use]
    pub fn new(at: Memo<Option<Millis>>) -> Self {
        Self { at, tracks: StoredValue::new_local(HashMap::new()), version: RwSignal::new(0), pace: RwSignal::new(0) }
    }

    /// Returns true while the board shows the past; not tracked.
    #[must_use]
    pub fn is_shown(self) -> bool {
        self.at.try_get_untracked().flatten().is_some()
    }

    /// Returns the moment up to which history is requested, in milliseconds, for the moment `to`.
    #[must_use]
    pub fn ahead(self, to: Millis) -> u64 {
        to.0 + 1 + self.pace.try_get_untracked().unwrap_or_default() * AHEAD_MS
    }

    /// Replaces the tracks.
    pub fn set(self, tracks: HashMap<SeriesName, PastTrack>) {
        let changed = self.tracks.try_update_value(|old| {
            let changed = *old != tracks;
            *old = tracks;
            changed
        });
        if changed == Some(true) {
            self.version.try_update(|version| *version += 1);
        }
    }

    /// Calls `look` with the track of a series; tracked. Returns `None` for a series that had no points yet, and for one
    /// whose history has not arrived.
    pub fn with_track<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        self.version.track();
        self.with_track_untracked(name, look)
    }

    /// Does the same untracked, for painters.
    pub fn with_track_untracked<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        let look = |tracks: &HashMap<SeriesName, PastTrack>| match tracks.get(name) {
            Some(PastTrack::Known(track)) => Some(look(track)),
            Some(PastTrack::Nothing) | None => None,
        };
        self.tracks.try_with_value(look).flatten()
    }

    /// Returns true if the history of a series has not arrived; tracked.
    #[must_use]
    pub fn awaits(self, name: &SeriesName) -> bool {
        self.version.track();
        self.tracks.try_with_value(|tracks| !tracks.contains_key(name)).unwrap_or_default()
    }

    /// Number of changes of the tracks; not tracked.
    #[must_use]
    pub fn version(self) -> u64 {
        self.version.try_get_untracked().unwrap_or_default()
    }
}
