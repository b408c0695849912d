//! Lines and areas over time.

use serde::Serialize;

use super::axis::Axis;
use super::read::Table;
use super::word::words;

words! {
    /// What is filled around a line.
    Band {
        /// From the least to the greatest number of each bucket.
        MinMax = "min-max",
        /// From the median to the 95th percentile.
        P50P95 = "p50-p95",
        /// From the median to the 99th percentile.
        P50P99 = "p50-p99",
    }
}

words! {
    /// A quantile that has a line of its own.
    Quantile {
        /// The median.
        P50 = "p50",
        /// The 95th percentile.
        P95 = "p95",
        /// The 99th percentile.
        P99 = "p99",
    }
}

words! {
    /// How several areas go together.
    Stack {
        /// Each from zero.
        None = "none",
        /// Each upon the one before.
        Sum = "sum",
        /// Each as its share of all.
        Share = "share",
    }
}

/// Options of `type = "line"`: a line for each series.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// What is filled around each line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// Instead of the one line that [`super::Source::show`] says, a line for each of these; as the document orders
    /// them, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// The upright axis.
    #[serde(flatten)]
    pub axis: Axis,
}

/// Options of `type = "area"`: what is below each series is filled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Area {
    /// How several go together; each from zero where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
    /// The upright axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl Line {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self { band: widget.word("band"), quantiles: widget.words("quantiles"), axis: Axis::read(widget) }
    }
}

impl Area {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self { stack: widget.word("stack"), axis: Axis::read(widget) }
    }
}
