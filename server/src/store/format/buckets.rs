//! The columns of buckets.
//!
//! A bucket of one point is that point: time, seq, value. A bucket of more has further columns, each as the difference
//! to the number that is to be expected: the first value to the last one of the bucket before, the last value to the
//! first, the minimum and the maximum to the less and the greater of both, the sum to that of as many values between
//! them, `changed` to the greater seq. The start follows from the time of the first point. In the finest tier the
//! resets follow from the other fields; the bins of a sketch begin with that of the minimum and end with that of the
//! maximum, and their counts add up to that of the bucket.

use shared::bucket::Sample;
use shared::sketch::{Key, MAX_BINS};
use shared::{Bin, Bucket, Millis, Number, Rolled, Seq, Stamp, TimeRange};

use super::floats::Scale;
use super::{Input, ints, put_varint};
use crate::store::damage::{GREATEST, Unreadable};

/// All buckets have one point.
const SINGLE: u8 = 1;
/// The resets of all buckets follow from their other fields.
const RESETS_FOLLOW: u8 = 2;
/// The bins of all buckets begin and end with those of the minimum and the maximum, and add up to the count.
const BINS_FOLLOW: u8 = 4;

/// The columns that have numbers: first, last, minimum, maximum, sum, resets.
const NUMBERS: usize = 6;

/// The integers of the numbers of a bucket, and their steps.
#[derive(Clone, Copy, Default)]
struct Whole {
    whole: [i64; NUMBERS],
    steps: [i64; NUMBERS],
}

const FIRST: usize = 0;
const LAST: usize = 1;
const MIN: usize = 2;
const MAX: usize = 3;
const SUM: usize = 4;
const RESETS: usize = 5;

impl Whole {
    fn of(rolled: &Rolled, scale: Scale) -> Self {
        let mut all = Self::default();
        let used = if rolled.bucket.count == 1 { 1 } else { NUMBERS };
        for (at, number) in numbers(rolled).into_iter().enumerate().take(used) {
            (all.whole[at], all.steps[at]) = scale.split(number);
        }
        if rolled.bucket.count == 1 {
            all.whole[LAST] = all.whole[FIRST];
        }
        all
    }

    /// The sum that is to be expected of `count` values.
    fn expected_sum(&self, count: i64, scale: Scale) -> i64 {
        let [first, last, min, max, ..] = self.whole;
        let middle = [first, last, min, max].into_iter().map(i128::from).sum::<i128>();
        let expected = i128::from(count).wrapping_mul(middle) / 4;
        if scale.is_linear() { i64::try_from(expected).unwrap_or_default() } else { 0 }
    }

    /// The mean value. The sum of the resets is about this value for each fall.
    fn mean(&self, count: i64, scale: Scale) -> i64 {
        if scale.is_linear() { self.whole[SUM] / count.max(1) } else { 0 }
    }
}

fn numbers(Rolled { bucket, resets }: &Rolled) -> [f64; NUMBERS] {
    [bucket.first.value, bucket.last.value, bucket.min, bucket.max, bucket.sum, *resets]
}

fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// Returns true if the resets follow from the other fields, as they do in the finest tier.
fn resets_follow(rolled: &Rolled) -> bool {
    Rolled::of(rolled.bucket.clone()).resets.to_bits() == rolled.resets.to_bits()
}

/// Returns true if the bins follow the rule of [`BINS_FOLLOW`].
fn bins_follow(bucket: &Bucket) -> bool {
    let bins = bucket.bins();
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else { return true };
    let sum = bins.iter().try_fold(0_u64, |sum, bin| sum.checked_add(bin.count));
    bins.len() > 1 && first.key == Key::of(bucket.min) && last.key == Key::of(bucket.max) && sum == Some(bucket.count)
}

/// Appends buckets, which are in order and begin at or after `from`.
pub fn encode(out: &mut Vec<u8>, buckets: &[Rolled], from: Millis) {
    let values = buckets.iter().map(|rolled| rolled.bucket.first.value);
    let scale = Scale::of(values, buckets.iter().flat_map(numbers));
    let many: Vec<&Rolled> = buckets.iter().filter(|rolled| rolled.bucket.count > 1).collect();
    let single = many.is_empty();
    let resets_follow = many.iter().all(|rolled| resets_follow(rolled));
    let bins_follow = many.iter().all(|rolled| bins_follow(&rolled.bucket));
    let wholes: Vec<Whole> = buckets.iter().map(|rolled| Whole::of(rolled, scale)).collect();
    let whole_of_many: Vec<(&Rolled, &Whole)> =
        buckets.iter().zip(&wholes).filter(|(rolled, _)| rolled.bucket.count > 1).collect();
    let steps = |number: usize| -> Vec<i64> {
        match number {
            FIRST => wholes.iter().map(|whole| whole.steps[FIRST]).collect(),
            RESETS if resets_follow => Vec::new(),
            _ => whole_of_many.iter().map(|(_, whole)| whole.steps[number]).collect(),
        }
    };
    let steps: Vec<Vec<i64>> = (0..NUMBERS).map(steps).collect();
    let has_steps = (0..NUMBERS).filter(|&at| steps[at].iter().any(|&steps| steps != 0)).map(|at| 1_u8 << at).sum();

    put_varint(out, buckets.len() as u64);
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    out.push(flag(single, SINGLE) | flag(resets_follow, RESETS_FOLLOW) | flag(bins_follow, BINS_FOLLOW));
    out.push(scale.byte());
    out.push(has_steps);
    let mut column = Vec::with_capacity(buckets.len());
    let mut put = |out: &mut Vec<u8>, numbers: &mut dyn Iterator<Item = i64>| {
        column.clear();
        column.extend(numbers);
        ints::encode(out, &column);
    };
    if !single {
        put(out, &mut buckets.iter().map(|rolled| signed(rolled.bucket.count)));
    }
    put(out, &mut buckets.iter().map(|rolled| signed(rolled.bucket.first.at.ts.since(from))));
    put(out, &mut buckets.iter().map(|rolled| signed(rolled.bucket.first.at.seq.0)));
    let mut before = 0;
    put(
        out,
        &mut wholes.iter().map(|Whole { whole, .. }| {
            let more = whole[FIRST].wrapping_sub(before);
            before = whole[LAST];
            more
        }),
    );
    if !single {
        let bucket = many.iter().map(|rolled| &rolled.bucket);
        put(out, &mut bucket.clone().map(|bucket| signed(bucket.last.at.ts.since(bucket.first.at.ts))));
        put(out, &mut bucket.clone().map(|bucket| signed(bucket.last.at.seq.0) - signed(bucket.first.at.seq.0)));
        let whole = || whole_of_many.iter().map(|(rolled, whole)| (signed(rolled.bucket.count), *whole));
        put(out, &mut whole().map(|(_, Whole { whole, .. })| whole[LAST].wrapping_sub(whole[FIRST])));
        put(out, &mut whole().map(|(_, Whole { whole, .. })| whole[FIRST].min(whole[LAST]).wrapping_sub(whole[MIN])));
        put(out, &mut whole().map(|(_, Whole { whole, .. })| whole[MAX].wrapping_sub(whole[FIRST].max(whole[LAST]))));
        put(out, &mut whole().map(|(count, all)| all.whole[SUM].wrapping_sub(all.expected_sum(count, scale))));
        put(out, &mut bucket.clone().map(|bucket| signed(bucket.changed.0) - signed(greater_seq(bucket))));
        if !resets_follow {
            let falls = |(count, all): (i64, &Whole)| all.whole[RESETS].checked_div(all.mean(count, scale));
            put(out, &mut whole().map(|each| falls(each).unwrap_or_default()));
            put(
                out,
                &mut whole().map(|(count, all)| {
                    let falls = falls((count, all)).unwrap_or_default();
                    all.whole[RESETS].wrapping_sub(falls.wrapping_mul(all.mean(count, scale)))
                }),
            );
        }
        let bins = || bucket.clone().map(Bucket::bins);
        put(out, &mut bins().map(|bins| i64::try_from(bins.len()).unwrap_or(i64::MAX)));
        let keys = |bins: &'_ [Bin]| -> Vec<i64> {
            let pairs = bins.windows(2).map(|pair| i64::from(pair[1].key.0) - i64::from(pair[0].key.0) - 1);
            if bins_follow {
                pairs.take(bins.len().saturating_sub(2)).collect()
            } else {
                bins.first().map(|bin| i64::from(bin.key.0)).into_iter().chain(pairs).collect()
            }
        };
        put(out, &mut bins().flat_map(keys));
        let counts = |bins: &'_ [Bin]| -> Vec<i64> {
            let all = if bins_follow { bins.len().saturating_sub(1) } else { bins.len() };
            bins[..all].iter().map(|bin| signed(bin.count)).collect()
        };
        put(out, &mut bins().flat_map(counts));
    }
    steps.iter().filter(|steps| steps.iter().any(|&steps| steps != 0)).for_each(|steps| ints::encode(out, steps));
}

fn greater_seq(bucket: &Bucket) -> u64 {
    bucket.first.at.seq.max(bucket.last.at.seq).0
}

/// Decodes buckets of `width_ms`, and checks them.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written them: times outside of `span`, counts that do not agree, values
/// that are not finite.
pub fn decode(input: &mut Input<'_>, span: TimeRange, width_ms: u64) -> Result<Vec<Rolled>, Unreadable> {
    let most = usize::try_from(span.to.since(span.from) / width_ms).unwrap_or_default();
    let count = input.count(most)?;
    let flags = input.byte()?;
    if flags & !(SINGLE | RESETS_FOLLOW | BINS_FOLLOW) != 0 {
        return Err(Unreadable::Content("it has unknown flags"));
    }
    let [single, resets_follow, bins_follow] = [SINGLE, RESETS_FOLLOW, BINS_FOLLOW].map(|flag| flags & flag != 0);
    let scale = Scale::of_byte(input.byte()?)?;
    let has_steps = input.byte()?;
    let counts = if single { vec![1; count] } else { ints::decode(input, count)? };
    let many = counts.iter().filter(|&&count| count != 1).count();
    let times = ints::decode(input, count)?;
    let seqs = ints::decode(input, count)?;
    let first = ints::decode(input, count)?;
    let mut columns = Columns::default();
    if !single {
        columns = Columns::decode(input, many, resets_follow, bins_follow)?;
    }
    let mut steps: [Vec<i64>; NUMBERS] = Default::default();
    for (at, steps) in steps.iter_mut().enumerate() {
        if has_steps & (1 << at) != 0 {
            *steps = ints::decode(input, if at == FIRST { count } else { many })?;
        }
    }

    let mut buckets: Vec<Rolled> = Vec::with_capacity(count);
    let (mut before, mut of_many) = (0_i64, 0);
    let mut bins = BinReader { columns: &columns, key: 0, count: 0, follow: bins_follow };
    let step = |number: usize, at: usize| steps[number].get(at).copied().unwrap_or_default();
    for (at, &count) in counts.iter().enumerate() {
        let whole_first = before.wrapping_add(first[at]);
        let sample = |time: i64, seq: i64, value: f64| {
            let ts = u64::try_from(time).ok().filter(|&time| time < span.to.since(span.from));
            let (Some(ts), Ok(seq), true) = (ts, u64::try_from(seq), value.is_finite()) else { return Err(POINT) };
            if !(1..=GREATEST).contains(&seq) {
                return Err(POINT);
            }
            Ok(Sample { at: Stamp { ts: span.from.plus(ts), seq: Seq(seq) }, value })
        };
        let first = sample(times[at], seqs[at], scale.join(whole_first, step(FIRST, at)))?;
        let start = first.at.ts.floor(width_ms);
        if buckets.last().is_some_and(|before| before.bucket.start >= start) {
            return Err(Unreadable::Content("its buckets are not in order"));
        }
        let value = Number::new(first.value).ok_or(POINT)?;
        let mut rolled = Rolled::of(Bucket::of(first.at, value, width_ms));
        before = whole_first;
        if count != 1 {
            let mut all = Whole::default();
            let mut number = |number: usize, whole: i64| {
                all.whole[number] = whole;
                scale.join(whole, step(number, of_many))
            };
            _ = number(FIRST, whole_first);
            let whole_last = whole_first.wrapping_add(columns.last[of_many]);
            let last = number(LAST, whole_last);
            let min = number(MIN, whole_first.min(whole_last).wrapping_sub(columns.min[of_many]));
            let max = number(MAX, whole_first.max(whole_last).wrapping_add(columns.max[of_many]));
            let whole_sum = all.expected_sum(count, scale).wrapping_add(columns.sum[of_many]);
            all.whole[SUM] = whole_sum;
            let sum = scale.join(whole_sum, step(SUM, of_many));
            let time = times[at].wrapping_add(columns.time[of_many]);
            let last = sample(time, seqs[at].wrapping_add(columns.seq[of_many]), last)?;
            before = whole_last;
            let bucket = &mut rolled.bucket;
            let changed = signed(first.at.seq.max(last.at.seq).0).wrapping_add(columns.changed[of_many]);
            bucket.count = u64::try_from(count).map_err(|_| DISAGREE)?;
            (bucket.sum, bucket.min, bucket.max) = (sum, min, max);
            (bucket.last, bucket.changed) = (last, Seq(u64::try_from(changed).map_err(|_| DISAGREE)?));
            check(bucket, start.plus(width_ms))?;
            let bins = bins.take(columns.bins[of_many], bucket)?;
            rolled = Rolled::of(rolled.bucket.with_bins(bins));
            if !resets_follow {
                let falls = columns.falls[of_many].wrapping_mul(all.mean(count, scale));
                rolled.resets = scale.join(falls.wrapping_add(columns.resets[of_many]), step(RESETS, of_many));
            }
            if !rolled.resets.is_finite() {
                return Err(DISAGREE);
            }
            of_many += 1;
        }
        buckets.push(rolled);
    }
    Ok(buckets)
}

const POINT: Unreadable = Unreadable::Content("a point is out of range");
const DISAGREE: Unreadable = Unreadable::Content("the fields of a bucket do not agree");
const BINS: Unreadable = Unreadable::Content("the bins of a bucket do not agree");

/// Checks the fields of a bucket of several points, without its bins.
fn check(bucket: &Bucket, end: Millis) -> Result<(), Unreadable> {
    let between = |value: f64| bucket.min <= value && value <= bucket.max;
    let is_sound = (2..=GREATEST).contains(&bucket.count)
        && [bucket.sum, bucket.min, bucket.max].into_iter().all(f64::is_finite)
        && between(bucket.first.value)
        && between(bucket.last.value)
        && bucket.first.at <= bucket.last.at
        && bucket.last.at.ts < end
        && (greater_seq(bucket)..=GREATEST).contains(&bucket.changed.0);
    if is_sound { Ok(()) } else { Err(DISAGREE) }
}

/// The columns of the buckets that have more than one point.
#[derive(Default)]
struct Columns {
    time: Vec<i64>,
    seq: Vec<i64>,
    last: Vec<i64>,
    min: Vec<i64>,
    max: Vec<i64>,
    sum: Vec<i64>,
    changed: Vec<i64>,
    falls: Vec<i64>,
    resets: Vec<i64>,
    bins: Vec<i64>,
    keys: Vec<i64>,
    counts: Vec<i64>,
}

impl Columns {
    fn decode(input: &mut Input<'_>, many: usize, resets_follow: bool, bins_follow: bool) -> Result<Self, Unreadable> {
        let mut column = || ints::decode(input, many);
        let [time, seq, last, min, max, sum, changed] =
            [column()?, column()?, column()?, column()?, column()?, column()?, column()?];
        let (falls, resets) = if resets_follow { Default::default() } else { (column()?, column()?) };
        let bins = column()?;
        let most = i64::try_from(MAX_BINS).unwrap_or(i64::MAX);
        if bins.iter().any(|bins| !(0..=most).contains(bins)) {
            return Err(BINS);
        }
        let without = |left_out: i64| -> usize {
            bins.iter().map(|&bins| usize::try_from((bins - left_out).max(0)).unwrap_or_default()).sum()
        };
        let (keys, counts) = if bins_follow { (without(2), without(1)) } else { (without(0), without(0)) };
        let (keys, counts) = (ints::decode(input, keys)?, ints::decode(input, counts)?);
        Ok(Self { time, seq, last, min, max, sum, changed, falls, resets, bins, keys, counts })
    }
}

/// Reads the bins of one bucket after another.
struct BinReader<'a> {
    columns: &'a Columns,
    /// The next key, and the next count.
    key: usize,
    count: usize,
    follow: bool,
}

impl BinReader<'_> {
    /// Takes the bins of the next bucket, and checks them.
    fn take(&mut self, bins: i64, bucket: &Bucket) -> Result<Vec<Bin>, Unreadable> {
        let bins = usize::try_from(bins).map_err(|_| BINS)?;
        let mut taken: Vec<Bin> = Vec::with_capacity(bins);
        if bins == 0 {
            return Ok(taken);
        }
        if self.follow && bins < 2 {
            return Err(BINS);
        }
        let mut left = bucket.count;
        for at in 0..bins {
            let is_last = at + 1 == bins;
            let key = match taken.last() {
                None if self.follow => Key::of(bucket.min).0.into(),
                Some(_) if self.follow && is_last => Key::of(bucket.max).0.into(),
                before => {
                    let more = self.columns.keys[self.key];
                    self.key += 1;
                    before.map_or(more, |before| i64::from(before.key.0).saturating_add(more).saturating_add(1))
                }
            };
            let count = if self.follow && is_last {
                left
            } else {
                let count = self.columns.counts[self.count];
                self.count += 1;
                u64::try_from(count).map_err(|_| BINS)?
            };
            left = left.checked_sub(count).filter(|_| count > 0).ok_or(BINS)?;
            let key = i32::try_from(key).map_err(|_| BINS)?;
            let greatest = Key::of(f64::MAX).0.unsigned_abs();
            if key.unsigned_abs() > greatest || taken.last().is_some_and(|before| before.key.0 >= key) {
                return Err(BINS);
            }
            taken.push(Bin { key: Key(key), count });
        }
        if left == 0 { Ok(taken) } else { Err(BINS) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::Tier;

    /// Generates values as they are measured, and any others.
    pub(crate) fn values() -> impl Strategy<Value = Vec<f64>> {
        let decimals = prop::collection::vec((-300_000..300_000_i64).prop_map(|n| n as f64 / 100.0), 1..400);
        let walk = prop::collection::vec(-8..8_i64, 1..400).prop_map(|steps| {
            let mut at = 2_000;
            steps.into_iter().map(|step| (at += step, at as f64 / 100.0).1).collect()
        });
        let any = prop::collection::vec(any::<f64>().prop_filter("finite", |value| value.is_finite()), 1..200);
        let odd = prop_oneof![
            Just(-0.0),
            Just(0.0),
            Just(f64::MAX),
            Just(f64::MIN),
            Just(f64::MIN_POSITIVE),
            Just(5e-324),
            Just(1.5),
            Just(0.1),
            Just(1e300)
        ];
        prop_oneof![decimals, walk, any, prop::collection::vec(odd, 1..100)]
    }

    /// Makes the buckets of a tier of points, the way the store does.
    pub(crate) fn rolled(points: impl IntoIterator<Item = (u64, u64, f64)>, from: Millis, tier: Tier) -> Vec<Rolled> {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_by_key(|point| (point.0, point.1));
        let mut seconds: Vec<Rolled> = Vec::new();
        for (ts, seq, value) in points {
            let at = Stamp { ts: from.plus(ts), seq: Seq(seq) };
            let value = Number::new(value).unwrap();
            match seconds.last_mut() {
                Some(last) if last.bucket.start == at.ts.floor(1_000) => last.push(at, value),
                _ => seconds.push(Rolled::of(Bucket::of(at, value, 1_000))),
            }
        }
        if tier == Tier::Second {
            return seconds;
        }
        let start = |rolled: &Rolled| rolled.bucket.start.floor(tier.width_ms());
        let groups = seconds.chunk_by(|a, b| start(a) == start(b));
        groups.filter_map(|group| Rolled::over(group, tier.width_ms())).collect()
    }

    const FROM: Millis = Millis(1_732_406_400_000);

    fn span(tier: Tier) -> TimeRange {
        TimeRange { from: FROM, to: FROM.plus(tier.width_ms() * 4_000) }
    }

    fn encoded(buckets: &[Rolled]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(&mut out, buckets, FROM);
        out
    }

    /// Compares to the last bit, also the sign of zeros.
    fn bits(buckets: &[Rolled]) -> Vec<[u64; NUMBERS]> {
        buckets.iter().map(|rolled| numbers(rolled).map(f64::to_bits)).collect()
    }

    proptest! {
        #[test]
        fn buckets_survive_to_the_last_bit(
            values in values(),
            gaps in prop::collection::vec(prop_oneof![8 => Just(1_000_u64), 2 => 0..50_u64, 1 => 0..9_000_u64], 400),
            is_shuffled: bool,
        ) {
            let mut ts = 0;
            let points: Vec<_> = (0_u64..).zip(values).zip(gaps).map(|((n, value), gap)| {
                ts += gap;
                (ts, if is_shuffled { 1 + n * 7_919 % 1_009 } else { 1_000 + n * 20 }, value)
            }).collect();
            for tier in Tier::ALL {
                let buckets = rolled(points.clone(), FROM, tier);
                let bytes = encoded(&buckets);
                let mut input = Input::new(&bytes);
                let again = decode(&mut input, span(tier), tier.width_ms()).unwrap();
                input.end().unwrap();
                prop_assert_eq!(bits(&again), bits(&buckets));
                prop_assert_eq!(again, buckets);
            }
        }

        #[test]
        fn any_bytes_are_buckets_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), tier in 0..6_usize) {
            let tier = Tier::ALL[tier];
            _ = decode(&mut Input::new(&bytes), span(tier), tier.width_ms());
        }

        #[test]
        fn damaged_columns_are_buckets_or_an_error(
            values in values(), at in any::<prop::sample::Index>(), byte: u8, tier in 0..3_usize
        ) {
            let tier = Tier::ALL[tier];
            let points = (0_u64..).zip(values).map(|(n, value)| (n * 700, n + 1, value));
            let mut bytes = encoded(&rolled(points, FROM, tier));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            _ = decode(&mut Input::new(&bytes), span(tier), tier.width_ms());
        }
    }

    fn random_walk(count: u64, every: u64) -> Vec<(u64, u64, f64)> {
        let (mut at, mut random) = (2_000_i64, 0x9e37_79b9_7f4a_7c15_u64);
        let mut step = |n: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            at += i64::try_from(random >> 60).unwrap() - 8;
            (n * every, 1 + n * 1_000, at as f64 / 100.0)
        };
        (0..count).map(&mut step).collect()
    }

    #[test]
    fn random_walk_takes_few_bytes() {
        let size = |points: Vec<_>, tier| {
            let buckets = rolled(points, FROM, tier);
            encoded(&buckets).len() as f64 / buckets.len() as f64
        };
        let second = size(random_walk(3_600, 1_000), Tier::Second);
        let ten = size(random_walk(3_600, 1_000), Tier::TenSeconds);
        let minute = size(random_walk(12 * 3_600, 1_000), Tier::Minute);
        let hour = size(random_walk(48 * 3_600, 1_000), Tier::Hour);
        println!("bytes a bucket: 1 s {second:.2}, 10 s {ten:.2}, 1 min {minute:.2}, 1 h {hour:.2}");
        assert!(second < 0.7 && ten < 9.0 && minute < 12.0, "{second} {ten} {minute}");
    }
}
