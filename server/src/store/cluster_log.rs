//! The log of a node of a cluster: entries are appended to the shared log, and each node applies the rows of the shared
//! log in order to its own store.
//!
//! A push is answered when its own node has applied it. If the connection is lost between, the push may be in the log;
//! its sender gets an error that says so. Everything that decides about a push (repeats, idempotency keys, kinds) is
//! decided when it is applied, from the entry and the state alone, and so alike on all nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shared::{Seq, SeriesName};

use super::local_log::{EntryOutcome, LocalLog};
use super::membership::AppliedRow;
use super::memtable::Due;
use super::node_log::NodeLog;
use super::{CommitError, Directory, Store};
use crate::log::postgres::{AppendError, Away, ClusterStatus, LogRow, Position, SharedLog};
use crate::log::push::NewSeries;
use crate::log::stored::{self, UnpackError};
use crate::log::{Appended, Applied, Change, Entry, Log, LogSubscriber, OutOfRange, SeriesId, Tracks};

/// The longest time for which rows of other nodes are applied before jobs of this node are looked at again.
const FOLLOW_SLICE: Duration = Duration::from_millis(50);

/// The time after which the log is read although nobody has rung.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// The blocks that are written at once while the log is read at the start.
const BLOCKS: usize = 512;

/// The reason why a node cannot follow the shared log. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The log cannot be reached.
    #[error(transparent)]
    Away(#[from] Away),
    /// This node cannot apply a row now.
    #[error("cannot apply a change of the shared log: {0}")]
    Store(#[from] CommitError),
    /// An entry cannot be read.
    #[error("cannot read the change at {position} of the shared log: {reason}")]
    Unreadable {
        /// The position.
        position: Position,
        /// The reason.
        reason: UnpackError,
    },
    /// The log no longer has the rows that this node needs next.
    #[error(
        "the shared log no longer has what this node needs: it has applied {applied}, and the next row is {next}; name an empty folder with --data, and a log that reaches back to its beginning"
    )]
    Truncated {
        /// The last position that the node has applied.
        applied: Position,
        /// The first position that the log has.
        next: Position,
    },
    /// Rows of the store cannot be read, so the node would apply entries to another state than the other nodes.
    #[error("{0}; name an empty folder with --data: the node reads the shared log into it")]
    Damaged(String),
    /// The log does not have the row that this node applied last.
    #[error(
        "the shared log has another past than this node: the change at {0} is missing or differs, as when the log was restored from an older copy; name an empty folder with --data: the node reads the log into it"
    )]
    OtherPast(Position),
}

impl FollowError {
    /// Returns true if the same attempt may succeed later.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Store(_))
    }
}

/// The log of a node of a cluster.
#[derive(Debug)]
pub struct ClusterLog {
    local: LocalLog,
    shared: SharedLog,
    status: ClusterStatus,
    names: RowNames,
    /// The number of the link over which the past of the log was checked last; the first one is 0.
    checked_link: u64,
    /// The time at which the log is read without a ring.
    poll_at: Instant,
    /// Set by the doorbell.
    is_rung: Arc<std::sync::atomic::AtomicBool>,
    /// The reason why this node stopped following.
    stopped: Option<String>,
}

/// Applies all rows that the shared log has to a store without subscribers, before the state is read from it.
///
/// # Errors
/// [`FollowError`].
pub fn catch_up(store: Store, shared: &SharedLog) -> Result<Store, FollowError> {
    let mut local = LocalLog::new(store);
    if let Some(warning) = local.store().damage().warning() {
        return Err(FollowError::Damaged(warning));
    }
    check_past(local.store(), shared, shared.head_at_start())?;
    let wanted = shared.head_at_start();
    let mut logged = Instant::now();
    loop {
        let applied = position(local.store());
        let (rows, is_full) = shared.rows_after(applied)?;
        if rows.is_empty() && applied < wanted {
            return Err(FollowError::Truncated { applied, next: wanted });
        }
        for row in rows {
            apply(&mut local, &row)?;
        }
        while local.store().memtable().is_over_target() {
            let flushed = local.store_mut().flush(BLOCKS, Due::All);
            flushed.map_err(CommitError::from)?;
        }
        let position = self::position(local.store());
        if !is_full && position >= wanted {
            shared.status().applied(position, local.store().head(), true);
            return Ok(local.into_store());
        }
        if logged.elapsed() > Duration::from_secs(5) {
            logged = Instant::now();
            tracing::info!("read the shared log up to {position} of {wanted}");
        }
    }
}

/// Checks that a log, whose last position is at least `head`, has the row that the store applied last.
fn check_past(store: &Store, shared: &SharedLog, head: Position) -> Result<(), FollowError> {
    let AppliedRow { position, checksum } = store.applied_row().unwrap_or_default();
    if position == 0 {
        return Ok(());
    }
    let is_same = match shared.row_at(position)? {
        Some(row) => row.checksum() == checksum,
        // The row may have been deleted from the log, but then the next one is there.
        None => position < head,
    };
    if is_same { Ok(()) } else { Err(FollowError::OtherPast(position)) }
}

fn position(store: &Store) -> Position {
    store.applied_row().map_or(0, |row| row.position)
}

/// Applies the next row.
fn apply(local: &mut LocalLog, row: &LogRow) -> Result<Vec<EntryOutcome>, FollowError> {
    let applied = position(local.store());
    if row.position != applied + 1 {
        return Err(FollowError::Truncated { applied, next: row.position });
    }
    let directory = local.store().directory();
    let look = directory.look();
    let entries = stored::unpack(&row.entries, |series, kind| look.row_of(series, kind));
    drop(look);
    let entries = entries.map_err(|reason| FollowError::Unreadable { position: row.position, reason })?;
    let applied = AppliedRow { position: row.position, checksum: row.checksum() };
    Ok(local.apply_row(applied, entries)?)
}

impl ClusterLog {
    /// Creates the log of a store that has [caught up](catch_up), without subscribers.
    #[must_use]
    pub fn new(store: Store, shared: SharedLog) -> Self {
        let names = RowNames::of(&store.directory());
        let mut local = LocalLog::new(store);
        let head = local.store().head();
        local.subscribe(head, Box::new(names.clone())).expect("the store is at its head");
        let (status, poll_at) = (shared.status(), Instant::now());
        Self { local, shared, status, names, checked_link: 0, poll_at, is_rung: Arc::default(), stopped: None }
    }

    /// Applies the rows of the log until `until`, or until the row of this node with the number `own`. Returns the
    /// outcomes of the entries of the rows of this node from `first` on, and true if there are more rows.
    fn apply_until(
        &mut self,
        until: Option<Instant>,
        own: std::ops::RangeInclusive<u64>,
    ) -> Result<(Vec<EntryOutcome>, bool), FollowError> {
        self.check_link()?;
        let mut outcomes = Vec::new();
        loop {
            let (rows, is_full) = self.shared.rows_after(position(self.local.store()))?;
            let count = rows.len();
            for (at, row) in (1..).zip(rows) {
                let of_row = apply(&mut self.local, &row)?;
                let is_last = at == count && !is_full;
                self.note_applied(is_last);
                if row.run == self.shared.run() && own.contains(&row.batch) {
                    outcomes.extend(of_row);
                    if row.batch == *own.end() {
                        return Ok((outcomes, !is_last));
                    }
                }
                if until.is_some_and(|until| Instant::now() >= until) {
                    return Ok((outcomes, !is_last));
                }
            }
            if !is_full {
                self.note_applied(true);
                return Ok((outcomes, false));
            }
        }
    }

    /// Checks the past of the log again after the connections were opened again.
    fn check_link(&mut self) -> Result<(), FollowError> {
        let (number, head) = self.shared.link_opened()?;
        if number != self.checked_link {
            check_past(self.local.store(), &self.shared, head)?;
            self.checked_link = number;
        }
        Ok(())
    }

    fn note_applied(&self, is_last: bool) {
        let store = self.local.store();
        self.status.applied(position(store), store.head(), is_last);
    }

    /// Applies rows that this node has just appended, if no other node has appended since the last one that is applied.
    fn apply_own(&mut self, rows: &[Vec<u8>], first: u64, at: Position) -> Result<Vec<EntryOutcome>, FollowError> {
        if at != position(self.local.store()) + 1 {
            let last = first + rows.len() as u64 - 1;
            return self.apply_until(None, first..=last).map(|(outcomes, _)| outcomes);
        }
        let mut outcomes = Vec::new();
        for (number, entries) in (0..).zip(rows) {
            let (position, batch) = (at + number, first + number);
            let row = LogRow { position, run: self.shared.run(), batch, entries: entries.clone() };
            outcomes.extend(apply(&mut self.local, &row)?);
        }
        self.note_applied(true);
        Ok(outcomes)
    }

    /// Records an error. One that no later attempt can mend stops the node, which would show old numbers as new.
    fn failed(&mut self, error: &FollowError) {
        match error {
            FollowError::Away(_) => {}
            error if error.is_passing() => self.status.cannot_apply(&error.to_string()),
            error => {
                self.status.stop(&error.to_string());
                self.stopped = Some(error.to_string());
            }
        }
    }

    /// Erases some points of a series that any node removed.
    fn erase_removed(&mut self) {
        let Some(series) = self.names.0.lock().removed.last().copied() else { return };
        // What is left after an error is erased at the next start.
        if !self.local.store_mut().erase(series).unwrap_or(false) {
            self.names.0.lock().removed.retain(|other| *other != series);
        }
    }

    /// Groups entries into rows: neighbouring pushes are one row, and any other change is a row of its own.
    fn rows_of(&self, batch: &[Entry]) -> Vec<Vec<u8>> {
        let directory = self.local.store().directory();
        let rows = self.names.0.lock();
        let name_of = |row: SeriesId| {
            let look = directory.look();
            let listed = || look.iter().find(|(_, listed)| listed.id == row).map(|(name, _)| name.clone());
            let name = rows.names.get(row.index()).cloned().flatten().or_else(listed);
            let name = name.expect("a push refers to a row that this node has listed");
            let source = look.find(&name).and_then(|row| row.origin.source());
            NewSeries { name, source }
        };
        let is_push = |entry: &Entry| matches!(entry.change, Change::Points(_));
        let groups = batch.chunk_by(|one, next| is_push(one) && is_push(next));
        groups.map(|group| stored::pack(group, name_of)).collect()
    }
}

impl Log for ClusterLog {
    type Outcome = EntryOutcome;

    fn append(&mut self, batch: Vec<Entry>) -> Appended<EntryOutcome> {
        let failed = |error: &CommitError| {
            batch.iter().map(|entry| EntryOutcome::failed(&entry.change, error.clone())).collect()
        };
        let checked = self.check_link();
        if let Err(error) = &checked {
            self.failed(error);
        }
        let outcomes = if let Some(why) = &self.stopped {
            failed(&CommitError::LogAway(why.clone()))
        } else if let Err(error) = checked {
            failed(&CommitError::LogAway(error.to_string()))
        } else {
            let rows = self.rows_of(&batch);
            match self.shared.append(rows.clone()) {
                Ok((first, at)) => match self.apply_own(&rows, first, at) {
                    Ok(outcomes) if outcomes.len() == batch.len() => outcomes,
                    Ok(_) => failed(&CommitError::InDoubt("this node has not applied the push yet".to_owned())),
                    Err(error) => {
                        let outcomes = failed(&CommitError::InDoubt(error.to_string()));
                        self.failed(&error);
                        outcomes
                    }
                },
                Err(error @ AppendError::InDoubt(_)) => failed(&CommitError::InDoubt(error.to_string())),
                Err(error) => failed(&CommitError::LogAway(error.to_string())),
            }
        };
        Appended { position: self.local.store().head(), outcomes }
    }

    fn subscribe(&mut self, from: Seq, subscriber: Box<dyn LogSubscriber>) -> Result<(), OutOfRange> {
        self.local.subscribe(from, subscriber)
    }
}

impl NodeLog for ClusterLog {
    fn store(&self) -> &Store {
        self.local.store()
    }

    fn store_mut(&mut self) -> &mut Store {
        self.local.store_mut()
    }

    fn cluster(&self) -> Option<ClusterStatus> {
        Some(self.status.clone())
    }

    fn follow(&mut self) {
        let is_rung = self.is_rung.swap(false, std::sync::atomic::Ordering::AcqRel);
        if self.stopped.is_some() || !(is_rung || Instant::now() >= self.poll_at) {
            return;
        }
        self.poll_at = Instant::now() + POLL_EVERY;
        match self.apply_until(Some(Instant::now() + FOLLOW_SLICE), 0..=0) {
            Ok((_, false)) => {}
            // The rest comes after the next jobs.
            Ok((_, true)) => self.poll_at = Instant::now(),
            Err(error) => self.failed(&error),
        }
        self.erase_removed();
    }

    fn on_ring(&mut self, ring: Box<dyn Fn() + Send + Sync>) {
        let is_rung = self.is_rung.clone();
        self.shared.on_ring(Box::new(move || {
            is_rung.store(true, std::sync::atomic::Ordering::Release);
            ring();
        }));
    }
}

/// The names of all rows, and the removed series whose points are still to be erased.
#[derive(Clone, Debug)]
struct RowNames(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    /// By [`SeriesId::index`]. The name of a removed series stays, for pushes that were parsed before.
    names: Vec<Option<SeriesName>>,
    removed: Vec<SeriesId>,
}

impl RowNames {
    fn of(directory: &Directory) -> Self {
        let look = directory.look();
        let mut names = vec![None; look.last_row() as usize];
        for (name, row) in look.iter() {
            names[row.id.index()] = Some(name.clone());
        }
        Self(Arc::new(Mutex::new(Rows { names, removed: Vec::new() })))
    }
}

impl LogSubscriber for RowNames {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        let Rows { names, removed } = &mut *self.0.lock();
        match applied {
            Applied::Points(points) => {
                for point in *points {
                    if let Some(name) = &point.begins {
                        let index = point.series.index();
                        if names.len() <= index {
                            names.resize(index + 1, None);
                        }
                        names[index] = Some(name.clone());
                    }
                }
            }
            Applied::SeriesRemoved { series, .. } => removed.push(*series),
            Applied::Board { .. }
            | Applied::BoardForgotten { .. }
            | Applied::Token(_)
            | Applied::User(_)
            | Applied::Link(_) => {}
        }
    }
}
