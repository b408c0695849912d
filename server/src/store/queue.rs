//! Jobs on their way to the writing thread.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::claim::Ticket;
use super::lanes::{Allowed, Lanes};
use super::{CommitError, Push, Store};
use crate::push_memory::Share;

/// Most errands that may wait. Pushes are bounded by the memory that they hold.
const MAX_ERRANDS: usize = 4_096;

/// What an errand weighs: some milliseconds at most, but boards and readers are not to wait behind many large pushes.
const ERRAND_WEIGHT: usize = 100;

/// Something for the writing thread to do.
pub(super) enum Job {
    Push {
        push: Push,
        /// The memory of the push, held until it is answered.
        share: Share,
        ticket: Ticket<Result<(), CommitError>>,
    },
    Errand(Errand),
}

/// Something else to do with the store.
pub(super) type Errand = Box<dyn FnOnce(&mut Store) + Send>;

/// A push that the writing thread has taken on.
pub(super) struct TakenPush {
    pub(super) answer: oneshot::Sender<Result<(), CommitError>>,
    pub(super) _share: Share,
}

/// What [`Queue::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The group has jobs.
    Jobs,
    /// Nothing came in time.
    Nothing,
    /// Nothing waits, and nothing will come any more.
    End,
}

/// The jobs that wait.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    lanes: Lanes<Job>,
    errands: usize,
    /// Whether nobody can add jobs any more.
    closed: bool,
    /// Whether the thread has ended, so that nothing is done any more.
    ended: bool,
}

impl Queue {
    /// Adds a job.
    ///
    /// # Errors
    /// [`CommitError::Closed`] where the thread has ended, [`CommitError::Busy`] where too many errands wait.
    pub(super) fn add(&self, job: Job) -> Result<(), CommitError> {
        let weight = match &job {
            Job::Push { push, .. } => push.weight(),
            Job::Errand(_) => ERRAND_WEIGHT,
        };
        let mut state = self.state.lock();
        if state.ended {
            return Err(CommitError::Closed);
        }
        if matches!(job, Job::Errand(_)) {
            if state.errands == MAX_ERRANDS {
                return Err(CommitError::Busy);
            }
            state.errands += 1;
        }
        state.lanes.add(weight, job);
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// Moves the next jobs into `group`; waits for some until `until`.
    pub(super) fn next(&self, allowed: Allowed, until: Instant, group: &mut Vec<Job>) -> Next {
        let mut state = self.state.lock();
        loop {
            if state.lanes.has(allowed) {
                state.lanes.take(allowed, group);
                state.errands -= group.iter().filter(|job| matches!(job, Job::Errand(_))).count();
                return Next::Jobs;
            }
            if state.closed {
                return Next::End;
            }
            if self.came.wait_until(&mut state, until).timed_out() && !state.lanes.has(allowed) {
                return Next::Nothing;
            }
        }
    }

    /// Whether jobs wait that may be done now.
    pub(super) fn has(&self, allowed: Allowed) -> bool {
        self.state.lock().lanes.has(allowed)
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.state.lock().lanes.len()
    }

    /// Nobody can add jobs any more; the thread ends once it has done what waits.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.came.notify_one();
    }

    /// The thread has ended: whoever still waits hears that it is [closed](CommitError::Closed).
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let left = std::mem::take(&mut state.lanes);
        drop(state);
        drop(left);
    }

    /// Whether jobs are done.
    pub(super) fn is_open(&self) -> bool {
        !self.state.lock().ended
    }
}
