//! Options of bar charts.

use serde::Serialize;

use super::axis::Axis;
use super::keyword::keywords;
use super::overlay::read_markers;
use super::read::Fields;
use crate::Selector;

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
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BarOptions {
    /// The dimension along which the bars are laid out; series if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub across: Option<Across>,
    /// The series of texts that are drawn as markers over bars of time, besides those of the board.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl BarOptions {
    /// Returns true if there is a bar for each bucket of time.
    #[must_use]
    pub fn is_over_time(&self) -> bool {
        self.across == Some(Across::Time)
    }

    pub(super) fn read(widget: &Fields<'_>) -> Self {
        let (across, mut markers) = (widget.keyword("across"), read_markers(widget));
        if across != Some(Across::Time) && !markers.is_empty() {
            widget.wrong("markers", "none unless across is time", format!("a list of {}", markers.len()));
            markers.clear();
        }
        Self { across, markers, axis: Axis::read(widget) }
    }
}
