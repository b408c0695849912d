//! Options of logs, which show the newest texts.

use serde::Serialize;

use super::read::Fields;

/// Options of `type = "log"`: the newest texts of all its series, ordered by time, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogOptions {
    /// The most lines, 1 to 100 (a page keeps 100 lines of a series); 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u16>,
}

impl LogOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self { lines: widget.whole("lines", 1..=100) }
    }
}
