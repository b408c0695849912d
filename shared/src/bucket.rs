//! Buckets: the aggregate of a series' points within an interval of time.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sketch::{Bin, Key, Sketch};
use crate::{Millis, Number, Seq};

/// The width in milliseconds of the finest bucket, which is the streamed one.
pub const SECOND: u64 = 1_000;

/// The total order of points: by time, then, within a millisecond, by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The time of the measurement.
    pub ts: Millis,
    /// The number that the commit assigned. It is unique, so stamps order points totally.
    pub seq: Seq,
}

/// A number and its stamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The stamp, which orders it among all points.
    pub at: Stamp,
    /// The number; finite.
    pub value: f64,
}

/// The points of a series within an interval: their count, sum, minimum, maximum, first and last point, and the
/// distribution of their values.
///
/// [`Bucket::merge`] is commutative and associative over disjoint sets of points (the sum up to rounding), so buckets
/// can be merged in any order, from any number of sources.
///
/// As JSON a bucket is an array, since a board loads thousands of them: `[start, offset, seq, value]` if it holds one
/// point, else
/// `[start, count, sum, min, max, first offset, first seq, first, last offset, last seq, last, changed, …]`. Offsets
/// are milliseconds from the start. The bins of the sketch follow at the end, two numbers each: the key as its
/// distance from the previous key (the first from 0), and the count. The bins are left out where they follow from the
/// rest: for at most two points, and where the minimum and the maximum share a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The first moment of the interval.
    pub start: Millis,
    /// The number of points; at least one.
    pub count: u64,
    /// The sum of the values, clamped to the finite numbers.
    pub sum: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    /// The earliest point by [`Stamp`].
    pub first: Sample,
    /// The latest point by [`Stamp`].
    pub last: Sample,
    /// The greatest [`Seq`] among its points. A subscriber with an older cursor has not seen the current bucket.
    pub changed: Seq,
    /// The bins of the values; empty if they follow from `min`, `max` and `count`. Most one-second buckets hold a
    /// point or two, so this makes their sketch free.
    sketch: Sketch,
}

impl Bucket {
    /// Makes a bucket of `width_ms` that holds one point.
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
            sketch: Sketch::default(),
        }
    }

    /// Adds the bins that [`Bucket::bins`] returned, when a stored bucket is read.
    #[must_use]
    pub fn with_bins(self, bins: impl IntoIterator<Item = Bin>) -> Self {
        let sketch = if self.implied().is_some() { Sketch::default() } else { Sketch::new(bins) };
        Self { sketch, ..self }
    }

    /// The bins that do not follow from the other fields, the least values first; empty if all follow.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        self.sketch.bins()
    }

    /// The distribution of the values.
    #[must_use]
    pub fn sketch(&self) -> Sketch {
        self.implied().map_or_else(|| self.sketch.clone(), |(bins, len)| Sketch::new(bins.into_iter().take(len)))
    }

    /// The quantile `q`, from 0 to 1: the value that a share `q` of the values does not exceed, to within 1 %
    /// ([`Sketch::quantile`]).
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let found = if self.sketch.is_empty() { self.sketch().quantile(q) } else { self.sketch.quantile(q) };
        // Not `clamp`, which panics if the ends are in the wrong order: a bucket is read from a stream without a check.
        found.unwrap_or(self.max).max(self.min).min(self.max)
    }

    /// The bins that follow from the other fields, and their number; `None` if the sketch is stored.
    fn implied(&self) -> Option<([Bin; 2], usize)> {
        let (min, max) = (Key::of(self.min), Key::of(self.max));
        if min == max {
            let all = Bin { key: min, count: self.count };
            return Some(([all; 2], 1));
        }
        (self.count == 2).then_some(([min, max].map(|key| Bin { key, count: 1 }), 2))
    }

    /// Adds the points of `other`. No point may be in both. The earlier start is kept.
    pub fn merge(&mut self, other: &Self) {
        // The implied bins must be computed before the fields that they follow from change.
        if let Some((bins, len)) = self.implied() {
            self.sketch = Sketch::new(bins.into_iter().take(len));
        }
        match other.implied() {
            Some((bins, len)) => self.sketch.merge(&bins[..len]),
            None => self.sketch.merge(other.sketch.bins()),
        }
        self.start = self.start.min(other.start);
        self.count = self.count.saturating_add(other.count);
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
        if self.implied().is_some() {
            self.sketch = Sketch::default();
        }
    }

    /// Adds a point that is not in the bucket yet. Gives the same result as merging a bucket of that point, at a
    /// fraction of the cost.
    pub fn push(&mut self, at: Stamp, value: Number) {
        let value = value.get();
        let sample = Sample { at, value };
        let implied = if self.sketch.is_empty() && self.count > 1 { self.implied() } else { None };
        self.count = self.count.saturating_add(1);
        self.sum = (self.sum + value).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if at < self.first.at {
            self.first = sample;
        }
        if at > self.last.at {
            self.last = sample;
        }
        self.changed = self.changed.max(at.seq);
        let one = Bin { key: Key::of(value), count: 1 };
        if let Some((bins, len)) = implied {
            // The bins of three or more points follow from the rest only while all share one bin.
            if len == 1 && bins[0].key == one.key {
                return;
            }
            self.sketch = Sketch::new(bins.into_iter().take(len));
        }
        if self.count > 2 {
            self.sketch.add(one);
        }
    }

    /// The mean of the values.
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
            let mut before = 0;
            for bin in self.bins() {
                array.serialize_element(&bin.key.0.saturating_sub(before))?;
                array.serialize_element(&bin.count)?;
                before = bin.key.0;
            }
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
        f.write_str("a bucket: an array of 4 numbers, or of 12 and two for each bin")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Bucket, A::Error> {
        // Reads every number as a float, which holds times and counts up to 2^53 exactly. So the two forms can be
        // distinguished by their length alone.
        let mut numbers = [0.0_f64; 12];
        let mut len = 0;
        while len < numbers.len() {
            let Some(number) = array.next_element::<f64>()? else { break };
            numbers[len] = number;
            len += 1;
        }
        let mut bins = Vec::new();
        let mut key = 0_i32;
        while let Some(more) = array.next_element::<i32>()? {
            key = key.saturating_add(more);
            let count = array.next_element()?.ok_or_else(|| A::Error::invalid_length(len + 1, &self))?;
            bins.push(Bin { key: Key(key), count });
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
                Ok(Bucket {
                    start,
                    count: 1,
                    sum: value,
                    min: value,
                    max: value,
                    first: only,
                    last: only,
                    changed: only.at.seq,
                    sketch: Sketch::default(),
                })
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
                sketch: Sketch::default(),
            }
            .with_bins(bins)),
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

    /// Generates values that are often equal, and often in the same bin.
    fn value() -> impl Strategy<Value = Number> {
        prop_oneof![
            Just(Number::new(1.5).expect("finite")),
            (1.5..1.501_f64).prop_filter_map("finite", Number::new),
            number()
        ]
    }

    /// Generates one-second buckets of one point each, with distinct stamps.
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
        rest.iter().fold(first.clone(), |mut all, next| {
            all.merge(next);
            all
        })
    }

    /// Compares all but the sum exactly. The sum may differ by rounding, relative to the magnitudes of the inputs.
    fn same(a: &Bucket, b: &Bucket, points: &[Bucket]) -> bool {
        let magnitude: f64 = points.iter().map(|p| p.sum.abs() * 1e-9).sum();
        Bucket { sum: 0.0, ..a.clone() } == Bucket { sum: 0.0, ..b.clone() } && (a.sum - b.sum).abs() <= magnitude
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
        fn adding_a_point_is_merging_its_bucket(points in prop::collection::vec((0..3_000_u64, value()), 1..40)) {
            let points: Vec<_> = (1..).zip(points).map(|(seq, (ts, value))| (Stamp { ts: Millis(ts), seq: Seq(seq) }, value)).collect();
            let mut pushed = Bucket::of(points[0].0, points[0].1, 4 * SECOND);
            let mut merged = pushed.clone();
            for &(at, value) in &points[1..] {
                pushed.push(at, value);
                merged.merge(&Bucket::of(at, value, 4 * SECOND));
                prop_assert_eq!(&pushed, &merged);
            }
        }

        #[test]
        fn merging_does_not_depend_on_the_grouping(points in singles(3..20), cut in 1..19usize) {
            let (left, right) = points.split_at(cut.min(points.len() - 1));
            prop_assert!(same(&sum(&points), &sum(&[sum(left), sum(right)]), &points));
        }

        #[test]
        fn a_bucket_rolled_up_from_finer_ones_is_the_bucket_of_the_points(points in singles(1..60)) {
            let finer = points.chunk_by(|a, b| a.first.at.ts.floor(100) == b.first.at.ts.floor(100)).map(sum);
            prop_assert!(same(&sum(&points), &sum(&finer.collect::<Vec<_>>()), &points));
        }

        #[test]
        fn its_quantiles_are_those_of_its_values_within_one_percent(points in singles(1..60), q in 0.0..=1.0_f64) {
            let mut sorted: Vec<f64> = points.iter().map(|point| point.sum).collect();
            sorted.sort_by(f64::total_cmp);
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let exact = sorted[((q * sorted.len() as f64).ceil() as usize).saturating_sub(1)];
            let found = sum(&points).quantile(q);
            prop_assert!((found - exact).abs() <= exact.abs() * 0.01 + f64::MIN_POSITIVE, "{} for {}", found, exact);
        }

        #[test]
        fn a_bucket_survives_json_to_the_last_bit(points in singles(1..20)) {
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
