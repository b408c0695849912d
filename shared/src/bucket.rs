//! Points of one stretch of time, added up.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Millis, Number, Seq};

/// The width in milliseconds of the finest bucket, the one that is streamed.
pub const SECOND: u64 = 1_000;

/// The place of a point among all others: by time, then, for two of the same millisecond, by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When it was so.
    pub ts: Millis,
    /// When it was committed. No two points share one, so stamps order points totally.
    pub seq: Seq,
}

/// A number and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Its place among all points.
    pub at: Stamp,
    /// The number; finite.
    pub value: f64,
}

/// The points of a series within one stretch of time: their count, sum, least, greatest, first and last.
///
/// [`Bucket::merge`] is commutative and associative over disjoint sets of points (the sum up to rounding), so
/// buckets can be added up in any order, from any number of sources.
///
/// As JSON a bucket is an array, since a board loads thousands of them: `[start, offset, seq, value]` where it holds
/// one point, else `[start, count, sum, min, max, first offset, first seq, first, last offset, last seq, last,
/// changed]`; offsets are milliseconds from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The first moment that belongs to it.
    pub start: Millis,
    /// How many points it holds; at least one.
    pub count: u64,
    /// The sum of their values, held within the finite numbers.
    pub sum: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// The earliest point by [`Stamp`].
    pub first: Sample,
    /// The latest point by [`Stamp`].
    pub last: Sample,
    /// The greatest [`Seq`] among its points: a reader whose cursor is older has not seen it as it is now.
    pub changed: Seq,
}

impl Bucket {
    /// The bucket of `width_ms` that holds one point.
    #[must_use]
    pub fn of(at: Stamp, value: Number, width_ms: u64) -> Self {
        let value = value.get();
        let sample = Sample { at, value };
        Self {
            start: at.ts.floor(width_ms),
            count: 1,
            sum: value,
            min: value,
            max: value,
            first: sample,
            last: sample,
            changed: at.seq,
        }
    }

    /// Adds the points of `other`, none of which may be in `self` already. The earlier start is kept.
    pub fn merge(&mut self, other: &Self) {
        self.start = self.start.min(other.start);
        self.count += other.count;
        self.sum = (self.sum + other.sum).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if other.first.at < self.first.at {
            self.first = other.first;
        }
        if other.last.at > self.last.at {
            self.last = other.last;
        }
        self.changed = self.changed.max(other.changed);
    }

    /// The mean of its values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        let sample = |array: &mut S::SerializeSeq, s: &Sample| {
            array.serialize_element(&s.at.ts.since(self.start))?;
            array.serialize_element(&s.at.seq)?;
            array.serialize_element(&s.value)
        };
        array.serialize_element(&self.start)?;
        if self.count == 1 {
            sample(&mut array, &self.last)?;
        } else {
            array.serialize_element(&self.count)?;
            for number in [self.sum, self.min, self.max] {
                array.serialize_element(&number)?;
            }
            sample(&mut array, &self.first)?;
            sample(&mut array, &self.last)?;
            array.serialize_element(&self.changed)?;
        }
        array.end()
    }
}

impl<'de> Deserialize<'de> for Bucket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BucketVisitor)
    }
}

struct BucketVisitor;

impl<'de> Visitor<'de> for BucketVisitor {
    type Value = Bucket;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a bucket: an array of 4 or of 12 numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Bucket, A::Error> {
        // Every number is read as a float, which holds times and counts up to 2^53 exactly, so that the two forms
        // can be told apart by their length alone.
        let mut numbers = [0.0_f64; 12];
        let mut len = 0;
        while let Some(number) = array.next_element::<f64>()? {
            *numbers.get_mut(len).ok_or_else(|| A::Error::invalid_length(len + 1, &self))? = number;
            len += 1;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let whole = |i: usize| numbers[i] as u64;
        let start = Millis(whole(0));
        let sample =
            |i: usize| Sample { at: Stamp { ts: start.plus(whole(i)), seq: Seq(whole(i + 1)) }, value: numbers[i + 2] };
        match len {
            4 => {
                let only = sample(1);
                let value = only.value;
                let changed = only.at.seq;
                Ok(Bucket { start, count: 1, sum: value, min: value, max: value, first: only, last: only, changed })
            }
            12 => Ok(Bucket {
                start,
                count: whole(1),
                sum: numbers[2],
                min: numbers[3],
                max: numbers[4],
                first: sample(5),
                last: sample(8),
                changed: Seq(whole(11)),
            }),
            _ => Err(A::Error::invalid_length(len, &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![-1e9..1e9, any::<f64>()].prop_filter_map("finite", Number::new)
    }

    /// Buckets of one second, made of one point each, whose places are all different.
    fn singles(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Bucket>> {
        prop::collection::vec((0..SECOND, number()), count).prop_map(|points| {
            (1..)
                .zip(points)
                .map(|(seq, (ts, value))| Bucket::of(Stamp { ts: Millis(ts), seq: Seq(seq) }, value, SECOND))
                .collect()
        })
    }

    fn sum(buckets: &[Bucket]) -> Bucket {
        let (first, rest) = buckets.split_first().unwrap();
        rest.iter().fold(*first, |mut all, next| {
            all.merge(next);
            all
        })
    }

    /// Equal in all but the sum, which may differ by rounding: relative to the magnitudes that went in.
    fn same(a: &Bucket, b: &Bucket, points: &[Bucket]) -> bool {
        let magnitude: f64 = points.iter().map(|p| p.sum.abs() * 1e-9).sum();
        Bucket { sum: 0.0, ..*a } == Bucket { sum: 0.0, ..*b } && (a.sum - b.sum).abs() <= magnitude
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn merging_does_not_depend_on_the_order(points in singles(2..20), seed: u64) {
            let mut shuffled = points.clone();
            for i in 1..shuffled.len() {
                let j = usize::try_from(seed.rotate_left(u32::try_from(i).unwrap()) % (i as u64 + 1)).unwrap();
                shuffled.swap(i, j);
            }
            prop_assert!(same(&sum(&points), &sum(&shuffled), &points));
        }

        #[test]
        fn merging_does_not_depend_on_the_grouping(points in singles(3..20), cut in 1..19usize) {
            let (left, right) = points.split_at(cut.min(points.len() - 1));
            prop_assert!(same(&sum(&points), &sum(&[sum(left), sum(right)]), &points));
        }

        #[test]
        fn a_bucket_survives_json_to_the_last_bit(points in singles(1..6)) {
            let bucket = sum(&points);
            let json = serde_json::to_string(&bucket).unwrap();
            prop_assert_eq!(serde_json::from_str::<Bucket>(&json).unwrap(), bucket);
        }
    }

    #[test]
    fn of_two_points_in_one_millisecond_the_one_that_came_later_is_the_last() {
        let at = |seq| Stamp { ts: Millis(5), seq: Seq(seq) };
        let mut bucket = Bucket::of(at(2), Number::new(2.0).unwrap(), SECOND);
        bucket.merge(&Bucket::of(at(1), Number::new(1.0).unwrap(), SECOND));
        assert_eq!((bucket.first.value, bucket.last.value), (1.0, 2.0));
    }

    #[test]
    fn an_array_of_another_length_is_no_bucket() {
        for json in ["[]", "[1,2,3]", "[1,2,3,4,5]", "[1,2,3,4,5,6,7,8,9,10,11,12,13]", "[1,2,3,\"x\"]"] {
            assert!(serde_json::from_str::<Bucket>(json).is_err(), "{json}");
        }
    }
}
