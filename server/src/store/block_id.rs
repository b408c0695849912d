//! Identifies a block or an extent: a tier, a series and a stretch of time. The id is the key of the row.

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
        key(self.tier, self.series, self.number)
    }

    /// Returns the block with this key; `None` if no block has it.
    #[must_use]
    pub fn of_key(key: i64) -> Option<Self> {
        let (tier, series, number) = of_key(key)?;
        Some(Self { tier, series, number })
    }

    /// Returns the block with this key, of the same series and tier as `self`.
    #[must_use]
    pub fn with_key(self, key: i64) -> Self {
        Self { number: number_of(key), ..self }
    }

    /// Returns the first and the last possible key of a series and tier.
    #[must_use]
    pub fn all(tier: Tier, series: SeriesId) -> (i64, i64) {
        (key(tier, series, 0), key(tier, series, u32::MAX))
    }
}

/// Returns the length of one extent in milliseconds: whole blocks, some hundreds of buckets or a few thousand.
fn extent_ms(tier: Tier) -> u64 {
    const HOUR: u64 = 3_600_000;
    match tier {
        Tier::Second => HOUR,
        Tier::TenSeconds => 2 * HOUR,
        Tier::Minute => 12 * HOUR,
        Tier::TenMinutes => 96 * HOUR,
        Tier::Hour => 480 * HOUR,
        Tier::Day => 2_400 * HOUR,
    }
}

/// Identifies an extent: blocks of one series and tier that were merged into a row of the table `extents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtentId {
    /// The width of its buckets.
    pub tier: Tier,
    /// The series that the buckets belong to.
    pub series: SeriesId,
    /// The number of the extent's stretch of time, counted from 1970.
    number: u32,
}

impl ExtentId {
    /// Returns the extent that contains a block.
    #[must_use]
    pub fn of(block_id: BlockId) -> Self {
        Self::holding(block_id.tier, block_id.series, block_id.span().from)
    }

    /// Returns the extent that contains the moment `ts`.
    #[must_use]
    pub fn holding(tier: Tier, series: SeriesId, ts: Millis) -> Self {
        Self { tier, series, number: u32::try_from(ts.0 / extent_ms(tier)).unwrap_or(u32::MAX) }
    }

    /// Returns the extent's stretch of time.
    #[must_use]
    pub fn span(self) -> TimeRange {
        let from = Millis(u64::from(self.number) * extent_ms(self.tier));
        TimeRange { from, to: from.plus(extent_ms(self.tier)) }
    }

    /// Returns its first and its last block.
    #[must_use]
    pub fn blocks(self) -> (BlockId, BlockId) {
        let TimeRange { from, to } = self.span();
        let at = |ts| BlockId::holding(self.tier, self.series, ts);
        (at(from), at(Millis(to.0 - 1)))
    }

    /// Returns the number of a block within the extent, counted from 0.
    #[must_use]
    pub fn place_of(self, block_id: BlockId) -> u64 {
        u64::from(block_id.number.saturating_sub(self.blocks().0.number))
    }

    /// Returns the key of the row.
    #[must_use]
    pub fn key(self) -> i64 {
        key(self.tier, self.series, self.number)
    }

    /// Returns the extent with this key; `None` if no extent has it.
    #[must_use]
    pub fn of_key(key: i64) -> Option<Self> {
        let (tier, series, number) = of_key(key)?;
        Some(Self { tier, series, number })
    }
}

fn key(tier: Tier, series: SeriesId, number: u32) -> i64 {
    let tier = Tier::ALL.iter().position(|&other| tier == other).unwrap_or_default();
    let above = (tier << SERIES_BITS) as i64 | i64::from(series.0);
    above << NUMBER_BITS | i64::from(number)
}

fn of_key(key: i64) -> Option<(Tier, SeriesId, u32)> {
    let above = u64::try_from(key).ok()? >> NUMBER_BITS;
    let tier = Tier::ALL.get(usize::try_from(above >> SERIES_BITS).ok()?)?;
    let series = u32::try_from(above & ((1 << SERIES_BITS) - 1)).ok()?;
    Some((*tier, SeriesId(series), number_of(key)))
}

fn number_of(key: i64) -> u32 {
    u32::try_from(key & i64::from(u32::MAX)).unwrap_or_default()
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
        assert_eq!(BlockId::of_key(id.key()), Some(id));
        assert_eq!(BlockId::of_key(-1), None);
        let extent = ExtentId::of(id);
        assert_eq!((ExtentId::of_key(extent.key()), extent.place_of(id)), (Some(extent), 0));
    }

    #[test]
    fn extent_has_whole_blocks() {
        for tier in Tier::ALL {
            assert_eq!(extent_ms(tier) % block_ms(tier), 0, "{tier:?}");
            let id = ExtentId::holding(tier, SeriesId(3), Millis(1_732_399_200_000));
            let (first, last) = id.blocks();
            assert_eq!((ExtentId::of(first), ExtentId::of(last)), (id, id));
            assert_eq!((first.span().from, last.span().to), (id.span().from, id.span().to));
            assert_eq!(id.place_of(last) + 1, extent_ms(tier) / block_ms(tier));
        }
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
