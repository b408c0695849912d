//! A compact form of tracks of numbers that do not change: an eighth of the memory of a track that changes, or less.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use shared::bucket::{SECOND, Sample};
use shared::sketch::Key;
use shared::{Bin, Bucket, Millis, Number, Seq, Stamp};

/// The buckets of a track, newest first, so that the latest value is found without reading the rest.
#[derive(Debug, Default)]
pub(crate) struct Packed(Box<[u8]>);

/// A stored bucket. Seconds and seqs are differences to the bucket before it in the list, which is newer. Fields that
/// can be derived are left out.
#[derive(Serialize, Deserialize)]
enum Piece {
    One {
        second: i64,
        sample: Point,
    },
    Many {
        second: i64,
        count: u64,
        sum: f64,
        min: f64,
        max: f64,
        ends: [Point; 2],
        changed: i64,
        bins: Vec<(i32, u64)>,
    },
}

/// Milliseconds within the second, seq, value.
type Point = (u16, i64, f64);

/// The second and the seq that the next bucket's differences refer to.
#[derive(Clone, Copy, Default)]
struct Near {
    second: u64,
    seq: u64,
}

impl Packed {
    /// Packs the buckets of a track.
    pub(crate) fn of(buckets: &VecDeque<Bucket>) -> Self {
        let mut bytes = Vec::with_capacity(16 * buckets.len());
        let mut near = Near::default();
        for bucket in buckets.iter().rev() {
            bytes = postcard::to_extend(&near.pack(bucket), bytes).expect("what is in memory can be packed");
            near = Near::at(bucket);
        }
        Self(bytes.into())
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the buckets, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Bucket> {
        let mut rest = &*self.0;
        let mut near = Near::default();
        std::iter::from_fn(move || {
            let (piece, after) = postcard::take_from_bytes(rest).ok()?;
            let bucket = near.unpack(piece)?;
            (rest, near) = (after, Near::at(&bucket));
            Some(bucket)
        })
    }

    /// Returns the buckets, oldest first, equal to those that were packed.
    pub(crate) fn unpack(&self) -> VecDeque<Bucket> {
        let mut buckets: Vec<Bucket> = self.newest_first().collect();
        buckets.reverse();
        buckets.into()
    }
}

impl Near {
    fn at(bucket: &Bucket) -> Self {
        Self { second: bucket.start.0 / SECOND, seq: bucket.last.at.seq.0 }
    }

    fn pack(self, bucket: &Bucket) -> Piece {
        let since = |seq: Seq| seq.0.wrapping_sub(self.seq).cast_signed();
        let point = |sample: &Sample| {
            let offset = u16::try_from(sample.at.ts.since(bucket.start)).unwrap_or(u16::MAX);
            (offset, since(sample.at.seq), sample.value)
        };
        let second = (bucket.start.0 / SECOND).wrapping_sub(self.second).cast_signed();
        if bucket.count == 1 {
            return Piece::One { second, sample: point(&bucket.last) };
        }
        Piece::Many {
            second,
            count: bucket.count,
            sum: bucket.sum,
            min: bucket.min,
            max: bucket.max,
            ends: [point(&bucket.first), point(&bucket.last)],
            changed: since(bucket.changed),
            bins: bucket.bins().iter().map(|bin| (bin.key.0, bin.count)).collect(),
        }
    }

    /// Unpacks a bucket; `None` if a value is not finite, which was never packed.
    fn unpack(self, piece: Piece) -> Option<Bucket> {
        let seq = |since| Seq(self.seq.wrapping_add_signed(since));
        let start = |second| Millis(self.second.wrapping_add_signed(second) * SECOND);
        let sample = |start: Millis, (offset, since, value): Point| Sample {
            at: Stamp { ts: start.plus(offset.into()), seq: seq(since) },
            value,
        };
        Some(match piece {
            Piece::One { second, sample: point } => {
                let Sample { at, value } = sample(start(second), point);
                Bucket::of(at, Number::new(value)?, SECOND)
            }
            Piece::Many { second, count, sum, min, max, ends, changed, bins } => {
                let [first, last] = ends.map(|point| sample(start(second), point));
                let mut bucket = Bucket::of(last.at, Number::new(last.value)?, SECOND);
                (bucket.count, bucket.sum, bucket.min, bucket.max) = (count, sum, min, max);
                (bucket.first, bucket.changed) = (first, seq(changed));
                bucket.with_bins(bins.into_iter().map(|(key, count)| Bin { key: Key(key), count }))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::{Track, Value};

    proptest! {
        #[test]
        fn a_track_that_was_packed_is_as_it_was_to_the_last_bit(
            points in prop::collection::vec((0..400_000_u64, prop_oneof![Just(1.5), -1e9..1e9]), 1..600)
        ) {
            let mut seq = 1 << 40;
            let mut point = |(ts, value): (u64, f64)| {
                seq += 3;
                let at = Stamp { ts: Millis(1_732_399_200_000 + ts), seq: Seq(seq) };
                (at, Value::Number(Number::new(value).unwrap()))
            };
            let mut points = points.into_iter();
            let (at, value) = points.next().map(&mut point).unwrap();
            let mut track = Track::of(at, value);
            for (at, value) in points.map(&mut point) {
                track.push(at, value);
            }
            let Track::Numbers(buckets) = &track else { panic!("numbers") };
            let packed = Packed::of(buckets);
            let newest = packed.newest_first().next();
            prop_assert_eq!(newest.as_ref(), buckets.back());
            prop_assert_eq!(&packed.unpack(), buckets);
        }
    }

    #[test]
    fn a_bucket_of_a_point_takes_some_fifteen_bytes() {
        let bucket = |n: u64| {
            let at = Stamp { ts: Millis(1_732_399_200_123 + n * 1_000), seq: Seq(1_000_000 + 20 * n) };
            Bucket::of(at, Number::new(21.5).unwrap(), SECOND)
        };
        let packed = Packed::of(&(0..300).map(bucket).collect());
        assert!(packed.0.len() < 300 * 15, "{}", packed.0.len());
    }
}
