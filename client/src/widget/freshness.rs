//! Finds the series of a widget that have stopped reporting.

use shared::reading::{is_late, is_stale};
use shared::{Duration, Millis, SeriesName};

use crate::board::context::BoardContext;

/// The expected interval of reports, with the sources of points and time.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// Longest time without a report; with `None` no series is ever stale.
    pub expect: Option<Duration>,
    /// Gives the newest points and the server's time.
    pub context: BoardContext,
}

impl Freshness {
    /// Returns the time of a series' newest point if the series is stale; tracked.
    #[must_use]
    pub fn stale_since(self, name: &SeriesName) -> Option<Millis> {
        let newest = self.context.newest(name)?;
        is_stale(self.expect?, newest, self.context.shown_moment()).then_some(newest)
    }

    /// Returns true if no series of `names` has reported for much longer than usual, or for longer than the document
    /// expects; tracked.
    #[must_use]
    pub fn is_late(self, names: &[SeriesName]) -> bool {
        if self.expect.is_some() {
            return !names.is_empty() && self.stale(names) == names.len();
        }
        let now = self.context.shown_moment();
        names.iter().all(|name| self.context.with_track(name, |track| is_late(track, now)).unwrap_or(true))
    }

    /// Counts the stale series; tracked.
    #[must_use]
    pub fn stale(self, names: &[SeriesName]) -> usize {
        if self.expect.is_none() {
            return 0;
        }
        names.iter().filter(|name| self.stale_since(name).is_some()).count()
    }
}
