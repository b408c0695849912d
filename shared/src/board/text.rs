//! Options of notes: Markdown text beside the numbers.

use serde::Serialize;

use super::read::Fields;

/// The most bytes of the Markdown of a widget: 16 KiB.
pub const MAX_MARKDOWN: usize = 16 << 10;

/// Options of `type = "text"`, which has no series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "text")]
pub struct NoteOptions {
    /// Markdown (`CommonMark`), at most [`MAX_MARKDOWN`] bytes. HTML in it is kept as text; [`super::warnings`] warns
    /// about it. Code that shows it must escape it, and must follow only links to http, https and mailto: anyone who
    /// may edit the board can write it, and others read it.
    pub markdown: String,
}

impl NoteOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Option<Self> {
        if widget.get("markdown").is_none() {
            widget.wrong("markdown", "the text, in Markdown", "nothing");
        }
        Some(Self { markdown: widget.text("markdown", MAX_MARKDOWN)? })
    }
}
