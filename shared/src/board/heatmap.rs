//! Options of heatmaps, which show the distribution of numbers over time.

use serde::Serialize;

use super::axis::Axis;
use super::read::Table;

/// Options of `type = "heatmap"`: the sketches of its series over time, all series merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Heatmap {
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl Heatmap {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self { axis: Axis::read(widget) }
    }
}
