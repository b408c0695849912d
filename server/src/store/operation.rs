//! The operations that the writer thread can be asked for. Each has an answer of its own type.

use shared::{BoardId, Millis, Seq, SeriesName};
use tokio::sync::oneshot;

use super::CommitError;
use super::audit::StoredEvent;
use super::claim::Ticket;
use super::local_log::EntryOutcome;
use super::node_log::NodeLog;
use super::removal::Removed;
use crate::limits::push_memory::Share;
use crate::log::{
    AuditEvent, BoardChange, BoardChanged, By, Change, LinkChange, LinkRecord, LinkRefusal, Push, SeriesId,
    TokenChange, TokenName, TokenRecord, TokenRefusal, TrackCache, TrackError, UserChange, UserRefusal, UserState,
    WarmSeries,
};

/// A job for the writer thread.
pub(super) enum Job {
    /// Commits a push, together with all other pushes that wait.
    Push {
        push: Push,
        /// The memory of the push, reserved until the push is answered.
        share: Share,
        ticket: Ticket<Result<(), CommitError>>,
    },
    /// Runs an operation between two groups of pushes.
    Operation(Operation),
}

/// A push that the writer thread has taken.
pub(super) struct TakenPush {
    pub(super) answer: oneshot::Sender<Result<(), CommitError>>,
    pub(super) _share: Share,
}

/// An operation that runs between two groups of pushes.
pub(super) enum Operation {
    /// Removes a series from all lists and answers.
    RemoveSeries { name: SeriesName, by: By, ticket: Ticket<Result<Option<Removed>, CommitError>> },
    /// Erases some of the points of a removed series. Answers true if there are more.
    EraseSeries { series: SeriesId, ticket: Ticket<Result<bool, CommitError>> },
    /// Loads evicted tracks into the cache of a subscriber, which is at the position of the store at this moment.
    Rehydrate { series: Vec<WarmSeries>, cache: Box<dyn TrackCache>, ticket: Ticket<Result<(), TrackError>> },
    /// Changes a board, unless another change comes first.
    ChangeBoard { change: BoardChange, by: By, ticket: Ticket<Result<BoardChanged, CommitError>> },
    /// Forgets a deleted board.
    ForgetBoard { id: BoardId, since: Seq, ticket: Ticket<Result<(), CommitError>> },
    /// Changes a token, if the change fits.
    ChangeToken { change: TokenChange, by: By, ticket: Ticket<Result<Result<TokenRecord, TokenRefusal>, CommitError>> },
    /// Changes a user, if the change fits.
    ChangeUser { change: UserChange, by: By, ticket: Ticket<Result<Result<UserState, UserRefusal>, CommitError>> },
    /// Changes a link, if the change fits.
    ChangeLink { change: LinkChange, by: By, ticket: Ticket<Result<Result<LinkRecord, LinkRefusal>, CommitError>> },
    /// Adds an event that belongs to no change to the audit log.
    AddEvent { event: AuditEvent, ticket: Ticket<Result<(), CommitError>> },
    /// Reads the newest events of the audit log below a number.
    ReadEvents { before: Option<u64>, most: usize, ticket: Ticket<Result<Vec<StoredEvent>, CommitError>> },
    /// Stores the times at which tokens were last used. They are no part of the log.
    NoteTokenUses { uses: Vec<(TokenName, Millis)>, ticket: Ticket<Result<(), CommitError>> },
}

impl Operation {
    /// Runs the operation and answers it, unless it was withdrawn.
    pub(super) fn run(self, log: &mut dyn NodeLog) {
        match self {
            Self::RemoveSeries { name, by, ticket } => {
                answer(ticket, || match log.append_now(Change::RemoveSeries(name), by) {
                    EntryOutcome::SeriesRemoved(removed) => removed,
                    other => unreachable!("{other:?} is the outcome of another change"),
                });
            }
            Self::EraseSeries { series, ticket } => answer(ticket, || Ok(log.store_mut().erase(series)?)),
            Self::Rehydrate { series, cache, ticket } => answer(ticket, || cache.load(&series, log.store())),
            Self::ChangeBoard { change, by, ticket } => answer(ticket, || {
                let uploaded = change.document.as_ref().filter(|document| Some(document.tag()) != change.expects);
                if let Some(uploaded) = uploaded {
                    log.check_space_for_board(uploaded.source.len())?;
                }
                log.change_board(change, by)
            }),
            Self::ForgetBoard { id, since, ticket } => answer(ticket, || log.forget_board(id, since)),
            Self::ChangeToken { change, by, ticket } => answer(ticket, || log.change_token(change, by)),
            Self::ChangeUser { change, by, ticket } => answer(ticket, || log.change_user(change, by)),
            Self::ChangeLink { change, by, ticket } => answer(ticket, || log.change_link(change, by)),
            Self::AddEvent { event, ticket } => answer(ticket, || log.add_event(event)),
            Self::ReadEvents { before, most, ticket } => answer(ticket, || Ok(log.store().events(before, most)?)),
            Self::NoteTokenUses { uses, ticket } => answer(ticket, || log.store_mut().note_token_uses(&uses)),
        }
    }
}

fn answer<T>(ticket: Ticket<T>, run: impl FnOnce() -> T) {
    if let Some(answer) = ticket.take() {
        // The operation has run even if the requester left meanwhile.
        let _gone = answer.send(run());
    }
}
