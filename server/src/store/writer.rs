//! The one thread that writes.
//!
//! Each request to it is a job, which the requester may withdraw until the thread takes it ([`super::claim`]). So every
//! error, also a time-out, means that the job was not done.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::claim::pair;
use super::commit::Committed;
use super::fresh::Due;
use super::lanes::Allowed;
use super::queue::{Job, Next, Queue, TakenPush};
use super::retain::{ROWS, Swept};
use super::{CommitError, Condition, Levels, Push, Retention, Store};
use crate::clock::{self, Now};
use crate::push_memory::Share;

/// How often the writer looks after what is due besides pushes.
const TEND_EVERY: Duration = Duration::from_millis(200);

/// Most blocks that are written before the next push is looked at: some milliseconds.
const BLOCKS: usize = 16;

/// The same where many blocks wait, as when the past is imported: then most blocks of a step are of one series, and
/// share the coarser blocks. If they are not, such a step takes a tenth of a second, so short jobs must not wait for it.
const MANY_BLOCKS: usize = 512;

/// Time for which blocks are written after each group while too many of them wait, although jobs wait too.
const CROWDED_SLICE: Duration = Duration::from_millis(10);

/// The way to the writing thread. Clones lead to the same one, which ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    way: Arc<Way>,
    condition: Condition,
}

/// Closes the queue when it is dropped.
struct Way {
    queue: Arc<Queue>,
    levels: Arc<Levels>,
}

impl Drop for Way {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Way").field("waiting", &self.queue.len()).finish()
    }
}

impl Writer {
    /// Starts the thread. It takes pushes that wait, commits them at once, hands what was kept to `publish`, and
    /// only then answers: who reads after its push was acknowledged sees it. In between, it writes buckets and takes
    /// away what is older than is kept.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(
        mut store: Store,
        retention: Retention,
        publish: impl FnMut(Vec<Committed>) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        store.set_retention(&retention);
        let queue = Arc::new(Queue::default());
        let (end, levels, condition) = (End(queue.clone()), store.levels(), store.condition());
        let run = move || work(store, &retention, &end.0, publish);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run)?;
        Ok((Self { way: Arc::new(Way { queue, levels }), condition }, thread))
    }

    /// Whether the thread still takes pushes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.way.queue.is_open()
    }

    /// Returns the figures of the store, and whether there is room for more.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.way.levels
    }

    /// Returns the same figures for a task that may outlive all handles.
    #[must_use]
    pub fn shared_levels(&self) -> Arc<Levels> {
        self.way.levels.clone()
    }

    /// Returns the condition of the store: whether it takes pushes, and warnings.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Commits a push; on return it is on the disk and published. `share` holds the memory of the push until then. If
    /// the future is dropped earlier, nothing is kept, unless the thread has taken the push already.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of it was kept.
    pub async fn commit(&self, push: Push, share: Share) -> Result<(), CommitError> {
        let (ticket, request) = pair();
        self.way.queue.add(Job::Push { push, share, ticket })?;
        request.outcome().await?
    }

    /// Has `errand` done with the store between two commits: all points up to [`Store::head`] are published then, and
    /// none beyond.
    ///
    /// # Errors
    /// [`CommitError::Closed`] if the server is shutting down, [`CommitError::Overdue`] or [`CommitError::Busy`] if the
    /// thread has too much to do. The errand was not done then and will not be.
    pub async fn run<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, CommitError> {
        let (ticket, request) = pair();
        self.way.queue.add(Job::Errand(Box::new(move |store| {
            if let Some(answer) = ticket.take() {
                // The errand is done even if the requester left meanwhile.
                let _gone = answer.send(errand(store));
            }
        })))?;
        request.outcome().await
    }
}

/// Ends the queue when the thread ends, also by a panic.
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn work(mut store: Store, retention: &Retention, queue: &Queue, mut publish: impl FnMut(Vec<Committed>)) {
    let mut group = Vec::new();
    let condition = store.condition();
    store.observe(clock::now(), clock::asleep());
    let mut tick_at = Instant::now() + TEND_EVERY;
    loop {
        let allowed = allowed(&store);
        if queue.next(allowed, tick_at, &mut group) == Next::End {
            break;
        }
        let (mut pushes, mut taken) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        let mut errands = Vec::new();
        for job in group.drain(..) {
            match job {
                Job::Push { push, share, ticket } => {
                    // A push that was withdrawn is dropped here.
                    if let Some(answer) = ticket.take() {
                        pushes.push(push);
                        taken.push(TakenPush { answer, _share: share });
                    }
                }
                Job::Errand(errand) => errands.push(errand),
            }
        }
        let (blocks, mut committed) = (store.fresh().len(), 0);
        if !pushes.is_empty() {
            let outcome = store.commit(pushes, clock::now());
            committed = outcome.committed.len();
            if !outcome.committed.is_empty() {
                publish(outcome.committed);
            }
            for (TakenPush { answer, .. }, result) in taken.into_iter().zip(outcome.results) {
                // The points are kept even if the requester left meanwhile.
                let _gone = answer.send(result);
            }
        }
        // A group of long pushes is one too many at most: no further one is taken until enough blocks are written.
        let owed = match allowed {
            Allowed::All => 0,
            Allowed::FewShort => store.fresh().len().saturating_sub(blocks),
        };
        errands.into_iter().for_each(|errand| errand(&mut store));
        let is_tick = Instant::now() >= tick_at;
        if is_tick {
            tick_at = Instant::now() + TEND_EVERY;
            store.observe(clock::now(), clock::asleep());
        }
        if condition.lost().is_none() {
            let written = write_due(&mut store, owed, queue);
            let owed = if store.is_behind() { 1 + committed / ROWS as usize } else { usize::from(is_tick) };
            let swept = sweep(&mut store, retention, owed, queue);
            let swept = if is_tick { swept.and(tend(&mut store)) } else { swept };
            if is_tick || written.is_err() || swept.is_err() {
                condition.tended(written.and(swept));
            }
        }
    }
}

/// Decides which jobs may be taken now. While too many blocks wait to be written, large pushes wait too, since each
/// adds many blocks.
fn allowed(store: &Store) -> Allowed {
    if store.fresh().is_crowded() { Allowed::FewShort } else { Allowed::All }
}

/// Writes due blocks until a job waits, at least one step. If too many blocks wait, writes for [`CROWDED_SLICE`], and at
/// least `owed` blocks.
fn write_due(store: &mut Store, owed: usize, queue: &Queue) -> rusqlite::Result<()> {
    let (mut written, until) = (0, Instant::now() + CROWDED_SLICE);
    loop {
        // After a failure, the next group or tick tries again; until then the log has the points.
        let is_hurried = queue.has(Allowed::FewShort);
        let step = if store.fresh().has_many() && !is_hurried { MANY_BLOCKS } else { BLOCKS };
        let count = store.settle(step, Due::By(clock::now().up))?;
        written += count;
        if count < step {
            return Ok(());
        }
        let is_behind = store.fresh().is_crowded() && (written < owed || Instant::now() < until);
        if !is_behind && queue.has(allowed(store)) {
            return Ok(());
        }
    }
}

/// Deletes rows that are past their retention: `owed` steps, and more while old rows are left and no job waits. The
/// caller owes steps in proportion to the points committed, so that old rows get fewer even if jobs always wait.
fn sweep(store: &mut Store, retention: &Retention, mut owed: usize, queue: &Queue) -> rusqlite::Result<()> {
    while owed > 0 || (store.is_behind() && !queue.has(allowed(store))) {
        owed = owed.saturating_sub(1);
        let now = clock::now();
        let now = Now { wall: store.time(now.wall), ..now };
        if store.sweep(retention, now)? == Swept::Rest {
            break;
        }
    }
    Ok(())
}

/// Does the work of each tick: measures disk space and forgets old keys.
fn tend(store: &mut Store) -> rusqlite::Result<()> {
    let now = clock::now();
    store.measure_now_and_then(now.up);
    store.forget_keys(store.time(now.wall)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::super::claim::LONGEST_WAIT;
    use super::*;
    use shared::{Millis, Number, Point, Value};
    use std::sync::mpsc;

    /// Starts a writer that blocks after its first commit until it is released.
    fn stalled(folder: &std::path::Path) -> (Writer, JoinHandle<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let store = Store::open(folder).unwrap();
        let (at_it, is_at_it) = mpsc::channel();
        let (let_go, is_let_go) = mpsc::channel::<()>();
        let (writer, thread) = Writer::start(store, Retention::default(), move |_| {
            let _nobody_looks = at_it.send(());
            // Once the other end is gone, it goes on by itself.
            let _let_go = is_let_go.recv();
        })
        .unwrap();
        (writer, thread, is_at_it, let_go)
    }

    fn push(series: &str) -> Push {
        let value = Value::Number(Number::new(1.0).unwrap());
        Push::of([Point { series: series.parse().unwrap(), ts: Millis(1_732_399_200_000), value }])
    }

    fn kept(folder: &std::path::Path) -> Vec<String> {
        let mut names = Vec::new();
        Store::open(folder).unwrap().recover(|series| names.push(series.name.to_string())).unwrap();
        names.sort();
        names
    }

    #[tokio::test(start_paused = true)]
    async fn push_answered_with_an_error_was_not_kept_and_a_taken_push_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread, is_at_it, let_go) = stalled(folder.path());
        let commit = |series: &str| {
            let (writer, push) = (writer.clone(), push(series));
            tokio::spawn(async move { writer.commit(push, Share::unbounded()).await })
        };
        let kept_late = commit("a");
        tokio::task::yield_now().await;
        is_at_it.recv().unwrap();
        let overdue = commit("b");
        let left = commit("c");
        let (done, not_done) = mpsc::channel();
        let errand = tokio::spawn({
            let writer = writer.clone();
            async move { writer.run(move |_| done.send(()).unwrap()).await }
        });
        tokio::time::sleep(LONGEST_WAIT / 2).await;
        left.abort();
        assert_eq!(overdue.await.unwrap(), Err(CommitError::Overdue));
        assert_eq!(errand.await.unwrap(), Err(CommitError::Overdue));
        tokio::time::sleep(10 * LONGEST_WAIT).await;
        assert!(!kept_late.is_finished(), "the writer has taken it: only the outcome tells whether it is kept");
        // From here on, real time counts.
        tokio::time::resume();
        drop(let_go);
        assert_eq!(kept_late.await.unwrap(), Ok(()));
        assert_eq!(writer.commit(push("d"), Share::unbounded()).await, Ok(()));
        drop(writer);
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
        assert_eq!(not_done.try_recv(), Err(mpsc::TryRecvError::Disconnected), "nor was the errand done");
        assert_eq!(kept(folder.path()), ["a", "d"]);
    }

    #[tokio::test]
    async fn push_releases_its_memory_once_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _thread, is_at_it, let_go) = stalled(folder.path());
        let memory = crate::push_memory::PushMemory::new(1 << 20);
        let mut share = memory.share();
        share.grow(1_000).unwrap();
        let committing = tokio::spawn({
            let writer = writer.clone();
            async move { writer.commit(push("a"), share).await }
        });
        tokio::task::spawn_blocking(move || is_at_it.recv().unwrap()).await.unwrap();
        assert_eq!(memory.used(), 1_000, "it is committed and not answered yet");
        drop(let_go);
        assert_eq!(committing.await.unwrap(), Ok(()));
        // The errand runs after the push is finished.
        writer.run(|_| ()).await.unwrap();
        assert_eq!(memory.used(), 0);
    }
}
