//! The newest texts.

use serde::Serialize;

use super::read::Table;

/// Options of `type = "log"`: the newest texts of all its series in the order of their times, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Log {
    /// Most lines, 1 to 100 (what a page keeps of a series); 50 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u16>,
}

impl Log {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        Self { lines: widget.whole("lines", 1..=100) }
    }
}
