//! Opens the store of a node of a cluster: publishes a folder as the beginning of an empty log, reads the beginning of
//! a log into an empty folder, and applies what the log has.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::cluster_log::{FollowError, catch_up};
use super::copy::{self, CopyError, IfDamaged};
use super::membership;
use super::migration::Progress;
use super::schema::lock;
use super::{BUSY_TIMEOUT, FILE, OpenError, Store};
use crate::limits::Limits;
use crate::log::postgres::{LogError, SharedLog};

/// The reason why a node cannot join its cluster. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The shared log cannot be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The log cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The database cannot be read or copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The folder cannot be read.
    #[error("cannot read the database of the data folder: {0}; if it is damaged, name an empty folder with --data")]
    Read(#[from] rusqlite::Error),
    /// The folder is not that of a node.
    #[error("the data folder {} belongs to no shared log; name that of a node with --data", .0.display())]
    NoMember(PathBuf),
    /// The beginning of the log cannot be written.
    #[error("cannot publish the data folder as the beginning of the shared log: {0}")]
    Publish(io::Error),
}

/// The content of a data folder, as far as it decides how to join.
enum Content {
    /// There is no database, or an empty one.
    Nothing,
    /// It has applied rows of its log.
    Member,
    /// It began the log with this id, and has applied no row since.
    Beginning(String),
    /// It has a log of its own.
    Own,
}

/// Opens the shared log with `open`, and then the store of this node. On return, the store has applied all that the log
/// had.
///
/// # Errors
/// [`JoinError`].
pub fn join(
    folder: &Path,
    limits: &Limits,
    open: impl Fn() -> Result<SharedLog, LogError>,
) -> Result<(Store, SharedLog), JoinError> {
    // No other server may use the folder.
    drop(lock(folder)?);
    let mut shared = open()?;
    let is_empty = shared.head_at_start() == 0 && !shared.has_seed();
    match content(folder)? {
        Content::Own if is_empty => {
            let id = begin(folder, &shared)?;
            publish(folder, &shared, &id)?;
            shared = open()?;
        }
        // An earlier attempt to publish it was interrupted.
        Content::Beginning(id) if is_empty && id != shared.identity().id => {
            publish(folder, &shared, &id)?;
            shared = open()?;
        }
        Content::Nothing if shared.has_seed() => {
            tracing::info!("reading the beginning of the shared log");
            remove_empty(folder);
            let mut seed = shared.read_seed().map_err(JoinError::Publish)?;
            copy::restore(&mut seed, folder, IfDamaged::Refuse)?;
        }
        Content::Nothing | Content::Member | Content::Beginning(_) | Content::Own => {}
    }
    let mut store = Store::open_member(folder, &Progress::default(), shared.identity())?;
    store.set_limits(limits);
    let store = catch_up(store, &shared)?;
    Ok((store, shared))
}

fn content(folder: &Path) -> rusqlite::Result<Content> {
    let file = folder.join(FILE);
    if !file.exists() {
        return Ok(Content::Nothing);
    }
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = conn.prepare(tables)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let has = |table: &str| tables.iter().any(|name| name == table);
    if tables.is_empty() {
        return Ok(Content::Nothing);
    }
    let member = if has("shared_log") { membership::read(&conn)? } else { None };
    let has_all = ["boards", "tokens", "users", "links"].into_iter().all(has);
    let is_empty = has_all && membership::is_empty(&conn)?;
    Ok(match member {
        Some(member) if member.has_applied() => Content::Member,
        _ if is_empty => Content::Nothing,
        Some(member) => Content::Beginning(member.id),
        None => Content::Own,
    })
}

/// Removes a database that has no content, so that another can be put in its place.
fn remove_empty(folder: &Path) {
    for end in ["", "-wal", "-shm"] {
        // What is left is noticed when the other database is put there.
        _ = std::fs::remove_file(folder.join(format!("{FILE}{end}")));
    }
}

/// Makes the node of a data folder leave its shared log, with all that it has applied. From then on, the folder has a log
/// of its own.
///
/// # Errors
/// [`JoinError`]; then the folder still belongs to its log.
pub fn detach(folder: &Path) -> Result<(), JoinError> {
    if !folder.join(FILE).exists() {
        return Err(JoinError::NoMember(folder.to_owned()));
    }
    let _lock = lock(folder)?;
    match content(folder)? {
        Content::Member | Content::Beginning(_) => {
            membership::end(&Connection::open(folder.join(FILE))?)?;
            Ok(())
        }
        Content::Nothing | Content::Own => Err(JoinError::NoMember(folder.to_owned())),
    }
}

/// Makes a folder with content of its own the beginning of a log. Returns the id that the log gets.
fn begin(folder: &Path, shared: &SharedLog) -> Result<String, JoinError> {
    let mut store = Store::open(folder)?;
    let id = format!("{:016x}{:016x}", random()?, random()?);
    store.begin_shared_log(&id, shared.identity().epoch)?;
    Ok(id)
}

fn random() -> Result<u64, OpenError> {
    getrandom::u64().map_err(OpenError::Random)
}

fn publish(folder: &Path, shared: &SharedLog, id: &str) -> Result<(), JoinError> {
    tracing::info!(data = %folder.display(), "publishing the data folder as the beginning of the shared log");
    let mut seed = shared.write_seed().map_err(JoinError::Publish)?;
    copy::backup_to(folder, folder, &mut seed)?;
    seed.finish(id).map_err(JoinError::Publish)
}
