//! Errors of `/api/boards`, except the mistakes of a document.

use std::path::PathBuf;

use shared::BoardId;
use shared::board::Etag;
use shared::board::document::MAX_DOCUMENT;

use super::bounds::MAX_BOARDS;

/// Reason why a call is refused; its message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The board has no document.
    #[error(
        "nobody has made the board {0}; the page /b/{0} shows all series under {0}/** by itself, and PUT makes a document"
    )]
    NotMade(BoardId),
    /// The board is not the edition that the client named.
    #[error(
        "the board {id} has changed meanwhile: it is now {current}; get it, put your change into that, and send it with its tag in If-Match"
    )]
    Changed {
        /// The board.
        id: BoardId,
        /// The tag of its current document.
        current: Etag,
    },
    /// The client wants to change or delete a document that does not exist.
    #[error(
        "the board {0} has no document, so If-Match matches nothing: PUT it without If-Match to make one; there is nothing to delete"
    )]
    Absent(BoardId),
    /// The board exists, and the client did not say which edition it wants to replace.
    #[error(
        "the board {id} is there already, as {current}; send that in If-Match to replace it, or If-Match: * to replace whatever is there"
    )]
    Unconditional {
        /// The board.
        id: BoardId,
        /// The tag of its current document.
        current: Etag,
    },
    /// The board comes from a file of `--boards`.
    #[error("the board {id} is from the file {}; edit that, and the board follows", file.display())]
    FromFile {
        /// The board.
        id: BoardId,
        /// The file.
        file: PathBuf,
    },
    /// The maximum number of boards is reached.
    #[error("there are {MAX_BOARDS} boards, which is the most; delete some that nobody needs")]
    TooMany,
    /// The document is too long.
    #[error("the document has over {MAX_DOCUMENT} bytes; make two boards of it")]
    TooLarge,
    /// The document is in a form that is not supported.
    #[error("{0} is no form of a board; send application/json or application/toml")]
    UnknownForm(String),
    /// The client accepts neither form.
    #[error("a board cannot be had as {0}; accept application/json or application/toml")]
    NotAcceptable(String),
}
