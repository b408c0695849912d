//! One decision between the writer and whoever requested a job: it is done, or it is withdrawn. Never both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::CommitError;

/// How long a job may wait for the writer before it is withdrawn.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The right to decide about a job. The first side to take it decides.
#[derive(Debug)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes the right; whether it was still there.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The writer's side of a job: the way to its requester.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    claim: Claim,
    answer: oneshot::Sender<T>,
}

/// The requester's side of a job. Dropped before the writer took the job, it withdraws it.
#[derive(Debug)]
pub(super) struct Request<T> {
    claim: Claim,
    answer: oneshot::Receiver<T>,
}

/// Both sides of a job.
pub(super) fn pair<T>() -> (Ticket<T>, Request<T>) {
    let claim = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = oneshot::channel();
    (Ticket { claim: Claim(claim.clone()), answer: sender }, Request { claim: Claim(claim), answer: receiver })
}

impl<T> Ticket<T> {
    /// Takes the job on; nothing where it was withdrawn, and then it must not be done.
    pub(super) fn take(self) -> Option<oneshot::Sender<T>> {
        self.claim.take().then_some(self.answer)
    }
}

impl<T> Request<T> {
    /// Waits until the job is done. A job that the writer has taken on is waited for however long it takes, since only its
    /// outcome says whether it was done.
    ///
    /// # Errors
    /// [`CommitError::Overdue`] where the writer did not come to it in time, [`CommitError::Closed`] where there is no
    /// writer. Then it was not done and will not be.
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
    async fn a_job_that_waits_too_long_is_withdrawn_and_cannot_be_taken_on_any_more() {
        let (ticket, request) = pair::<()>();
        assert_eq!(request.outcome().await, Err(CommitError::Overdue));
        assert!(ticket.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_was_taken_on_is_answered_however_long_it_takes() {
        let (ticket, request) = pair();
        let answer = ticket.take().unwrap();
        let waiting = tokio::spawn(request.outcome());
        tokio::time::sleep(3 * LONGEST_WAIT).await;
        assert!(!waiting.is_finished());
        answer.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }

    #[test]
    fn a_requester_that_leaves_withdraws_its_job_unless_it_was_taken_on() {
        let (ticket, request) = pair::<()>();
        drop(request);
        assert!(ticket.take().is_none());
        let (ticket, request) = pair::<()>();
        let answer = ticket.take().unwrap();
        drop(request);
        assert!(answer.send(()).is_err());
    }

    #[tokio::test]
    async fn where_the_writer_is_gone_the_requester_hears_it() {
        let (ticket, request) = pair::<()>();
        drop(ticket);
        assert_eq!(request.outcome().await, Err(CommitError::Closed));
    }
}
