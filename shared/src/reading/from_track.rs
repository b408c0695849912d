//! Computes the number that [`Show`] selects from the buckets of a track.

use std::collections::VecDeque;

use crate::board::Show;
use crate::rolled::{step, within};
use crate::{Bucket, Millis, Sketch};

/// Length of the newest past over which a rate is computed, in milliseconds. A shorter one would jitter, a longer
/// one would lag.
pub(super) const RATE_MS: u64 = 60_000;

/// Computes the number of one bucket. `before` is the bucket before it, without which there is no rate.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn of_bucket(show: Show, bucket: &Bucket, before: Option<&Bucket>) -> Option<f64> {
    Some(match show {
        Show::Value => bucket.last.value,
        Show::Rate => return rate(before?, &[bucket]),
        Show::Mean => bucket.mean(),
        Show::Min => bucket.min,
        Show::Max => bucket.max,
        Show::Sum => bucket.sum,
        Show::Count => bucket.count as f64,
        Show::P50 => bucket.quantile(0.5),
        Show::P95 => bucket.quantile(0.95),
        Show::P99 => bucket.quantile(0.99),
    })
}

/// Computes the number of a stretch of a track: its buckets from the one at `from` to the one at `to`. A value is the
/// newest of them, a rate is over their newest minute; the others are over all. Returns `None` where there are too
/// few points.
#[must_use]
pub fn over(show: Show, buckets: &VecDeque<Bucket>, from: Millis, to: Millis) -> Option<f64> {
    let end = buckets.partition_point(|bucket| bucket.first.at.ts <= to);
    let start = buckets.partition_point(|bucket| bucket.last.at.ts < from).min(end);
    let newest = buckets.get(end.checked_sub(1)?)?;
    if show == Show::Value {
        return Some(newest.last.value);
    }
    if show == Show::Rate {
        let wanted = Millis(newest.last.at.ts.0.saturating_sub(RATE_MS)).max(from);
        // Starts at a point that is old enough, or at the oldest. Where points are far apart, starts at the one
        // before the newest.
        let base = buckets.partition_point(|bucket| bucket.last.at.ts <= wanted).saturating_sub(1).min(end - 1);
        let base = if base + 1 == end { base.saturating_sub(1) } else { base };
        let later: Vec<_> = buckets.range(base + 1..end).collect();
        return rate(buckets.get(base)?, &later);
    }
    let mut total = Total::default();
    buckets.range(start..end).for_each(|bucket| total.add(bucket.count, bucket.sum, (bucket.min, bucket.max)));
    let spread = || {
        let mut all = Sketch::default();
        buckets.range(start..end).for_each(|bucket| all.merge(bucket.sketch().bins()));
        all
    };
    total.number(show, &spread)
}

/// Totals over buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) count: u64,
    sum: f64,
    ends: (f64, f64),
}

impl Default for Total {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, ends: (f64::INFINITY, f64::NEG_INFINITY) }
    }
}

impl Total {
    pub(super) fn add(&mut self, count: u64, sum: f64, ends: (f64, f64)) {
        self.count += count;
        self.sum += sum;
        self.ends = (self.ends.0.min(ends.0), self.ends.1.max(ends.1));
    }

    /// Returns the number of all buckets together. Returns `None` for a value and a rate, and where there are no
    /// points (except for a count and a sum).
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub(super) fn number(self, show: Show, spread: &dyn Fn() -> Sketch) -> Option<f64> {
        let Self { count, ends: (least, greatest), .. } = self;
        let sum = self.sum.clamp(f64::MIN, f64::MAX);
        let quantile = |q| Some(spread().quantile(q)?.max(least).min(greatest));
        match show {
            Show::Count => Some(count as f64),
            Show::Sum => Some(sum),
            _ if count == 0 => None,
            Show::Mean => Some(sum / count as f64),
            Show::Min => Some(least),
            Show::Max => Some(greatest),
            Show::P50 => quantile(0.5),
            Show::P95 => quantile(0.95),
            Show::P99 => quantile(0.99),
            Show::Value | Show::Rate => None,
        }
    }
}

/// Computes the rate of a counter per second, from the last point of `before` to the last point of `later`. Returns
/// `None` where no time passed.
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn rate(before: &Bucket, later: &[&Bucket]) -> Option<f64> {
    let ms = later.last()?.last.at.ts.since(before.last.at.ts);
    let (mut counted, mut last) = (0.0, before.last.value);
    for bucket in later {
        counted += step(last, bucket.first.value) + within(bucket);
        last = bucket.last.value;
    }
    (ms > 0).then(|| counted / (ms as f64 / 1e3))
}

// proptest's source of randomness does not build for the browser.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::{Number, Seq, Stamp, Track, Value};
    use proptest::prelude::*;

    fn track(points: &[(u64, f64)]) -> VecDeque<Bucket> {
        let mut all: Option<Track> = None;
        for (seq, &(ts, value)) in (1..).zip(points) {
            let (at, value) = (Stamp { ts: Millis(ts), seq: Seq(seq) }, Value::Number(Number::new(value).unwrap()));
            match &mut all {
                Some(track) => track.push(at, value),
                None => all = Some(Track::of(at, value)),
            }
        }
        match all.unwrap() {
            Track::Numbers(buckets) => buckets,
            Track::Texts(_) => panic!("numbers were pushed"),
        }
    }

    fn all(show: Show, buckets: &VecDeque<Bucket>) -> Option<f64> {
        over(show, buckets, Millis(0), Millis(u64::MAX))
    }

    #[test]
    fn each_number_is_made_of_all_points_of_the_stretch() {
        let buckets = track(&[(1_000, 4.0), (1_500, 8.0), (2_000, 6.0), (9_000, 2.0)]);
        for (show, wanted) in [
            (Show::Value, 2.0),
            (Show::Mean, 5.0),
            (Show::Min, 2.0),
            (Show::Max, 8.0),
            (Show::Sum, 20.0),
            (Show::Count, 4.0),
        ] {
            assert_eq!(all(show, &buckets), Some(wanted), "{show:?}");
        }
        assert_eq!(over(Show::Sum, &buckets, Millis(2_000), Millis(5_000)), Some(6.0));
        assert_eq!(over(Show::Value, &buckets, Millis(0), Millis(5_000)), Some(6.0));
        assert_eq!(over(Show::Count, &buckets, Millis(3_000), Millis(5_000)), Some(0.0));
        assert_eq!(over(Show::Mean, &buckets, Millis(3_000), Millis(5_000)), None);
    }

    #[test]
    fn a_rate_needs_two_moments_and_knows_resets() {
        assert_eq!(all(Show::Rate, &track(&[(1_000, 4.0)])), None);
        assert_eq!(all(Show::Rate, &track(&[(0, 100.0), (10_000, 150.0)])), Some(5.0));
        assert_eq!(all(Show::Rate, &track(&[(0, 100.0), (5_000, 150.0), (10_000, 20.0)])), Some(7.0));
        let hourly = track(&[(0, 0.0), (3_600_000, 3_600.0), (7_200_000, 10_800.0)]);
        assert_eq!(all(Show::Rate, &hourly), Some(2.0), "where points are far between, from the one before");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn quantiles_are_within_one_percent_and_a_rate_is_never_negative_of_what_only_rises(
            steps in prop::collection::vec((1..5_000_u64, 0.0..1e6), 2..400)
        ) {
            let (mut ts, mut value) = (0, 0.0);
            let points: Vec<_> = steps.iter().map(|&(ms, more)| {
                (ts, value) = (ts + ms, value + more);
                (ts, value)
            }).collect();
            let buckets = track(&points);
            if let Some(rate) = all(Show::Rate, &buckets) {
                prop_assert!(rate >= 0.0);
            }
            let kept: u64 = buckets.iter().map(|bucket| bucket.count).sum();
            let kept = &points[points.len() - usize::try_from(kept).unwrap()..];
            let exact = kept[kept.len().div_ceil(2) - 1].1;
            let median = all(Show::P50, &buckets).unwrap();
            prop_assert!((median - exact).abs() <= exact * 0.01 + 1e-9, "{} for {}", median, exact);
        }
    }
}
