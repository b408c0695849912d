//! Blocks: the buckets of one series and tier in one stretch of time, stored as one row of the table `blocks`.
//!
//! A row holds many buckets, so that reading a range of time reads few rows. This module encodes and checks the content of
//! a row ([`Block`]), and reads and writes rows. [`BlockId`] is the key of a row.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use shared::bucket::Sample;
use shared::sketch::Key;
use shared::{Bin, Bucket, Millis, Number, Rolled, Seq, Stamp, Tier, TimeRange};

use super::block_id::{BlockId, SERIES_BITS, block_ms};
use super::damage::{Damage, GREATEST, Part, Unreadable};
use super::dedup_keys::DedupKeys;
use super::sql;
use crate::log::SeriesId;

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

    pub(crate) fn pack(&self, id: BlockId) -> rusqlite::Result<Vec<u8>> {
        let packed: Vec<Packed> = self.buckets.iter().map(|rolled| Packed::of(rolled, id)).collect();
        postcard::to_stdvec(&packed).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }

    /// Decodes the row at `id`.
    ///
    /// # Errors
    /// [`Unreadable`] if the server cannot have written such a row: times outside of it, counts that do not agree,
    /// values that are not finite.
    pub fn unpack(bytes: &[u8], id: BlockId) -> Result<Self, Unreadable> {
        let packed: Vec<Packed> = postcard::from_bytes(bytes)?;
        let mut buckets: Vec<Rolled> = Vec::with_capacity(packed.len());
        for packed in packed {
            let rolled = packed.rolled(id)?;
            if buckets.last().is_some_and(|before| before.bucket.start >= rolled.bucket.start) {
                return Err(Unreadable::Content("its buckets are not in order"));
            }
            buckets.push(rolled);
        }
        Ok(Self { buckets, ..Self::default() })
    }

    /// Decodes a column of a row of the table.
    fn of_row(row: &Row<'_>, column: usize, id: BlockId) -> rusqlite::Result<Result<Self, Unreadable>> {
        let bytes = row.get_ref(column)?.as_blob().map_err(|_| Unreadable::Type);
        Ok(bytes.and_then(|bytes| Self::unpack(bytes, id)))
    }
}

/// The stored form of a bucket: times count from the start of the block, and fields that can be derived are left out.
#[derive(Serialize, Deserialize)]
enum Packed {
    One {
        slot: u16,
        sample: PackedSample,
    },
    Many {
        slot: u16,
        count: u64,
        sum: f64,
        min: f64,
        max: f64,
        ends: [PackedSample; 2],
        changed: u64,
        resets: f64,
        bins: Vec<(i32, u64)>,
    },
}

/// Milliseconds from the start of the bucket, seq, value.
type PackedSample = (u32, u64, f64);

impl Packed {
    fn of(rolled: &Rolled, id: BlockId) -> Self {
        let Rolled { bucket, resets } = rolled;
        let slot = bucket.start.since(id.span().from) / id.tier.width_ms();
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        let sample = |sample: &Sample| {
            let offset = u32::try_from(sample.at.ts.since(bucket.start)).unwrap_or(u32::MAX);
            (offset, sample.at.seq.0, sample.value)
        };
        if bucket.count == 1 {
            return Self::One { slot, sample: sample(&bucket.last) };
        }
        Self::Many {
            slot,
            count: bucket.count,
            sum: bucket.sum,
            min: bucket.min,
            max: bucket.max,
            ends: [sample(&bucket.first), sample(&bucket.last)],
            changed: bucket.changed.0,
            resets: *resets,
            bins: bucket.bins().iter().map(|bin| (bin.key.0, bin.count)).collect(),
        }
    }

    fn rolled(self, id: BlockId) -> Result<Rolled, Unreadable> {
        let width = id.tier.width_ms();
        let start = |slot: u16| {
            let from = u64::from(slot) * width;
            let within = from < block_ms(id.tier);
            within.then(|| id.span().from.plus(from)).ok_or(Unreadable::Content("a bucket lies outside of its block"))
        };
        let sample = |start: Millis, (offset, seq, value): PackedSample| {
            if u64::from(offset) >= width || !(1..=GREATEST).contains(&seq) || !value.is_finite() {
                return Err(Unreadable::Content("a point is out of range"));
            }
            Ok(Sample { at: Stamp { ts: start.plus(offset.into()), seq: Seq(seq) }, value })
        };
        let number = |value| Number::new(value).ok_or(Unreadable::Content("a value is not finite"));
        match self {
            Self::One { slot, sample: only } => {
                let only = sample(start(slot)?, only)?;
                Ok(Rolled::of(Bucket::of(only.at, number(only.value)?, width)))
            }
            Self::Many { slot, count, sum, min, max, ends: [first, last], changed, resets, bins } => {
                let start = start(slot)?;
                let (first, last) = (sample(start, first)?, sample(start, last)?);
                let between = |value: f64| min <= value && value <= max;
                let is_sound = (2..=GREATEST).contains(&count)
                    && [sum, min, max, resets].into_iter().all(f64::is_finite)
                    && between(first.value)
                    && between(last.value)
                    && first.at <= last.at
                    && (first.at.seq.max(last.at.seq).0..=GREATEST).contains(&changed);
                if !is_sound {
                    return Err(Unreadable::Content("the fields of a bucket do not agree"));
                }
                let mut bucket = Bucket::of(last.at, number(last.value)?, width);
                (bucket.count, bucket.sum, bucket.min, bucket.max) = (count, sum, min, max);
                (bucket.first, bucket.changed) = (first, Seq(changed));
                Ok(Rolled { bucket: bucket.with_bins(sound_bins(bins, count)?), resets })
            }
        }
    }
}

/// Decodes the bins of a bucket of `count` points, and checks them.
fn sound_bins(bins: Vec<(i32, u64)>, count: u64) -> Result<Vec<Bin>, Unreadable> {
    let greatest = Key::of(f64::MAX).0;
    let in_order =
        bins.is_sorted_by(|a, b| a.0 < b.0) && bins.iter().all(|bin| bin.0.unsigned_abs() <= greatest.unsigned_abs());
    let sum = bins.iter().try_fold(0_u64, |sum, bin| sum.checked_add(bin.1).filter(|_| bin.1 > 0));
    if !in_order || !(bins.is_empty() || sum == Some(count)) {
        return Err(Unreadable::Content("the bins of a bucket do not agree"));
    }
    Ok(bins.into_iter().map(|(key, count)| Bin { key: Key(key), count }).collect())
}

/// Reads the block at `id`. Returns `None` if there is none, or if it is damaged; damage is recorded.
pub fn find(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Option<Block>> {
    let found = || {
        let mut select = conn.prepare_cached("SELECT data FROM blocks WHERE key = ?1")?;
        let mut rows = select.query([id.key()])?;
        rows.next()?.map(|row| Block::of_row(row, 0, id)).transpose()
    };
    match found() {
        Ok(found) => Ok(found.and_then(|block| block.map_err(|why| damage.note(Part::Block(id), why)).ok())),
        Err(error) => damage.take(Part::Block(id), error).map(|()| None),
    }
}

/// Reads the block at `id`. Returns an empty block if there is none, or if it is damaged.
pub fn read(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Block> {
    find(conn, id, damage).map(Option::unwrap_or_default)
}

/// Reads the points of the block at `id` whose senders set their times. Returns `None` if there is no such block.
/// If they cannot be read, records the damage and returns no points.
pub fn sent(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Option<DedupKeys>> {
    let found = || {
        let mut select = conn.prepare_cached("SELECT sent FROM blocks WHERE key = ?1")?;
        let mut rows = select.query([id.key()])?;
        rows.next()?.map(|row| sent_of_row(row, 0, id, damage)).transpose()
    };
    found().or_else(|error| damage.take(Part::Block(id), error).map(|()| Some(DedupKeys::default())))
}

/// Reads the block at `id` to change it: with the points whose senders set their times. Returns an empty block if
/// there is none, or if it is damaged.
pub fn read_whole(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Block> {
    let block = read(conn, id, damage)?;
    Ok(Block { dedup_keys: sent(conn, id, damage)?.unwrap_or_default(), ..block })
}

fn sent_of_row(row: &Row<'_>, column: usize, id: BlockId, damage: &Damage) -> rusqlite::Result<DedupKeys> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(|_| Unreadable::Type);
    let sent = bytes.and_then(|bytes| bytes.map_or(Ok(DedupKeys::default()), DedupKeys::unpack));
    Ok(sent.unwrap_or_else(|why| {
        damage.note(Part::Block(id), why);
        DedupKeys::default()
    }))
}

/// Calls `look` for the blocks of a series and tier that overlap `span`, oldest first. Damaged ones are recorded and
/// skipped, here and in the functions below.
pub fn each_within(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    span: TimeRange,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block),
) -> rusqlite::Result<()> {
    let last = BlockId::holding(tier, series, Millis(span.to.0.saturating_sub(1)));
    let mut select = conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key")?;
    let mut rows = select.query([BlockId::holding(tier, series, span.from).key(), last.key()])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            // A damaged page: the rows behind it cannot be reached.
            Err(error) => return damage.take(Part::Table("blocks"), error),
        };
        let id = last.with_key(row.get(0)?);
        match Block::of_row(row, 1, id)? {
            Ok(block) => look(id, block),
            Err(why) => damage.note(Part::Block(id), why),
        }
    }
}

/// Calls `look` with the blocks of a tier and series that begin before `end`, newest first, until it breaks. Damaged
/// blocks are recorded and skipped. Ends at a damaged page.
///
/// # Errors
/// Any error of SQLite, except one that shows a damaged part of the table.
pub fn each_before(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    end: Millis,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let (first, _) = BlockId::all(tier, series);
    let last = BlockId::holding(tier, series, Millis(end.0.saturating_sub(1)));
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
    let mut rows = select.query([first, last.key()])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(error) => return damage.take(Part::Table("blocks"), error),
        };
        let id = last.with_key(row.get(0)?);
        match Block::of_row(row, 1, id)? {
            Ok(block) => {
                if look(id, block).is_break() {
                    return Ok(());
                }
            }
            Err(why) => damage.note(Part::Block(id), why),
        }
    }
}

/// Calls `look` for the blocks of the finest tier: the series with the greatest row first, and within a series the
/// newest block first. When `look` breaks, the rest of that series is not read.
pub fn each_newest(
    conn: &Connection,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let (first, _) = BlockId::all(Tier::Second, SeriesId(0));
    let (_, mut upto) = BlockId::all(Tier::Second, SeriesId((1 << SERIES_BITS) - 1));
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
    'series: loop {
        let mut enough = None;
        let mut rows = select.query([first, upto])?;
        while let Some(row) = rows.next()? {
            let id = BlockId::finest(row.get(0)?);
            if enough == Some(id.series) {
                upto = BlockId::all(Tier::Second, id.series).0 - 1;
                continue 'series;
            }
            match Block::of_row(row, 1, id)? {
                Ok(block) => enough = look(id, block).is_break().then_some(id.series),
                Err(why) => damage.note(Part::Block(id), why),
            }
        }
        return Ok(());
    }
}

/// Calls `look` for the blocks of the finest tier of one series, newest first, until `look` breaks.
pub fn each_of(
    conn: &Connection,
    series: SeriesId,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
    let mut rows = select.query(BlockId::all(Tier::Second, series))?;
    while let Some(row) = rows.next()? {
        let id = BlockId::finest(row.get(0)?);
        match Block::of_row(row, 1, id)? {
            Ok(block) => {
                if look(id, block).is_break() {
                    break;
                }
            }
            Err(why) => damage.note(Part::Block(id), why),
        }
    }
    Ok(())
}

/// Finds the newest block of the finest tier of a series.
pub fn newest(conn: &Connection, series: SeriesId, damage: &Damage) -> rusqlite::Result<Option<Block>> {
    let mut newest = None;
    let looked = each_of(conn, series, damage, |_, block| {
        newest = Some(block);
        ControlFlow::Break(())
    });
    looked.or_else(|error| damage.take(Part::Table("blocks"), error))?;
    Ok(newest)
}

/// Writes the block at `id` and replaces the present row. A damaged row is first copied to the table `damaged`.
pub fn write(conn: &Connection, id: BlockId, block: &Block, damage: &Damage) -> rusqlite::Result<()> {
    if damage.has(&Part::Block(id)) {
        conn.prepare_cached("INSERT OR IGNORE INTO damaged (key, data) SELECT key, data FROM blocks WHERE key = ?1")?
            .execute([id.key()])?;
    }
    conn.prepare_cached("INSERT OR REPLACE INTO blocks (key, buckets, data, sent) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id.key(), sql(block.buckets.len() as u64), block.pack(id)?, block.dedup_keys.pack()?))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERIES: SeriesId = SeriesId(7);

    proptest! {
        #[test]
        fn a_block_survives_being_written_to_the_last_bit(
            points in prop::collection::vec((0..60_000_u64, prop_oneof![Just(1.5), -1e9..1e9]), 1..300)
        ) {
            let from = Millis(1_732_399_200_000);
            let id = BlockId::holding(Tier::Second, SERIES, from);
            let mut block = Block::default();
            for (seq, (ts, value)) in (1..).zip(points) {
                block.add(Stamp { ts: id.span().from.plus(ts), seq: Seq(seq) }, Number::new(value).unwrap());
            }
            prop_assert_eq!(&Block::unpack(&block.pack(id).unwrap(), id).unwrap(), &block);
            let day = Rolled::over(&block.buckets, Tier::Day.width_ms());
            let (id, block) = (BlockId::holding(Tier::Day, SERIES, from), Block { buckets: day.into_iter().collect(), ..Block::default() });
            prop_assert_eq!(&Block::unpack(&block.pack(id).unwrap(), id).unwrap(), &block);
        }
    }
}
