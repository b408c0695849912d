//! Options of bar charts.

use serde::Serialize;

use super::axis::Axis;
use super::keyword::keywords;
use super::read::Fields;

keywords! {
    /// The dimension along which the bars are laid out.
    Across {
        /// One bar for each series: its newest value.
        Series = "series",
        /// One bar for each bucket of time.
        Time = "time",
    }
}

/// Options of `type = "bar"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BarOptions {
    /// The dimension along which the bars are laid out; series if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub across: Option<Across>,
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl BarOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self { across: widget.keyword("across"), axis: Axis::read(widget) }
    }
}
