//! Moments and intervals of time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds, as JavaScript's `Date.now()` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The start of the bucket, `width_ms` wide, that contains this moment. Buckets are aligned to 1970.
    #[must_use]
    pub fn floor(self, width_ms: u64) -> Self {
        Self(self.0 - self.0 % width_ms)
    }

    /// Milliseconds from `earlier` to `self`; 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// An interval of time without its end. As JSON: `[from, to]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Millis, Millis)", into = "(Millis, Millis)")]
pub struct TimeRange {
    /// The first moment.
    pub from: Millis,
    /// The first moment after the interval.
    pub to: Millis,
}

impl TimeRange {
    /// The shortest interval that contains both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// Returns true if the two intervals share a moment.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl From<(Millis, Millis)> for TimeRange {
    fn from((from, to): (Millis, Millis)) -> Self {
        Self { from, to }
    }
}

impl From<TimeRange> for (Millis, Millis) {
    fn from(span: TimeRange) -> Self {
        (span.from, span.to)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
