//! How long it takes from a push to the paint.
//!
//! Three parts, each measured by one clock alone:
//! - the wait in the server: `now - pushed` of the update, by the server's clock;
//! - the way here: arrival by our clock minus `now` by the server's, less the smallest such difference seen (see
//!   [`super::clock`]). So the fastest journey counts as nothing, and what is told is how much longer this one took;
//! - the page: from arrival to after the next paint, by our clock.

use std::collections::VecDeque;

/// Over how many updates the median is taken.
pub const SAMPLES: usize = 30;

/// The last latencies.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    samples: VecDeque<u64>,
}

/// What is known of an update when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When the server took in the push.
    pub pushed: u64,
    /// When the server wrote the update.
    pub written: u64,
    /// When it arrived, by our clock.
    pub arrived: u64,
    /// How far our clock is ahead of the server's.
    pub ahead_ms: i64,
}

impl Latency {
    /// The update of `arrival` was painted at `painted`, by our clock.
    pub fn painted(&mut self, arrival: Arrival, painted: u64) {
        let waited = arrival.written.saturating_sub(arrival.pushed);
        let here = arrival.arrived.saturating_add_signed(arrival.ahead_ms.saturating_neg());
        let travelled = here.saturating_sub(arrival.written);
        let page = painted.saturating_sub(arrival.arrived);
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(waited + travelled + page);
    }

    /// The median of the last [`SAMPLES`]; nothing before the first.
    #[must_use]
    pub fn p50_ms(&self) -> Option<u64> {
        let middle = self.samples.len() / 2;
        let before = |ms: u64| self.samples.iter().filter(|&&other| other < ms).count();
        // Of those that are not past the middle, the greatest. For thirty that is soon done; to sort them would take
        // three kilobytes of the page.
        self.samples.iter().copied().filter(|&ms| before(ms) <= middle).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_wait_and_the_way_and_the_paint() {
        let mut latency = Latency::default();
        assert_eq!(latency.p50_ms(), None);
        // Our clock is 10 000 ahead; the message took 7 ms longer than the fastest one.
        let arrival = Arrival { pushed: 1_000, written: 1_020, arrived: 11_027, ahead_ms: 10_000 };
        latency.painted(arrival, 11_035);
        assert_eq!(latency.p50_ms(), Some(20 + 7 + 8));
    }

    #[test]
    fn the_median_is_of_the_last_samples_only() {
        let mut latency = Latency::default();
        let arrival = Arrival { pushed: 0, written: 0, arrived: 0, ahead_ms: 0 };
        for _ in 0..SAMPLES {
            latency.painted(arrival, 9_000);
        }
        for ms in 0..SAMPLES as u64 {
            latency.painted(arrival, ms);
        }
        assert_eq!(latency.p50_ms(), Some(SAMPLES as u64 / 2));
    }
}
