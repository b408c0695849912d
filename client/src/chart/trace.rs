//! The lines of a chart as numbers, before they get coordinates.

use shared::board::Show;
use shared::board::lines::Band;
use shared::reading::from_cells::of_cell;
use shared::reading::{Cell, JoinedCells};

/// A line breaks at a gap of this many usual intervals.
const BREAK: u64 = 3;
/// The shortest gap in milliseconds at which a line breaks.
const LEAST_BREAK_MS: u64 = 3_000;

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The moment in milliseconds.
    pub at: u64,
    /// The value of the line.
    pub value: f64,
    /// The lower edge of the filled area.
    pub low: f64,
    /// The upper edge of the filled area.
    pub high: f64,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The label.
    pub label: String,
    /// The index of its series in the chart.
    pub series: usize,
    /// The colour, as an index into the palette.
    pub colour: usize,
    /// The index of the line among those of the same series, which differ by their dashes.
    pub dash: usize,
    /// The points, the oldest first.
    pub dots: Vec<Dot>,
    /// The line breaks at a gap longer than this, in milliseconds.
    pub break_ms: u64,
}

impl Trace {
    /// The point nearest to a moment; `None` within a gap.
    #[must_use]
    pub fn near(&self, at: u64) -> Option<&Dot> {
        let next = self.dots.partition_point(|dot| dot.at < at);
        let candidates = [next.checked_sub(1), Some(next)].into_iter().flatten();
        let near = candidates.filter_map(|i| self.dots.get(i)).min_by_key(|dot| dot.at.abs_diff(at))?;
        (near.at.abs_diff(at) <= self.break_ms).then_some(near)
    }

    /// The point in effect at a moment: the newest that is not later, unless it is too old.
    fn holds(&self, at: u64) -> Option<&Dot> {
        let next = self.dots.partition_point(|dot| dot.at <= at);
        self.dots.get(next.checked_sub(1)?).filter(|dot| at - dot.at <= self.break_ms)
    }

    /// The unbroken runs of points.
    #[must_use]
    pub fn runs(&self) -> Vec<&[Dot]> {
        self.dots.chunk_by(|a, b| b.at - a.at.min(b.at) <= self.break_ms).collect()
    }

    /// The minimum and the maximum of the line and its edges from a moment on.
    #[must_use]
    pub fn extent(&self, from: u64) -> Option<(f64, f64)> {
        let first = self.dots.partition_point(|dot| dot.at < from);
        let edges = self.dots.get(first..)?.iter().map(|dot| (dot.value.min(dot.low), dot.value.max(dot.high)));
        edges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

/// Makes the points of these buckets.
#[must_use]
pub fn dots(glued: &JoinedCells<'_>, show: Show, band: Option<Band>) -> Vec<Dot> {
    let mut before: Option<&Cell> = None;
    let mut dots = Vec::new();
    for cell in glued.iter() {
        if let Some(value) = of_cell(show, cell, before) {
            let (low, high) = match band {
                None => (value, value),
                Some(Band::MinMax) => (cell.min, cell.max),
                Some(Band::P50P95) => (cell.quantiles[0], cell.quantiles[1]),
                Some(Band::P50P99) => (cell.quantiles[0], cell.quantiles[2]),
            };
            dots.push(Dot { at: cell.middle(), value, low, high });
        }
        before = Some(cell);
    }
    dots
}

/// The longest gap that a line bridges: a few times the usual distance of points, and at least the expected interval
/// of the series.
#[must_use]
pub fn break_ms(dots: &[Dot], width: u64, expect: Option<u64>) -> u64 {
    let mut distances: Vec<u64> = dots.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at)).collect();
    let middle = distances.len() / 2;
    let usual = if distances.is_empty() { width } else { *distances.select_nth_unstable(middle).1 };
    (usual * BREAK).max(width * 2).max(LEAST_BREAK_MS).max(expect.unwrap_or(0))
}

/// The scaling of stacked areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upon {
    /// The values themselves.
    Sum,
    /// The shares of the sum, in percent.
    Share,
}

/// Stacks each line on those before it, and sets the edges for filling. A line without a point at a moment keeps its
/// earlier value, or counts as zero if that is too old.
pub fn stack(traces: &mut [Trace], upon: Upon) {
    let mut moments: Vec<u64> = traces.iter().flat_map(|trace| trace.dots.iter().map(|dot| dot.at)).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut stacked: Vec<Vec<Dot>> = vec![Vec::with_capacity(moments.len()); traces.len()];
    for &at in &moments {
        let values = || traces.iter().map(|trace| trace.holds(at).map_or(0.0, |dot| dot.value.max(0.0)));
        let scale = match upon {
            Upon::Sum => 1.0,
            Upon::Share => match values().sum::<f64>() {
                0.0 => 0.0,
                sum => 100.0 / sum,
            },
        };
        let mut low = 0.0;
        for (value, dots) in values().zip(&mut stacked) {
            let value = value * scale;
            dots.push(Dot { at, value, low, high: low + value });
            low += value;
        }
    }
    for (trace, dots) in traces.iter_mut().zip(stacked) {
        // A line without any points, or a hidden one, also gets none on top of the others.
        if !trace.dots.is_empty() {
            trace.dots = dots;
        }
    }
}

/// The part of a line within one column of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// The position in pixels from the left.
    pub x: f64,
    /// The first value.
    pub first: f64,
    /// The last value.
    pub last: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    /// The lower edge of the filled area.
    pub low: f64,
    /// The upper edge of the filled area.
    pub high: f64,
}

/// Reduces a run to columns of pixels: at most one column a pixel, however many points there are.
#[must_use]
pub fn columns(run: &[Dot], x: &dyn Fn(u64) -> f64) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for dot in run {
        let at = x(dot.at);
        match columns.last_mut() {
            Some(column) if at - column.x < 1.0 => {
                column.last = dot.value;
                (column.min, column.max) = (column.min.min(dot.value), column.max.max(dot.value));
                (column.low, column.high) = (column.low.min(dot.low), column.high.max(dot.high));
            }
            _ => columns.push(Column {
                x: at,
                first: dot.value,
                last: dot.value,
                min: dot.value,
                max: dot.value,
                low: dot.low,
                high: dot.high,
            }),
        }
    }
    columns
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dot(at: u64, value: f64) -> Dot {
        Dot { at, value, low: value, high: value }
    }

    fn trace(dots: &[(u64, f64)]) -> Trace {
        Trace { dots: dots.iter().map(|&(at, value)| dot(at, value)).collect(), break_ms: 5, ..Trace::default() }
    }

    #[test]
    fn a_hole_is_a_hole_and_a_sparse_series_has_none() {
        let minutes: Vec<Dot> = (0..10).map(|i| dot(i * 60_000, 1.0)).collect();
        assert_eq!(break_ms(&minutes, 1_000, None), 180_000);
        let trace = trace(&[(0, 1.0), (1, 1.0), (20, 1.0), (21, 1.0)]);
        assert_eq!(trace.runs().iter().map(|run| run.len()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(trace.near(10), None);
        assert_eq!(trace.near(17).unwrap().at, 20);
    }

    #[test]
    fn areas_stand_upon_each_other_and_shares_make_a_hundred() {
        let mut traces = [trace(&[(0, 1.0), (10, 3.0)]), trace(&[(0, 3.0), (2, 1.0)])];
        let mut shares = traces.clone();
        stack(&mut traces, Upon::Sum);
        let edges: Vec<_> = traces[1].dots.iter().map(|dot| (dot.at, dot.low, dot.high)).collect();
        assert_eq!(edges, [(0, 1.0, 4.0), (2, 1.0, 2.0), (10, 3.0, 3.0)], "what is silent for too long is nothing");
        stack(&mut shares, Upon::Share);
        assert!(shares[1].dots.iter().all(|dot| (dot.high - 100.0).abs() < 1e-9));
    }

    proptest! {
        #[test]
        fn there_is_one_column_a_pixel_and_no_extreme_is_lost(
            values in prop::collection::vec((0..50_u64, -1e6..1e6_f64), 1..500), pixels in 1..300_u32
        ) {
            let mut at = 0;
            let run: Vec<Dot> = values.iter().map(|&(gap, value)| { at += gap; dot(at, value) }).collect();
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let x = |ts: u64| ts as f64 / (at.max(1)) as f64 * f64::from(pixels);
            let columns = columns(&run, &x);
            prop_assert!(columns.len() <= pixels as usize + 1);
            let max = columns.iter().map(|c| c.max).fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(max, run.iter().map(|d| d.value).fold(f64::NEG_INFINITY, f64::max));
            prop_assert_eq!(columns.last().unwrap().last, run.last().unwrap().value);
        }
    }
}
