//! The lines of a chart as numbers, before they get coordinates.

use shared::board::Show;
use shared::board::lines::Band;
use shared::reading::from_cells::of_cell;
use shared::reading::{Cell, JoinedCells};

/// A line breaks at a gap of this many usual intervals.
const BREAK: u64 = 3;
/// The shortest gap in milliseconds at which a line breaks.
const LEAST_BREAK_MS: u64 = 3_000;

/// A point of a line, which stands for the points of one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The moment at which the line has this point, in milliseconds.
    pub at: u64,
    /// The time of the first point of the bucket, in milliseconds.
    pub from: u64,
    /// The time of the last point of the bucket, in milliseconds.
    pub to: u64,
    /// The number that the chart shows of the bucket.
    pub value: f64,
    /// The lower edge of the band: no value of the bucket is below it, where the band has the extremes.
    pub low: f64,
    /// The upper edge of the band.
    pub high: f64,
    /// The position on which the filled area stands: zero, or the top of the area below it.
    pub base: f64,
    /// The position of the line: the value, or the top of a stacked area.
    pub top: f64,
    /// True if the line continues from the point before.
    pub joined: bool,
}

impl Dot {
    /// Makes the point of a value at a moment, without a band.
    #[must_use]
    pub fn new(at: u64, value: f64) -> Self {
        Self { at, from: at, to: at, value, low: value, high: value, base: 0.0, top: value, joined: false }
    }

    /// The distance in milliseconds of a moment from the points of the bucket.
    fn distance(&self, at: u64) -> u64 {
        self.from.min(self.at).saturating_sub(at).max(at.saturating_sub(self.to.max(self.at)))
    }
}

/// The kind of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The series itself.
    #[default]
    Series,
    /// The same series earlier, drawn faintly for comparison.
    Earlier,
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
    /// The kind of the line.
    pub role: Role,
    /// The points, the oldest first.
    pub dots: Vec<Dot>,
    /// The number that the legend shows while no moment is pointed at.
    pub newest: Option<f64>,
    /// The time of the newest point in milliseconds, if the series has been silent for too long since.
    pub stale_since: Option<u64>,
    /// The line breaks at a gap longer than this, in milliseconds.
    pub break_ms: u64,
}

impl Trace {
    /// Sets the longest gap that the line bridges, and marks the points that continue the line.
    #[must_use]
    pub fn broken_at(mut self, break_ms: u64) -> Self {
        self.break_ms = break_ms;
        let mut before = None;
        for dot in &mut self.dots {
            dot.joined = before.is_some_and(|before| dot.from.saturating_sub(before) <= break_ms);
            before = Some(dot.to);
        }
        self
    }

    /// The point nearest to a moment; `None` within a gap.
    #[must_use]
    pub fn near(&self, at: u64) -> Option<&Dot> {
        let next = self.dots.partition_point(|dot| dot.at < at);
        let candidates = [next.checked_sub(1), Some(next)].into_iter().flatten();
        let near = candidates.filter_map(|i| self.dots.get(i)).min_by_key(|dot| dot.distance(at))?;
        (near.distance(at) <= self.break_ms).then_some(near)
    }

    /// The point in effect at a moment: the newest that is not later, unless it is too old.
    #[must_use]
    pub fn holds(&self, at: u64) -> Option<&Dot> {
        let next = self.dots.partition_point(|dot| dot.at <= at);
        self.dots.get(next.checked_sub(1)?).filter(|dot| at - dot.at <= self.break_ms)
    }

    /// The unbroken runs of points.
    #[must_use]
    pub fn runs(&self) -> Vec<&[Dot]> {
        runs(&self.dots)
    }

    /// The points of buckets that reach into a time range.
    pub fn within(&self, from: u64, to: u64) -> impl Iterator<Item = &Dot> {
        self.dots.iter().filter(move |dot| dot.to.max(dot.at) >= from && dot.from.min(dot.at) <= to)
    }
}

/// The unbroken runs of points.
#[must_use]
pub fn runs(dots: &[Dot]) -> Vec<&[Dot]> {
    dots.chunk_by(|_, dot| dot.joined).collect()
}

/// The moment at which a line has the point of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The time of the points themselves.
    Points,
    /// The middle of the bucket, but not after this moment. So the points of several series are at the same moments,
    /// and their values can be added up.
    Bucket(u64),
}

/// Makes the points of these buckets.
#[must_use]
pub fn dots(glued: &JoinedCells<'_>, show: Show, band: Option<Band>, anchor: Anchor) -> Vec<Dot> {
    let mut before: Option<&Cell> = None;
    let mut dots = Vec::new();
    for cell in glued.iter() {
        if let Some(value) = of_cell(show, cell, before) {
            let (low, high) = match band {
                None | Some(Band::None) => (value, value),
                Some(Band::MinMax) => (cell.min, cell.max),
                Some(Band::P50P95) => (cell.quantiles[0], cell.quantiles[1]),
                Some(Band::P50P99) => (cell.quantiles[0], cell.quantiles[2]),
            };
            let at = match (anchor, show) {
                (Anchor::Bucket(now), _) => (cell.start + cell.width / 2).min(now.max(cell.start)),
                (Anchor::Points, Show::Value) => cell.at,
                (Anchor::Points, _) => cell.middle(),
            };
            dots.push(Dot { from: cell.first_at, to: cell.at, low, high, ..Dot::new(at, value) });
        }
        before = Some(cell);
    }
    dots
}

/// Shifts points to a later time.
#[must_use]
pub fn later(mut dots: Vec<Dot>, ms: u64) -> Vec<Dot> {
    for dot in &mut dots {
        (dot.at, dot.from, dot.to) = (dot.at + ms, dot.from + ms, dot.to + ms);
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

/// The part of a line within one column of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// The position of the line, in pixels from the left.
    pub x: f64,
    /// The left end of the band.
    pub left: f64,
    /// The right end of the band.
    pub right: f64,
    /// The first position of the line on the value axis.
    pub first: f64,
    /// The last position of the line.
    pub last: f64,
    /// The lowest position of the line.
    pub min: f64,
    /// The highest position of the line.
    pub max: f64,
    /// The lower edge of the band.
    pub low: f64,
    /// The upper edge of the band.
    pub high: f64,
    /// The position on which the filled area stands.
    pub base: f64,
}

impl Column {
    /// Visits the positions of the line within the column: its extremes too, if there are any.
    pub fn visit(&self, visit: &mut dyn FnMut(f64, f64)) {
        if self.min < self.max {
            [self.first, self.min, self.max, self.last].into_iter().for_each(|value| visit(self.x, value));
        } else {
            visit(self.x, self.last);
        }
    }
}

/// Reduces a run to columns of pixels: at most one column a pixel, however many points there are.
#[must_use]
pub fn columns(run: &[Dot], x: &dyn Fn(u64) -> f64) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for dot in run {
        let (at, left, right) = (x(dot.at), x(dot.from), x(dot.to));
        match columns.last_mut() {
            Some(column) if at - column.x < 1.0 => {
                (column.last, column.base) = (dot.top, dot.base);
                (column.min, column.max) = (column.min.min(dot.top), column.max.max(dot.top));
                (column.low, column.high) = (column.low.min(dot.low), column.high.max(dot.high));
                (column.left, column.right) = (column.left.min(left), column.right.max(right));
            }
            _ => columns.push(Column {
                x: at,
                left,
                right,
                first: dot.top,
                last: dot.top,
                min: dot.top,
                max: dot.top,
                low: dot.low,
                high: dot.high,
                base: dot.base,
            }),
        }
    }
    columns
}

/// The outline of the band of a run: along its upper edge, and back along its lower one. Each bucket has its extremes
/// from its first to its last point, so every point of the run lies within. Empty if the band has no height.
#[must_use]
pub fn outline(columns: &[Column]) -> Vec<(f64, f64)> {
    if columns.iter().all(|column| column.low >= column.high) {
        return Vec::new();
    }
    let upper = columns.iter().flat_map(|column| [(column.left, column.high), (column.right, column.high)]);
    let lower = columns.iter().rev().flat_map(|column| [(column.right, column.low), (column.left, column.low)]);
    upper.chain(lower).collect()
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
pub(crate) mod tests;
