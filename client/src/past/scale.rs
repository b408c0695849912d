//! The scale of the slider: the moments that it reaches. Has no browser and no clock.

use crate::range::Range;

/// Length of the scale, in lengths of the shown range.
const LENGTHS: u64 = 24;
/// Number of steps of the slider.
const STEPS: u64 = 5_000;
/// Least distance of the moment from an end of the scale, as a fraction of its length, at which it stays as it is.
const NEAR: u64 = 50;

/// The moments that the slider reaches, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The moment at the left end.
    pub low: u64,
    /// The moment at the right end.
    pub high: u64,
}

impl Scale {
    /// The scale around the end of a range. It ends at `now` at the latest.
    #[must_use]
    pub fn around(range: Range, now: u64) -> Self {
        let (from, to) = range.at(now);
        let length = (to - from).max(1);
        let high = to.saturating_add(LENGTHS / 2 * length).min(now.max(to));
        // The slider's positions are whole steps from the left end, so they are whole seconds.
        Self { low: high.saturating_sub(LENGTHS * length) / 1_000 * 1_000, high }
    }

    /// Returns the scale for a moment: this one, unless the moment is beyond one of its ends.
    #[must_use]
    pub fn holding(self, range: Range, now: u64) -> Self {
        let (_, to) = range.at(now);
        if (self.low..=self.high).contains(&to) { self } else { Self::around(range, now) }
    }

    /// Returns the scale after the user has let the slider go: around the moment if it is near an end, so that the user
    /// can go on in that direction.
    #[must_use]
    pub fn released(self, range: Range, now: u64) -> Self {
        let ((_, to), near) = (range.at(now), (self.high - self.low) / NEAR);
        let near_end = to < self.low + near || (to > self.high.saturating_sub(near) && self.high + near < now);
        if near_end { Self::around(range, now) } else { self }
    }

    /// The distance of two positions of the slider, in milliseconds: whole seconds.
    #[must_use]
    pub fn step(self) -> u64 {
        ((self.high - self.low) / STEPS).next_multiple_of(1_000).max(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Millis;

    fn hour(to: u64) -> Range {
        Range::Fixed { from: Millis(to - 3_600_000), to: Millis(to) }
    }

    #[test]
    fn scale_reaches_a_day_around_an_hour_and_no_further_than_now() {
        let (day, now) = (86_400_000, 1_000_000_000);
        let scale = Scale::around(hour(500_000_000), now);
        assert_eq!((scale.low, scale.high), (500_000_000 - day / 2, 500_000_000 + day / 2));
        let scale = Scale::around(hour(now - 1_000), now);
        assert_eq!((scale.low, scale.high), (now - day, now));
        assert_eq!(scale.step(), 18_000);
    }

    #[test]
    fn scale_follows_a_moment_that_leaves_it_and_one_that_rests_at_its_end() {
        let now = 1_000_000_000;
        let scale = Scale::around(hour(500_000_000), now);
        assert_eq!(scale.holding(hour(510_000_000), now), scale);
        assert_ne!(scale.holding(hour(600_000_000), now), scale);
        assert_eq!(scale.released(hour(500_000_000), now), scale);
        assert_eq!(scale.released(hour(scale.low), now), Scale::around(hour(scale.low), now));
        let newest = Scale::around(hour(now), now);
        assert_eq!(newest.released(hour(now), now), newest, "there is nothing later");
    }
}
