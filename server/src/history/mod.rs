//! `GET /api/history`: the past of series.
//!
//! [`api`] is the call: [`query`] parses the request, [`plan`] chooses the buckets that answer it, [`past`] reads them, [`answer`] encodes
//! them, [`job`] does both in steps, and [`body`] streams the steps to the socket. Reading has its own connections and
//! threads, so that no push waits for it; [`newest`] reads what a reading needs; [`read_queue`] bounds them, and [`cancel`] ends work whose request is gone, and [`error`] is the
//! reason why there is no answer.

pub mod answer;
pub mod api;
mod body;
pub mod cancel;
pub mod error;
pub mod job;
pub mod newest;
pub mod past;
pub mod plan;
pub mod query;
pub mod read_queue;
#[cfg(test)]
mod tests;
pub mod time;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use cancel::Cancel;
use job::{Job, Piece, Stored};
use past::PastError;
use read_queue::{Counts, ReadQueue};

use crate::limits::Limits;
use crate::store::damage::Damage;
use crate::store::memtable::Memtable;
use crate::store::{BUSY_TIMEOUT, FILE};
use crate::store::{Condition, Retention, Store};

/// Reads the past of series. Clones share the state.
#[derive(Clone, Debug)]
pub struct History(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    memtable: Arc<Memtable>,
    damage: Damage,
    condition: Condition,
    retention: Retention,
    /// Idle connections.
    idle: Mutex<Vec<Connection>>,
    queue: ReadQueue,
    /// Maximum number of bytes in one answer.
    max_bytes: u64,
    /// An answer is cut off if its client takes nothing for this long.
    patience: Duration,
}

impl History {
    /// Reads the past of `store`, which keeps it for `retention`. An answer is cut off if the client takes nothing of
    /// it for `patience`.
    #[must_use]
    pub fn new(store: &Store, retention: Retention, limits: &Limits, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            file: store.folder().join(FILE),
            memtable: store.memtable(),
            damage: store.damage(),
            condition: store.condition(),
            retention,
            idle: Mutex::default(),
            queue: ReadQueue::new(limits.history),
            max_bytes: limits.history_bytes,
            patience,
        }))
    }

    /// Returns the number of blocks in memory that are not flushed yet.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.0.memtable.len()
    }

    /// Returns the number of answers in progress.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.queue.counts()
    }

    /// Reads the next piece of an answer. Blocks on the disk until `cancel` ends it.
    fn step(&self, job: &mut Job, cancel: &Cancel) -> Result<Piece, PastError> {
        self.read(cancel, |conn| job.step(conn, self.stored(), cancel))
    }

    /// Calls `work` with a connection. Blocks on the disk until `cancel` ends it.
    fn read<T>(&self, cancel: &Cancel, work: impl FnOnce(&Connection) -> Result<T, PastError>) -> Result<T, PastError> {
        cancel.check()?;
        if let Some(why) = self.0.condition.lost() {
            return Err(PastError::Lost(why));
        }
        let idle = self.0.idle.lock().pop();
        let conn = idle.map_or_else(|| self.connect(), Ok)?;
        match cancel.watch(&conn, || work(&conn))? {
            // SQLite only knows that it was interrupted, not why.
            Err(PastError::Database(error)) => {
                cancel.check()?;
                Err(error.into())
            }
            done => {
                self.0.idle.lock().push(conn);
                done
            }
        }
    }

    fn stored(&self) -> Stored<'_> {
        Stored { memtable: &self.0.memtable, damage: &self.0.damage, retention: &self.0.retention }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags(
            &self.0.file,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        Ok(conn)
    }
}
