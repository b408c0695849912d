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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_is_a_whole_number_of_the_next_finer_one() {
        for (finer, tier) in Tier::ALL.into_iter().zip(Tier::ALL.into_iter().skip(1)) {
            assert_eq!(tier.finer(), Some(finer));
            assert_eq!(tier.width_ms() % finer.width_ms(), 0);
        }
    }
}
