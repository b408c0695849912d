//! A number in large, with how it changed.

use serde::Serialize;

use super::Span;
use super::read::Table;

/// Options of `type = "stat"`: the value of each series, its change and a small line of its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stat {
    /// Whether there is a small line of its past; there is where the document does not say.
    pub sparkline: bool,
    /// Against how long ago the change is told; against the start of the range where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Span>,
}

impl Default for Stat {
    fn default() -> Self {
        Self { sparkline: true, change: None }
    }
}

impl Stat {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self {
            sparkline: widget.flag("sparkline").unwrap_or(true),
            change: widget.parsed("change", "a duration like 1h"),
        }
    }
}
