//! Whether a series still reports.

use shared::board::Span;
use shared::{Millis, SeriesName};

use crate::board::stage::Stage;

/// How often the series of a widget are expected to report.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// A series that has not reported for longer is stale; none ever is where nothing is expected.
    pub expect: Option<Span>,
    /// Where the newest points and the time are.
    pub stage: Stage,
}

impl Freshness {
    /// Since when a series has not reported, where that is longer than it may; followed.
    #[must_use]
    pub fn stale_since(self, name: &SeriesName) -> Option<Millis> {
        let newest = self.stage.newest(name)?;
        is_stale(self.expect?, newest, Millis(self.stage.server_now.get())).then_some(newest)
    }

    /// How many of these are stale; followed.
    #[must_use]
    pub fn stale(self, names: &[SeriesName]) -> usize {
        if self.expect.is_none() {
            return 0;
        }
        names.iter().filter(|name| self.stale_since(name).is_some()).count()
    }
}

/// Whether a series whose newest point was at `newest` is stale at `now`.
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
