//! A note as values.

/// A part of a note: what stands below each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// `# Heading`, of level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// Lines of text.
    Paragraph(Vec<Inline>),
    /// `- item` or `1. item`.
    List {
        /// The number of the first item; nothing where items have none.
        start: Option<u32>,
        /// What is in each.
        items: Vec<Vec<Block>>,
    },
    /// `> quote`.
    Quote(Vec<Block>),
    /// A fence of three backticks and more, or lines set in by four spaces.
    Code(String),
    /// `---`.
    Rule,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// As it is.
    Text(String),
    /// HTML, which is shown as the text that it is.
    Html(String),
    /// `` `code` ``.
    Code(String),
    /// `*stressed*`.
    Emphasis(Vec<Inline>),
    /// `**important**`.
    Strong(Vec<Inline>),
    /// `[words](address)`.
    Link {
        /// Where it leads: http, https or mailto.
        address: String,
        /// What it reads.
        words: Vec<Inline>,
    },
    /// Two spaces or a backslash at the end of a line.
    Break,
}
