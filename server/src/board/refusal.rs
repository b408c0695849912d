//! Errors of `/api/boards`, except the mistakes of a document.

use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use shared::BoardId;
use shared::board::Etag;
use shared::board::document::MAX_DOCUMENT;

use super::registry::MAX_BOARDS;

/// Reason why a call is refused; its message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: the board has no document.
    #[error(
        "nobody has made the board {0}; the page /b/{0} shows all series under {0}/** by itself, and PUT makes a document"
    )]
    NotMade(BoardId),
    /// 412: the board is not the edition that the client named.
    #[error(
        "the board {id} has changed meanwhile: it is now {current}; get it, put your change into that, and send it with its tag in If-Match"
    )]
    Changed {
        /// The board.
        id: BoardId,
        /// The tag of its current document.
        current: Etag,
    },
    /// 412: the client wants to change or delete a document that does not exist.
    #[error(
        "the board {0} has no document, so If-Match matches nothing: PUT it without If-Match to make one; there is nothing to delete"
    )]
    Absent(BoardId),
    /// 428: the board exists, and the client did not say which edition it wants to replace.
    #[error(
        "the board {id} is there already, as {current}; send that in If-Match to replace it, or If-Match: * to replace whatever is there"
    )]
    Unconditional {
        /// The board.
        id: BoardId,
        /// The tag of its current document.
        current: Etag,
    },
    /// 409: the board comes from a file of `--boards`.
    #[error("the board {id} is from the file {}; edit that, and the board follows", file.display())]
    FromFile {
        /// The board.
        id: BoardId,
        /// The file.
        file: PathBuf,
    },
    /// 409: the maximum number of boards is reached.
    #[error("there are {MAX_BOARDS} boards, which is the most; delete some that nobody needs")]
    TooMany,
    /// 413: the document is too long.
    #[error("the document has over {MAX_DOCUMENT} bytes; make two boards of it")]
    TooLarge,
    /// 415: the document is in a form that is not supported.
    #[error("{0} is no form of a board; send application/json or application/toml")]
    UnknownForm(String),
    /// 406: the client accepts neither form.
    #[error("a board cannot be had as {0}; accept application/json or application/toml")]
    NotAcceptable(String),
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotMade(_) => StatusCode::NOT_FOUND,
            Self::Changed { .. } | Self::Absent(_) => StatusCode::PRECONDITION_FAILED,
            Self::Unconditional { .. } => StatusCode::PRECONDITION_REQUIRED,
            Self::FromFile { .. } | Self::TooMany => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownForm(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
        }
    }

    /// The type of the problem, and its title.
    #[must_use]
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotMade(_) => ("not-found", "The board has no document"),
            Self::Changed { .. } => ("changed", "The board has changed meanwhile"),
            Self::Absent(_) => ("changed", "The board has no document"),
            Self::Unconditional { .. } => ("unconditional", "The board is there already"),
            Self::FromFile { .. } => ("from-file", "The board is from a file"),
            Self::TooMany => ("too-many", "Too many boards"),
            Self::TooLarge => ("too-large", "The document is too long"),
            Self::UnknownForm(_) => ("unknown-form", "The form is not known"),
            Self::NotAcceptable(_) => ("not-acceptable", "Not in this form"),
        }
    }

    /// Adds the current tag, or the accepted forms, where the client needs them for its next request.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        let mut add = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        match self {
            Self::Changed { current, .. } | Self::Unconditional { current, .. } => {
                add(header::ETAG, current.to_string());
            }
            // RFC 9110, 15.5.16.
            Self::UnknownForm(_) => add(header::ACCEPT, "application/json, application/toml".to_owned()),
            _ => {}
        }
    }
}
