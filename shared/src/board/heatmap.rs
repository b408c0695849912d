//! Options of heatmaps, which show the distribution of numbers over time.

use serde::Serialize;

use super::axis::Axis;
use super::read::Fields;

/// Options of `type = "heatmap"`: the sketches of its series over time, all series merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HeatmapOptions {
    /// The vertical axis.
    #[serde(flatten)]
    pub axis: Axis,
}

impl HeatmapOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self { axis: Axis::read(widget) }
    }
}
