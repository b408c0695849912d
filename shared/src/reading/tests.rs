//! Tests that a reading computed from buckets is the one of the points themselves.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Cell, Detail, JoinedCells, from_cells, from_track};
use crate::board::Show;
use crate::{Bucket, Millis, Number, Rolled, Seq, Stamp, Track, Value};

/// Points of a series, one or several in some of the seconds, in the order of time.
fn points() -> impl Strategy<Value = Vec<(u64, f64)>> {
    prop::collection::vec((1..4_000_u64, -1e6..1e6_f64), 1..250).prop_map(|steps| {
        let mut ts = 1_000_000;
        let mut point = |(ms, value)| {
            ts += ms;
            (ts, value)
        };
        steps.into_iter().map(&mut point).collect()
    })
}

fn track(points: &[(u64, f64)]) -> VecDeque<Bucket> {
    let mut track: Option<Track> = None;
    for (seq, &(ts, value)) in (1..).zip(points) {
        let (at, value) = (Stamp { ts: Millis(ts), seq: Seq(seq) }, Value::Number(Number::new(value).unwrap()));
        match &mut track {
            Some(track) => track.push(at, value),
            None => track = Some(Track::of(at, value)),
        }
    }
    match track {
        Some(Track::Numbers(buckets)) => buckets,
        _ => panic!("numbers were pushed"),
    }
}

/// Makes the cells of a width from the buckets of a track.
fn cells(buckets: &VecDeque<Bucket>, width: u64) -> Vec<Cell> {
    let seconds: Vec<Rolled> = buckets.iter().cloned().map(Rolled::of).collect();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let cell = |chunk: &[Rolled]| Cell::live(&Rolled::over(chunk, width).unwrap(), width, Detail::Bins);
    seconds.chunk_by(|a, b| start(a) == start(b)).map(cell).collect()
}

/// Computes a number from the points themselves. `None` for a value and a rate, and where there are no points.
#[expect(clippy::cast_precision_loss, reason = "few points")]
fn exact(show: Show, points: &[(u64, f64)]) -> Option<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| point.1).collect();
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (count, sum) = (values.len() as f64, values.iter().sum::<f64>());
    // The nearest rank: the least value that at least this share of the points does not exceed.
    let rank = |share: usize| values[(values.len() * share).div_ceil(100).max(1) - 1];
    Some(match show {
        Show::Mean => sum / count,
        Show::Min => values[0],
        Show::Max => *values.last()?,
        Show::Sum => sum,
        Show::Count => count,
        Show::P50 => rank(50),
        Show::P95 => rank(95),
        Show::P99 => rank(99),
        Show::Value | Show::Rate => return None,
    })
}

const AGGREGATES: [Show; 8] =
    [Show::Mean, Show::Min, Show::Max, Show::Sum, Show::Count, Show::P50, Show::P95, Show::P99];

/// Returns true if a number is the exact one: sums to rounding, quantiles to the one percent of a sketch.
fn fits(show: Show, found: Option<f64>, exact: f64) -> bool {
    let tolerance = match show {
        Show::P50 | Show::P95 | Show::P99 => exact.abs() * 0.01 + 1e-9,
        Show::Sum | Show::Mean => 1e-3,
        _ => 0.0,
    };
    found.is_some_and(|found| (found - exact).abs() <= tolerance)
}

proptest! {
    #[test]
    fn reading_over_a_track_is_that_of_the_points_of_its_seconds(
        points in points(), from in 0..900_000_u64, length in 0..900_000_u64
    ) {
        let buckets = track(&points);
        let (from, to) = (Millis(1_000_000 + from), Millis(1_000_000 + from + length));
        // A second counts as a whole if it has a point at or after the start, and one at or before the end.
        let second = |ts: u64| ts / 1_000;
        let begins = points.iter().map(|point| point.0).find(|&ts| ts >= from.0).map(second);
        let ends = points.iter().map(|point| point.0).rfind(|&ts| ts <= to.0).map(second);
        let inside: Vec<(u64, f64)> = match (begins, ends) {
            (Some(begins), Some(ends)) =>
                points.iter().copied().filter(|point| (begins..=ends).contains(&second(point.0))).collect(),
            _ => Vec::new(),
        };
        for show in AGGREGATES {
            let found = from_track::over(show, &buckets, from, to);
            match exact(show, &inside) {
                _ if ends.is_none() => prop_assert_eq!(found, None, "no point is so old"),
                Some(exact) =>
                    prop_assert!(fits(show, found, exact), "{:?}: {:?} for {}", show, found, exact),
                None => prop_assert!(found.is_none_or(|number| number == 0.0), "{:?}: {:?} of no points", show, found),
            }
        }
        if let Some(ends) = ends {
            let newest = points.iter().rfind(|point| second(point.0) == ends).unwrap().1;
            let number = |show| from_track::over(show, &buckets, from, to);
            prop_assert_eq!(number(Show::Value), Some(newest));
        }
    }

    #[test]
    fn reading_over_cells_is_that_of_the_points_whatever_their_width_and_source(
        points in points(), width in prop::sample::select(vec![1_000_u64, 10_000, 60_000, 600_000]),
        from in 0..900_000_u64, seam in any::<prop::sample::Index>()
    ) {
        let buckets = track(&points);
        let cells = cells(&buckets, width);
        let (history, rest) = cells.split_at(seam.index(cells.len()));
        let joined = JoinedCells::new(history, rest.first().cloned(), rest.get(1..).unwrap_or_default());
        let from = 1_000_000 + from;
        // The cell that contains the start counts as a whole.
        let inside: Vec<(u64, f64)> =
            points.iter().copied().filter(|point| point.0 - point.0 % width + width > from).collect();
        for show in AGGREGATES {
            let found = from_cells::over(show, &joined, from);
            if inside.is_empty() {
                prop_assert_eq!(found, None);
            } else if let Some(exact) = exact(show, &inside) {
                prop_assert!(fits(show, found, exact), "{:?}: {:?} for {}", show, found, exact);
            }
        }
    }

    #[test]
    fn rate_of_a_counter_is_the_same_from_its_track_and_from_its_points(
        steps in prop::collection::vec((1_000..3_000_u64, 0..1_000_u32, prop::bool::weighted(0.1)), 2..250)
    ) {
        let (mut ts, mut value) = (1_000_000, 0_u32);
        let points: Vec<(u64, f64)> = steps.into_iter().map(|(ms, more, reset)| {
            ts += ms;
            value = if reset { more } else { value + more };
            (ts, f64::from(value))
        }).collect();
        let buckets = track(&points);
        let newest = points.last().unwrap().0;
        let base = points.iter().rposition(|point| point.0 <= newest - from_track::RATE_MS).unwrap_or(0);
        let counted = points[base..].windows(2).map(|pair| {
            let (before, after) = (pair[0].1, pair[1].1);
            if after < before { after } else { after - before }
        });
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let seconds = (newest - points[base].0) as f64 / 1e3;
        let exact = counted.sum::<f64>() / seconds;
        let rate = from_track::over(Show::Rate, &buckets, Millis(0), Millis(u64::MAX)).unwrap();
        prop_assert!((rate - exact).abs() <= 1e-6, "{} for {}", rate, exact);
    }
}
