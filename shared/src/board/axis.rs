//! The vertical axis of a chart: its ends and its scale.

use serde::Serialize;

use super::keyword::keywords;
use super::read::Fields;

keywords! {
    /// The scale of an axis.
    Scale {
        /// Equal steps.
        Linear = "linear",
        /// Equal ratios. Zero and negative numbers cannot be drawn.
        Log = "log",
    }
}

/// The vertical axis: its ends and its scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Axis {
    /// The lower end, which is below [`Axis::max`]. If absent, it follows from the shown data. `y_min` in the
    /// document.
    #[serde(rename = "y_min", skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The upper end. If absent, it follows from the shown data. `y_max` in the document.
    #[serde(rename = "y_max", skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The scale; linear if absent. `y_scale` in the document.
    #[serde(rename = "y_scale", skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
}

impl Axis {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        let (min, max) = ends(widget, "y_min", "y_max");
        let scale = widget.keyword("y_scale");
        for (key, end) in [("y_min", min), ("y_max", max)] {
            if let (Some(Scale::Log), Some(end)) = (scale, end)
                && end <= 0.0
            {
                widget.wrong(key, "more than 0 where y_scale is log", end.to_string());
            }
        }
        Self { min, max, scale }
    }
}

/// Reads two ends. The first must be below the second; if it is not, reports a mistake and returns neither.
pub(super) fn ends(widget: &Fields<'_>, low: &'static str, high: &'static str) -> (Option<f64>, Option<f64>) {
    match (widget.number(low), widget.number(high)) {
        (Some(min), Some(max)) if min >= max => {
            widget.wrong(high, format!("more than {low}, which is {min}"), max.to_string());
            (None, None)
        }
        ends => ends,
    }
}
