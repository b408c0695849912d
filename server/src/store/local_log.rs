//! The log of a single node: appending an entry commits it to SQLite, which applies it at once.

use shared::{BoardId, Millis, Seq};

use super::removal::Removed;
use super::{CommitError, Store};
use crate::clock;
use crate::log::{
    Appended, Applied, AuditEvent, BoardChange, BoardChanged, By, Change, Entry, LinkChange, LinkRecord, LinkRefusal,
    Log, LogSubscriber, OutOfRange, Push, Terms, TokenChange, TokenRecord, TokenRefusal, UserChange, UserRefusal,
    UserState,
};

#[cfg(test)]
mod tests;

/// The log of a single node, with the store that its entries are applied to.
pub struct LocalLog {
    store: Store,
    subscribers: Vec<Box<dyn LogSubscriber>>,
}

impl std::fmt::Debug for LocalLog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LocalLog").field("subscribers", &self.subscribers.len()).finish_non_exhaustive()
    }
}

/// The result of applying an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryOutcome {
    /// The points of a push were added, or refused.
    Points(Result<(), CommitError>),
    /// A board was changed, or another change came first.
    Board(Result<BoardChanged, CommitError>),
    /// A deleted board is no longer remembered by itself.
    BoardForgotten(Result<(), CommitError>),
    /// A series was removed; `None` if there was none of that name.
    SeriesRemoved(Result<Option<Removed>, CommitError>),
    /// A token was changed, or the change did not fit.
    Token(Result<Result<TokenRecord, TokenRefusal>, CommitError>),
    /// A user was changed, or the change did not fit.
    User(Result<Result<UserState, UserRefusal>, CommitError>),
    /// A link was made or revoked, or the change did not fit.
    Link(Result<Result<LinkRecord, LinkRefusal>, CommitError>),
    /// The audit log has the event.
    Event(Result<(), CommitError>),
}

impl LocalLog {
    /// Creates the log of a store, without subscribers.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, subscribers: Vec::new() }
    }

    /// Returns the store, as of the last appended entry.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the store, for work that changes no state that readers see.
    pub(super) fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Appends one change, with the terms of this node and the event for the audit log.
    pub fn append_now(&mut self, change: Change, by: By) -> EntryOutcome {
        let terms = self.store.terms(clock::now().wall);
        let mut outcomes = self.append(vec![Entry { terms, change, by }]).outcomes;
        outcomes.pop().expect("each entry has an outcome")
    }

    /// Appends a change of a board.
    ///
    /// # Errors
    /// [`CommitError`]; then the board is unchanged.
    pub fn change_board(&mut self, change: BoardChange, by: By) -> Result<BoardChanged, CommitError> {
        match self.append_now(Change::Board(change), by) {
            EntryOutcome::Board(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends that a deleted board is no longer remembered by itself.
    ///
    /// # Errors
    /// [`CommitError`]; then it is still remembered.
    pub fn forget_board(&mut self, id: BoardId, since: Seq) -> Result<(), CommitError> {
        match self.append_now(Change::ForgetBoard { id, since }, None) {
            EntryOutcome::BoardForgotten(forgotten) => forgotten,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a token.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the token is unchanged.
    pub fn change_token(
        &mut self,
        change: TokenChange,
        by: By,
    ) -> Result<Result<TokenRecord, TokenRefusal>, CommitError> {
        match self.append_now(Change::Token(change), by) {
            EntryOutcome::Token(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a user.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the user is unchanged.
    pub fn change_user(&mut self, change: UserChange, by: By) -> Result<Result<UserState, UserRefusal>, CommitError> {
        match self.append_now(Change::User(change), by) {
            EntryOutcome::User(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends a change of a link.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the link is unchanged.
    pub fn change_link(&mut self, change: LinkChange, by: By) -> Result<Result<LinkRecord, LinkRefusal>, CommitError> {
        match self.append_now(Change::Link(change), by) {
            EntryOutcome::Link(changed) => changed,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Appends an event of the audit log that belongs to no change.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn add_event(&mut self, event: AuditEvent) -> Result<(), CommitError> {
        match self.append_now(Change::Event, Some(Box::new(event))) {
            EntryOutcome::Event(added) => added,
            other => unreachable!("{other:?} is the outcome of another change"),
        }
    }

    /// Checks that there is room for a document of `bytes` bytes. Call it before the document is appended.
    ///
    /// # Errors
    /// [`CommitError::LimitReached`].
    pub fn check_space_for_board(&mut self, bytes: usize) -> Result<(), CommitError> {
        self.store.check_space_for_board(bytes, clock::now().up)
    }

    /// Applies a group of pushes in one transaction, and appends their results to `outcomes`.
    fn append_pushes(&mut self, pushes: Vec<(Terms, Push)>, outcomes: &mut Vec<EntryOutcome>) {
        if pushes.is_empty() {
            return;
        }
        let outcome = self.store.append_pushes(pushes, clock::now().up);
        if !outcome.committed.is_empty() {
            self.publish(&Applied::Points(&outcome.committed));
        }
        outcomes.extend(outcome.results.into_iter().map(EntryOutcome::Points));
    }

    fn append_board(&mut self, change: &BoardChange) -> Result<BoardChanged, CommitError> {
        let changed = self.store.apply_board(change)?;
        if let BoardChanged::Since(since) = changed {
            let BoardChange { id, selectors, etag, document, .. } = change;
            let (document, position) = (document.as_ref(), self.store.head());
            self.publish(&Applied::Board { id, selectors, etag: *etag, document, since, position });
        }
        Ok(changed)
    }

    fn append_removal(&mut self, name: &shared::SeriesName) -> Result<Option<Removed>, CommitError> {
        let removed = self.store.remove_series(name)?;
        if let Some(Removed { series, at }) = removed {
            self.publish(&Applied::SeriesRemoved { series, at });
        }
        Ok(removed)
    }

    fn append_token(&mut self, change: &TokenChange) -> Result<Result<TokenRecord, TokenRefusal>, CommitError> {
        let changed = self.store.apply_token(change)?;
        if let Ok(token) = &changed {
            self.publish(&Applied::Token(token));
        }
        Ok(changed)
    }

    fn append_user(&mut self, change: &UserChange) -> Result<Result<UserState, UserRefusal>, CommitError> {
        let changed = self.store.apply_user(change)?;
        if let Ok(user) = &changed {
            self.publish(&Applied::User(user));
        }
        Ok(changed)
    }

    fn append_link(&mut self, change: &LinkChange) -> Result<Result<LinkRecord, LinkRefusal>, CommitError> {
        let changed = self.store.apply_link(change)?;
        if let Ok(link) = &changed {
            self.publish(&Applied::Link(link));
        }
        Ok(changed)
    }

    /// Hands an applied entry to all subscribers.
    fn publish(&mut self, applied: &Applied<'_>) {
        for subscriber in &mut self.subscribers {
            subscriber.apply(applied, &self.store);
        }
    }
}

impl Log for LocalLog {
    type Outcome = EntryOutcome;

    /// Appends entries and applies them. Neighbouring pushes are one transaction (group commit).
    fn append(&mut self, batch: Vec<Entry>) -> Appended<EntryOutcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut pushes = Vec::with_capacity(batch.len());
        for Entry { terms, change, by } in batch {
            if let Change::Points(push) = change {
                pushes.push((terms, push));
                continue;
            }
            self.append_pushes(std::mem::take(&mut pushes), &mut outcomes);
            self.store.by = by;
            outcomes.push(match change {
                Change::Points(_) => unreachable!("handled above"),
                Change::Board(change) => EntryOutcome::Board(self.append_board(&change)),
                Change::ForgetBoard { id, since } => {
                    let forgotten = self.store.forget_board(&id, since);
                    if forgotten.is_ok() {
                        self.publish(&Applied::BoardForgotten { id: &id, since });
                    }
                    EntryOutcome::BoardForgotten(forgotten)
                }
                Change::RemoveSeries(name) => EntryOutcome::SeriesRemoved(self.append_removal(&name)),
                Change::Token(change) => EntryOutcome::Token(self.append_token(&change)),
                Change::User(change) => EntryOutcome::User(self.append_user(&change)),
                Change::Link(change) => EntryOutcome::Link(self.append_link(&change)),
                Change::Event => EntryOutcome::Event(self.store.add_event()),
            });
            // A change that does not fit is no event.
            self.store.by = None;
        }
        self.append_pushes(pushes, &mut outcomes);
        Appended { position: self.store.head(), outcomes }
    }

    /// Adds a subscriber. The store keeps the state and not its entries, so `from` must be the present position: a
    /// subscriber first reads the state from the store.
    fn subscribe(&mut self, from: Seq, subscriber: Box<dyn LogSubscriber>) -> Result<(), OutOfRange> {
        let head = self.store.head();
        if from != head {
            return Err(OutOfRange { from, head });
        }
        self.subscribers.push(subscriber);
        Ok(())
    }
}

impl Store {
    /// Returns the terms of an entry that this node appends at `wall`.
    #[must_use]
    pub fn terms(&self, wall: Millis) -> Terms {
        let at = self.time.now(wall);
        let oldest = Millis(self.keep_finest.map_or(0, |keep| at.0.saturating_sub(keep)));
        let (max_series, max_rows, max_keys) = (self.limits.series, self.limits.rows, self.limits.keys);
        Terms { at, oldest, max_series, max_rows, max_keys }
    }
}
