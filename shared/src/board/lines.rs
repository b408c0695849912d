//! Options of line and area charts over time.

use serde::Serialize;

use super::axis::Axis;
use super::keyword::{Keyword as _, keywords};
use super::overlay::{Earlier, read_compare, read_markers};
use super::read::Fields;
use crate::Selector;

keywords! {
    /// The band that is filled around a line.
    Band {
        /// No band.
        None = "none",
        /// From the minimum to the maximum of each bucket.
        MinMax = "min-max",
        /// From the median to the 95th percentile.
        P50P95 = "p50-p95",
        /// From the median to the 99th percentile.
        P50P99 = "p50-p99",
    }
}

keywords! {
    /// A quantile that is drawn as its own line.
    Quantile {
        /// The median.
        P50 = "p50",
        /// The 95th percentile.
        P95 = "p95",
        /// The 99th percentile.
        P99 = "p99",
    }
}

keywords! {
    /// The way in which several areas are stacked.
    Stack {
        /// Each area starts at zero.
        None = "none",
        /// Each area stands on the one before.
        Sum = "sum",
        /// Each area is drawn as its share of the sum.
        Share = "share",
    }
}

/// Options of `type = "line"`: one line for each series.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LineOptions {
    /// The band around each line. If absent, the band of the extremes around a line of means, and none around others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// One line for each of these quantiles, instead of the single line of [`super::SeriesSource::show`]. In document
    /// order, each at most once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// The earlier time whose lines are drawn faintly for comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Earlier>,
    /// The series of texts that are drawn as markers, besides those of the board.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

/// Options of `type = "area"`: the area below each series is filled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AreaOptions {
    /// The way in which several areas are stacked; each starts at zero if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
    /// The earlier time whose lines are drawn faintly for comparison. Areas that stand on each other have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Earlier>,
    /// The series of texts that are drawn as markers, besides those of the board.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl LineOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self {
            band: widget.keyword("band"),
            quantiles: widget.keywords("quantiles"),
            compare: read_compare(widget),
            markers: read_markers(widget),
            axis: Axis::read(widget),
        }
    }
}

impl AreaOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        let (stack, mut compare) = (widget.keyword("stack"), read_compare(widget));
        if let (Some(stack @ (Stack::Sum | Stack::Share)), Some(earlier)) = (stack, compare) {
            let expected = format!("none where stack is {}", stack.keyword());
            widget.wrong("compare", expected, earlier.to_string());
            compare = None;
        }
        Self { stack, compare, markers: read_markers(widget), axis: Axis::read(widget) }
    }
}
