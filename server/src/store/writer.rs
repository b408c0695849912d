//! The one thread that writes.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::commit::Committed;
use super::fresh::Due;
use super::{CommitError, Push, Retention, Store};
use crate::clock;

/// How often the writer looks after what is due besides pushes.
const TEND_EVERY: Duration = Duration::from_millis(200);

/// Most blocks that are written before the next push is looked at: some milliseconds.
const BLOCKS: usize = 16;

/// How many pushes may wait; more wait at their sockets.
const QUEUE: usize = 4_096;

/// Most pushes in one transaction, which bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// The way to the writing thread. Clones lead to the same one, which ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

enum Job {
    Push {
        push: Push,
        done: oneshot::Sender<Result<(), CommitError>>,
    },
    /// Looks after what is due.
    Tend,
    Errand(Errand),
}

/// Something else to do with the store.
type Errand = Box<dyn FnOnce(&mut Store) + Send>;

impl Writer {
    /// Starts the thread. It takes all pushes that wait, commits them at once, hands what was kept to `publish`, and
    /// only then answers: who reads after its push was acknowledged sees it. In between, it writes buckets and takes
    /// away what is older than is kept.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(
        store: Store,
        retention: Retention,
        mut publish: impl FnMut(Vec<Committed>) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let mut store = store;
        let run = move || {
            let mut group = Vec::with_capacity(GROUP);
            while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
                let mut tend = false;
                let (mut pushes, mut waiting) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
                let mut errands = Vec::new();
                for job in group.drain(..) {
                    match job {
                        Job::Push { push, done } => {
                            pushes.push(push);
                            waiting.push(done);
                        }
                        Job::Tend => tend = true,
                        Job::Errand(errand) => errands.push(errand),
                    }
                }
                if !pushes.is_empty() {
                    let outcome = store.commit(pushes, clock::now());
                    if !outcome.committed.is_empty() {
                        publish(outcome.committed);
                    }
                    for (done, result) in waiting.into_iter().zip(outcome.results) {
                        // Whoever does not wait any more has its points kept all the same.
                        let _gone = done.send(result);
                    }
                }
                errands.into_iter().for_each(|errand: Errand| errand(&mut store));
                look_after(&mut store, &retention, tend, || !jobs.is_empty());
            }
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run)?;
        let weak = queue.downgrade();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(TEND_EVERY);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                every.tick().await;
                // Where the queue is full, the writer has no time for it anyway; it looks after each group as well.
                let Some(queue) = weak.upgrade() else { break };
                let _full = queue.try_send(Job::Tend);
            }
        });
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
        self.queue.send(Job::Push { push, done }).await.map_err(|_| CommitError::Closed)?;
        result.await.map_err(|_| CommitError::Closed)?
    }

    /// Has `errand` done with the store between two commits: all points up to [`Store::head`] are published then, and
    /// none beyond.
    ///
    /// # Errors
    /// [`CommitError::Closed`] where the server is shutting down.
    pub async fn run<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, CommitError> {
        let (done, result) = oneshot::channel();
        let errand: Errand = Box::new(move |store| {
            // Whoever does not wait any more has it done all the same.
            let _gone = done.send(errand(store));
        });
        self.queue.send(Job::Errand(errand)).await.map_err(|_| CommitError::Closed)?;
        result.await.map_err(|_| CommitError::Closed)
    }
}

/// Writes what is due until somebody waits, at least one step; at a tick also takes a step of the sweep.
fn look_after(store: &mut Store, retention: &Retention, tick: bool, somebody_waits: impl Fn() -> bool) {
    loop {
        match store.settle(BLOCKS, Due::By(clock::now().up)) {
            Ok(BLOCKS) if !somebody_waits() || store.fresh().is_crowded() => {}
            Ok(_) => break,
            Err(error) => {
                // Tried again at the next group or tick; until then the log has it.
                tracing::warn!(%error, "cannot write buckets");
                break;
            }
        }
    }
    if tick && let Err(error) = store.sweep(retention, clock::now()) {
        tracing::warn!(%error, "cannot take away what is older than is kept");
    }
}
