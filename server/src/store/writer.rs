//! The one thread that writes.

use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::commit::Committed;
use super::{CommitError, Push, Store};
use crate::clock;

/// How many pushes may wait; more wait at their sockets.
const QUEUE: usize = 4_096;

/// Most pushes in one transaction, which bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// The way to the writing thread. Clones lead to the same one, which ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    push: Push,
    done: oneshot::Sender<Result<(), CommitError>>,
}

impl Writer {
    /// Starts the thread. It takes all pushes that wait, commits them at once, hands what was kept to `publish`, and
    /// only then answers: who reads after its push was acknowledged sees it.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(
        store: Store,
        mut publish: impl FnMut(Vec<Committed>) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let mut store = store;
        let run = move || {
            let mut group = Vec::with_capacity(GROUP);
            while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
                let (pushes, waiting): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.push, job.done)).unzip();
                let outcome = store.commit(pushes, clock::now().wall);
                if !outcome.committed.is_empty() {
                    publish(outcome.committed);
                }
                for (done, result) in waiting.into_iter().zip(outcome.results) {
                    // Whoever does not wait any more has its points kept all the same.
                    let _gone = done.send(result);
                }
            }
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run)?;
        Ok((Self { queue }, thread))
    }

    /// Whether the thread still takes pushes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Commits a push; on return it is on the disk, and published.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of it was kept.
    pub async fn commit(&self, push: Push) -> Result<(), CommitError> {
        let (done, result) = oneshot::channel();
        self.queue.send(Job { push, done }).await.map_err(|_| CommitError::Closed)?;
        result.await.map_err(|_| CommitError::Closed)?
    }
}
