//! Bars.

use serde::Serialize;

use super::axis::Axis;
use super::read::Table;
use super::word::words;

words! {
    /// What the bars stand side by side for.
    Across {
        /// One bar for each series: its newest value.
        Series = "series",
        /// One bar for each bucket of time.
        Time = "time",
    }
}

/// Options of `type = "bar"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bars {
    /// What the bars stand side by side for; for series where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub across: Option<Across>,
    /// The upright axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl Bars {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self { across: widget.word("across"), axis: Axis::read(widget) }
    }
}
