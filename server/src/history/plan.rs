//! Chooses the buckets (tier, width and range) that answer a history request.

use shared::{Millis, Tier, TimeRange};

use crate::store::Retention;

/// The buckets of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The tier that is read.
    pub tier: Tier,
    /// The width of the buckets in the answer, in milliseconds: the width of the tier, or several whole days.
    pub width_ms: u64,
    /// The range of the buckets: the requested range, extended to the edges of buckets.
    pub span: TimeRange,
}

impl Plan {
    /// Chooses the finest tier that covers `span` with at most `points` buckets and that is still kept where `span`
    /// begins. If `span` has more than `points` days, several days are merged into one bucket. Since the ends of `span`
    /// are seldom the edges of buckets, one bucket more may be needed. If that is one too many, the first, which is
    /// only partly inside `span`, is left out.
    #[must_use]
    pub fn new(span: TimeRange, points: u64, retention: &Retention, now: Millis) -> Self {
        let length = span.to.since(span.from);
        let fits = |tier: Tier| length <= points.saturating_mul(tier.width_ms());
        let reaches = |tier: Tier| retention.of(tier).is_none_or(|keep| now.0.saturating_sub(keep) <= span.from.0);
        let tier = Tier::ALL.into_iter().find(|&tier| fits(tier) && reaches(tier)).unwrap_or(Tier::Day);
        let together = length.div_ceil(points.saturating_mul(tier.width_ms()).max(1)).max(1);
        let width_ms = tier.width_ms() * together;
        let (mut from, to) = (span.from.floor(width_ms), span.to.plus(width_ms - 1).floor(width_ms));
        if to.since(from) / width_ms > points {
            from = from.plus(width_ms);
        }
        Self { tier, width_ms, span: TimeRange { from, to } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_732_399_200_123);
    const HOUR: u64 = 3_600_000;

    fn plan(ago: u64, length: u64, points: u64) -> Plan {
        let from = Millis(NOW.0 - ago);
        Plan::new(TimeRange { from, to: from.plus(length) }, points, &Retention::default(), NOW)
    }

    #[test]
    fn the_finest_tier_that_fits_answers_unless_it_is_gone() {
        assert_eq!(plan(HOUR, HOUR, 500).tier, Tier::TenSeconds);
        assert_eq!(plan(HOUR, HOUR, 3_600).tier, Tier::Second);
        assert_eq!(plan(60_000, 60_000, 60).tier, Tier::Second);
        assert_eq!(plan(365 * 24 * HOUR, 365 * 24 * HOUR, 500).tier, Tier::Day);
        assert_eq!(plan(72 * HOUR, 60_000, 500).tier, Tier::TenSeconds, "seconds are kept for two days");
        assert_eq!(plan(100 * 24 * HOUR, 60_000, 500).tier, Tier::TenMinutes);
    }

    #[test]
    fn a_stretch_of_more_days_than_points_is_told_in_several_days() {
        let plan = plan(NOW.0, NOW.0, 100);
        assert_eq!((plan.tier, plan.width_ms % Tier::Day.width_ms()), (Tier::Day, 0));
        assert_eq!(plan.width_ms / Tier::Day.width_ms(), 201);
    }

    proptest! {
        #[test]
        fn there_are_never_more_buckets_than_asked_for_and_they_reach_to_the_end(
            ago in 1..2_000_000_000_u64, length in 1..2_000_000_000_u64, points in 1..10_000_u64
        ) {
            let plan = plan(ago, length, points);
            let count = plan.span.to.since(plan.span.from) / plan.width_ms;
            prop_assert!((1..=points).contains(&count));
            prop_assert!(plan.span.to >= Millis(NOW.0 - ago + length));
            prop_assert!(plan.span.from < Millis(NOW.0 - ago + plan.width_ms));
        }
    }
}
