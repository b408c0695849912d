//! Buckets as they are kept: many in a row, so that reading a stretch of time reads few rows.

use std::ops::ControlFlow;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::bucket::Sample;
use shared::sketch::Key;
use shared::{Bin, Bucket, Millis, Number, Rolled, Seq, Stamp, Stretch, Tier};

use super::{SeriesId, sql};

/// Bits of a row's key that count blocks from 1970, and those that name the series.
const NUMBER_BITS: u32 = 32;
const SERIES_BITS: u32 = 28;

/// How long the stretch of one row is, in milliseconds: of each tier a whole bucket of the next coarser one at least, so
/// that a bucket is always rolled up from a single row.
fn block_ms(tier: Tier) -> u64 {
    match tier {
        Tier::Second => 60_000,
        Tier::TenSeconds => 600_000,
        Tier::Minute => 3_600_000,
        Tier::TenMinutes => 4 * 3_600_000,
        Tier::Hour => 86_400_000,
        Tier::Day => 10 * 86_400_000,
    }
}

/// Which block: its key is the primary key of its row. So the rows lie by tier, then series, then time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The width of its buckets.
    pub tier: Tier,
    /// Whose.
    pub series: SeriesId,
    /// Which stretch, counted from 1970.
    number: u32,
}

impl Place {
    /// The block that has the moment `ts`.
    #[must_use]
    pub fn holding(tier: Tier, series: SeriesId, ts: Millis) -> Self {
        Self { tier, series, number: u32::try_from(ts.0 / block_ms(tier)).unwrap_or(u32::MAX) }
    }

    /// Its stretch of time.
    #[must_use]
    pub fn span(self) -> Stretch {
        let from = Millis(u64::from(self.number) * block_ms(self.tier));
        Stretch { from, to: from.plus(block_ms(self.tier)) }
    }

    /// The key of its row.
    #[must_use]
    pub fn key(self) -> i64 {
        let tier = Tier::ALL.iter().position(|&tier| tier == self.tier).unwrap_or_default();
        let above = (tier << SERIES_BITS) as i64 | i64::from(self.series.0);
        above << NUMBER_BITS | i64::from(self.number)
    }

    /// The place of the finest tier with this key.
    #[must_use]
    pub fn finest(key: i64) -> Self {
        let series = (key >> NUMBER_BITS) & ((1 << SERIES_BITS) - 1);
        Self { tier: Tier::Second, series: SeriesId(u32::try_from(series).unwrap_or_default()), number: 0 }
            .with_key(key)
    }

    /// The place with this key among those of the same series and tier.
    #[must_use]
    pub fn with_key(self, key: i64) -> Self {
        Self { number: u32::try_from(key & i64::from(u32::MAX)).unwrap_or_default(), ..self }
    }

    /// The keys of all blocks of a series and tier, the first and the last.
    #[must_use]
    pub fn all(tier: Tier, series: SeriesId) -> (i64, i64) {
        let at = |number| Self { tier, series, number }.key();
        (at(0), at(u32::MAX))
    }
}

/// The buckets of one tier in one stretch of time, oldest first; those that are empty are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The buckets.
    pub buckets: Vec<Rolled>,
}

impl Block {
    /// The greatest number among its points.
    #[must_use]
    pub fn changed(&self) -> Seq {
        self.buckets.iter().map(|rolled| rolled.bucket.changed).max().unwrap_or_default()
    }

    /// The buckets that begin within `span`.
    #[must_use]
    pub fn within(&self, span: Stretch) -> &[Rolled] {
        let at = |ts| self.buckets.partition_point(|rolled| rolled.bucket.start < ts);
        &self.buckets[at(span.from)..at(span.to)]
    }

    /// Puts a point into a block of the finest tier, unless it is there: a bucket that has a later point has all before.
    pub fn add(&mut self, at: Stamp, value: Number) {
        let width = Tier::Second.width_ms();
        let start = at.ts.floor(width);
        let place = match self.buckets.last() {
            Some(newest) if newest.bucket.start == start => Ok(self.buckets.len() - 1),
            Some(newest) if newest.bucket.start > start => {
                self.buckets.binary_search_by_key(&start, |rolled| rolled.bucket.start)
            }
            _ => Err(self.buckets.len()),
        };
        match place {
            Ok(place) if self.buckets[place].bucket.changed >= at.seq => {}
            Ok(place) => self.buckets[place].push(at, value),
            Err(place) => {
                if self.buckets.capacity() == 0 {
                    // Of a series that changes seldom there is no more to come.
                    self.buckets.reserve_exact(1);
                }
                self.buckets.insert(place, Rolled::of(Bucket::of(at, value, width)));
            }
        }
    }

    /// Puts a bucket in the place of the one that begins with it.
    pub fn set(&mut self, rolled: Rolled) {
        match self.buckets.binary_search_by_key(&rolled.bucket.start, |old| old.bucket.start) {
            Ok(at) => self.buckets[at] = rolled,
            Err(at) => self.buckets.insert(at, rolled),
        }
    }

    fn pack(&self, place: Place) -> rusqlite::Result<Vec<u8>> {
        let packed: Vec<Packed> = self.buckets.iter().map(|rolled| Packed::of(rolled, place)).collect();
        postcard::to_stdvec(&packed).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }

    fn unpack(bytes: &[u8], place: Place) -> rusqlite::Result<Self> {
        let packed: Vec<Packed> = postcard::from_bytes(bytes).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
        })?;
        Ok(Self { buckets: packed.into_iter().filter_map(|packed| packed.rolled(place)).collect() })
    }
}

/// A bucket as it is written: times count from where the block begins, what follows is left out.
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

/// Milliseconds from the start of the bucket, number, value.
type PackedSample = (u32, u64, f64);

impl Packed {
    fn of(rolled: &Rolled, place: Place) -> Self {
        let Rolled { bucket, resets } = rolled;
        let slot = bucket.start.since(place.span().from) / place.tier.width_ms();
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

    /// Nothing where a number is none, which was never written.
    fn rolled(self, place: Place) -> Option<Rolled> {
        let width = place.tier.width_ms();
        let start = |slot: u16| place.span().from.plus(u64::from(slot) * width);
        let stamp =
            |start: Millis, (offset, seq, _): PackedSample| Stamp { ts: start.plus(offset.into()), seq: Seq(seq) };
        Some(match self {
            Self::One { slot, sample } => {
                Rolled::of(Bucket::of(stamp(start(slot), sample), Number::new(sample.2)?, width))
            }
            Self::Many { slot, count, sum, min, max, ends, changed, resets, bins } => {
                let [first, last] = ends.map(|sample| Sample { at: stamp(start(slot), sample), value: sample.2 });
                let mut bucket = Bucket::of(last.at, Number::new(last.value)?, width);
                (bucket.count, bucket.sum, bucket.min, bucket.max) = (count, sum, min, max);
                (bucket.first, bucket.changed) = (first, Seq(changed));
                let bins = bins.into_iter().map(|(key, count)| Bin { key: Key(key), count });
                Rolled { bucket: bucket.with_bins(bins), resets }
            }
        })
    }
}

/// The block at `place`; an empty one where there is none.
pub fn read(conn: &Connection, place: Place) -> rusqlite::Result<Block> {
    let mut select = conn.prepare_cached("SELECT data FROM blocks WHERE key = ?1")?;
    let mut rows = select.query([place.key()])?;
    rows.next()?.map_or_else(|| Ok(Block::default()), |row| Block::unpack(row.get_ref(0)?.as_blob()?, place))
}

/// Shows `look` the blocks of a series and tier that overlap `span`, oldest first.
pub fn each_within(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    span: Stretch,
    mut look: impl FnMut(Place, Block),
) -> rusqlite::Result<()> {
    let last = Place::holding(tier, series, Millis(span.to.0.saturating_sub(1)));
    let mut select = conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key")?;
    let mut rows = select.query([Place::holding(tier, series, span.from).key(), last.key()])?;
    while let Some(row) = rows.next()? {
        let place = last.with_key(row.get(0)?);
        look(place, Block::unpack(row.get_ref(1)?.as_blob()?, place)?);
    }
    Ok(())
}

/// Shows `look` the blocks of the finest tier, those of the greatest series first, of each the newest first. Where `look` has
/// seen enough of a series, the rest of it is not read.
pub fn each_newest(conn: &Connection, mut look: impl FnMut(Place, Block) -> ControlFlow<()>) -> rusqlite::Result<()> {
    let (first, _) = Place::all(Tier::Second, SeriesId(0));
    let (_, mut upto) = Place::all(Tier::Second, SeriesId((1 << SERIES_BITS) - 1));
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
    'series: loop {
        let mut enough = None;
        let mut rows = select.query([first, upto])?;
        while let Some(row) = rows.next()? {
            let place = Place::finest(row.get(0)?);
            if enough == Some(place.series) {
                upto = Place::all(Tier::Second, place.series).0 - 1;
                continue 'series;
            }
            let block = Block::unpack(row.get_ref(1)?.as_blob()?, place)?;
            enough = look(place, block).is_break().then_some(place.series);
        }
        return Ok(());
    }
}

/// Shows `look` the blocks of the finest tier of one series, the newest first, until it has seen enough.
pub fn each_of(
    conn: &Connection,
    series: SeriesId,
    mut look: impl FnMut(Place, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
    let mut rows = select.query(Place::all(Tier::Second, series))?;
    while let Some(row) = rows.next()? {
        let place = Place::finest(row.get(0)?);
        if look(place, Block::unpack(row.get_ref(1)?.as_blob()?, place)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// The newest block of a series and tier that begins before `before`.
pub fn newest_before(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    before: Option<Place>,
) -> rusqlite::Result<Option<(Place, Block)>> {
    let (first, last) = Place::all(tier, series);
    let until = before.map_or(last, |place| place.key() - 1);
    let mut select =
        conn.prepare_cached("SELECT key, data FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1")?;
    let mut rows = select.query([first, until])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let place = Place { tier, series, number: 0 }.with_key(row.get(0)?);
    Ok(Some((place, Block::unpack(row.get_ref(1)?.as_blob()?, place)?)))
}

/// Writes the block at `place` over what is there.
pub fn write(conn: &Connection, place: Place, block: &Block) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO blocks (key, buckets, data) VALUES (?1, ?2, ?3)")?.execute((
        place.key(),
        sql(block.buckets.len() as u64),
        block.pack(place)?,
    ))?;
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
            let place = Place::holding(Tier::Second, SERIES, from);
            let mut block = Block::default();
            for (seq, (ts, value)) in (1..).zip(points) {
                block.add(Stamp { ts: place.span().from.plus(ts), seq: Seq(seq) }, Number::new(value).unwrap());
            }
            prop_assert_eq!(&Block::unpack(&block.pack(place).unwrap(), place).unwrap(), &block);
            let day = Rolled::over(&block.buckets, Tier::Day.width_ms());
            let (place, block) = (Place::holding(Tier::Day, SERIES, from), Block { buckets: day.into_iter().collect() });
            prop_assert_eq!(&Block::unpack(&block.pack(place).unwrap(), place).unwrap(), &block);
        }
    }

    #[test]
    fn rows_lie_by_tier_then_series_then_time() {
        let at = |tier, series, ts| Place::holding(tier, SeriesId(series), Millis(ts)).key();
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
        let place = Place::holding(Tier::Second, SeriesId(77), Millis(86_400_000));
        assert_eq!(Place::finest(place.key()), place);
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
