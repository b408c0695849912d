//! The queue of jobs for the writer thread: pushes, and other operations.
//! [`Lanes`] decides the order.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::CommitError;
use super::lanes::{Allowed, Lane, Lanes};
use super::operation::Job;

/// The most operations that may wait. Waiting pushes are bounded by the memory that they hold.
const MAX_OPERATIONS: usize = 4_096;

/// The weight of an operation. Rehydrating tracks takes milliseconds, so only a few operations come between two commits.
const OPERATION_WEIGHT: usize = 2_048;

/// The outcome of [`Queue::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// `group` has jobs.
    Jobs,
    /// No job came in time, or the thread was woken without one.
    Nothing,
    /// No job waits, and none can come any more.
    End,
}

/// The jobs that wait for the writer thread.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    lanes: Lanes<Job>,
    operations: usize,
    /// True if the thread must look at something else than jobs.
    rung: bool,
    /// True once no handle is left that could add jobs.
    closed: bool,
    /// True once the writer thread has ended, so that no further job is run.
    ended: bool,
}

impl Queue {
    /// Adds a job.
    ///
    /// # Errors
    /// [`CommitError::Closed`] if the thread has ended, [`CommitError::Busy`] if too many operations wait.
    pub(super) fn add(&self, job: Job) -> Result<(), CommitError> {
        let (lane, weight) = match &job {
            Job::Push { push, .. } => (Lane::of_push(push.weight()), push.weight()),
            // Operations of boards and subscribers must not wait behind many large pushes.
            Job::Operation(_) => (Lane::Short, OPERATION_WEIGHT),
        };
        let mut state = self.state.lock();
        if state.ended {
            return Err(CommitError::Closed);
        }
        if matches!(job, Job::Operation(_)) {
            if state.operations == MAX_OPERATIONS {
                return Err(CommitError::Busy);
            }
            state.operations += 1;
        }
        state.lanes.add(lane, weight, job);
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// Moves the next jobs into `group`; waits for them until `until`.
    pub(super) fn next(&self, allowed: Allowed, until: Instant, group: &mut Vec<Job>) -> Next {
        let mut state = self.state.lock();
        loop {
            if state.lanes.has(allowed) {
                state.lanes.take(allowed, group);
                state.operations -= group.iter().filter(|job| matches!(job, Job::Operation(_))).count();
                return Next::Jobs;
            }
            if state.closed {
                return Next::End;
            }
            if std::mem::take(&mut state.rung) {
                return Next::Nothing;
            }
            if self.came.wait_until(&mut state, until).timed_out() && !state.lanes.has(allowed) {
                return Next::Nothing;
            }
        }
    }

    /// Wakes the thread without a job.
    pub(super) fn ring(&self) {
        self.state.lock().rung = true;
        self.came.notify_one();
    }

    /// Returns true if a waiting job may be run now.
    pub(super) fn has(&self, allowed: Allowed) -> bool {
        self.state.lock().lanes.has(allowed)
    }

    /// Returns the number of waiting jobs.
    pub(super) fn len(&self) -> usize {
        self.state.lock().lanes.len()
    }

    /// Closes the queue: the thread ends once it has run the waiting jobs.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.came.notify_one();
    }

    /// Marks the thread as ended and drops the waiting jobs; their requesters get [`CommitError::Closed`].
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let left = std::mem::take(&mut state.lanes);
        drop(state);
        drop(left);
    }

    /// Returns true while the thread runs.
    pub(super) fn is_open(&self) -> bool {
        !self.state.lock().ended
    }
}
