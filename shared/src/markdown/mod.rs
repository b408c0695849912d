//! Markdown for the notes on a board: `CommonMark`, read by `pulldown-cmark`, in time that is linear in the text.
//!
//! - [`tree`]: headings, paragraphs, lists, quotes, code and rules, and what is in their lines, as values;
//! - [`parse`]: from a text to these values;
//! - [`html`]: whether somebody wrote HTML.
//!
//! The page makes elements of the values, so no text is ever taken for markup. HTML is text. Links lead only to http, https
//! and mailto; any other is shown as it is written. Nesting and the number of elements are bounded: what is beyond is text
//! without structure.

pub mod html;
pub mod parse;
pub mod tree;

pub use html::find_html;
pub use parse::parse;
pub use tree::{Block, Inline};
