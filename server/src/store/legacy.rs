//! Rows of blocks as servers before version 3 of the tables wrote them: postcard, without a checksum. Only the migration
//! reads them ([`super::migration`]).

use serde::{Deserialize, Serialize};
use shared::bucket::Sample;
use shared::sketch::Key;
use shared::{Bin, Bucket, Millis, Number, Rolled, Seq, Stamp};

use super::block::Block;
use super::block_id::{BlockId, block_ms};
use super::damage::{GREATEST, Unreadable};
use super::dedup_keys::{DedupKey, DedupKeys, NANOS_OF_BLOCK};

/// Decodes the row at `id`.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written such a row: times outside of it, counts that do not agree,
/// values that are not finite.
pub(crate) fn unpack(bytes: &[u8], id: BlockId) -> Result<Block, Unreadable> {
    let packed: Vec<Packed> = postcard::from_bytes(bytes)?;
    let mut buckets: Vec<Rolled> = Vec::with_capacity(packed.len());
    for packed in packed {
        let rolled = packed.rolled(id)?;
        if buckets.last().is_some_and(|before| before.bucket.start >= rolled.bucket.start) {
            return Err(Unreadable::Content("its buckets are not in order"));
        }
        buckets.push(rolled);
    }
    Ok(Block { buckets, ..Block::default() })
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
    #[cfg(test)]
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

/// The stored form of sent times: the nanoseconds of one unit; then for each point the units since the point before it,
/// and the bytes of the value, swapped so that trailing zero bytes make a small number.
#[derive(Serialize, Deserialize)]
struct PackedSent {
    unit: u32,
    points: Vec<(u64, u64)>,
}

/// Decodes the points whose senders set their times.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written them: times outside of a block, values that are not finite.
pub(crate) fn unpack_sent(bytes: &[u8]) -> Result<DedupKeys, Unreadable> {
    let PackedSent { unit, points: packed } = postcard::from_bytes(bytes)?;
    let mut points = Vec::with_capacity(packed.len());
    let mut at = 0_u64;
    for (units, value) in packed {
        let next = units.checked_mul(unit.into()).and_then(|nanos| at.checked_add(nanos));
        at = next.filter(|&at| at < NANOS_OF_BLOCK).ok_or(Unreadable::Content("a sent time is out of range"))?;
        let value = value.swap_bytes();
        if !f64::from_bits(value).is_finite() {
            return Err(Unreadable::Content("a sent value is not finite"));
        }
        points.push(DedupKey { at, value });
    }
    points.sort_unstable();
    Ok(DedupKeys::in_order(points))
}

/// Encodes a block as servers before version 3 did, for tests of the migration.
#[cfg(test)]
pub(crate) fn pack(block: &Block, id: BlockId) -> (Vec<u8>, Option<Vec<u8>>) {
    let packed: Vec<Packed> = block.buckets.iter().map(|rolled| Packed::of(rolled, id)).collect();
    let mut before = 0;
    let points = block.dedup_keys.sorted().into_iter().map(|point| {
        let nanos = point.at - before;
        before = point.at;
        (nanos, point.value.swap_bytes())
    });
    let sent = PackedSent { unit: 1, points: points.collect() };
    let sent = (!sent.points.is_empty()).then(|| postcard::to_stdvec(&sent).unwrap());
    (postcard::to_stdvec(&packed).unwrap(), sent)
}
