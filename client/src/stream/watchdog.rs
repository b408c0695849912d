//! Detects an open connection that has gone dead.
//!
//! A TCP connection whose other end vanished shows neither an error nor an end. Only the heartbeat is missing.

/// Interval of heartbeats that is assumed before the server's `hello`, in milliseconds.
pub const DEFAULT_HEARTBEAT_MS: u64 = 15_000;

/// A timer of the silence on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    heartbeat_ms: u64,
    heard_at: u64,
}

impl Watchdog {
    /// Makes a watchdog that received something at `now`, in milliseconds.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self { heartbeat_ms: DEFAULT_HEARTBEAT_MS, heard_at: now }
    }

    /// Sets the interval of heartbeats, in milliseconds. Zero is ignored, since with it the connection would always
    /// be overdue.
    pub fn expect_every(&mut self, heartbeat_ms: u64) {
        if heartbeat_ms > 0 {
            self.heartbeat_ms = heartbeat_ms;
        }
    }

    /// Records that something arrived.
    pub fn received(&mut self, now: u64) {
        self.heard_at = now;
    }

    /// Longest silence, in milliseconds: two heartbeats.
    #[must_use]
    pub fn patience_ms(&self) -> u64 {
        self.heartbeat_ms.saturating_mul(2)
    }

    /// True after a silence of more than two heartbeats. False after the clock was set back.
    #[must_use]
    pub fn is_overdue(&self, now: u64) -> bool {
        now.saturating_sub(self.heard_at) > self.patience_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heartbeats_may_be_missed_and_no_more() {
        let mut dog = Watchdog::new(1_000);
        dog.expect_every(100);
        assert!(!dog.is_overdue(1_200));
        assert!(dog.is_overdue(1_201));
        dog.received(1_201);
        assert!(!dog.is_overdue(1_401));
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_silence() {
        assert!(!Watchdog::new(1_000_000).is_overdue(5));
    }

    #[test]
    fn a_heartbeat_of_zero_is_not_believed() {
        let mut dog = Watchdog::new(0);
        dog.expect_every(0);
        assert_eq!(dog.patience_ms(), 2 * DEFAULT_HEARTBEAT_MS);
    }
}
