//! Tiers: the widths of the stored buckets.

use serde::{Deserialize, Serialize};

/// A width of buckets, the finest first. Each is a whole multiple of the one before, and all are aligned to 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 1 s; the streamed one.
    Second,
    /// 10 s.
    TenSeconds,
    /// 1 min.
    Minute,
    /// 10 min.
    TenMinutes,
    /// 1 h.
    Hour,
    /// 1 day, in UTC.
    Day,
}

impl Tier {
    /// All tiers, the finest first.
    pub const ALL: [Self; 6] = [Self::Second, Self::TenSeconds, Self::Minute, Self::TenMinutes, Self::Hour, Self::Day];

    /// The width of its buckets in milliseconds.
    #[must_use]
    pub fn width_ms(self) -> u64 {
        match self {
            Self::Second => 1_000,
            Self::TenSeconds => 10_000,
            Self::Minute => 60_000,
            Self::TenMinutes => 600_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// The next finer tier, from whose buckets those of this tier are made; `None` for [`Tier::Second`].
    #[must_use]
    pub fn finer(self) -> Option<Self> {
        match self {
            Self::Second => None,
            Self::TenSeconds => Some(Self::Second),
            Self::Minute => Some(Self::TenSeconds),
            Self::TenMinutes => Some(Self::Minute),
            Self::Hour => Some(Self::TenMinutes),
            Self::Day => Some(Self::Hour),
        }
    }
}

/// The most buckets of one series in an answer of `GET /api/history`.
pub const MAX_BUCKETS: u64 = 10_000;

/// Returns the width of the buckets, in milliseconds, of a chart that has at most `points` of them for `length_ms`
/// milliseconds: that of the finest tier that fits, or several whole days if no tier does.
#[must_use]
pub fn bucket_width(length_ms: u64, points: u64) -> u64 {
    let points = points.clamp(1, MAX_BUCKETS);
    let fits = |tier: &Tier| length_ms <= points * tier.width_ms();
    let day = Tier::Day.width_ms();
    Tier::ALL.into_iter().find(fits).map_or_else(|| day * length_ms.div_ceil(points * day), Tier::width_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_of_the_finest_tier_that_fits() {
        assert_eq!(bucket_width(300_000, 800), 1_000);
        assert_eq!(bucket_width(3_600_000, 800), 10_000);
        assert_eq!(bucket_width(365 * 86_400_000, 800), 86_400_000);
        assert_eq!(bucket_width(3_650 * 86_400_000, 800), 5 * 86_400_000);
    }

    #[test]
    fn each_tier_is_a_whole_number_of_the_next_finer_one() {
        for (finer, tier) in Tier::ALL.into_iter().zip(Tier::ALL.into_iter().skip(1)) {
            assert_eq!(tier.finer(), Some(finer));
            assert_eq!(tier.width_ms() % finer.width_ms(), 0);
        }
    }
}
