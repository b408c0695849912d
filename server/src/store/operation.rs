//! The operations that the writer thread can be asked for. Each has an answer of its own type.

use shared::SeriesName;
use tokio::sync::oneshot;

use super::CommitError;
use super::claim::Ticket;
use super::local_log::{LocalLog, Outcome};
use super::removal::Removed;
use crate::limits::push_memory::Share;
use crate::log::{Change, NotResident, Push, SeriesId, TrackCache, TrackError};

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
    RemoveSeries { name: SeriesName, ticket: Ticket<Result<Option<Removed>, CommitError>> },
    /// Erases some of the points of a removed series. Answers true if there are more.
    EraseSeries { series: SeriesId, ticket: Ticket<Result<bool, CommitError>> },
    /// Loads evicted tracks into the cache of a subscriber, which is at the position of the store at this moment.
    Rehydrate { series: Vec<NotResident>, cache: Box<dyn TrackCache>, ticket: Ticket<Result<(), TrackError>> },
    /// Changes boards, if their present state permits it.
    Boards(Box<dyn RunBoards>),
}

impl Operation {
    /// Runs the operation and answers it, unless it was withdrawn.
    pub(super) fn run(self, log: &mut LocalLog) {
        match self {
            Self::RemoveSeries { name, ticket } => {
                answer(ticket, || match log.append_now(Change::RemoveSeries(name)) {
                    Outcome::SeriesRemoved(removed) => removed,
                    other => unreachable!("{other:?} is the outcome of another change"),
                });
            }
            Self::EraseSeries { series, ticket } => answer(ticket, || Ok(log.store_mut().erase(series)?)),
            Self::Rehydrate { series, cache, ticket } => answer(ticket, || cache.load(&series, log.store())),
            Self::Boards(boards) => boards.run(log),
        }
    }
}

fn answer<T>(ticket: Ticket<T>, run: impl FnOnce() -> T) {
    if let Some(answer) = ticket.take() {
        // The operation has run even if the requester left meanwhile.
        let _gone = answer.send(run());
    }
}

/// A conditional change of boards: it is decided on the writer thread, from the state at its position, and appended to
/// the log there.
pub trait BoardOperation: Send + 'static {
    /// The answer for the requester.
    type Answer: Send + 'static;

    /// Decides the change and appends it.
    fn run(self, log: &mut LocalLog) -> Self::Answer;
}

/// A [`BoardOperation`] with its ticket, whatever its type.
pub(super) trait RunBoards: Send {
    /// Runs the operation and answers it, unless it was withdrawn.
    fn run(self: Box<Self>, log: &mut LocalLog);
}

/// A [`BoardOperation`] that waits for the writer thread.
pub(super) struct Boards<O: BoardOperation> {
    pub(super) operation: O,
    pub(super) ticket: Ticket<O::Answer>,
}

impl<O: BoardOperation> RunBoards for Boards<O> {
    fn run(self: Box<Self>, log: &mut LocalLog) {
        let Self { operation, ticket } = *self;
        answer(ticket, || operation.run(log));
    }
}
