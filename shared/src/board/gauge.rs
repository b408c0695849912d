//! Options of gauges, which show a number between two ends.

use serde::Serialize;

use super::axis;
use super::read::Fields;

/// Options of `type = "gauge"`: the newest value of each series between two ends, coloured by the thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct GaugeOptions {
    /// The lower end, below the upper end; 0 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The upper end. If absent, it is 100 for percentages, and the greatest value of the range otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl GaugeOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        let (min, max) = axis::ends(widget, "min", "max");
        Self { min, max }
    }
}
