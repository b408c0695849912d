//! The log of a single node: appending an entry commits it to SQLite, which applies it at once.

use shared::{Millis, Seq};

use super::membership::AppliedRow;
use super::node_log::NodeLog;
use super::removal::Removed;
use super::{CommitError, Store};
use crate::clock;
use crate::log::{
    Appended, Applied, BoardChange, BoardChanged, By, Change, Entry, LinkChange, LinkRecord, LinkRefusal, Log,
    LogSubscriber, OutOfRange, Push, Terms, TokenChange, TokenRecord, TokenRefusal, UserChange, UserRefusal, UserState,
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

impl EntryOutcome {
    /// Returns the outcome of a change that was not applied.
    pub(super) fn failed(change: &Change, error: CommitError) -> Self {
        match change {
            Change::Points(_) => Self::Points(Err(error)),
            Change::Board(_) => Self::Board(Err(error)),
            Change::ForgetBoard { .. } => Self::BoardForgotten(Err(error)),
            Change::RemoveSeries(_) => Self::SeriesRemoved(Err(error)),
            Change::Token(_) => Self::Token(Err(error)),
            Change::User(_) => Self::User(Err(error)),
            Change::Link(_) => Self::Link(Err(error)),
            Change::Event => Self::Event(Err(error)),
        }
    }

    /// Returns the error of the store, if there was one.
    fn error(&self) -> Option<&CommitError> {
        match self {
            Self::Points(Err(error))
            | Self::Board(Err(error))
            | Self::BoardForgotten(Err(error))
            | Self::SeriesRemoved(Err(error))
            | Self::Token(Err(error))
            | Self::User(Err(error))
            | Self::Link(Err(error))
            | Self::Event(Err(error)) => Some(error),
            _ => None,
        }
    }
}

impl LocalLog {
    /// Creates the log of a store, without subscribers.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, subscribers: Vec::new() }
    }

    /// Returns the store, without the subscribers.
    #[must_use]
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Applies the entries of a row of a shared log, which are pushes or one other change. On return, the store has
    /// applied exactly this row.
    ///
    /// # Errors
    /// [`CommitError`] if this node cannot apply it now. Then nothing has changed.
    pub(super) fn apply_row(&mut self, row: AppliedRow, entries: Vec<Entry>) -> Result<Vec<EntryOutcome>, CommitError> {
        self.store.begin_row(row);
        let applied = self.apply_entries(entries).and_then(|outcomes| {
            self.store.finish_row()?;
            Ok(outcomes)
        });
        if applied.is_err() {
            self.store.abandon_row();
        }
        applied
    }

    fn apply_entries(&mut self, entries: Vec<Entry>) -> Result<Vec<EntryOutcome>, CommitError> {
        let mut pushes = Vec::with_capacity(entries.len());
        for Entry { terms, change, by } in entries {
            match change {
                Change::Points(push) => pushes.push((terms, push)),
                change => {
                    let outcome = self.append_other(change, by);
                    // Each of these changes is refused alike by all nodes, except for errors of its store.
                    return match outcome.error() {
                        Some(error) => Err(error.clone()),
                        None => Ok(vec![outcome]),
                    };
                }
            }
        }
        let outcome = self.store.apply_shared_pushes(pushes, clock::now().up);
        let refused =
            outcome.results.iter().find_map(|result| result.as_ref().err().filter(|error| error.is_of_this_node()));
        if let Some(error) = refused {
            return Err(error.clone());
        }
        if !outcome.committed.is_empty() {
            self.publish(&Applied::Points(&outcome.committed));
        }
        Ok(outcome.results.into_iter().map(EntryOutcome::Points).collect())
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

    /// Applies a change that is not a push.
    fn append_other(&mut self, change: Change, by: By) -> EntryOutcome {
        self.store.by = by;
        let outcome = match change {
            Change::Points(_) => unreachable!("pushes are applied in groups"),
            Change::Board(change) => EntryOutcome::Board(self.append_board(&change)),
            Change::ForgetBoard { id, since } => {
                let forgotten = self.store.forget_board(&id, since);
                if forgotten == Ok(true) {
                    self.publish(&Applied::BoardForgotten { id: &id, since });
                }
                EntryOutcome::BoardForgotten(forgotten.map(|_| ()))
            }
            Change::RemoveSeries(name) => EntryOutcome::SeriesRemoved(self.append_removal(&name)),
            Change::Token(change) => EntryOutcome::Token(self.append_token(&change)),
            Change::User(change) => EntryOutcome::User(self.append_user(&change)),
            Change::Link(change) => EntryOutcome::Link(self.append_link(&change)),
            Change::Event => EntryOutcome::Event(self.store.add_event()),
        };
        // A change that does not fit is no event.
        self.store.by = None;
        outcome
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
            outcomes.push(self.append_other(change, by));
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

impl NodeLog for LocalLog {
    fn store(&self) -> &Store {
        &self.store
    }

    fn store_mut(&mut self) -> &mut Store {
        &mut self.store
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
