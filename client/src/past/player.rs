//! Advances a fixed range at 1×, 10× or 60× real time. Has no browser and no clock.

use crate::range::Range;

/// A speed of the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(u64);

impl Speed {
    /// The speeds to choose from.
    pub const ALL: [Self; 3] = [Self(1), Self(10), Self(60)];

    /// Factor by which it is faster than time.
    #[must_use]
    pub fn factor(self) -> u64 {
        self.0
    }

    /// The label: `10×`.
    #[must_use]
    pub fn label(self) -> String {
        format!("{}×", self.0)
    }
}

/// A step of the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes on with this range.
    Continue(Range),
    /// It has come to now, with this range, and stops.
    ReachedNow(Range),
}

/// Moves a range by the time that passed since the last step. Times are in milliseconds.
#[must_use]
pub fn step(range: Range, speed: Speed, passed: u64, now: u64) -> Step {
    let (_, to) = range.at(now);
    let next = to.saturating_add(passed.saturating_mul(speed.0));
    if next >= now { Step::ReachedNow(range.ending_at(now, now)) } else { Step::Continue(range.ending_at(now, next)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Millis;

    #[test]
    fn range_moves_with_the_speed_and_stops_at_now() {
        let range = Range::Fixed { from: Millis(1_000_000), to: Millis(1_060_000) };
        let moved = |by: u64| Range::Fixed { from: Millis(1_000_000 + by), to: Millis(1_060_000 + by) };
        for speed in Speed::ALL {
            assert_eq!(step(range, speed, 250, 9_000_000), Step::Continue(moved(250 * speed.factor())));
        }
        assert_eq!(step(range, Speed(60), 1_000, 1_100_000), Step::ReachedNow(moved(40_000)));
    }
}
