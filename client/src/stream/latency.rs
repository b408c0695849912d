//! Measures the time from a push to its paint.
//!
//! It is the sum of three parts, each measured by one clock alone:
//! - The wait in the server: `now - pushed` of the update, by the server's clock.
//! - The travel: arrival by the browser's clock minus `now` by the server's, less the smallest such difference seen
//!   (see [`super::clock`]). So the fastest travel counts as zero, and the result says how much longer this one took.
//! - The page: from arrival to after the next paint, by the browser's clock.

use std::collections::VecDeque;

/// Number of updates from which the median is computed.
pub const SAMPLES: usize = 30;

/// The last latencies, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    samples: VecDeque<u64>,
}

/// Times of an update, known when it arrives. All are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Time at which the server accepted the push, by its clock.
    pub pushed: u64,
    /// Time at which the server wrote the update, by its clock.
    pub written: u64,
    /// Time of arrival, by the browser's clock.
    pub arrived: u64,
    /// Difference by which the browser's clock is ahead of the server's.
    pub ahead_ms: i64,
}

impl Latency {
    /// Records that the update of `arrival` was painted at `painted`, by the browser's clock.
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

    /// Median of the last [`SAMPLES`], in milliseconds; `None` before the first.
    #[must_use]
    pub fn p50_ms(&self) -> Option<u64> {
        let middle = self.samples.len() / 2;
        let before = |ms: u64| self.samples.iter().filter(|&&other| other < ms).count();
        // The greatest sample with at most half of the samples below it. This is quadratic, but for thirty samples
        // that is fast, and sorting would add three kilobytes to the page.
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
        // The browser's clock is 10 000 ms ahead. The message took 7 ms longer than the fastest one.
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
