//! The entries of the log: everything that changes the state.

use ring::digest::{SHA256, digest};
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, Etag};
use shared::{BoardId, Millis, Selector, Seq, SeriesName};

use super::audit::By;
use super::link::LinkChange;
use super::push::Push;
use super::token::TokenChange;
use super::user::UserChange;

/// A change, with everything that applying it needs from the node that appends it.
///
/// Applying entries is deterministic: the same entries in the same order give the same state, whatever the sizes of their
/// groups. So the application of an entry reads no clock and no random source. A node still refuses an entry, before it
/// changes anything, if its disk is full or its file is lost or damaged. A known series is named by this node's row;
/// the form for other nodes ([`super::stored`]) has its name instead.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The clock and the bounds of the node that appends the entry.
    pub terms: Terms,
    /// The change.
    pub change: Change,
    /// The event that the audit log gets with the change. It gets none if the change is not applied.
    pub by: By,
}

/// The clock and the bounds of the node that appends an entry, at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The time by which idempotency keys expire.
    pub at: Millis,
    /// A number before this time belongs to an import of the past.
    pub oldest: Millis,
    /// The most series that there may be.
    pub max_series: usize,
    /// The most database rows that a push may read or write.
    pub max_rows: usize,
    /// The most idempotency keys that are kept.
    pub max_keys: usize,
}

/// A change of the state.
#[derive(Clone, Debug)]
pub enum Change {
    /// Points are added.
    Points(Push),
    /// A board gets another document, or loses it.
    Board(BoardChange),
    /// A deleted board is no longer remembered by itself. From then on, cursors up to `since` count as those of another
    /// selection, for all boards that are not remembered.
    ForgetBoard {
        /// The id of the board.
        id: BoardId,
        /// The seq since which the board has its present selection.
        since: Seq,
    },
    /// A series is removed with all its points.
    RemoveSeries(SeriesName),
    /// A token is created, gets another secret, or is revoked.
    Token(TokenChange),
    /// A user is added, changed or removed, or a session begins or ends.
    User(UserChange),
    /// A live link is made or revoked.
    Link(LinkChange),
    /// Nothing changes: the audit log gets the event of the entry.
    Event,
}

/// A board as it is after a change.
///
/// The node that appends it decides from the board's present state: whether `If-Match` permits the change, the time, and
/// the selectors. Another change may come first, so the entry names the state that the decision was made from, and is
/// applied only if the board still has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardChange {
    /// The id of the board.
    pub id: BoardId,
    /// The selectors of the document that is shown.
    pub selectors: Vec<Selector>,
    /// The tag of the document that is shown; `None` if there is none.
    pub etag: Option<Etag>,
    /// The uploaded document; `None` if it was deleted, or if none was uploaded.
    pub document: Option<BoardDocument>,
    /// The tag of the uploaded document that the board must have for the change to be applied; `None` if it must have
    /// none.
    pub expects: Option<Etag>,
}

/// The result of applying a [`BoardChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardChanged {
    /// The board has the new state. Its present selection applies since this seq.
    Since(Seq),
    /// Nothing has changed: the board does not have the document that the change expects, since another change came
    /// first. Decide again.
    Overtaken,
}

/// The document of a board, as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardDocument {
    /// The format of the text.
    pub form: BoardFormat,
    /// The text, byte for byte.
    pub source: String,
    /// The time of the upload.
    pub changed: Millis,
}

impl BoardDocument {
    /// Returns the tag of the document; see [`tag_of`].
    #[must_use]
    pub fn tag(&self) -> Etag {
        tag_of(self.form, &self.source)
    }
}

/// Returns the tag of a document: the first half of the SHA-256 of its form and its text. Another text has another tag.
#[must_use]
pub fn tag_of(form: BoardFormat, source: &str) -> Etag {
    let hash = digest(&SHA256, format!("{}\n{source}", form.keyword()).as_bytes());
    let first_half = hash.as_ref().iter().take(16);
    Etag::stored(first_half.fold(0, |number, &byte| (number << 8) | u128::from(byte)))
}
