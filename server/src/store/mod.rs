//! Keeps all points and boards in one SQLite file.
//!
//! Opening and naming:
//!
//! - [`schema`] opens the file (`database`) and creates its tables. [`migration`] upgrades files of earlier versions
//!   ([`legacy`]). [`permissions`] keeps the files from other users of the machine.
//! - [`meta`] reads the epoch, the head and the flushed seq. [`epochs`] stores which cursors of earlier runs are
//!   valid.
//! - [`directory`] maps the names of series to their rows. [`source`] names the series of senders that give no name.
//!
//! Writing:
//!
//! - [`writer`] runs the only thread that writes. It commits all waiting pushes at once (group commit: one fsync for
//!   many pushes). [`operation`] lists all that it can be asked for; [`queue`] and [`lanes`] order that; [`claim`] lets a
//!   sender withdraw a push. [`local_log`] appends entries, and hands them to the subscribers once they are applied.
//!   [`cluster_log`] does so with the entries of a log that many nodes share, of which [`membership`] is the progress.
//!   [`join`] opens the store of such a node. [`node_log`] is the trait of both logs.
//! - [`commit`] stores points. [`dedup`] recognises points that are pushed again, [`idempotency`] requests that are sent
//!   again. [`row_limit`] and [`disk_space`] bound the rows and the disk space that pushes may use.
//! - [`boards`] stores the documents of boards, [`tokens`] the hashes of tokens, [`users`] users and sessions, [`links`] live links.
//!   [`audit`] stores who made these changes.
//!
//! A committed number goes into the [`number_log`] and into a bucket in memory (the memtable, [`memtable`]). The writer thread
//! flushes the memtable some time later ([`maintenance`]): it writes rows of many buckets ([`block`]) and rebuilds the
//! coarser tiers from them ([`compact`]). [`format`] is the form of a row. Some time later, rows are merged into longer
//! ones, the extents ([`merge`]); [`rows`] reads and writes both. A start reads the buckets, and from the log only the numbers that the
//! buckets lack ([`recover`]). A text is written as a row of its own at once.
//!
//! Deleting and checking:
//!
//! - [`retention`] deletes what is too old, [`removal`] deletes a series on request. [`imports`] decides which points
//!   may still be added to the past.
//! - [`damage`] records rows that cannot be read; they are skipped. [`file_watch`] notices when the file is deleted,
//!   replaced or overwritten. [`check`] checks all of it, [`copy`] makes backups of it. [`table_sizes`] measures it.
//!   [`condition`] decides whether pushes are accepted. [`time`] is the clock for retention.

pub mod audit;
pub mod block;
pub mod block_id;
pub mod boards;
pub mod check;
pub mod claim;
pub mod cluster_log;
pub mod commit;
pub mod compact;
pub mod condition;
pub mod copy;
pub mod damage;
mod database;
pub mod dedup;
pub mod dedup_keys;
pub mod directory;
pub mod disk_space;
pub mod epochs;
mod file_watch;
pub mod format;
mod idempotency;
mod imports;
pub mod join;
mod lanes;
pub(crate) mod legacy;
pub mod links;
pub mod local_log;
pub mod maintenance;
pub mod membership;
pub mod memtable;
mod merge;
mod meta;
pub mod migration;
pub mod node_log;
pub mod number_log;
pub mod operation;
mod permissions;
mod queue;
#[cfg(test)]
mod random_damage;
pub mod recover;
pub mod removal;
pub mod retention;
mod row_limit;
pub mod rows;
pub mod schema;
pub mod source;
pub mod table_sizes;
pub mod time;
pub mod tokens;
pub mod users;
pub mod writer;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::limits::Limits;
use crate::log::{By, Epochs, SeriesId};
use rusqlite::Connection;
use shared::{Declared, Epoch, Millis, Seq, SeriesName};

pub use commit::CommitError;
pub use condition::Condition;
use damage::Damage;
use database::sql;
pub use database::{BUSY_TIMEOUT, FILE};
pub use directory::Directory;
use file_watch::FileWatch;
use memtable::Memtable;
use removal::Removals;
use time::StoreTime;

use crate::clock::Uptime;
pub use disk_space::StoreStats;
pub use retention::Retention;
pub use schema::OpenError;
pub use writer::Writer;

/// The database, and the state that every push needs in memory.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    /// The epochs of this run and of earlier ones.
    epochs: Epochs,
    /// The epoch that this run ended, and its head, while they are not on the disk yet. The next commit writes them.
    unrecorded: Option<(Epoch, Seq)>,
    /// The seq of the last change that took one. Each commit needs it and writes it.
    head: Seq,
    /// The row and the kind of each series: a push is checked against them before anything is written.
    directory: Directory,
    /// The newest time of each series of numbers, by [`SeriesId`]: 0 if the series has no point, `None` if it was not
    /// looked up yet. It separates late points from others, and saves a read of the tables for each new block.
    newest: Vec<Option<Millis>>,
    /// The former values of `newest` that the current transaction changed, in order, to put them back if it fails.
    newest_before: Vec<(SeriesId, Option<Millis>)>,
    /// The metric type that was declared for each series, by [`SeriesId`].
    declared: Vec<Option<Declared>>,
    /// Series that have a row but no readable point. The next committed point of such a series carries the name
    /// again.
    unlisted: HashMap<SeriesId, SeriesName>,
    /// The series that were removed.
    removals: Removals,
    /// The seq of the last removal of a series.
    removed_since: Seq,
    /// Records the parts of the database that could not be read.
    damage: Damage,
    /// The memtable: blocks that are not in the tables yet.
    memtable: Arc<Memtable>,
    /// The seq up to which the tables hold everything.
    flushed: Seq,
    /// The imports of the past that may continue.
    imports: imports::Imports,
    /// The time for which the finest buckets are kept, in milliseconds; `None` means for ever.
    keep_finest: Option<u64>,
    /// The place where the retention sweep continues.
    sweep: retention::Sweep,
    /// Decides whether pushes are accepted, and holds warnings.
    condition: Condition,
    /// The time by which retention judges age.
    time: StoreTime,
    /// Notices when the file is deleted, replaced or overwritten.
    file_watch: FileWatch,
    /// The head when the file was last stamped, and the time of that stamp.
    stamped: (Seq, Uptime),
    folder: PathBuf,
    /// Bounds on what pushes may add.
    limits: Limits,
    /// The event of the entry that is being applied. Its change writes it into the audit log.
    by: By,
    /// The time before which no old events of the audit log are searched.
    audit_rests_until: Uptime,
    /// The number of idempotency keys, and its bound.
    keys: idempotency::Keys,
    /// The shared log that the store applies, and its progress in it; `None` if it has a log of its own.
    member: Option<membership::Membership>,
    /// The last measurement of disk space.
    measurement: disk_space::Measurement,
    /// The measurement, for other threads.
    stats: Arc<StoreStats>,
    /// Held while the store is open, so that no second server writes to the same file.
    _lock: File,
}

impl Store {
    /// Returns the epochs of this run and earlier ones, which decide which cursors can be continued.
    #[must_use]
    pub fn epochs(&self) -> Epochs {
        self.epochs.clone()
    }

    /// Returns the seq of the last change that took one: a point, a removal, or another selection of a board.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Returns the memtable, for readers of history.
    #[must_use]
    pub fn memtable(&self) -> Arc<Memtable> {
        self.memtable.clone()
    }

    /// Sets the bounds on what pushes may add. Before this call the defaults apply.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
        self.keys.most = limits.keys;
    }

    /// Sets how long buckets are kept, which decides which points count as an import of the past. Before this call
    /// the defaults apply.
    pub fn set_retention(&mut self, retention: &Retention) {
        self.keep_finest = retention.of(shared::Tier::Second);
    }

    /// Returns the figures of the store for other threads.
    #[must_use]
    pub fn stats(&self) -> Arc<StoreStats> {
        self.stats.clone()
    }

    /// Returns the condition of the store: whether pushes are accepted, and warnings.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition.clone()
    }

    /// Returns the record of damaged parts, to which readers of history add.
    #[must_use]
    pub fn damage(&self) -> Damage {
        self.damage.clone()
    }

    /// Returns the directory of all series.
    #[must_use]
    pub fn directory(&self) -> Directory {
        self.directory.clone()
    }

    /// Returns the data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
