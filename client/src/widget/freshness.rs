//! Finds the series of a widget that have stopped reporting.

use shared::board::Span;
use shared::{Millis, SeriesName};

use crate::board::context::BoardContext;

/// The expected interval of reports, with the sources of points and time.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// Longest time without a report; with `None` no series is ever stale.
    pub expect: Option<Span>,
    /// Gives the newest points and the server's time.
    pub context: BoardContext,
}

impl Freshness {
    /// Returns the time of a series' newest point if the series is stale; tracked.
    #[must_use]
    pub fn stale_since(self, name: &SeriesName) -> Option<Millis> {
        let newest = self.context.newest(name)?;
        is_stale(self.expect?, newest, Millis(self.context.server_now.get())).then_some(newest)
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

/// True if a series with the newest point at `newest` is stale at `now`.
#[must_use]
pub fn is_stale(expect: Span, newest: Millis, now: Millis) -> bool {
    now.since(newest) > expect.millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_stale_once_it_has_not_reported_for_longer_than_it_may() {
        let minute = Span::of_seconds(60).unwrap();
        assert!(!is_stale(minute, Millis(0), Millis(60_000)));
        assert!(is_stale(minute, Millis(0), Millis(60_001)));
        assert!(!is_stale(minute, Millis(60_900), Millis(60_000)), "a point of the present second is new");
    }
}
