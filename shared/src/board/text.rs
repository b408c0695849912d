//! Words to go with the numbers.

use serde::Serialize;

use super::read::Table;

/// Most bytes of the Markdown of a widget: 16 KiB.
pub const MAX_MARKDOWN: usize = 16 << 10;

/// Options of `type = "text"`, which has no series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "text")]
pub struct Text {
    /// Markdown (`CommonMark`), at most [`MAX_MARKDOWN`] bytes. HTML in it is kept, as text ([`super::notices`] tells
    /// where): whoever shows it must escape it, and must follow no link but of http, https and mailto. It was written by
    /// whoever can edit a board, and is read by others.
    pub markdown: String,
}

impl Text {
    pub(super) fn read(widget: &Table<'_>) -> Option<Self> {
        if widget.get("markdown").is_none() {
            widget.wrong("markdown", "the text, in Markdown", "nothing");
        }
        Some(Self { markdown: widget.text("markdown", MAX_MARKDOWN)? })
    }
}
