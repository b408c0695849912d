//! Identifies a block: a tier, a series and a stretch of time. The id is the key of the block's row.

use shared::{Millis, Tier, TimeRange};

use crate::log::SeriesId;

/// Bits of a row's key that hold the number of the block, counted from 1970; then the bits that hold the series.
const NUMBER_BITS: u32 = 32;
pub(super) const SERIES_BITS: u32 = 28;

/// Returns the length of one block in milliseconds. It is at least one whole bucket of the next coarser tier, so that
/// a bucket is always rolled up from a single row.
pub(super) fn block_ms(tier: Tier) -> u64 {
    match tier {
        Tier::Second => 60_000,
        Tier::TenSeconds => 600_000,
        Tier::Minute => 3_600_000,
        Tier::TenMinutes => 4 * 3_600_000,
        Tier::Hour => 86_400_000,
        Tier::Day => 10 * 86_400_000,
    }
}

/// Identifies a block. Its key is the primary key of the row, so the rows lie by tier, then series, then time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// The width of its buckets.
    pub tier: Tier,
    /// The series that the buckets belong to.
    pub series: SeriesId,
    /// The number of the block's stretch of time, counted from 1970.
    number: u32,
}

impl BlockId {
    /// Returns the block that contains the moment `ts`.
    #[must_use]
    pub fn holding(tier: Tier, series: SeriesId, ts: Millis) -> Self {
        Self { tier, series, number: u32::try_from(ts.0 / block_ms(tier)).unwrap_or(u32::MAX) }
    }

    /// Returns the block's stretch of time.
    #[must_use]
    pub fn span(self) -> TimeRange {
        let from = Millis(u64::from(self.number) * block_ms(self.tier));
        TimeRange { from, to: from.plus(block_ms(self.tier)) }
    }

    /// Returns the key of the row.
    #[must_use]
    pub fn key(self) -> i64 {
        let tier = Tier::ALL.iter().position(|&tier| tier == self.tier).unwrap_or_default();
        let above = (tier << SERIES_BITS) as i64 | i64::from(self.series.0);
        above << NUMBER_BITS | i64::from(self.number)
    }

    /// Returns the block with this key, which must be of the finest tier.
    #[must_use]
    pub fn finest(key: i64) -> Self {
        let series = (key >> NUMBER_BITS) & ((1 << SERIES_BITS) - 1);
        Self { tier: Tier::Second, series: SeriesId(u32::try_from(series).unwrap_or_default()), number: 0 }
            .with_key(key)
    }

    /// Returns the block with this key, of the same series and tier as `self`.
    #[must_use]
    pub fn with_key(self, key: i64) -> Self {
        Self { number: u32::try_from(key & i64::from(u32::MAX)).unwrap_or_default(), ..self }
    }

    /// Returns the first and the last possible key of a series and tier.
    #[must_use]
    pub fn all(tier: Tier, series: SeriesId) -> (i64, i64) {
        let at = |number| Self { tier, series, number }.key();
        (at(0), at(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_by_tier_then_series_then_time() {
        let at = |tier, series, ts| BlockId::holding(tier, SeriesId(series), Millis(ts)).key();
        let day = 86_400_000;
        let keys = [
            at(Tier::Second, 1, 0),
            at(Tier::Second, 1, 60_000),
            at(Tier::Second, 2, 0),
            at(Tier::Second, (1 << 28) - 1, u64::from(u32::MAX) * 60_000),
            at(Tier::TenSeconds, 1, 0),
            at(Tier::Day, 1, 20_000 * day),
            at(Tier::Day, 2, 0),
        ];
        assert!(keys.is_sorted() && keys[0] > 0, "{keys:?}");
        let id = BlockId::holding(Tier::Second, SeriesId(77), Millis(86_400_000));
        assert_eq!(BlockId::finest(id.key()), id);
    }

    #[test]
    fn a_bucket_is_rolled_up_from_a_single_block() {
        for tier in Tier::ALL {
            assert_eq!(block_ms(tier) % tier.width_ms(), 0);
            if let Some(finer) = tier.finer() {
                assert_eq!(block_ms(finer) % tier.width_ms(), 0, "{tier:?}");
            }
        }
    }
}
