//! Blocks: the buckets of one series and tier in one stretch of time.
//!
//! The memtable holds blocks. A flushed block is a row of the table `blocks`, until it is merged with others into a row
//! of the table `extents`. This module encodes and checks the content of such rows; [`super::rows`] reads and writes
//! them.

use shared::{Bucket, Number, Rolled, Seq, Stamp, Tier, TimeRange};

use super::block_id::{BlockId, ExtentId};
use super::damage::Unreadable;
use super::dedup_keys::{DedupKey, DedupKeys, MAX_OF_BLOCK, NANOS_OF_BLOCK};
use super::format::{self, Input, Section, buckets, put_varint, sent};

/// The buckets of one tier in one stretch of time, oldest first. Empty buckets are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The buckets that have points.
    pub buckets: Vec<Rolled>,
    /// The points whose senders set their times. Filled only in the finest tier, when the block is read to be
    /// changed.
    pub dedup_keys: DedupKeys,
}

impl Block {
    /// Returns the greatest seq among its points.
    #[must_use]
    pub fn changed(&self) -> Seq {
        self.buckets.iter().map(|rolled| rolled.bucket.changed).max().unwrap_or_default()
    }

    /// Returns the buckets that begin within `span`.
    #[must_use]
    pub fn within(&self, span: TimeRange) -> &[Rolled] {
        let at = |ts| self.buckets.partition_point(|rolled| rolled.bucket.start < ts);
        &self.buckets[at(span.from)..at(span.to)]
    }

    /// Adds a point to a block of the finest tier, unless the block has it: a bucket whose `changed` is at or after
    /// the point's seq already contains the point. Returns true if the point was added.
    pub fn add(&mut self, at: Stamp, value: Number) -> bool {
        let width = Tier::Second.width_ms();
        let start = at.ts.floor(width);
        let index = match self.buckets.last() {
            Some(newest) if newest.bucket.start == start => Ok(self.buckets.len() - 1),
            Some(newest) if newest.bucket.start > start => {
                self.buckets.binary_search_by_key(&start, |rolled| rolled.bucket.start)
            }
            _ => Err(self.buckets.len()),
        };
        match index {
            Ok(index) if self.buckets[index].bucket.changed >= at.seq => return false,
            Ok(index) => self.buckets[index].push(at, value),
            Err(index) => {
                if self.buckets.capacity() == 0 {
                    // A series that seldom changes will not have a second bucket in this block.
                    self.buckets.reserve_exact(1);
                }
                self.buckets.insert(index, Rolled::of(Bucket::of(at, value, width)));
            }
        }
        true
    }

    /// Replaces the bucket with the same start, or inserts this one.
    pub fn set(&mut self, rolled: Rolled) {
        match self.buckets.binary_search_by_key(&rolled.bucket.start, |old| old.bucket.start) {
            Ok(at) => self.buckets[at] = rolled,
            Err(at) => self.buckets.insert(at, rolled),
        }
    }

    /// Encodes the buckets for the row at `id`.
    #[must_use]
    pub fn pack(&self, id: BlockId) -> Vec<u8> {
        let mut row = format::begin();
        buckets::encode(&mut row, &self.buckets, id.span().from);
        format::seal(row, Section::Block, id.key())
    }

    /// Encodes the points whose senders set their times; `None` if there are none.
    #[must_use]
    pub fn pack_sent(&self, id: BlockId) -> Option<Vec<u8>> {
        if self.dedup_keys.is_empty() {
            return None;
        }
        let mut row = format::begin();
        sent::encode(&mut row, &self.dedup_keys.sorted(), &self.buckets, id.span().from);
        Some(format::seal(row, Section::SentOfBlock, id.key()))
    }

    /// Decodes the row at `id`.
    ///
    /// # Errors
    /// [`Unreadable`] if the row is damaged, or if the server cannot have written it.
    pub fn unpack(bytes: &[u8], id: BlockId) -> Result<Self, Unreadable> {
        let mut input = Input::new(format::open(bytes, Section::Block, id.key())?);
        let buckets = buckets::decode(&mut input, id.span(), id.tier.width_ms())?;
        input.end()?;
        Ok(Self { buckets, ..Self::default() })
    }

    /// Decodes the points whose senders set their times, of the row at `id` that has these buckets.
    ///
    /// # Errors
    /// As [`Self::unpack`].
    pub fn unpack_sent(&self, bytes: &[u8], id: BlockId) -> Result<DedupKeys, Unreadable> {
        let mut input = Input::new(format::open(bytes, Section::SentOfBlock, id.key())?);
        let keys = sent::decode(&mut input, &self.buckets, id.span().from, NANOS_OF_BLOCK, MAX_OF_BLOCK)?;
        input.end()?;
        Ok(DedupKeys::in_order(keys))
    }
}

/// The blocks of an extent that have buckets, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extent {
    /// The blocks, each complete.
    pub blocks: Vec<(BlockId, Block)>,
}

impl Extent {
    /// Replaces a block, or inserts it.
    pub fn set(&mut self, block_id: BlockId, block: Block) {
        match self.blocks.binary_search_by_key(&block_id, |(id, _)| *id) {
            Ok(at) => self.blocks[at].1 = block,
            Err(at) => self.blocks.insert(at, (block_id, block)),
        }
    }

    /// Returns the number of buckets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|(_, block)| block.buckets.len()).sum()
    }

    /// Returns true if there is no bucket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Encodes the buckets for the row at `id`, and the points whose senders set their times, if there are any.
    #[must_use]
    pub fn pack(&self, id: ExtentId) -> (Vec<u8>, Option<Vec<u8>>) {
        let from = id.span().from;
        let mut row = format::begin();
        put_varint(&mut row, self.blocks.last().map_or(0, |(block_id, _)| id.place_of(*block_id)));
        let all: Vec<Rolled> = self.blocks.iter().flat_map(|(_, block)| block.buckets.iter().cloned()).collect();
        buckets::encode(&mut row, &all, from);
        let keys: Vec<DedupKey> = self
            .blocks
            .iter()
            .flat_map(|(block_id, block)| {
                let before = id.place_of(*block_id) * NANOS_OF_BLOCK;
                block.dedup_keys.sorted().into_iter().map(move |key| DedupKey { at: key.at + before, ..key })
            })
            .collect();
        let sent = (!keys.is_empty()).then(|| {
            let mut row = format::begin();
            sent::encode(&mut row, &keys, &all, from);
            format::seal(row, Section::SentOfExtent, id.key())
        });
        (format::seal(row, Section::Extent, id.key()), sent)
    }

    /// Returns true if the row at `id` may have buckets of a block. Decodes no column.
    ///
    /// # Errors
    /// As [`Self::unpack`].
    pub fn may_have(bytes: &[u8], id: ExtentId, block_id: BlockId) -> Result<bool, Unreadable> {
        let last = Input::new(format::open(bytes, Section::Extent, id.key())?).varint()?;
        Ok(id.place_of(block_id) <= last)
    }

    /// Decodes the row at `id`.
    ///
    /// # Errors
    /// [`Unreadable`] if the row is damaged, or if the server cannot have written it.
    pub fn unpack(bytes: &[u8], id: ExtentId) -> Result<Self, Unreadable> {
        let mut input = Input::new(format::open(bytes, Section::Extent, id.key())?);
        let last = input.varint()?;
        let mut all = buckets::decode(&mut input, id.span(), id.tier.width_ms())?;
        input.end()?;
        let block_of = |rolled: &Rolled| BlockId::holding(id.tier, id.series, rolled.bucket.start);
        let mut blocks = Vec::new();
        while let Some(newest) = all.last() {
            let block_id = block_of(newest);
            let from = all.partition_point(|rolled| block_of(rolled) < block_id);
            let buckets = if from == 0 { std::mem::take(&mut all) } else { all.split_off(from) };
            blocks.push((block_id, Block { buckets, ..Block::default() }));
        }
        blocks.reverse();
        if blocks.last().map_or(0, |(block_id, _)| id.place_of(*block_id)) != last {
            return Err(Unreadable::Content("it ends with another block than it says"));
        }
        Ok(Self { blocks })
    }

    /// Decodes the points whose senders set their times, of the row at `id`, into its blocks.
    ///
    /// # Errors
    /// As [`Self::unpack`]; then the blocks have no such points.
    pub fn unpack_sent(&mut self, bytes: &[u8], id: ExtentId) -> Result<(), Unreadable> {
        let mut input = Input::new(format::open(bytes, Section::SentOfExtent, id.key())?);
        let all: Vec<Rolled> = self.blocks.iter().flat_map(|(_, block)| block.buckets.iter().cloned()).collect();
        let blocks = id.place_of(id.blocks().1) + 1;
        let most = MAX_OF_BLOCK.saturating_mul(usize::try_from(blocks).unwrap_or(1));
        let keys = sent::decode(&mut input, &all, id.span().from, blocks * NANOS_OF_BLOCK, most)?;
        input.end()?;
        for keys in keys.chunk_by(|a, b| a.at / NANOS_OF_BLOCK == b.at / NANOS_OF_BLOCK) {
            let place = keys[0].at / NANOS_OF_BLOCK;
            let own = self.blocks.iter_mut().find(|(block_id, _)| id.place_of(*block_id) == place);
            let (_, block) = own.ok_or(Unreadable::Content("a sent time is of no bucket"))?;
            let within = |key: &DedupKey| DedupKey { at: key.at - place * NANOS_OF_BLOCK, ..*key };
            block.dedup_keys = DedupKeys::in_order(keys.iter().map(within).collect());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::buckets::tests::{rolled, values};
    use super::*;
    use crate::log::SeriesId;
    use proptest::prelude::*;
    use shared::Millis;

    const SERIES: SeriesId = SeriesId(7);

    proptest! {
        #[test]
        fn block_and_extent_survive_being_written_to_the_last_bit(values in values(), every in 1..5_000_u64, sent: bool) {
            let id = ExtentId::holding(Tier::Second, SERIES, Millis(1_732_399_200_000));
            let end = id.span().to.since(id.span().from);
            let points = (0_u64..).zip(values).map(|(n, value)| (n * every, n + 1, value)).filter(|point| point.0 < end);
            let points: Vec<_> = points.collect();
            let mut extent = Extent::default();
            for rolled in rolled(points.clone(), id.span().from, Tier::Second) {
                let block_id = BlockId::holding(Tier::Second, SERIES, rolled.bucket.start);
                if extent.blocks.last().is_none_or(|(last, _)| *last != block_id) {
                    extent.set(block_id, Block::default());
                }
                extent.blocks.last_mut().unwrap().1.buckets.push(rolled);
            }
            for &(ts, _, value) in points.iter().filter(|point| sent && point.1 % 3 > 0) {
                let at = id.span().from.plus(ts);
                let (_, block) = extent.blocks.iter_mut().find(|(id, _)| id.span().to > at).unwrap();
                block.dedup_keys.insert(DedupKey { at: ts % 60_000 * 1_000_000 + ts % 2, value: DedupKey::value_of(value) });
            }
            let (data, sent) = extent.pack(id);
            let mut again = Extent::unpack(&data, id).unwrap();
            if let Some(sent) = sent {
                again.unpack_sent(&sent, id).unwrap();
            }
            prop_assert_eq!(&again, &extent);
            for (block_id, block) in extent.blocks {
                prop_assert!(Extent::may_have(&data, id, block_id).unwrap());
                let mut again = Block::unpack(&block.pack(block_id), block_id).unwrap();
                if let Some(sent) = block.pack_sent(block_id) {
                    again.dedup_keys = again.unpack_sent(&sent, block_id).unwrap();
                }
                prop_assert_eq!(again, block);
            }
        }
    }
}
