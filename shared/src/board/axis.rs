//! The upright axis of a chart.

use serde::Serialize;

use super::read::Table;
use super::word::words;

words! {
    /// How an axis goes up.
    Scale {
        /// By equal steps.
        Linear = "linear",
        /// By equal ratios. Numbers of zero and below have no place on it.
        Log = "log",
    }
}

/// The upright axis: where it begins and ends, and how it goes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Axis {
    /// Its lower end; below [`Axis::max`]; by what is shown where absent. `y_min` in the document.
    #[serde(rename = "y_min", skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Its upper end; by what is shown where absent. `y_max` in the document.
    #[serde(rename = "y_max", skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How it goes up; linear where absent. `y_scale` in the document.
    #[serde(rename = "y_scale", skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
}

impl Axis {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        let (min, max) = ends(widget, "y_min", "y_max");
        let scale = widget.word("y_scale");
        if let (Some(Scale::Log), Some(low)) = (scale, min)
            && low <= 0.0
        {
            widget.wrong("y_min", "more than 0 where y_scale is log", low.to_string());
        }
        Self { min, max, scale }
    }
}

/// Two ends of which the first must be below the second; neither where it is not.
pub(super) fn ends(widget: &Table<'_>, low: &'static str, high: &'static str) -> (Option<f64>, Option<f64>) {
    match (widget.number(low), widget.number(high)) {
        (Some(min), Some(max)) if min >= max => {
            widget.wrong(high, format!("more than {low}, which is {min}"), max.to_string());
            (None, None)
        }
        ends => ends,
    }
}
