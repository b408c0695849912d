//! Buckets rolled up from finer ones, with the resets of counters, which depend on the order in time.

use crate::{Bucket, Number, Stamp};

/// A bucket, and the resets of a counter within it.
///
/// A *counter* (it only rises, and restarts from zero when its program does) is a way to look at a series, not a
/// property of the series: every rolled-up bucket of numbers has all that a rate needs. Resets depend on the order of
/// the values, which the points of one second lose when they are aggregated. So the resets are kept beside the
/// [`Bucket`] and not in it: buckets merge in any order, while this type appends in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolled {
    /// The aggregated points.
    pub bucket: Bucket,
    /// The sum of the values before each reset: the counts that a counter had reached when it restarted.
    pub resets: f64,
}

impl Rolled {
    /// Makes the rolled form of a finest bucket. The result is exact if the counter was reset at most once within it,
    /// because its course then follows from the first, last, minimum and maximum value. Otherwise it is less than the
    /// true count.
    #[must_use]
    pub fn of(bucket: Bucket) -> Self {
        let resets = resets_within(&bucket);
        Self { bucket, resets }
    }

    /// Adds a point to a finest bucket. Points may come in any order.
    pub fn push(&mut self, at: Stamp, value: Number) {
        self.bucket.push(at, value);
        self.resets = resets_within(&self.bucket);
    }

    /// Makes the bucket of `width_ms` from finer ones, which must not be empty, must be in the order of time, and
    /// must all lie within it. `None` if there are none.
    #[must_use]
    pub fn over<'a>(finer: impl IntoIterator<Item = &'a Self>, width_ms: u64) -> Option<Self> {
        let mut finer = finer.into_iter();
        let mut all = finer.next()?.clone();
        all.bucket.start = all.bucket.start.floor(width_ms);
        finer.for_each(|later| all.append(later));
        Some(all)
    }

    /// Appends a bucket whose points are all later.
    pub fn append(&mut self, later: &Self) {
        let before = self.bucket.last.value;
        let reset = if later.bucket.first.value < before { before } else { 0.0 };
        self.resets = (self.resets + reset + later.resets).clamp(f64::MIN, f64::MAX);
        self.bucket.merge(&later.bucket);
    }

    /// The increase of a counter from its first to its last point. A fall counts as a restart from 0 (Prometheus'
    /// `increase`, without its extrapolation to the edges of the range).
    #[must_use]
    pub fn increase(&self) -> f64 {
        (self.bucket.last.value - self.bucket.first.value + self.resets).clamp(f64::MIN, f64::MAX)
    }
}

/// The increase of a counter within a finest bucket: [`Rolled::increase`] of that bucket alone.
#[must_use]
pub fn within(bucket: &Bucket) -> f64 {
    (bucket.last.value - bucket.first.value + resets_within(bucket)).clamp(f64::MIN, f64::MAX)
}

fn resets_within(bucket: &Bucket) -> f64 {
    let (first, last) = (bucket.first.value, bucket.last.value);
    if last < bucket.max {
        bucket.max
    } else if bucket.min < first {
        first
    } else {
        0.0
    }
}

/// The increase of a counter from one value to the next. A lower value means a restart from 0.
#[must_use]
pub fn step(from: f64, to: f64) -> f64 {
    if to < from { to } else { (to - from).min(f64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Millis, Seq, Tier};
    use proptest::prelude::*;

    /// Generates a counter that is reset now and then, as samples `(time in milliseconds, value)`.
    fn looks() -> impl Strategy<Value = Vec<(u64, f64)>> {
        let look = (1_000..30_000_u64, 0..1_000_u32, prop::bool::weighted(0.1));
        prop::collection::vec(look, 1..300).prop_map(|looks| {
            let (mut ts, mut value) = (0, 0_u32);
            let mut next = |(ms, more, reset): (u64, u32, bool)| {
                ts += ms;
                value = if reset { more } else { value + more };
                (ts, f64::from(value))
            };
            looks.into_iter().map(&mut next).collect()
        })
    }

    fn roll(finer: &[Rolled], tier: Tier) -> Vec<Rolled> {
        let start = |rolled: &Rolled| rolled.bucket.start.floor(tier.width_ms());
        finer.chunk_by(|a, b| start(a) == start(b)).filter_map(|chunk| Rolled::over(chunk, tier.width_ms())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn in_every_tier_the_increases_and_the_steps_between_add_up_to_what_was_counted(looks in looks()) {
            let counted: f64 = looks.windows(2).map(|pair| step(pair[0].1, pair[1].1)).sum();
            let second = |(seq, &(ts, value)): (u64, &(u64, f64))| {
                let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
                Rolled::of(Bucket::of(at, Number::new(value).unwrap(), Tier::Second.width_ms()))
            };
            let mut rolled: Vec<Rolled> = (1..).zip(&looks).map(second).collect();
            for tier in Tier::ALL {
                rolled = roll(&rolled, tier);
                let inside: f64 = rolled.iter().map(Rolled::increase).sum();
                let between = |pair: &[Rolled]| step(pair[0].bucket.last.value, pair[1].bucket.first.value);
                let between: f64 = rolled.windows(2).map(between).sum();
                prop_assert!((inside + between - counted).abs() < 1e-6, "{:?}", tier);
            }
        }
    }

    #[test]
    fn a_reset_within_a_second_is_seen_where_the_values_tell_of_it() {
        let rolled = |values: &[f64]| {
            let point = |(seq, &value): (u64, &f64)| {
                Bucket::of(Stamp { ts: Millis(0), seq: Seq(seq) }, Number::new(value).unwrap(), 1_000)
            };
            let all = (1..).zip(values).map(point).reduce(|mut all, next| {
                all.merge(&next);
                all
            });
            Rolled::of(all.unwrap()).increase()
        };
        assert_eq!(rolled(&[5.0, 7.0, 9.0]), 4.0);
        assert_eq!(rolled(&[5.0, 8.0, 1.0, 2.0]), 5.0);
        assert_eq!(rolled(&[5.0, 6.0, 0.0, 9.0]), 9.0, "10 were counted: the 6 is not known any more");
    }
}
