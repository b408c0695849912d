//! One stretch of the past of a series of numbers, as a chart needs it.

use shared::rolled::step;
use shared::sketch::{Bin, Key};
use shared::{Bucket, Millis, Number, Rolled, Seq, Stamp};

/// How much is wanted of each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Its figures.
    Figures,
    /// How its values are spread too: whoever shows quantiles needs it where history and live seconds meet.
    Bins,
}

/// The points of one bucket in figures, from wherever they came: from history, or from the live seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Where it begins, in milliseconds.
    pub start: u64,
    /// How wide it is, in milliseconds.
    pub width: u64,
    /// When its last point was: a bucket that is still being filled does not reach to its end.
    pub at: u64,
    /// How many points; at least one.
    pub count: u64,
    /// The sum of their values.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The first.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// The median, the 95th and the 99th percentile.
    pub quantiles: [f64; 3],
    /// What a counter counted in it, since its first point. What it counted before that follows from the bucket before
    /// ([`Cell::since`]), of which an answer of history need not know.
    pub increase: f64,
    /// How many values are near which; empty where nobody asked for it.
    pub bins: Vec<(f64, u64)>,
}

impl Cell {
    /// The first moment after it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.width
    }

    /// Where a chart draws it: in the middle, but never later than its last point.
    #[must_use]
    pub fn middle(&self) -> u64 {
        (self.start + self.width / 2).min(self.at.max(self.start))
    }

    /// What a counter counted since the last point of the bucket before.
    #[must_use]
    pub fn since(&self, before: &Self) -> f64 {
        step(before.last, self.first) + self.increase
    }

    /// A bucket of live seconds.
    #[must_use]
    pub fn live(rolled: &Rolled, width: u64, detail: Detail) -> Self {
        let bucket = &rolled.bucket;
        Self {
            start: bucket.start.0,
            width,
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

    /// This, as history had it, with the live seconds that came later and belong to it too.
    #[must_use]
    pub fn with(&self, later: &Rolled) -> Self {
        let Some(mut all) = self.bucket() else { return self.clone() };
        all.merge(&later.bucket);
        let inside = step(self.last, later.bucket.first.value) + later.increase();
        let detail = if self.bins.is_empty() { Detail::Figures } else { Detail::Bins };
        let whole = Self::live(&Rolled { bucket: all, resets: 0.0 }, self.width, detail);
        // Without bins what history knew is closer to the truth than what a few seconds know.
        let quantiles = if self.bins.is_empty() { self.quantiles } else { whole.quantiles };
        Self { start: self.start, quantiles, increase: self.increase + inside, ..whole }
    }

    /// The bucket that it was, with the times of its points as far as they are known.
    fn bucket(&self) -> Option<Bucket> {
        let at = Stamp { ts: Millis(self.at), seq: Seq::ZERO };
        let mut bucket = Bucket::of(at, Number::new(self.last)?, 1);
        (bucket.count, bucket.sum, bucket.min, bucket.max) = (self.count, self.sum, self.min, self.max);
        bucket.first.value = self.first;
        let bin = |&(value, count): &(f64, u64)| Bin { key: Key::of(value), count };
        Some(bucket.with_bins(self.bins.iter().map(bin)))
    }
}
