//! Options of heatmaps, which show the distribution of numbers over time.

use serde::Serialize;

use super::axis::Axis;
use super::overlay::read_markers;
use super::read::Fields;
use crate::Selector;

/// Options of `type = "heatmap"`: the sketches of its series over time, all series merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HeatmapOptions {
    /// The series of texts that are drawn as markers, besides those of the board.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl HeatmapOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self { markers: read_markers(widget), axis: Axis::read(widget) }
    }
}
