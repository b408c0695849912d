//! Opens the database: locks the data folder, creates or upgrades the tables, and builds the [`Store`].
//!
//! # Versions of the tables
//!
//! SQLite's `user_version` decides which servers may open the file: a server refuses a number that it does not know. So
//! the number changes only with a change that older servers would misread. All other changes add tables, or columns that
//! may be NULL, and each of them is made where it is missing.
//!
//! - 2: the first release.
//! - 3: rows of `blocks` are columns with a checksum, and are merged into the table `extents`. [`super::migration`]
//!   brings folders of version 2 to it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use shared::{Epoch, Millis, Seq, Tier};

use super::damage::Damage;
use super::disk_space::Measurement;
use super::file_watch::FileWatch;
use super::idempotency::Keys;
use super::imports::{self, Imports};
use super::maintenance::LOG_LIMIT;
use super::membership::{self, Membership};
use super::meta::{self, Meta};
use super::migration::{self, Progress};
use super::removal::{self, Removals};
use super::retention::{Retention, Sweep};
use super::time::StoreTime;
use super::{BUSY_TIMEOUT, Condition, Directory, FILE, Store, permissions, sql};
use crate::clock;
use crate::limits::Limits;
use crate::log::Epochs;
use crate::log::postgres::LogIdentity;

/// The version of the tables below, kept in SQLite's `user_version`.
pub(super) const VERSION: i64 = 3;

/// The tables:
///
/// - `log`: the numbers of each commit, under the last of their seqs.
/// - `blocks`: the buckets of blocks that were flushed; [`super::block_id::BlockId`] defines the key.
/// - `lines`: the texts.
/// - `revised`: the stretch of each series' past that late points changed.
/// - `series`: the names and kinds. `declared` is the declared metric type, `gauge` or `counter`; `source` the origin
///   of the points ([`super::source::SeriesOrigin`]). For a series of texts, `gone` counts the deleted lines, and
///   `gone_seq` is the greatest of their seqs.
/// - `pushes`: the idempotency keys, each with the hash of its request.
///
/// The column `sum` of `log` is a checksum of the row. The columns `sent` of `log`, `blocks` and `lines` hold the times that senders set ([`super::dedup`]).
const TABLES: &str = "
    CREATE TABLE meta (
        one     INTEGER PRIMARY KEY CHECK (one = 1),
        epoch   TEXT    NOT NULL,
        head    INTEGER NOT NULL,
        settled INTEGER NOT NULL,
        settled_too INTEGER
    );
    CREATE TABLE series (
        id       INTEGER PRIMARY KEY,
        name     TEXT    NOT NULL UNIQUE,
        kind     TEXT    NOT NULL CHECK (kind IN ('number', 'text')),
        declared TEXT,
        source   BLOB,
        gone     INTEGER NOT NULL DEFAULT 0,
        gone_seq INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE log (
        last INTEGER PRIMARY KEY,
        at   INTEGER NOT NULL,
        data BLOB    NOT NULL,
        sent BLOB,
        sum  INTEGER
    );
    CREATE TABLE blocks (
        key     INTEGER PRIMARY KEY,
        buckets INTEGER NOT NULL,
        data    BLOB    NOT NULL,
        sent    BLOB
    );
    CREATE TABLE lines (
        series INTEGER NOT NULL REFERENCES series (id),
        ts     INTEGER NOT NULL,
        seq    INTEGER NOT NULL,
        text   TEXT    NOT NULL,
        sent   INTEGER,
        PRIMARY KEY (series, ts, seq)
    ) WITHOUT ROWID;
    CREATE TABLE revised (
        series INTEGER PRIMARY KEY REFERENCES series (id),
        start  INTEGER NOT NULL,
        stop   INTEGER NOT NULL,
        seq    INTEGER NOT NULL
    );
    CREATE TABLE pushes (
        key     TEXT    PRIMARY KEY,
        at      INTEGER NOT NULL,
        request BLOB
    ) WITHOUT ROWID;
    CREATE INDEX pushes_by_age ON pushes (at);
";

/// Tables that data folders of earlier versions lack. `damaged`: unreadable rows of `blocks` that were replaced, and those
/// of `extents` under their negative keys.
/// `clock`: the store's own time at the last stamp. `forgotten`: the seq since which boards without a row have their
/// selection. `probe`: the data that a probe writes. `extents`: the buckets of blocks that were merged;
/// [`super::block_id::ExtentId`] defines the key.
const LATER_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS damaged (key INTEGER PRIMARY KEY, data BLOB);
    CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS forgotten (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS probe (one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS extents (
        key     INTEGER PRIMARY KEY,
        buckets INTEGER NOT NULL,
        data    BLOB    NOT NULL,
        sent    BLOB
    );
";

/// Columns that tables of earlier versions lack: table, column and type. All of them may be NULL.
const LATER_COLUMNS: [(&str, &str, &str); 8] = [
    ("meta", "settled_too", "INTEGER"),
    ("series", "declared", "TEXT"),
    ("series", "source", "BLOB"),
    ("pushes", "request", "BLOB"),
    ("log", "sent", "BLOB"),
    ("log", "sum", "INTEGER"),
    ("blocks", "sent", "BLOB"),
    ("lines", "sent", "INTEGER"),
];

/// Reasons why the store cannot be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be created, or is not writable.
    #[error("cannot write in the data folder {}: {source}; make it writable, or name another with --data", folder.display())]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Another server has the folder open.
    #[error("the data folder {} is in use by another pulseboard; stop that one, or name another folder with --data", .0.display())]
    InUse(PathBuf),
    /// The file was written by a later version.
    #[error("{} was written by a later version of pulseboard (tables {found}, known {VERSION}); use that one", file.display())]
    TooNew {
        /// The file.
        file: PathBuf,
        /// The version of the file's tables.
        found: i64,
    },
    /// The file was written before the first release.
    #[error("{} was written by a version of pulseboard from before the first release; move it away: a new one is made", .0.display())]
    TooOld(PathBuf),
    /// The file is not a database, or is damaged.
    #[error("cannot open {}: {source}; if it is damaged, move it away: a new one is made", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The system gave no random number, which a new epoch needs.
    #[error("cannot draw a random number: {0}")]
    Random(getrandom::Error),
    /// The folder belongs to a shared log, and is to be opened without it.
    #[error(
        "the data folder {} belongs to a shared log: start the server with --cluster, and make changes through its address instead of --data",
        .0.display()
    )]
    Member(PathBuf),
    /// The folder belongs to another shared log.
    #[error(
        "the data folder {} belongs to another shared log ({found}, not {wanted}); correct --cluster, or name an empty folder with --data",
        folder.display()
    )]
    OtherLog {
        /// The data folder.
        folder: PathBuf,
        /// The id of the log that the folder belongs to.
        found: String,
        /// The id of the log of `--cluster`.
        wanted: String,
    },
    /// The folder has content of its own, and cannot become a member of a shared log.
    #[error(
        "the data folder {} has content that is not from the shared log; name an empty folder with --data: the node reads the log into it",
        .0.display()
    )]
    NotEmpty(PathBuf),
}

impl Store {
    /// Opens the store in `folder`. Creates the folder and the database if they do not exist.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, &Progress::default())
    }

    /// Opens the store as [`Self::open`]. `progress` shows how far a folder of an earlier version is upgraded.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(folder: &Path, progress: &Progress) -> Result<Self, OpenError> {
        Self::open_as(folder, progress, None)
    }

    /// Opens the store of a node that applies a shared log. An empty folder becomes a member of it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_member(folder: &Path, progress: &Progress, log: &LogIdentity) -> Result<Self, OpenError> {
        Self::open_as(folder, progress, Some(log))
    }

    fn open_as(folder: &Path, progress: &Progress, log: Option<&LogIdentity>) -> Result<Self, OpenError> {
        let lock = lock(folder)?;
        let file = folder.join(FILE);
        let database = |source| OpenError::Database { file: file.clone(), source };
        let at_folder = |source| OpenError::Folder { folder: folder.to_owned(), source };

        drop(permissions::open(&file).map_err(at_folder)?);
        for end in ["-wal", "-shm"] {
            permissions::close_to_others(&folder.join(format!("{FILE}{end}")));
        }
        let mut conn = Connection::open(&file).map_err(database)?;
        configure(&conn).map_err(database)?;
        let mut is_new = false;
        match conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(database)? {
            0 => {
                let epoch = Epoch(getrandom::u32().map_err(OpenError::Random)?);
                create(&conn, epoch).map_err(database)?;
                is_new = true;
            }
            VERSION => {}
            migration::FROM => migration::begin(&mut conn, VERSION).map_err(database)?,
            1 => return Err(OpenError::TooOld(file)),
            found => return Err(OpenError::TooNew { file, found }),
        }
        super::boards::create(&conn).map_err(database)?;
        super::tokens::create(&conn).map_err(database)?;
        super::users::create(&conn).map_err(database)?;
        super::links::create(&conn).map_err(database)?;
        super::audit::create(&conn).map_err(database)?;
        super::epochs::create(&conn).map_err(database)?;
        conn.execute_batch(LATER_TABLES).map_err(database)?;
        conn.execute_batch(imports::TABLE).map_err(database)?;
        add_columns(&conn).map_err(database)?;
        conn.execute_batch(removal::TABLE).map_err(database)?;
        conn.execute_batch(membership::TABLE).map_err(database)?;
        let member = join(&conn, folder, log, database)?;
        let damage = Damage::default();
        migration::run(&mut conn, &damage, progress).map_err(database)?;
        let Meta { epoch, head, flushed } = meta::read(&conn, &damage).map_err(database)?;
        let (epochs, unrecorded) = match (log, epoch) {
            // All nodes of a shared log have its epoch, which a start does not end.
            (Some(log), epoch) => {
                if epoch != Some(log.epoch) {
                    membership::set_epoch(&conn, log.epoch).map_err(database)?;
                }
                (super::epochs::read(&conn, log.epoch).map_err(database)?, None)
            }
            (None, Some(epoch)) if is_new => (Epochs::from(epoch), None),
            (None, Some(epoch)) => {
                let epochs = super::epochs::read(&conn, epoch).map_err(database)?;
                (begin_epoch(epochs, head)?, Some((epoch, head)))
            }
            (None, None) => {
                let epoch = Epoch(getrandom::u32().map_err(OpenError::Random)?);
                meta::replace(&conn, &Meta { epoch: Some(epoch), head, flushed }).map_err(database)?;
                (Epochs::from(epoch), None)
            }
        };
        let mut removals = Removals::default();
        let (names, declared) = Self::read_series(&conn, &damage, &mut removals.rows).map_err(database)?;
        let removed_since = removal::since(&conn).map_err(database)?;
        let last = u32::try_from(declared.len()).unwrap_or(u32::MAX);
        let time = StoreTime::begin(last_time(&conn), clock::now());
        let stamp: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(database)?;
        let file_watch = FileWatch::new(&file, u32::try_from(stamp & i64::from(u32::MAX)).unwrap_or_default());
        let file_watch = file_watch.map_err(at_folder)?;
        let imports = Imports::read(&conn).map_err(database)?;
        let limits = Limits::default();
        let keys = Keys { count: super::idempotency::count(&conn).map_err(database)?, most: limits.keys };
        let mut store = Self {
            conn,
            epochs,
            unrecorded,
            head,
            directory: Directory::new(names, last),
            newest: Vec::new(),
            newest_before: Vec::new(),
            declared,
            unlisted: HashMap::new(),
            removals,
            removed_since,
            by: None,
            audit_rests_until: clock::Uptime::default(),
            condition: Condition::new(damage.clone()),
            damage,
            time,
            file_watch,
            stamped: (head, clock::now().up),
            memtable: Arc::default(),
            flushed,
            imports,
            keep_finest: Retention::default().of(Tier::Second),
            sweep: Sweep::default(),
            folder: folder.to_owned(),
            limits,
            keys,
            member,
            measurement: Measurement::default(),
            stats: Arc::default(),
            _lock: lock,
        };
        let synchronous = store.synchronous();
        store.conn.pragma_update(None, "synchronous", synchronous).map_err(database)?;
        if let Err(error) = store.record_epoch().and_then(|()| store.stamp()) {
            // The server must start with a full disk, too, for its subscribers. Cursors of an unrecorded epoch are
            // answered with a gap.
            store.condition.failed(&error.into());
        }
        // Moves the stamp of this run from the write-ahead log into the file.
        store.checkpoint();
        store.erase_rest();
        store.catch_up().map_err(database)?;
        store.reserve_rows().map_err(database)?;
        Ok(store)
    }

    /// Writes the epoch that this run ended, unless it is on the disk already.
    pub(super) fn record_epoch(&mut self) -> rusqlite::Result<()> {
        let Some(ended) = self.unrecorded else { return Ok(()) };
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        super::epochs::record(&tx, ended, self.epochs.current())?;
        tx.commit()?;
        self.unrecorded = None;
        Ok(())
    }
}

/// Checks that the folder belongs to `log`, or to none where that is `None`. An empty folder joins the log.
fn join(
    conn: &Connection,
    folder: &Path,
    log: Option<&LogIdentity>,
    database: impl Fn(rusqlite::Error) -> OpenError,
) -> Result<Option<Membership>, OpenError> {
    match (membership::read(conn).map_err(&database)?, log) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(OpenError::Member(folder.to_owned())),
        (Some(member), Some(log)) if member.id == log.id => Ok(Some(member)),
        (Some(member), Some(log)) => {
            Err(OpenError::OtherLog { folder: folder.to_owned(), found: member.id, wanted: log.id.clone() })
        }
        (None, Some(log)) if membership::is_empty(conn).map_err(&database)? => {
            membership::begin(conn, log).map(Some).map_err(&database)
        }
        (None, Some(_)) => Err(OpenError::NotEmpty(folder.to_owned())),
    }
}

/// Reads the store's own time at the last write, if it is known.
fn last_time(conn: &Connection) -> Option<Millis> {
    let time = |select| conn.query_row(select, [], |row| row.get::<_, i64>(0)).ok();
    let time = time("SELECT at FROM clock").or_else(|| time("SELECT at FROM log ORDER BY last DESC LIMIT 1"))?;
    u64::try_from(time).ok().map(Millis)
}

/// Draws an epoch that this store never had, and appends it.
fn begin_epoch(epochs: Epochs, head: Seq) -> Result<Epochs, OpenError> {
    loop {
        let next = Epoch(getrandom::u32().map_err(OpenError::Random)?);
        if !epochs.contains(next) {
            return Ok(epochs.followed_by(next, head));
        }
    }
}

/// Locks a data folder, which is created if it does not exist, so that no server writes to it.
///
/// # Errors
/// [`OpenError`].
pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let at_folder = |source| OpenError::Folder { folder: folder.to_owned(), source };
    permissions::make_folder(folder).map_err(at_folder)?;
    let lock = permissions::open(&folder.join("pulseboard.lock")).map_err(at_folder)?;
    match lock.try_lock() {
        Ok(()) => {
            permissions::close_folder(folder, &lock);
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(at_folder(source)),
    }
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // So that free pages can be given back to the file system. Has an effect on new files only, before all else.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    // The pragma answers with a row, so the row must be read. Some network file systems do not support WAL; the
    // default journal works there, only slower.
    let _mode: Option<String> = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).optional()?;
    // FULL: acknowledged pushes survive a power cut, not only a crash. Group commit makes this affordable.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // The write-ahead log grows during a long read. When it starts again from the front, it is truncated to this
    // size.
    conn.pragma_update(None, "journal_size_limit", sql(LOG_LIMIT))?;
    conn.pragma_update(None, "cache_size", -16 * 1024)
}

fn create(conn: &Connection, epoch: Epoch) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    tx.execute_batch(TABLES)?;
    tx.execute("INSERT INTO meta (one, epoch, head, settled) VALUES (1, ?1, 0, 0)", [epoch.to_string()])?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// Adds the columns that tables of earlier versions lack. Servers of those versions ignore them.
fn add_columns(conn: &Connection) -> rusqlite::Result<()> {
    for (table, column, kind) in LATER_COLUMNS {
        let columns = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        let there: i64 = conn.query_row(columns, [table, column], |row| row.get(0))?;
        if there == 0 {
            conn.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_draws_an_epoch_and_ends_the_one_before_at_its_head() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap().epochs();
        let second = Store::open(folder.path()).unwrap().epochs();
        let third = Store::open(folder.path()).unwrap().epochs();
        let wanted = first.followed_by(second.current(), Seq::ZERO);
        assert_eq!(second, wanted);
        assert_eq!(third, wanted.followed_by(third.current(), Seq::ZERO));
        let other = tempfile::tempdir().unwrap();
        assert!(!third.contains(Store::open(other.path()).unwrap().epochs().current()));
    }

    #[test]
    fn a_folder_of_before_kinds_were_declared_is_opened_and_gets_a_column_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.conn.execute_batch("ALTER TABLE series DROP COLUMN declared").unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        let declared: i64 = store.conn.query_row("SELECT count(declared) FROM series", [], |row| row.get(0)).unwrap();
        assert_eq!(declared, 0);
    }

    /// A column that an older server of this version does not know must not stop it.
    #[test]
    fn later_columns_may_be_null_and_rows_without_them_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let conn = Connection::open(folder.path().join(FILE)).unwrap();
        let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 3);
        for (table, column, _) in LATER_COLUMNS {
            let select = "SELECT \"notnull\" FROM pragma_table_info(?1) WHERE name = ?2";
            let must_be_set: bool = conn.query_row(select, [table, column], |row| row.get(0)).unwrap();
            assert!(!must_be_set, "{table}.{column} may be NULL");
        }
        // The columns that every server of this version writes.
        conn.execute_batch(
            "INSERT INTO series (id, name, kind) VALUES (1, 'a', 'number');
             INSERT INTO log (last, at, data) VALUES (1, 1, x'00');
             INSERT INTO blocks (key, buckets, data) VALUES (1, 1, x'00');
             INSERT INTO lines (series, ts, seq, text) VALUES (1, 1, 1, 'up');
             INSERT INTO pushes (key, at) VALUES ('k', 1)",
        )
        .unwrap();
    }

    /// A file may have been written by any of the servers of its version.
    #[test]
    fn folder_that_lacks_any_of_the_later_tables_and_columns_gets_them() {
        for missing in 0..1_u32 << LATER_COLUMNS.len() {
            let folder = tempfile::tempdir().unwrap();
            drop(Store::open(folder.path()).unwrap());
            let conn = Connection::open(folder.path().join(FILE)).unwrap();
            let columns = (0..).zip(LATER_COLUMNS).filter(|(at, _)| missing & (1 << at) != 0);
            for (_, (table, column, _)) in columns {
                conn.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN {column}")).unwrap();
            }
            if missing % 2 == 0 {
                for table in
                    ["damaged", "clock", "forgotten", "probe", "extents", "imports", "removed", "epochs", "boards"]
                {
                    conn.execute_batch(&format!("DROP TABLE {table}")).unwrap();
                }
            }
            drop(conn);
            let store = Store::open(folder.path()).unwrap();
            for (table, column, _) in LATER_COLUMNS {
                store.conn.query_row(&format!("SELECT count({column}) FROM {table}"), [], |_| Ok(())).unwrap();
            }
            assert!(store.damage.is_none(), "{missing:b}");
        }
    }

    #[test]
    fn a_folder_has_one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let _open = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(OpenError::InUse(_))));
    }

    #[test]
    fn what_is_no_database_or_a_later_one_is_refused_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pulseboard.sqlite"), "x".repeat(5_000)).unwrap();
        assert!(Store::open(folder.path()).unwrap_err().to_string().contains("if it is damaged"));

        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.conn.pragma_update(None, "user_version", 99).unwrap();
        drop(store);
        assert!(Store::open(folder.path()).unwrap_err().to_string().contains("later version"));
    }
}
