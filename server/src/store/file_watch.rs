//! Notices that the database file is no longer the one that was opened: it was deleted, replaced, or overwritten.
//!
//! SQLite does not notice: it continues to write to a file that nobody can open again, or mixes two databases. So
//! this module compares the path with the open file by device and inode. Overwriting the file in place keeps both.
//! For that case a counter in the header of the file (SQLite's `application_id`, which has no other use here) is
//! raised once a second while points are committed: an older copy has a lower counter.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::FILE;
use crate::clock::Uptime;

/// Milliseconds between two checks of the file.
const EVERY: u64 = 1_000;

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Offset of the counter in the header.
const COUNTER_AT: usize = 68;

/// The file of an open database.
#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    log: PathBuf,
    /// Kept open: under POSIX, closing any handle of the file would release SQLite's locks on it.
    file: File,
    /// The device and inode of the file.
    opened: Option<Id>,
    /// The device and inode of the write-ahead log, if there was one.
    opened_log: Option<Id>,
    /// The counter at the last check of the file; `None` if the file had no header yet.
    seen: Option<u32>,
    /// The counter that was committed last.
    committed: u32,
    checked: Uptime,
}

type Id = (u64, u64);

impl FileWatch {
    /// Watches the database at `path`, which is open and whose counter is `committed`.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be opened.
    pub(super) fn new(path: &Path, committed: u32) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let file = File::open(path)?;
        let (opened, opened_log) = (id(path)?, id(&log)?);
        let seen = counter(&file).ok().flatten();
        Ok(Self { path: path.to_owned(), log, file, opened, opened_log, seen, committed, checked: Uptime::default() })
    }

    /// Returns the counter to commit next.
    pub(super) fn next(&self) -> u32 {
        self.committed.wrapping_add(1)
    }

    /// Records that a counter was committed.
    pub(super) fn committed(&mut self, counter: u32) {
        self.committed = counter;
    }

    /// Returns true if the next check is due, and starts the next interval.
    pub(super) fn is_due(&mut self, now: Uptime) -> bool {
        let is_due = now >= self.checked.plus(EVERY);
        if is_due {
            self.checked = now;
        }
        is_due
    }

    /// Returns the size of the write-ahead log in bytes; 0 if there is none.
    pub(super) fn log_size(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |found| found.len())
    }

    /// Checks that the file is still the one that was opened.
    ///
    /// # Errors
    /// A description of what happened to the file.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let name = FILE;
        match id(&self.path) {
            Ok(None) => return Err(format!("{name} was deleted while the server ran")),
            Ok(found) if found != self.opened => return Err(format!("{name} was replaced while the server ran")),
            // If the file system does not answer, commits fail and report the reason.
            Ok(_) | Err(_) => {}
        }
        if let Some(opened) = self.opened_log
            && let Ok(found) = id(&self.log)
            && found != Some(opened)
        {
            return Err(format!("{name}-wal was deleted or replaced while the server ran"));
        }
        match (counter(&self.file), self.seen) {
            (Ok(Some(found)), Some(seen)) if found.wrapping_sub(seen) > self.committed.wrapping_sub(seen) => {
                Err(format!("{name} was overwritten with another copy while the server ran"))
            }
            (Ok(None), Some(_)) => Err(format!("{name} was overwritten while the server ran")),
            (Ok(Some(found)), _) => {
                self.seen = Some(found);
                Ok(())
            }
            (Ok(None), None) | (Err(_), _) => Ok(()),
        }
    }
}

/// Returns the device and inode of a file; `None` if there is no file.
fn id(path: &Path) -> io::Result<Option<Id>> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the counter from the header of a database; `None` if the file is empty or not a database.
fn counter(file: &File) -> io::Result<Option<u32>> {
    let mut header = [0; COUNTER_AT + 4];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (head, counter) = header.split_at(COUNTER_AT);
    let counter = counter.try_into().map(u32::from_be_bytes).ok();
    Ok(counter.filter(|_| head.starts_with(MAGIC)))
}
