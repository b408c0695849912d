//! The board registry: decides changes of boards, and appends them to the log.
//!
//! A change is decided from the boards in memory ([`super::loaded`]), which subscribe to the log. The entry names the
//! document that the decision was made from, so it is applied only if no other change came first; otherwise the registry
//! decides again. Changes of one node are made one after the other, so that its bounds are exact.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::BoardId;
use shared::board::Etag;
use tokio::sync::Mutex;

use super::bounds::{MAX_BOARDS, MAX_BYTES};
use super::difference::difference;
use super::edition::{DocumentOrigin, Edition, Found};
use super::loaded::{LoadedBoard, LoadedBoards};
use super::parsing::off_thread;
use super::precondition::Conditions;
use super::{Document, Refusal};
use crate::access::Actor;
use crate::clock;
use crate::log::{AuditAction, BoardChanged, By};
use crate::store::{CommitError, Writer};

/// The result of a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The board is new.
    Made,
    /// The board existed, and now has the new document.
    Replaced,
}

/// Reason why a board was not changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BoardError {
    /// The board, or a condition of the request, does not permit the change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// All documents together would have more than [`MAX_BYTES`].
    #[error(
        "the other boards have {there} bytes and this one {bytes}; all boards together may have {MAX_BYTES}; delete boards that nobody needs"
    )]
    TooManyBytes {
        /// Bytes of the other boards.
        there: usize,
        /// Bytes of the document.
        bytes: usize,
    },
    /// The store cannot write now.
    #[error(transparent)]
    Store(#[from] CommitError),
}

/// The board registry. Clones share the same state.
#[derive(Clone, Debug)]
pub struct BoardRegistry {
    boards: LoadedBoards,
    writer: Writer,
    /// Held while a change is decided and appended.
    turn: Arc<Mutex<()>>,
}

impl BoardRegistry {
    /// Makes the registry of a running server. `boards` subscribe to the log of `writer`.
    #[must_use]
    pub fn new(boards: LoadedBoards, writer: Writer) -> Self {
        Self { boards, writer, turn: Arc::default() }
    }

    /// Returns the board as it is shown; `None` where it has no document.
    #[must_use]
    pub fn get(&self, id: &BoardId) -> Option<Edition> {
        self.boards.shown(id)
    }

    /// Returns every board that has a document, by name.
    #[must_use]
    pub fn list(&self) -> Vec<(BoardId, Edition)> {
        self.boards.list()
    }

    /// Creates or replaces a board, if `conditions` permit it.
    ///
    /// # Errors
    /// [`BoardError`].
    pub async fn put(
        &self,
        id: BoardId,
        document: Document,
        conditions: Conditions,
        actor: &Actor,
    ) -> Result<Put, BoardError> {
        let _turn = self.turn.lock().await;
        let document = Arc::new(document);
        loop {
            let before = self.boards.board(&id);
            let current = before.etag();
            if !self.permits_put(&id, &before, &document, &conditions)? {
                return Ok(Put::Replaced);
            }
            // The clock is read before the change is appended, and is part of it.
            let uploaded =
                Edition { document: document.clone(), changed: clock::now().wall, origin: DocumentOrigin::Stored };
            let after = LoadedBoard { uploaded: Some(uploaded), ..before.clone() };
            let by = actor.by(AuditAction::BoardStored, id.as_str(), &changes(&before, &after).await);
            if self.change(&id, &before, &after, by).await? {
                return Ok(if current.is_some() { Put::Replaced } else { Put::Made });
            }
        }
    }

    /// Returns true if the document must be stored, and false if the board has it already.
    fn permits_put(
        &self,
        id: &BoardId,
        before: &LoadedBoard,
        document: &Document,
        conditions: &Conditions,
    ) -> Result<bool, BoardError> {
        refuse_file(id, before)?;
        let (current, new): (Option<Etag>, Etag) = (before.etag(), document.etag());
        conditions.check(id, current, Some(new))?;
        if current == Some(new) {
            return Ok(false);
        }
        let others = self.boards.uploaded_beside(id);
        if current.is_none() && others.count >= MAX_BOARDS {
            return Err(Refusal::TooMany.into());
        }
        let bytes = document.source().len();
        if others.bytes + bytes > MAX_BYTES {
            return Err(BoardError::TooManyBytes { there: others.bytes, bytes });
        }
        Ok(true)
    }

    /// Deletes the uploaded document of a board, if `conditions` permit it.
    ///
    /// # Errors
    /// [`BoardError`].
    pub async fn delete(&self, id: BoardId, conditions: Conditions, actor: &Actor) -> Result<(), BoardError> {
        let _turn = self.turn.lock().await;
        loop {
            let before = self.boards.board(&id);
            refuse_file(&id, &before)?;
            conditions.check(&id, before.etag(), None)?;
            if before.uploaded.is_none() {
                return Err(Refusal::NotMade(id).into());
            }
            let after = LoadedBoard { uploaded: None, ..before.clone() };
            let by = actor.by(AuditAction::BoardDeleted, id.as_str(), &changes(&before, &after).await);
            if self.change(&id, &before, &after, by).await? {
                return Ok(());
            }
        }
    }

    /// Applies the contents of the folder. A board whose file is broken stays as it is.
    ///
    /// # Errors
    /// Where the store cannot write now.
    pub async fn apply_folder(&self, mut found: Found) -> Result<(), CommitError> {
        let _turn = self.turn.lock().await;
        let known: BTreeSet<_> = self.boards.ids().into_iter().chain(found.editions.keys().cloned()).collect();
        for id in known.into_iter().filter(|id| !found.broken.contains_key(id)).collect::<Vec<_>>() {
            let filed = found.editions.remove(&id);
            loop {
                let before = self.boards.board(&id);
                if before.filed == filed {
                    break;
                }
                tracing::info!(board = %id, made = filed.is_some(), "the file of a board changed");
                let after = LoadedBoard { filed: filed.clone(), ..before.clone() };
                if self.change(&id, &before, &after, None).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Appends the change from `before` to `after`. On return, the subscribers of the log have it, the boards in memory
    /// among them. Returns false if another change came first.
    async fn change(
        &self,
        id: &BoardId,
        before: &LoadedBoard,
        after: &LoadedBoard,
        by: By,
    ) -> Result<bool, CommitError> {
        self.boards.announce(id, after);
        let changed = self.writer.change_board(after.as_change(id, before), by).await;
        self.boards.withdraw(id);
        if changed? == BoardChanged::Overtaken {
            return Ok(false);
        }
        if let Some((id, since)) = self.boards.surplus()
            && let Err(error) = self.writer.forget_board(id.clone(), since).await
        {
            // The next change tries again.
            tracing::debug!(board = %id, %error, "cannot forget a deleted board");
        }
        Ok(true)
    }
}

/// Describes the change of the uploaded document, for the audit log.
async fn changes(before: &LoadedBoard, after: &LoadedBoard) -> String {
    let [before, after] = [before, after].map(|board| board.uploaded.as_ref().map(|edition| edition.document.clone()));
    let work = move || difference(before.as_deref(), after.as_deref());
    off_thread(work).await.unwrap_or_default()
}

fn refuse_file(id: &BoardId, board: &LoadedBoard) -> Result<(), Refusal> {
    match board.filed.as_ref().map(|edition| &edition.origin) {
        Some(DocumentOrigin::File(file)) => Err(Refusal::FromFile { id: id.clone(), file: file.clone() }),
        _ => Ok(()),
    }
}
