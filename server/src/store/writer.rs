//! The writer thread, the only one that writes to the database.
//!
//! Each request to it is a job, which the requester may withdraw until the thread takes it ([`super::claim`]). So
//! every error, also a time-out, means that the job was not done.
//!
//! One round of the loop commits a group of pushes, publishes them, answers them, runs other operations, and then flushes some
//! blocks and deletes some old rows.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shared::{BoardId, Millis, Seq, SeriesName};

use super::audit::StoredEvent;
use super::claim::{Ticket, pair};
use super::lanes::Allowed;
use super::local_log::EntryOutcome;
use super::memtable::Due;
use super::migration;
use super::node_log::NodeLog;
use super::operation::{Job, Operation, TakenPush};
use super::queue::{Next, Queue};
use super::removal::Removed;
use super::retention::{ROWS, Swept};
use super::{CommitError, Condition, Retention, Store, StoreStats};
use crate::clock::{self, Now};
use crate::limits::push_memory::Share;
use crate::log::postgres::ClusterStatus;
use crate::log::{
    AuditEvent, BoardChange, BoardChanged, By, Change, Entry, LinkChange, LinkRecord, LinkRefusal, Push, SeriesId,
    TokenChange, TokenName, TokenRecord, TokenRefusal, TrackCache, TrackError, UserChange, UserRefusal, UserState,
    WarmSeries,
};

/// The interval of the work that is not caused by pushes: observing the clock, the disk and the file.
const MAINTAIN_EVERY: Duration = Duration::from_millis(200);

/// The most blocks that one step writes before the queue is looked at again: some milliseconds of work.
const BLOCKS: usize = 16;

/// The most blocks that one step writes while many blocks wait, as during an import of the past. Most blocks of such
/// a step are of one series, and share the coarser blocks. If they are not, the step takes a tenth of a second, so
/// short jobs must not wait for it.
const MANY_BLOCKS: usize = 512;

/// The time for which blocks are written after each group while too many of them wait, even if jobs wait too.
const FLUSH_SLICE: Duration = Duration::from_millis(10);

/// A handle for sending jobs to the writer thread. Clones share the thread; it ends when all handles are dropped.
#[derive(Clone, Debug)]
pub struct Writer {
    handle: Arc<WriterHandle>,
    condition: Condition,
    /// The state of the shared log, if the node has one.
    cluster: Option<ClusterStatus>,
}

/// Closes the queue when it is dropped.
struct WriterHandle {
    queue: Arc<Queue>,
    stats: Arc<StoreStats>,
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for WriterHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("WriterHandle").field("waiting", &self.queue.len()).finish()
    }
}

impl Writer {
    /// Starts the thread. It takes the waiting pushes and appends them at once. So they are committed and the
    /// subscribers of the log have them before they are answered: a client that reads after its push was acknowledged
    /// sees the points. In between, the thread flushes the memtable and deletes what is past its retention.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub fn start(mut log: Box<dyn NodeLog>, retention: Retention) -> std::io::Result<(Self, JoinHandle<()>)> {
        let store = log.store_mut();
        store.set_retention(&retention);
        let queue = Arc::new(Queue::default());
        let waker = Arc::downgrade(&queue);
        log.on_ring(Box::new(move || {
            if let Some(queue) = waker.upgrade() {
                queue.ring();
            }
        }));
        let cluster = log.cluster();
        let store = log.store_mut();
        let (end, stats, condition) = (End(queue.clone()), store.stats(), store.condition());
        let run = move || work(log, &retention, &end.0);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run)?;
        Ok((Self { handle: Arc::new(WriterHandle { queue, stats }), condition, cluster }, thread))
    }

    /// Returns true while the thread accepts pushes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.handle.queue.is_open()
    }

    /// Returns the figures of the store, and whether there is room for pushes.
    #[must_use]
    pub fn stats(&self) -> &StoreStats {
        &self.handle.stats
    }

    /// Returns the same figures for a task that may outlive all handles.
    #[must_use]
    pub fn shared_stats(&self) -> Arc<StoreStats> {
        self.handle.stats.clone()
    }

    /// Returns the condition of the store: whether it accepts pushes, and warnings.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Returns the state of the shared log; `None` if the node has a log of its own.
    #[must_use]
    pub fn cluster(&self) -> Option<&ClusterStatus> {
        self.cluster.as_ref()
    }

    /// Refuses at once what cannot be appended now.
    fn check_log(&self) -> Result<(), CommitError> {
        let away = self.cluster.as_ref().and_then(ClusterStatus::away);
        away.map_or(Ok(()), |away| Err(CommitError::LogAway(away.to_string())))
    }

    /// Commits a push; on return it is on the disk and published. `share` reserves the memory of the push until then.
    /// If the future is dropped earlier, nothing is stored, unless the thread has taken the push already.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of it was stored.
    pub async fn commit(&self, push: Push, share: Share) -> Result<(), CommitError> {
        self.check_log()?;
        let (ticket, request) = pair();
        self.handle.queue.add(Job::Push { push, share, ticket })?;
        request.outcome().await?
    }

    /// Removes a series from all lists and answers; `None` if there is none of that name. Then call
    /// [`Writer::erase_series`] until its points are erased, too.
    ///
    /// # Errors
    /// [`CommitError`]; then the series is unchanged.
    pub async fn remove_series(&self, name: SeriesName, by: By) -> Result<Option<Removed>, CommitError> {
        self.request(|ticket| Operation::RemoveSeries { name, by, ticket }).await?
    }

    /// Erases some of the points of a removed series. Returns true if there are more.
    ///
    /// # Errors
    /// [`CommitError`]. The rest is erased at the next start.
    pub async fn erase_series(&self, series: SeriesId) -> Result<bool, CommitError> {
        self.request(|ticket| Operation::EraseSeries { series, ticket }).await?
    }

    /// Loads evicted tracks into `cache`, at a moment at which the cache has exactly the points that the store has.
    ///
    /// # Errors
    /// [`CommitError`] if the thread did not take the operation; the inner error if a track cannot be read.
    pub async fn rehydrate(
        &self,
        series: Vec<WarmSeries>,
        cache: impl TrackCache + 'static,
    ) -> Result<Result<(), TrackError>, CommitError> {
        let cache = Box::new(cache);
        self.request(|ticket| Operation::Rehydrate { series, cache, ticket }).await
    }

    /// Changes a board between two groups of pushes, unless another change comes first.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has changed.
    pub async fn change_board(&self, change: BoardChange, by: By) -> Result<BoardChanged, CommitError> {
        self.request(|ticket| Operation::ChangeBoard { change, by, ticket }).await?
    }

    /// Forgets a deleted board; see [`Change::ForgetBoard`].
    ///
    /// # Errors
    /// [`CommitError`]; then it is still remembered.
    pub async fn forget_board(&self, id: BoardId, since: Seq) -> Result<(), CommitError> {
        self.request(|ticket| Operation::ForgetBoard { id, since, ticket }).await?
    }

    /// Changes a token between two groups of pushes, if the change fits. On return, all subscribers of the log have it.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the token is unchanged.
    pub async fn change_token(
        &self,
        change: TokenChange,
        by: By,
    ) -> Result<Result<TokenRecord, TokenRefusal>, CommitError> {
        self.request(|ticket| Operation::ChangeToken { change, by, ticket }).await?
    }

    /// Changes a user between two groups of pushes, if the change fits. On return, all subscribers of the log have it.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the user is unchanged.
    pub async fn change_user(&self, change: UserChange, by: By) -> Result<Result<UserState, UserRefusal>, CommitError> {
        self.request(|ticket| Operation::ChangeUser { change, by, ticket }).await?
    }

    /// Changes a link between two groups of pushes, if the change fits. On return, all subscribers of the log have it.
    ///
    /// # Errors
    /// [`CommitError`]; the inner error if the change does not fit. Then the link is unchanged.
    pub async fn change_link(
        &self,
        change: LinkChange,
        by: By,
    ) -> Result<Result<LinkRecord, LinkRefusal>, CommitError> {
        self.request(|ticket| Operation::ChangeLink { change, by, ticket }).await?
    }

    /// Adds an event that belongs to no change to the audit log.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn add_event(&self, event: AuditEvent) -> Result<(), CommitError> {
        self.request(|ticket| Operation::AddEvent { event, ticket }).await?
    }

    /// Reads the newest events of the audit log whose number is below `before`, the oldest first.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn events(&self, before: Option<u64>, most: usize) -> Result<Vec<StoredEvent>, CommitError> {
        self.request(|ticket| Operation::ReadEvents { before, most, ticket }).await?
    }

    /// Stores the times at which tokens were last used.
    ///
    /// # Errors
    /// [`CommitError`]; then the former times are kept.
    pub async fn note_token_uses(&self, uses: Vec<(TokenName, Millis)>) -> Result<(), CommitError> {
        self.request(|ticket| Operation::NoteTokenUses { uses, ticket }).await?
    }

    /// Queues an operation and waits for its answer.
    async fn request<T>(&self, operation: impl FnOnce(Ticket<T>) -> Operation) -> Result<T, CommitError> {
        let (ticket, request) = pair();
        self.handle.queue.add(Job::Operation(operation(ticket)))?;
        request.outcome().await
    }
}

/// Ends the queue when the thread ends, also after a panic.
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn work(mut log: Box<dyn NodeLog>, retention: &Retention, queue: &Queue) {
    let mut group = Vec::new();
    let condition = log.store().condition();
    log.store_mut().observe(clock::now(), clock::asleep());
    let mut tick_at = Instant::now() + MAINTAIN_EVERY;
    loop {
        let allowed = allowed(log.store());
        if queue.next(allowed, tick_at, &mut group) == Next::End {
            break;
        }
        log.follow();
        let (mut entries, mut taken) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        let mut operations = Vec::new();
        let terms = log.store().terms(clock::now().wall);
        for job in group.drain(..) {
            match job {
                Job::Push { push, share, ticket } => {
                    // A push that was withdrawn is dropped here.
                    if let Some(answer) = ticket.take() {
                        entries.push(Entry { terms, change: Change::Points(push), by: None });
                        taken.push(TakenPush { answer, _share: share });
                    }
                }
                Job::Operation(operation) => operations.push(operation),
            }
        }
        let (blocks, before) = (log.store().memtable().len(), log.store().head());
        if !entries.is_empty() {
            let outcomes = log.append(entries).outcomes;
            for (TakenPush { answer, .. }, outcome) in taken.into_iter().zip(outcomes) {
                let EntryOutcome::Points(result) = outcome else { unreachable!("a push has the outcome of a push") };
                // The points are stored even if the requester left meanwhile.
                let _gone = answer.send(result);
            }
        }
        let committed = log.store().head().0 - before.0;
        // The blocks that this group added while too many waited. At least this many must be written before the next
        // group, so the excess is one group of long pushes at most.
        let owed = match allowed {
            Allowed::All => 0,
            Allowed::FewShort => log.store().memtable().len().saturating_sub(blocks),
        };
        operations.into_iter().for_each(|operation| operation.run(&mut *log));
        let store = log.store_mut();
        let is_tick = Instant::now() >= tick_at;
        if is_tick {
            tick_at = Instant::now() + MAINTAIN_EVERY;
            store.observe(clock::now(), clock::asleep());
        }
        if condition.lost().is_none() {
            let written = flush_due(store, owed, queue);
            let owed = if store.is_behind() {
                1 + usize::try_from(committed / u64::from(ROWS)).unwrap_or(usize::MAX - 1)
            } else {
                usize::from(is_tick)
            };
            let swept = sweep(store, retention, owed, queue);
            let swept = if is_tick { swept.and(maintain(store)) } else { swept };
            if is_tick || written.is_err() || swept.is_err() {
                condition.maintained(written.and(swept));
            }
        }
    }
}

/// Decides which jobs may be taken now. While too many blocks wait to be written, large pushes wait too, since each
/// adds many blocks.
fn allowed(store: &Store) -> Allowed {
    if store.memtable().is_full() { Allowed::FewShort } else { Allowed::All }
}

/// Writes due blocks until a job waits, at least one step. If too many blocks wait, writes for [`FLUSH_SLICE`], and
/// at least `owed` blocks.
fn flush_due(store: &mut Store, owed: usize, queue: &Queue) -> rusqlite::Result<()> {
    let (mut written, until) = (0, Instant::now() + FLUSH_SLICE);
    loop {
        // After a failure, the next group or tick tries again; until then the log has the points.
        let has_waiting = queue.has(Allowed::FewShort);
        let step = if store.memtable().is_over_target() && !has_waiting { MANY_BLOCKS } else { BLOCKS };
        let count = store.flush(step, Due::By(clock::now().up))?;
        written += count;
        if count < step {
            return Ok(());
        }
        let is_behind = store.memtable().is_full() && (written < owed || Instant::now() < until);
        if !is_behind && queue.has(allowed(store)) {
            return Ok(());
        }
    }
}

/// Deletes rows that are past their retention: `owed` steps, and more while old rows are left and no job waits. The
/// caller sets `owed` in proportion to the points committed, so that old rows get fewer even if jobs always wait.
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

/// Does the work of each tick: measures disk space, gives free space back, and deletes old keys and old events of the
/// audit log.
fn maintain(store: &mut Store) -> rusqlite::Result<()> {
    migration::give_back(store)?;
    let now = clock::now();
    store.measure_if_outdated(now.up);
    let at = store.time(now.wall);
    store.forget_events(at, now.up)?;
    store.forget_keys(at).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::super::commit::LONGEST_WAIT;
    use super::super::local_log::LocalLog;
    use super::*;
    use crate::log::{Applied, Log as _, LogSubscriber, Tracks};
    use shared::{Millis, Number, Point, Value};
    use std::sync::mpsc;

    /// A subscriber that blocks at each entry.
    struct Stalling {
        at_it: mpsc::Sender<()>,
        is_let_go: mpsc::Receiver<()>,
    }

    impl LogSubscriber for Stalling {
        fn apply(&mut self, _: &Applied<'_>, _: &dyn Tracks) {
            let _nobody_looks = self.at_it.send(());
            // When the sender is dropped, `recv` returns, and the thread continues.
            let _let_go = self.is_let_go.recv();
        }
    }

    /// Starts a writer that blocks after its first commit until the returned sender is used or dropped.
    fn stalled(folder: &std::path::Path) -> (Writer, JoinHandle<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let store = Store::open(folder).unwrap();
        let (at_it, is_at_it) = mpsc::channel();
        let (let_go, is_let_go) = mpsc::channel::<()>();
        let mut log = LocalLog::new(store);
        log.subscribe(log.store().head(), Box::new(Stalling { at_it, is_let_go })).unwrap();
        let (writer, thread) = Writer::start(Box::new(log), Retention::default()).unwrap();
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
        let operation = tokio::spawn({
            let writer = writer.clone();
            async move { writer.forget_board("ops".parse().unwrap(), Seq(7)).await }
        });
        tokio::time::sleep(LONGEST_WAIT / 2).await;
        left.abort();
        assert_eq!(overdue.await.unwrap(), Err(CommitError::Overdue));
        assert_eq!(operation.await.unwrap(), Err(CommitError::Overdue));
        tokio::time::sleep(10 * LONGEST_WAIT).await;
        assert!(!kept_late.is_finished(), "the writer has taken it: only the outcome tells whether it is kept");
        // From here on, real time passes.
        tokio::time::resume();
        drop(let_go);
        assert_eq!(kept_late.await.unwrap(), Ok(()));
        assert_eq!(writer.commit(push("d"), Share::unbounded()).await, Ok(()));
        drop(writer);
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
        assert_eq!(kept(folder.path()), ["a", "d"]);
        assert_eq!(Store::open(folder.path()).unwrap().forgotten_since(), Seq::ZERO, "nor was the operation run");
    }

    #[tokio::test]
    async fn push_releases_its_memory_once_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _thread, is_at_it, let_go) = stalled(folder.path());
        let memory = crate::limits::push_memory::PushMemory::new(1 << 20);
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
        // The operation runs after the push is finished.
        writer.erase_series(SeriesId(1)).await.unwrap();
        assert_eq!(memory.used(), 0);
    }
}
