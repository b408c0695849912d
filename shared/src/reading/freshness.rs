//! Decides if a series still reports.

use crate::{Duration, Millis};

/// Returns true if a series with the newest point at `newest`, which is expected to report at least every `expect`, is
/// stale at `now`.
#[must_use]
pub fn is_stale(expect: Duration, newest: Millis, now: Millis) -> bool {
    now.since(newest) > expect.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_is_stale_once_it_is_silent_for_longer_than_expected() {
        let minute = Duration::from_secs(60);
        assert!(!is_stale(minute, Millis(0), Millis(60_000)));
        assert!(is_stale(minute, Millis(0), Millis(60_001)));
        assert!(!is_stale(minute, Millis(60_900), Millis(60_000)), "a point ahead of now is fresh");
    }
}
