//! Options of stats, which show a large number and its change.

use serde::Serialize;

use super::read::Fields;
use crate::Duration;

/// Options of `type = "stat"`: the value of each series, its change and a sparkline of its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StatOptions {
    /// Shows a sparkline of the past; true if the document does not set it.
    pub sparkline: bool,
    /// The age of the value to compare with; the start of the range if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Duration>,
}

impl Default for StatOptions {
    fn default() -> Self {
        Self { sparkline: true, change: None }
    }
}

impl StatOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self {
            sparkline: widget.flag("sparkline").unwrap_or(true),
            change: widget.duration("change", "a duration like 1h"),
        }
    }
}
