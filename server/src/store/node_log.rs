//! The log of a node together with the store that it is applied to, as the writer thread and the commands use it.

use shared::{BoardId, Seq};

use super::local_log::EntryOutcome;
use super::{CommitError, Store};
use crate::clock;
use crate::log::postgres::ClusterStatus;
use crate::log::{
    AuditEvent, BoardChange, BoardChanged, By, Change, Entry, LinkChange, LinkRecord, LinkRefusal, Log, TokenChange,
    TokenRecord, TokenRefusal, UserChange, UserRefusal, UserState,
};

/// A log with the store that its entries are applied to.
pub trait NodeLog: Log<Outcome = EntryOutcome> + Send {
    /// Returns the store, as of the last applied entry.
    fn store(&self) -> &Store;

    /// Returns the store, for work that changes no state that readers see.
    fn store_mut(&mut self) -> &mut Store;

    /// Returns the state of the shared log; `None` if no other node appends to the log.
    fn cluster(&self) -> Option<ClusterStatus> {
        None
    }

    /// Applies entries of other nodes for a bounded time. A log that no other node appends to has none.
    fn follow(&mut self) {}

    /// Calls `ring` whenever [`NodeLog::follow`] may have something to do.
    fn on_ring(&mut self, ring: Box<dyn Fn() + Send + Sync>) {
        drop(ring);
    }

    /// Appends one change, with the terms of this node and the event for the audit log.
    fn append_now(&mut self, change: Change, by: By) -> EntryOutcome {
        let terms = self.store().terms(clock::now().wall);
        let mut outcomes = self.append(vec![Entry { terms, change, by }]).outcomes;
        outcomes.pop().expect("each entry has an outcome")
    }

    /// Appends a change of a board.
    ///
    /// # Errors
    /// [`CommitError`]; then the board is unchanged.
    fn change_board(&mut self, change: BoardChange, by: By) -> Result<BoardChanged, CommitError> {
        match self.append_now(Change::Board(change), by) {
            EntryOutcome::Board(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends that a deleted board is no longer remembered by itself.
    ///
    /// # Errors
    /// [`CommitError`]; then it is still remembered.
    fn forget_board(&mut self, id: BoardId, since: Seq) -> Result<(), CommitError> {
        match self.append_now(Change::ForgetBoard { id, since }, None) {
            EntryOutcome::BoardForgotten(forgotten) => forgotten,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a token.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the token is unchanged.
    fn change_token(&mut self, change: TokenChange, by: By) -> Result<Result<TokenRecord, TokenRefusal>, CommitError> {
        match self.append_now(Change::Token(change), by) {
            EntryOutcome::Token(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a user.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the user is unchanged.
    fn change_user(&mut self, change: UserChange, by: By) -> Result<Result<UserState, UserRefusal>, CommitError> {
        match self.append_now(Change::User(change), by) {
            EntryOutcome::User(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a link.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the link is unchanged.
    fn change_link(&mut self, change: LinkChange, by: By) -> Result<Result<LinkRecord, LinkRefusal>, CommitError> {
        match self.append_now(Change::Link(change), by) {
            EntryOutcome::Link(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends an event of the audit log that belongs to no change.
    ///
    /// # Errors
    /// [`CommitError`].
    fn add_event(&mut self, event: AuditEvent) -> Result<(), CommitError> {
        match self.append_now(Change::Event, Some(Box::new(event))) {
            EntryOutcome::Event(added) => added,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Checks that there is room for a document of `bytes` bytes. Call it before the document is appended.
    ///
    /// # Errors
    /// [`CommitError::LimitReached`].
    fn check_space_for_board(&mut self, bytes: usize) -> Result<(), CommitError> {
        self.store_mut().check_space_for_board(bytes, clock::now().up)
    }
}
