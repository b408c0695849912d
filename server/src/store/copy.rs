//! Copies the database: a backup while the server runs, and back into a data folder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::check::{CheckError, Report, check};
use super::schema::{OpenError, lock};
use super::{BUSY_TIMEOUT, FILE, permissions};

/// Reasons why a database cannot be copied. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is no database in the data folder, or it cannot be read.
    #[error("cannot copy {}: {source}; name the data folder with --data", file.display())]
    Source {
        /// The database.
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The copy cannot be written.
    #[error("cannot write {}: {source}", file.display())]
    Write {
        /// The copy.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file to be restored cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file to be written exists.
    #[error("{} exists; move it away, or name another", .0.display())]
    Exists(PathBuf),
    /// The copy cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The file to be restored is damaged.
    #[error("the file is damaged in {} places, the first: {}; to restore what can be read of it, add --damaged", .0.damaged, .0.described.first().map_or("", |first| first))]
    Damaged(Box<Report>),
}

/// Copies the database of a data folder to `to`, which must not exist, and checks the copy. A server may run meanwhile;
/// the copy has all points that it had acknowledged before.
///
/// # Errors
/// [`CopyError`]; then there is no copy, unless it could not be checked.
pub fn backup(folder: &Path, to: &Path) -> Result<Report, CopyError> {
    let file = folder.join(FILE);
    let at = |source| CopyError::Write { file: to.to_owned(), source };
    if to.exists() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let source = |source| CopyError::Source { file: file.clone(), source };
    let conn = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(source)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(source)?;
    // SQLite writes into an empty file, and so leaves its mode: only its owner may read it.
    drop(permissions::open(to).map_err(at)?);
    let copied = conn.execute("VACUUM INTO ?1", [to.as_os_str().to_string_lossy()]);
    if let Err(error) = copied {
        _ = std::fs::remove_file(to);
        return Err(source(error));
    }
    File::open(to).and_then(|copy| copy.sync_all()).map_err(at)?;
    Ok(check(to)?)
}

/// Copies the database of a data folder to `out`, by way of a temporary file in the folder `beside`.
///
/// # Errors
/// As [`backup`]. Nothing is written unless the copy could be made and checked.
pub fn backup_to(folder: &Path, beside: &Path, out: &mut dyn Write) -> Result<Report, CopyError> {
    let copy = Temporary(beside.join(format!("pulseboard-backup-{}.sqlite", std::process::id())));
    let report = backup(folder, &copy.0)?;
    let at = |source| CopyError::Write { file: PathBuf::from("-"), source };
    let mut read = File::open(&copy.0).map_err(at)?;
    io::copy(&mut read, out).and_then(|_| out.flush()).map_err(at)?;
    Ok(report)
}

/// A file that is deleted when this is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

/// Decides about a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfDamaged {
    /// It is not restored.
    Refuse,
    /// It is restored; what cannot be read of it is skipped by the server.
    Restore,
}

/// Makes the database of `folder` of a copy. The folder must not have one; it is created if it does not exist. The copy
/// is checked first.
///
/// # Errors
/// [`CopyError`]; then the folder has no database.
pub fn restore(from: &mut dyn Read, folder: &Path, if_damaged: IfDamaged) -> Result<Report, CopyError> {
    let file = folder.join(FILE);
    let _lock = lock(folder)?;
    for end in ["", "-wal", "-shm"] {
        let there = folder.join(format!("{FILE}{end}"));
        if there.exists() {
            return Err(CopyError::Exists(there));
        }
    }
    let part = Temporary(folder.join(format!("{FILE}.part")));
    let at = |source| CopyError::Write { file: part.0.clone(), source };
    drop(permissions::open(&part.0).map_err(at)?);
    let mut out = OpenOptions::new().write(true).truncate(true).open(&part.0).map_err(at)?;
    io::copy(from, &mut out).and_then(|_| out.sync_all()).map_err(at)?;
    let report = match check(&part.0) {
        // It is upgraded when the server starts.
        Err(CheckError::TooOld { .. }) => Report::default(),
        checked => checked?,
    };
    if !report.is_sound() && if_damaged == IfDamaged::Refuse {
        return Err(CopyError::Damaged(Box::new(report)));
    }
    for end in ["-wal", "-shm"] {
        _ = std::fs::remove_file(folder.join(format!("{FILE}.part{end}")));
    }
    std::fs::rename(&part.0, &file).and_then(|()| File::open(folder)?.sync_all()).map_err(at)?;
    Ok(report)
}
