//! Estimates the server's clock from the times in its messages.
//!
//! For a message with a time, arrival by the browser's clock minus the server's time is the difference of both clocks
//! plus the time of travel. The two cannot be separated, but the time of travel is never negative. So the least
//! difference seen is the best estimate of the clocks' difference; its error is the fastest travel.

/// Time for which a least difference is used, in milliseconds. Clocks drift and are set, so it must expire.
const WINDOW_MS: u64 = 5 * 60 * 1_000;

/// An estimate of the difference between the browser's clock and the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerClock {
    /// Least difference of the current window, and start of the window, in milliseconds.
    current: Option<(i64, u64)>,
    /// Least difference of the window before, in milliseconds.
    previous: Option<i64>,
}

impl ServerClock {
    /// Records a message that the server wrote at `server` and that arrived at `local`, in milliseconds by their own
    /// clocks.
    pub fn observe(&mut self, server: u64, local: u64) {
        let difference = signed(local) - signed(server);
        match &mut self.current {
            Some((least, since)) if local.saturating_sub(*since) < WINDOW_MS => *least = difference.min(*least),
            current => {
                self.previous = current.map(|(least, _)| least);
                *current = Some((difference, local));
            }
        }
    }

    /// Difference by which the browser's clock is ahead of the server's, in milliseconds.
    #[must_use]
    pub fn ahead_ms(&self) -> i64 {
        let current = self.current.map(|(least, _)| least);
        current.into_iter().chain(self.previous).min().unwrap_or_default()
    }

    /// Converts a time of the browser's clock to the server's, in milliseconds.
    #[must_use]
    pub fn server_now(&self, local: u64) -> u64 {
        signed(local).saturating_sub(self.ahead_ms()).try_into().unwrap_or_default()
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_message_tells_how_the_clocks_differ() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.server_now(7), 7);
        clock.observe(1_000, 61_040);
        clock.observe(2_000, 62_003);
        clock.observe(3_000, 63_500);
        assert_eq!(clock.ahead_ms(), 60_003);
        assert_eq!(clock.server_now(70_003), 10_000);
    }

    #[test]
    fn a_server_ahead_of_us_is_a_negative_difference() {
        let mut clock = ServerClock::default();
        clock.observe(10_000, 4_000);
        assert_eq!(clock.server_now(5_000), 11_000);
    }

    #[test]
    fn what_was_seen_long_ago_does_not_count_any_more() {
        let mut clock = ServerClock::default();
        clock.observe(0, 100);
        clock.observe(WINDOW_MS, WINDOW_MS + 900);
        assert_eq!(clock.ahead_ms(), 100);
        clock.observe(2 * WINDOW_MS, 2 * WINDOW_MS + 900);
        assert_eq!(clock.ahead_ms(), 900);
    }
}
