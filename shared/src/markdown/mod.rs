//! Markdown: the part of it that notes on a board need, made out by hand, since a whole parser would be a
//! fifth of the page.
//!
//! - [`block`]: headings, paragraphs, lists, quotes, code, rules;
//! - [`inline`]: emphasis, code, links within them;
//! - [`html`]: whether somebody took it for HTML.
//!
//! Whatever is none of that is text, and so is HTML: what is made of it are values, which nobody takes for markup. Links
//! lead only to http, https and mailto.

pub mod block;
pub mod html;
pub mod inline;

pub use block::{Block, parse};
pub use html::find_html;
pub use inline::Inline;
