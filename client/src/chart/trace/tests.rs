//! Tests of lines as numbers.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;
use shared::reading::Detail;
use shared::{Bucket, Millis, Number, Rolled, Seq, Stamp};

fn trace(dots: &[(u64, f64)]) -> Trace {
    let dots = dots.iter().map(|&(at, value)| Dot::new(at, value)).collect();
    Trace { dots, ..Trace::default() }.broken_at(5)
}

/// Makes the buckets of `width` of these points, which are sorted by time.
pub(crate) fn cells(points: &[(u64, f64)], width: u64) -> Vec<Cell> {
    let mut all: BTreeMap<u64, Rolled> = BTreeMap::new();
    for (seq, &(ts, value)) in (1..).zip(points) {
        let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
        let one = Rolled::of(Bucket::of(at, Number::new(value).unwrap(), width));
        match all.get_mut(&(ts / width)) {
            Some(rolled) => rolled.append(&one),
            None => _ = all.insert(ts / width, one),
        }
    }
    all.values().map(|rolled| Cell::live(rolled, width, Detail::Figures)).collect()
}

#[test]
fn a_hole_is_a_hole_and_a_sparse_series_has_none() {
    let minutes: Vec<Dot> = (0..10).map(|i| Dot::new(i * 60_000, 1.0)).collect();
    assert_eq!(break_ms(&minutes, 1_000, None), 180_000);
    let trace = trace(&[(0, 1.0), (1, 1.0), (20, 1.0), (21, 1.0)]);
    assert_eq!(trace.runs().iter().map(|run| run.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(trace.near(10), None);
    assert_eq!(trace.near(17).unwrap().at, 20);
}

#[test]
fn minute_of_500_in_a_day_of_20_is_within_the_band() {
    let points: Vec<(u64, f64)> =
        (0..8_640).map(|i| (i * 10_000, if (5_000..5_006).contains(&i) { 500.0 } else { 20.0 })).collect();
    let cells = cells(&points, 600_000);
    let dots = dots(&JoinedCells::new(&cells, None, &[]), Show::Mean, Some(Band::MinMax), Anchor::Points);
    let high = dots.iter().map(|dot| dot.high).fold(0.0, f64::max);
    assert_eq!((dots.len(), high), (144, 500.0));
}

#[test]
fn line_of_the_last_value_passes_through_the_point_itself() {
    let cells = cells(&[(1_200, 5.0), (1_700, 6.0), (2_900, 7.0)], 1_000);
    let dots = dots(&JoinedCells::new(&cells, None, &[]), Show::Value, None, Anchor::Points);
    assert_eq!(dots.iter().map(|dot| (dot.at, dot.value)).collect::<Vec<_>>(), [(1_700, 6.0), (2_900, 7.0)]);
}

proptest! {
    #[test]
    fn there_is_one_column_a_pixel_and_no_extreme_is_lost(
        values in prop::collection::vec((0..50_u64, -1e6..1e6_f64), 1..500), pixels in 1..300_u32
    ) {
        let mut at = 0;
        let run: Vec<Dot> = values.iter().map(|&(gap, value)| { at += gap; Dot::new(at, value) }).collect();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let x = |ts: u64| ts as f64 / (at.max(1)) as f64 * f64::from(pixels);
        let columns = columns(&run, &x);
        prop_assert!(columns.len() <= pixels as usize + 1);
        let max = columns.iter().map(|c| c.max).fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(max, run.iter().map(|d| d.value).fold(f64::NEG_INFINITY, f64::max));
        prop_assert_eq!(columns.last().unwrap().last, run.last().unwrap().value);
    }

    /// The law of every chart with a band: each point lies within the drawn band at its position, at any zoom.
    #[test]
    fn each_point_lies_within_the_drawn_band_at_any_zoom(
        points in prop::collection::vec((0..40_000_u64, -1e3..1e3_f64), 1..400),
        width in prop::sample::select(vec![1_000_u64, 10_000, 60_000, 600_000, 3_600_000]),
        pixels in 20..2_000_u32,
        show in prop::sample::select(vec![Show::Mean, Show::Value]),
        anchor in prop::sample::select(vec![Anchor::Points, Anchor::Bucket(u64::MAX)]),
        from in 0..1_000_000_u64,
        length in 1_000..20_000_000_u64,
    ) {
        let mut ts = 0;
        let points: Vec<(u64, f64)> = points.into_iter().map(|(gap, value)| { ts += gap; (ts, value) }).collect();
        let cells = cells(&points, width);
        let dots = dots(&JoinedCells::new(&cells, None, &[]), show, Some(Band::MinMax), anchor);
        let break_ms = break_ms(&dots, width, None);
        let trace = Trace { dots, ..Trace::default() }.broken_at(break_ms);
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let x = |ts: u64| (ts as f64 - from as f64) / length as f64 * f64::from(pixels);
        let runs: Vec<Vec<Column>> = trace.runs().into_iter().map(|run| columns(run, &x)).collect();
        for &(ts, value) in &points {
            let at = x(ts);
            let drawn = runs.iter().any(|run| {
                let outline = outline(run);
                // A run of equal values has no band, but its line is at that value.
                let flat = outline.is_empty() && run.iter().all(|column| column.min <= value && value <= column.max);
                let inside = run[0].left - 1.0 <= at && at <= run[run.len() - 1].right + 1.0;
                inside && (flat || run.iter().any(|column| {
                    column.left - 1e-6 <= at && at <= column.right + 1e-6 && column.low <= value && value <= column.high
                }))
            });
            prop_assert!(drawn, "the point {value} at {ts}");
        }
    }

    #[test]
    fn outline_holds_the_band_of_each_column(
        ends in prop::collection::vec((0.0..5.0_f64, 0.0..5.0_f64, -9.0..9.0_f64, 0.0..4.0_f64), 1..30)
    ) {
        let mut x = 0.0;
        let columns: Vec<Column> = ends.into_iter().map(|(gap, wide, low, high)| {
            let (left, right) = (x + gap, x + gap + wide);
            x = right;
            let middle = low + high / 2.0;
            Column {
                x: f64::midpoint(left, right), left, right, first: middle, last: middle, min: middle, max: middle,
                low, high: low + high, base: 0.0,
            }
        }).collect();
        let outline = outline(&columns);
        let (upper, lower) = outline.split_at(outline.len() / 2);
        prop_assert!(upper.is_sorted_by(|a, b| a.0 <= b.0) && lower.is_sorted_by(|a, b| a.0 >= b.0));
        for column in columns.iter().filter(|_| !outline.is_empty()) {
            for x in [column.left, column.right] {
                prop_assert!(upper.contains(&(x, column.high)) && lower.contains(&(x, column.low)));
            }
        }
    }
}
