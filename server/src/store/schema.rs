//! Opening the database.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};
use shared::{Epoch, Seq};

use super::keys::Keys;
use super::retain::Sweep;
use super::room::Measured;
use super::{Directory, Store};
use crate::limits::Limits;

/// The name of the database in its folder.
pub const FILE: &str = "pulseboard.sqlite";

/// How long a commit or a read waits for another program's lock on the database before it gives up.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The version of the tables below, kept in SQLite's `user_version`.
const VERSION: i64 = 2;

/// `log` has the numbers of each commit under the last of their seqs; `blocks` the buckets ([`super::block::Place`] says under
/// which key); `lines` the texts; `revised` what late points changed of each series' past. Of a series of texts, `series`
/// knows how many lines are gone, and the greatest of their seqs; of any what was declared of it, `gauge` or `counter`.
const TABLES: &str = "
    CREATE TABLE meta (
        one     INTEGER PRIMARY KEY CHECK (one = 1),
        epoch   TEXT    NOT NULL,
        head    INTEGER NOT NULL,
        settled INTEGER NOT NULL
    );
    CREATE TABLE series (
        id       INTEGER PRIMARY KEY,
        name     TEXT    NOT NULL UNIQUE,
        kind     TEXT    NOT NULL CHECK (kind IN ('number', 'text')),
        declared TEXT,
        gone     INTEGER NOT NULL DEFAULT 0,
        gone_seq INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE log (
        last INTEGER PRIMARY KEY,
        at   INTEGER NOT NULL,
        data BLOB    NOT NULL
    );
    CREATE TABLE blocks (
        key     INTEGER PRIMARY KEY,
        buckets INTEGER NOT NULL,
        data    BLOB    NOT NULL
    );
    CREATE TABLE lines (
        series INTEGER NOT NULL REFERENCES series (id),
        ts     INTEGER NOT NULL,
        seq    INTEGER NOT NULL,
        text   TEXT    NOT NULL,
        PRIMARY KEY (series, ts, seq)
    ) WITHOUT ROWID;
    CREATE TABLE revised (
        series INTEGER PRIMARY KEY REFERENCES series (id),
        start  INTEGER NOT NULL,
        stop   INTEGER NOT NULL,
        seq    INTEGER NOT NULL
    );
    CREATE TABLE pushes (
        key TEXT    PRIMARY KEY,
        at  INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX pushes_by_age ON pushes (at);
";

/// Why the store cannot be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, or nothing can be written in it.
    #[error("cannot write in the data folder {}: {source}; make it writable, or name another with --data", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another server has it open.
    #[error("the data folder {} is in use by another pulseboard; stop that one, or name another folder with --data", .0.display())]
    InUse(PathBuf),
    /// The file was written by a later version.
    #[error("{} was written by a later version of pulseboard (tables {found}, known {VERSION}); use that one", file.display())]
    TooNew {
        /// Which file.
        file: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The file was written before the first release.
    #[error("{} was written by a version of pulseboard from before the first release; move it away: a new one is made", .0.display())]
    TooOld(PathBuf),
    /// The file is no database, or is damaged.
    #[error("cannot open {}: {source}; if it is damaged, move it away: a new one is made", file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// There is no source of chance, which the epoch is drawn from.
    #[error("cannot draw a random number: {0}")]
    Random(getrandom::Error),
}

impl Store {
    /// Opens the store in `folder`, and makes both where they are not there.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let lock = lock(folder)?;
        let file = folder.join(FILE);
        let database = |source| OpenError::Database { file: file.clone(), source };

        let conn = Connection::open(&file).map_err(database)?;
        configure(&conn).map_err(database)?;
        match conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(database)? {
            0 => {
                let epoch = Epoch(getrandom::u32().map_err(OpenError::Random)?);
                create(&conn, epoch).map_err(database)?;
            }
            VERSION => {}
            1 => return Err(OpenError::TooOld(file)),
            found => return Err(OpenError::TooNew { file, found }),
        }
        super::boards::create(&conn).map_err(database)?;
        add_declared(&conn).map_err(database)?;
        let Meta { epoch, head, settled } = meta(&conn).map_err(database)?;
        let (names, declared) = Self::read_series(&conn).map_err(database)?;
        let newest = vec![None; names.len()];
        let limits = Limits::default();
        let keys = Keys { count: super::keys::count(&conn).map_err(database)?, most: limits.keys };
        let mut store = Self {
            conn,
            epoch,
            head,
            directory: Directory::new(names),
            newest,
            newest_before: Vec::new(),
            declared,
            fresh: Arc::default(),
            settled,
            sweep: Sweep::default(),
            folder: folder.to_owned(),
            limits,
            keys,
            measured: Measured::default(),
            levels: Arc::default(),
            _lock: lock,
        };
        store.catch_up().map_err(database)?;
        Ok(store)
    }
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let at_folder = |source| OpenError::Folder { folder: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(at_folder)?;
    let lock = File::create(folder.join("pulseboard.lock")).map_err(at_folder)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(at_folder(source)),
    }
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // The answer is a row, so it must be read; where WAL cannot be had (some network file systems), the default
    // journal serves as well, only slower.
    let _mode: Option<String> = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).optional()?;
    // FULL: what was acknowledged survives a power cut, not only a crash. Group commit pays for it.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cache_size", -16 * 1024)
}

fn create(conn: &Connection, epoch: Epoch) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    tx.execute_batch(TABLES)?;
    tx.execute("INSERT INTO meta (one, epoch, head, settled) VALUES (1, ?1, 0, 0)", [epoch.to_string()])?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// Tables of before kinds were declared have no column for them; a server of then passes over it.
fn add_declared(conn: &Connection) -> rusqlite::Result<()> {
    let columns = "SELECT count(*) FROM pragma_table_info('series') WHERE name = 'declared'";
    let there: i64 = conn.query_row(columns, [], |row| row.get(0))?;
    if there == 0 { conn.execute_batch("ALTER TABLE series ADD COLUMN declared TEXT") } else { Ok(()) }
}

struct Meta {
    epoch: Epoch,
    head: Seq,
    settled: Seq,
}

fn meta(conn: &Connection) -> rusqlite::Result<Meta> {
    conn.query_row("SELECT epoch, head, settled FROM meta", [], |row| {
        let epoch: String = row.get(0)?;
        let epoch = epoch.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?;
        let seq = |column| Ok::<_, rusqlite::Error>(Seq(row.get::<_, i64>(column)?.unsigned_abs()));
        Ok(Meta { epoch, head: seq(1)?, settled: seq(2)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_drawn_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap().epoch();
        assert_eq!(Store::open(folder.path()).unwrap().epoch(), first);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Store::open(other.path()).unwrap().epoch(), first);
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
