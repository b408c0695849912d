//! The parsed form of a note: blocks, and the inlines of their lines.

/// A block of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// `# Heading`, of level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// Lines of text.
    Paragraph(Vec<Inline>),
    /// `- item` or `1. item`.
    List {
        /// The number of the first item; `None` if items have no numbers.
        start: Option<u32>,
        /// The blocks of each item.
        items: Vec<Vec<Block>>,
    },
    /// `> quote`.
    Quote(Vec<Block>),
    /// A fence of three or more backticks, or lines indented by four spaces.
    Code(String),
    /// `---`.
    Rule,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain text.
    Text(String),
    /// HTML, which is shown as text.
    Html(String),
    /// `` `code` ``.
    Code(String),
    /// `*stressed*`.
    Emphasis(Vec<Inline>),
    /// `**important**`.
    Strong(Vec<Inline>),
    /// `[words](address)`.
    Link {
        /// Its target: http, https or mailto.
        address: String,
        /// Its text.
        words: Vec<Inline>,
    },
    /// Two spaces or a backslash at the end of a line.
    Break,
}
