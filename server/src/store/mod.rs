//! Where points are kept: SQLite, in one file.
//!
//! [`schema`] opens the file and makes its tables, [`epochs`] decides which cursors of earlier runs are valid, [`directory`]
//! knows the series, [`source`] tells whose points each holds, [`commit`] stores points, [`boards`] keeps the documents of boards, and [`recover`] reads back the state
//! that the server keeps in memory. [`writer`] is the only thread that writes; it commits all waiting pushes at once (group
//! commit: one fsync for many).
//!
//! Numbers go into the [`log`] when they are committed, and into buckets in memory ([`fresh`]). These are written some
//! time later ([`tend`]), as rows of many buckets ([`block`]), and with them what the coarser tiers make of them
//! ([`settle`]). [`sent`] recognises points that are pushed again. Rows that cannot be read are skipped and named ([`damage`]). [`condition`] keeps whether pushes are
//! taken. A start reads the buckets, and from the log only what they lack. Texts are rows of their own at once. What is
//! too old goes ([`retain`]), and a series that somebody deletes ([`removal`]); older points than that are taken as far as
//! [`imports`] allows.

pub mod block;
pub mod boards;
pub mod claim;
pub mod commit;
pub mod condition;
pub mod damage;
#[cfg(test)]
mod damaged;
pub mod directory;
pub mod epochs;
pub mod fresh;
mod imports;
mod keys;
mod lanes;
pub mod log;
mod meta;
mod private;
mod queue;
pub mod recover;
pub mod removal;
pub mod retain;
pub mod room;
mod rows;
pub mod schema;
pub mod sent;
pub mod settle;
pub mod source;
pub mod tend;
pub mod time;
mod watched;
pub mod writer;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::limits::Limits;
use rusqlite::Connection;
use shared::{Declared, Epoch, Millis, Point, Seq, SeriesName};

pub use commit::CommitError;
pub use condition::Condition;
use damage::Damage;
pub use directory::{Directory, Pushed};
use epochs::Epochs;
use fresh::Fresh;
pub use keys::{Fingerprint, IdempotencyKey};
use removal::Removals;
use time::StoreTime;
use watched::Watched;

use crate::clock::Uptime;
pub use retain::Retention;
pub use room::Levels;
pub use schema::OpenError;
pub use sent::{PointTime, SetBy};
pub use source::Source;
pub use writer::Writer;

/// Decides what becomes of a push if some of its points are of another kind than their series holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Atomicity {
    /// Nothing of it is kept.
    #[default]
    AllOrNothing,
    /// Its other points are kept.
    Partial,
}

/// The points of one request.
#[derive(Clone, Debug)]
pub struct Push {
    /// At least one.
    pub points: Vec<Pushed>,
    /// The key that the sender gave. A push whose key is known counts as done if it is the same request, and is refused
    /// otherwise.
    pub key: Option<IdempotencyKey>,
    /// Decides if points of the wrong kind spoil the others.
    pub atomicity: Atomicity,
}

impl Push {
    /// These points, without a key.
    #[must_use]
    pub fn of(points: impl IntoIterator<Item = Point>) -> Self {
        let points = points.into_iter().map(Pushed::from).collect();
        Self { points, key: None, atomicity: Atomicity::default() }
    }

    /// Returns the work to commit the push: 1 for each number of a known series, more for other points.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.points.iter().map(Pushed::weight).sum()
    }
}

/// The database, and what of it must be at hand for every push.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    /// The epoch of this run and those before.
    epochs: Epochs,
    /// The epoch that this run ended, and its head, while they are not yet on the disk. The next commit writes them.
    unrecorded: Option<(Epoch, Seq)>,
    /// The number of the last committed point. Kept here because each commit needs it; written with each.
    head: Seq,
    /// The row of each series and what it holds: a push must be checked against it before anything is written.
    directory: Directory,
    /// Of each series of numbers, by [`SeriesId`], the newest time that it has, 0 where it has no point; none where it was
    /// not asked for yet. It tells late points from others, and spares a look into the tables for each new block.
    newest: Vec<Option<Millis>>,
    /// The former values of `newest` that the current transaction changed, in order, to put them back if it fails.
    newest_before: Vec<(SeriesId, Option<Millis>)>,
    /// Of each series, by [`SeriesId`], what was declared of it.
    declared: Vec<Option<Declared>>,
    /// Series that have a row but no readable point. Their next committed point carries the name again.
    unshown: HashMap<SeriesId, SeriesName>,
    /// Series that were removed.
    removals: Removals,
    /// The number of the last removal of a series.
    removed_since: Seq,
    /// Records the parts of the database that could not be read.
    damage: Damage,
    /// What is not in the tables yet.
    fresh: Arc<Fresh>,
    /// Up to where the tables have everything.
    settled: Seq,
    /// The imports of the past that may go on.
    imports: imports::Imports,
    /// Milliseconds for which the finest buckets are kept; `None`: for ever.
    keep_finest: Option<u64>,
    /// Where the sweep for what is too old goes on.
    sweep: retain::Sweep,
    /// The condition of the store.
    condition: Condition,
    /// The time by which retention judges age.
    time: StoreTime,
    /// Notices when the file is deleted, replaced or overwritten.
    watched: Watched,
    /// The head when the file was stamped last, and when that was.
    stamped: (Seq, Uptime),
    folder: PathBuf,
    /// Bounds on what pushes may add.
    limits: Limits,
    /// The number of idempotency keys.
    keys: keys::Keys,
    /// The last measurement of disk space.
    measured: room::Measured,
    /// The measurement, for other threads.
    levels: Arc<Levels>,
    /// Held for as long as the store is open, so that no second server counts on in the same file.
    _lock: File,
}

/// The row of a series: 1 for the first that a store had, without holes, below 2^28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// Its place in a list of all series.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.saturating_sub(1) as usize
    }
}

impl Store {
    /// Returns the epochs of this run and earlier ones, which decide which cursors can be continued.
    #[must_use]
    pub fn epochs(&self) -> Epochs {
        self.epochs.clone()
    }

    /// The number of the last committed point.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// What is not in the tables yet, for readers of history.
    #[must_use]
    pub fn fresh(&self) -> Arc<Fresh> {
        self.fresh.clone()
    }

    /// Sets the bounds on what pushes may add. Before this call the defaults apply.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
        self.keys.most = limits.keys;
    }

    /// Sets the times for which buckets are kept, which decide the points that count as an import of the past. Before this
    /// call the defaults apply.
    pub fn set_retention(&mut self, retention: &Retention) {
        self.keep_finest = retention.of(shared::Tier::Second);
    }

    /// Returns the figures of the store for other threads.
    #[must_use]
    pub fn levels(&self) -> Arc<Levels> {
        self.levels.clone()
    }

    /// Returns the condition of the store: whether pushes are taken, and warnings.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition.clone()
    }

    /// Returns the record of damaged parts, to which readers of history add.
    #[must_use]
    pub fn damage(&self) -> Damage {
        self.damage.clone()
    }

    /// Which series there are.
    #[must_use]
    pub fn directory(&self) -> Directory {
        self.directory.clone()
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// SQLite's integers have a sign; times and numbers of points stay far below where that matters.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
