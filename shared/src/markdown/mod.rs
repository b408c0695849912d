//! Markdown for the notes on a board: `CommonMark`, parsed by `pulldown-cmark`, in time linear in the length of the
//! text.
//!
//! - [`tree`]: headings, paragraphs, lists, quotes, code and rules, and the inlines of their lines, as values;
//! - [`parse`]: parses a text into these values;
//! - [`html`]: finds HTML in a note.
//!
//! The page makes elements from the values, so text never becomes markup. HTML is shown as text. Links may use only
//! http, https and mailto; any other link is shown as written. Nesting and the number of elements are bounded; the text
//! beyond a bound is shown without structure.

pub mod html;
pub mod parse;
pub mod tree;

pub use html::find_html;
pub use parse::parse;
pub use tree::{Block, Inline};
