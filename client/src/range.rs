//! The range of time that a board shows. [`address`] keeps it in the page's address, [`picker`] lets the user choose
//! it, [`view`] holds it for all charts of a board.

pub mod address;
pub mod picker;
pub mod view;

use shared::{Duration, Millis};

/// A range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last so much time up to now; it moves.
    Live(Duration),
    /// From one moment to a later one; it stays.
    Fixed {
        /// First moment.
        from: Millis,
        /// Moment after the last one.
        to: Millis,
    },
}

/// Shortest range that the user can zoom to, in milliseconds.
const SHORTEST: u64 = 5_000;
/// Longest range that the user can zoom to, in milliseconds: ten years.
const LONGEST: u64 = 3_650 * 86_400_000;

impl Range {
    /// Makes a fixed range. Returns `None` where it does not end after its start.
    #[must_use]
    pub fn fixed(from: Millis, to: Millis) -> Option<Self> {
        (from < to).then_some(Self::Fixed { from, to })
    }

    /// Makes a fixed range between two moments (milliseconds) in any order, at least [`SHORTEST`] long.
    #[must_use]
    pub fn between(a: f64, b: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let (from, to) = (a.min(b) as u64, a.max(b) as u64);
        let short = SHORTEST.saturating_sub(to - from);
        let from = from.saturating_sub(short / 2);
        Self::Fixed { from: Millis(from), to: Millis(to.max(from + SHORTEST)) }
    }

    /// Returns the range moved by a fraction of its length, later where `by` is positive, but not beyond `now`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn moved(self, now: u64, by: f64) -> Self {
        let (from, to) = self.at(now);
        let length = (to - from) as f64;
        let by = (by * length).min(now as f64 - to as f64).max(-(from as f64));
        Self::between(from as f64 + by, to as f64 + by)
    }

    /// Returns the range with its length multiplied by `times`. The moment at the fraction `around` (0 left, 1 right)
    /// keeps its place.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn zoomed(self, now: u64, times: f64, around: f64) -> Self {
        let (from, to) = self.at(now);
        let length = ((to - from) as f64 * times).clamp(SHORTEST as f64, LONGEST as f64);
        let at = from as f64 + (to - from) as f64 * around;
        let from = (at - length * around).max(0.0);
        Self::between(from, (from + length).min(now.max(to) as f64))
    }

    /// Returns the fixed range of the same length that ends at `to`, but not after `now`. All are in milliseconds.
    #[must_use]
    pub fn ending_at(self, now: u64, to: u64) -> Self {
        let (from, end) = self.at(now);
        let length = end - from;
        let to = to.min(now).max(length);
        Self::Fixed { from: Millis(to - length), to: Millis(to) }
    }

    /// Returns both ends at the moment `now`, in milliseconds.
    #[must_use]
    pub fn at(self, now: u64) -> (u64, u64) {
        match self {
            Self::Live(span) => (now.saturating_sub(span.as_millis()), now),
            Self::Fixed { from, to } => (from.0, to.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_range_moves_and_a_fixed_one_stands() {
        assert_eq!(Range::Live(Duration::HOUR).at(4_000_000), (400_000, 4_000_000));
        assert_eq!(Range::Fixed { from: Millis(1), to: Millis(2) }.at(4_000_000), (1, 2));
    }

    #[test]
    fn it_is_zoomed_around_a_moment_and_moved_up_to_now() {
        let range = Range::Fixed { from: Millis(1_000_000), to: Millis(2_000_000) };
        assert_eq!(range.zoomed(9_000_000, 0.5, 0.0), Range::Fixed { from: Millis(1_000_000), to: Millis(1_500_000) });
        assert_eq!(range.zoomed(9_000_000, 2.0, 0.5), Range::Fixed { from: Millis(500_000), to: Millis(2_500_000) });
        assert_eq!(range.moved(9_000_000, 0.1), Range::Fixed { from: Millis(1_100_000), to: Millis(2_100_000) });
        assert_eq!(range.moved(2_050_000, 0.1), Range::Fixed { from: Millis(1_050_000), to: Millis(2_050_000) });
        assert_eq!(range.moved(9_000_000, -1.0), Range::Fixed { from: Millis(0), to: Millis(1_000_000) });
        let end = |to| range.ending_at(9_000_000, to).at(0);
        assert_eq!(
            [end(1_500_000), end(9_900_000), end(0)],
            [(500_000, 1_500_000), (8_000_000, 9_000_000), (0, 1_000_000)]
        );
        assert_eq!(Range::between(10_000.0, 10_000.0).at(0), (7_500, 12_500), "nobody zooms to nothing");
        assert_eq!(Range::fixed(Millis(2), Millis(2)), None);
    }
}
