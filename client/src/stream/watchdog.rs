//! Detects an open connection that has gone dead.
//!
//! A TCP connection whose other end vanished shows neither an error nor an end. Only the heartbeat is missing. On a
//! stream that had events all the time, their absence is noticed earlier: such a silence is suspect, and has to be
//! checked.

/// Interval of heartbeats that is assumed before the server's `hello`, in milliseconds.
pub const DEFAULT_HEARTBEAT_MS: u64 = 15_000;

/// Shortest silence that is suspect, in milliseconds.
pub const LEAST_SUSPECT_MS: u64 = 5_000;

/// A silence of this many of the longest recent gaps is suspect.
const SUSPECT_GAPS: u64 = 5;

/// Number of recent gaps that are remembered.
const GAPS: usize = 8;

/// Number of gaps that must be known before a silence can be suspect.
const KNOWN_GAPS: usize = 3;

/// A timer of the silence on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    heartbeat_ms: u64,
    heard_at: u64,
    /// The newest gaps between events, in milliseconds, as a ring.
    gaps: [u64; GAPS],
    /// Number of events on this connection.
    events: usize,
}

impl Watchdog {
    /// Makes a watchdog of a connection that is opened at `now`, in milliseconds.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self { heartbeat_ms: DEFAULT_HEARTBEAT_MS, heard_at: now, gaps: [0; GAPS], events: 0 }
    }

    /// Starts over with a connection that is opened at `now`.
    pub fn opened(&mut self, now: u64) {
        *self = Self { heartbeat_ms: self.heartbeat_ms, ..Self::new(now) };
    }

    /// Sets the interval of heartbeats, in milliseconds. Zero is ignored, since with it the connection would always
    /// be overdue.
    pub fn expect_every(&mut self, heartbeat_ms: u64) {
        if heartbeat_ms > 0 {
            self.heartbeat_ms = heartbeat_ms;
        }
    }

    /// Records that an event arrived.
    pub fn received(&mut self, now: u64) {
        // There is no gap before the first event.
        if let Some(before) = self.events.checked_sub(1)
            && let Some(gap) = self.gaps.get_mut(before % GAPS)
        {
            *gap = now.saturating_sub(self.heard_at);
        }
        self.events += 1;
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
        self.silence(now) > self.patience_ms()
    }

    /// Silence in milliseconds after which a connection is suspect, although no heartbeat is overdue: five times the
    /// longest gap of late. `None` while too few events are known.
    #[must_use]
    pub fn suspect_after_ms(&self) -> Option<u64> {
        let known = self.events.saturating_sub(1).min(GAPS);
        if known < KNOWN_GAPS {
            return None;
        }
        let longest = self.gaps.iter().take(known).max()?;
        Some(longest.saturating_mul(SUSPECT_GAPS).max(LEAST_SUSPECT_MS))
    }

    /// Returns the time in milliseconds for which the silence has been suspect; `None` if it is not.
    #[must_use]
    pub fn suspect_for(&self, now: u64) -> Option<u64> {
        self.silence(now).checked_sub(self.suspect_after_ms()?)
    }

    fn silence(&self, now: u64) -> u64 {
        now.saturating_sub(self.heard_at)
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

    #[test]
    fn silence_is_suspect_after_five_times_the_longest_usual_gap() {
        for (gap, suspect_after) in [(50, 5_000), (1_000, 5_000), (2_000, 10_000), (15_000, 75_000)] {
            let mut dog = Watchdog::new(0);
            (1..=20).for_each(|event| dog.received(event * gap));
            assert_eq!(dog.suspect_after_ms(), Some(suspect_after), "an event every {gap} ms");
            assert_eq!(dog.suspect_for(20 * gap + suspect_after - 1), None);
            assert_eq!(dog.suspect_for(20 * gap + suspect_after + 10), Some(10));
        }
    }

    #[test]
    fn silence_after_few_events_or_an_irregular_past_is_not_suspect() {
        let mut dog = Watchdog::new(0);
        (1..=3).for_each(|event| dog.received(event * 1_000));
        assert_eq!(dog.suspect_for(20_000), None, "three events have two gaps");
        dog.received(20_000);
        assert_eq!(dog.suspect_after_ms(), Some(85_000), "it was silent for as long before");
        dog.opened(30_000);
        assert_eq!(dog.suspect_after_ms(), None, "another connection");
    }
}
