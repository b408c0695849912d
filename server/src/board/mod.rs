//! Boards that somebody made: documents, uploaded or from a folder.
//!
//! [`document`] is one document with its text; [`rewrite`] changes one that people wrote; [`shelf`] has all of them and is where
//! they change; [`api`] is `/api/boards`, with [`accept`] (in which form), [`precondition`] (what may be replaced) and
//! [`refusal`] (what is answered where not);
//! [`folder`] reads the files of `--boards` and sees them change; [`command`] is `pulseboard board`.
//!
//! A board of a folder goes before an uploaded one of the same name, which comes back when the file is gone.

pub mod accept;
pub mod api;
pub mod command;
pub mod document;
pub mod folder;
mod parsing;
pub mod precondition;
pub mod refusal;
pub mod rewrite;
pub mod shelf;

use percent_encoding::{CONTROLS, PercentEncode, utf8_percent_encode};
use shared::BoardId;

pub use document::Document;
pub use refusal::Refusal;
pub use shelf::Shelf;

/// Returns the name of a board as a segment of an address. Headers and addresses are ASCII, which names need not be.
#[must_use]
pub fn escaped(id: &BoardId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), CONTROLS)
}
