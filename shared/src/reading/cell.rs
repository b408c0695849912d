//! Cells: the buckets of the past of a series of numbers as readings and charts need them, whatever they were made of.

use crate::rolled::step;
use crate::sketch::{Bin, Key};
use crate::{Bucket, Millis, Number, Rolled, Seq, Stamp};

/// The amount of data that a widget needs of each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Figures only: count, sum, extremes, quantiles.
    Figures,
    /// The bins of the sketch in addition. Widgets that show quantiles need them for the bucket in which history and
    /// live seconds meet.
    Bins,
}

/// Figures of one bucket, made from history or from live seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Start of the bucket, in milliseconds.
    pub start: u64,
    /// Width of the bucket, in milliseconds.
    pub width: u64,
    /// Time of its first point, in milliseconds.
    pub first_at: u64,
    /// Time of its last point, in milliseconds. It lies before the end of a bucket that is still being filled.
    pub at: u64,
    /// Number of points; at least one.
    pub count: u64,
    /// Sum of the values.
    pub sum: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// First value.
    pub first: f64,
    /// Last value.
    pub last: f64,
    /// The median, the 95th and the 99th percentile.
    pub quantiles: [f64; 3],
    /// Increase of a counter within the bucket, from its first point on. The increase before that point follows from
    /// the bucket before (see [`Cell::since`]), which need not be part of the same answer.
    pub increase: f64,
    /// Bins of the sketch: a value, and how many points are near it. Empty where they were not requested.
    pub bins: Vec<(f64, u64)>,
}

/// The cells of a range of time, the oldest first: those of history, then those of live seconds. Where both meet within
/// one bucket, its cell is the sum of both.
#[derive(Clone, Debug, Default)]
pub struct JoinedCells<'a> {
    history: &'a [Cell],
    joint: Option<Cell>,
    live: &'a [Cell],
}

impl<'a> JoinedCells<'a> {
    /// Joins the cells of history, the one in which both meet, and those of live seconds.
    #[must_use]
    pub fn new(history: &'a [Cell], joint: Option<Cell>, live: &'a [Cell]) -> Self {
        Self { history, joint, live }
    }

    /// Returns the cells. None of them is empty.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Cell> {
        self.history.iter().chain(&self.joint).chain(self.live)
    }
}

impl Cell {
    /// The first moment after the bucket, in milliseconds.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.width
    }

    /// The middle between its first and its last point, in milliseconds: for a single point, the time of that point.
    #[must_use]
    pub fn middle(&self) -> u64 {
        self.first_at + self.at.saturating_sub(self.first_at) / 2
    }

    /// Increase of a counter since the last point of the bucket `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> f64 {
        step(before.last, self.first) + self.increase
    }

    /// Makes a cell of live seconds.
    #[must_use]
    pub fn live(rolled: &Rolled, width: u64, detail: Detail) -> Self {
        let bucket = &rolled.bucket;
        Self {
            start: bucket.start.0,
            width,
            first_at: bucket.first.at.ts.0,
            at: bucket.last.at.ts.0,
            count: bucket.count,
            sum: bucket.sum,
            min: bucket.min,
            max: bucket.max,
            first: bucket.first.value,
            last: bucket.last.value,
            quantiles: [0.5, 0.95, 0.99].map(|q| bucket.quantile(q)),
            increase: rolled.increase(),
            bins: match detail {
                Detail::Figures => Vec::new(),
                Detail::Bins => bucket.sketch().bins().iter().map(|bin| (bin.key.value(), bin.count)).collect(),
            },
        }
    }

    /// Merges live seconds that came later into this cell of history.
    #[must_use]
    pub fn with(&self, later: &Rolled) -> Self {
        let Some(mut all) = self.bucket() else { return self.clone() };
        all.merge(&later.bucket);
        let inside = step(self.last, later.bucket.first.value) + later.increase();
        let detail = if self.bins.is_empty() { Detail::Figures } else { Detail::Bins };
        let whole = Self::live(&Rolled { bucket: all, resets: 0.0 }, self.width, detail);
        // Without bins the quantiles of history are closer to the truth than those of a few seconds.
        let quantiles = if self.bins.is_empty() { self.quantiles } else { whole.quantiles };
        Self { start: self.start, first_at: self.first_at, quantiles, increase: self.increase + inside, ..whole }
    }

    /// Rebuilds the bucket that this cell was made of, with the resets of a counter.
    pub(super) fn rolled(&self) -> Option<Rolled> {
        Some(Rolled { bucket: self.bucket()?, resets: self.increase - (self.last - self.first) })
    }

    /// Rebuilds the bucket that this cell was made of. Of its points, the times of the first and the last are known.
    pub(super) fn bucket(&self) -> Option<Bucket> {
        let at = Stamp { ts: Millis(self.at), seq: Seq::ZERO };
        let mut bucket = Bucket::of(at, Number::new(self.last)?, 1);
        (bucket.count, bucket.sum, bucket.min, bucket.max) = (self.count, self.sum, self.min, self.max);
        bucket.first.value = self.first;
        bucket.first.at.ts = Millis(self.first_at);
        let bin = |&(value, count): &(f64, u64)| Bin { key: Key::of(value), count };
        Some(bucket.with_bins(self.bins.iter().map(bin)))
    }
}
