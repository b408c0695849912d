//! Boards with a document, uploaded or from a folder.
//!
//! - [`document`] is one document with its text, and [`edition`] such a document with its origin. [`difference`] describes the change
//!   from one to another.
//! - [`rewrite`] changes a hand-written document in place.
//! - `loaded` has all of them in memory: it follows the log. [`registry`] is the board registry: all changes go through it.
//!   [`bounds`] bounds them.
//! - [`api`] is `/api/boards`, with [`accept`] (the form of the answer), [`precondition`] (conditions for replacing)
//!   and [`refusal`] (errors).
//! - [`folder`] reads the files of `--boards` and watches them.
//!
//! A board of the folder hides an uploaded one of the same name. That one comes back when the file is deleted.

pub mod accept;
pub mod api;
pub mod bounds;
pub mod difference;
pub mod document;
pub mod edition;
pub mod folder;
mod loaded;
pub mod parsing;
pub mod precondition;
pub mod refusal;
pub mod registry;
pub mod rewrite;

use percent_encoding::{CONTROLS, PercentEncode, utf8_percent_encode};
use shared::BoardId;

pub use document::Document;
pub use loaded::{BoardsAtStart, LoadedBoards};
pub use refusal::Refusal;
pub use registry::BoardRegistry;

/// Returns the name of a board as a segment of an address. Headers and addresses are ASCII, which names need not be.
#[must_use]
pub fn escaped(id: &BoardId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), CONTROLS)
}
