//! Notices that the file of the database is no longer the one that was opened: deleted, replaced, or written over.
//!
//! SQLite notices none of that: it goes on writing to a file that nobody will open again, or mixes two databases. So the
//! path is compared with the open file by device and inode. Writing over the file in place keeps both; for that, a counter in
//! the header of the file (SQLite's `application_id`, which means nothing else here) is raised once a second while anything is
//! written: an older copy has a lower one.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::schema::FILE;
use crate::clock::Uptime;

/// How often the file is looked at, in milliseconds.
const EVERY: u64 = 1_000;

/// What a database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the header has the counter.
const COUNTER_AT: usize = 68;

/// The file of an open database.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    log: PathBuf,
    /// Kept open: to close any handle on the file would release SQLite's locks on it (POSIX).
    file: File,
    /// The device and the inode of the file, and of its write-ahead log where there is one.
    opened: Option<Id>,
    opened_log: Option<Id>,
    /// The counter as the file had it last; nothing where the file had none yet.
    seen: Option<u32>,
    /// The counter as it was committed last.
    committed: u32,
    checked: Uptime,
}

type Id = (u64, u64);

impl Watched {
    /// Watches the database at `path`, which is open and whose counter is `committed`.
    ///
    /// # Errors
    /// [`io::Error`] where it cannot be opened.
    pub(super) fn new(path: &Path, committed: u32) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let file = File::open(path)?;
        let (opened, opened_log) = (id(path)?, id(&log)?);
        let seen = counter(&file).ok().flatten();
        Ok(Self { path: path.to_owned(), log, file, opened, opened_log, seen, committed, checked: Uptime::default() })
    }

    /// The counter to commit next.
    pub(super) fn next(&self) -> u32 {
        self.committed.wrapping_add(1)
    }

    /// Notes that a counter was committed.
    pub(super) fn committed(&mut self, counter: u32) {
        self.committed = counter;
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&mut self, now: Uptime) -> bool {
        let is_due = now >= self.checked.plus(EVERY);
        if is_due {
            self.checked = now;
        }
        is_due
    }

    /// The size of the write-ahead log in bytes; 0 where there is none.
    pub(super) fn log_size(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |found| found.len())
    }

    /// Looks at the file.
    ///
    /// # Errors
    /// What became of it.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let name = FILE;
        match id(&self.path) {
            Ok(None) => return Err(format!("{name} was deleted while the server ran")),
            Ok(found) if found != self.opened => return Err(format!("{name} was replaced while the server ran")),
            // Where the file system does not answer, commits fail, and tell why.
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
                Err(format!("{name} was written over with another copy while the server ran"))
            }
            (Ok(None), Some(_)) => Err(format!("{name} was written over while the server ran")),
            (Ok(Some(found)), _) => {
                self.seen = Some(found);
                Ok(())
            }
            (Ok(None), None) | (Err(_), _) => Ok(()),
        }
    }
}

/// The device and the inode of a file; nothing where there is none.
fn id(path: &Path) -> io::Result<Option<Id>> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The counter in the header of a database; nothing where it is none, or is empty.
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
