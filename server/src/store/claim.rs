//! Decides between the writer thread and the requester of a job: the job is either done or withdrawn, never both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use super::commit::{CommitError, LONGEST_WAIT};

/// The right to decide about a job. The side that takes it first decides.
#[derive(Debug)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes the right. Returns false if the other side has it already.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The writer's side of a job, with the channel for its answer.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    claim: Claim,
    answer: oneshot::Sender<T>,
}

/// The requester's side of a job. Dropping it withdraws the job, unless the writer has taken the job already.
#[derive(Debug)]
pub(super) struct Request<T> {
    claim: Claim,
    answer: oneshot::Receiver<T>,
}

/// Creates both sides of a job.
pub(super) fn pair<T>() -> (Ticket<T>, Request<T>) {
    let claim = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = oneshot::channel();
    (Ticket { claim: Claim(claim.clone()), answer: sender }, Request { claim: Claim(claim), answer: receiver })
}

impl<T> Ticket<T> {
    /// Takes the job. Returns `None` if it was withdrawn; then the writer must not do it.
    pub(super) fn take(self) -> Option<oneshot::Sender<T>> {
        self.claim.take().then_some(self.answer)
    }
}

impl<T> Request<T> {
    /// Waits until the job is done. Once the writer has taken the job, this waits without a limit, since only the
    /// outcome shows whether it was done.
    ///
    /// # Errors
    /// [`CommitError::Overdue`] if the writer did not take the job in time, [`CommitError::Closed`] if there is no
    /// writer. In both cases the job was not done and will not be.
    pub(super) async fn outcome(mut self) -> Result<T, CommitError> {
        let answer = match tokio::time::timeout(LONGEST_WAIT, &mut self.answer).await {
            Ok(answer) => answer,
            Err(_) if self.claim.take() => return Err(CommitError::Overdue),
            Err(_) => (&mut self.answer).await,
        };
        answer.map_err(|_| CommitError::Closed)
    }
}

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        let _withdrawn = self.claim.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn job_that_waits_too_long_is_withdrawn_and_cannot_be_taken() {
        let (ticket, request) = pair::<()>();
        assert_eq!(request.outcome().await, Err(CommitError::Overdue));
        assert!(ticket.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn job_that_was_taken_is_answered_however_long_it_takes() {
        let (ticket, request) = pair();
        let answer = ticket.take().unwrap();
        let waiting = tokio::spawn(request.outcome());
        tokio::time::sleep(3 * LONGEST_WAIT).await;
        assert!(!waiting.is_finished());
        answer.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }

    #[test]
    fn requester_that_leaves_withdraws_its_job_unless_it_was_taken() {
        let (ticket, request) = pair::<()>();
        drop(request);
        assert!(ticket.take().is_none());
        let (ticket, request) = pair::<()>();
        let answer = ticket.take().unwrap();
        drop(request);
        assert!(answer.send(()).is_err());
    }

    #[tokio::test]
    async fn requester_gets_an_error_when_the_writer_is_gone() {
        let (ticket, request) = pair::<()>();
        drop(ticket);
        assert_eq!(request.outcome().await, Err(CommitError::Closed));
    }
}
