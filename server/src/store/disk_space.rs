//! Bounds the disk space: the size of the database against `--max-data`, and the free space of the file system.
//!
//! Pushes are refused before either is exhausted. The rest is a reserve for boards, for deletions, and for flushing
//! points that were pushed already.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytesize::ByteSize;
use parking_lot::RwLock;
use rusqlite::Connection;

use super::FILE;
use super::commit::GroupOutcome;
use super::{CommitError, Store};
use crate::clock::Uptime;
use crate::limits::Limit;
use crate::log::{Push, Terms};

/// The largest reserve.
const RESERVE: u64 = 64 << 20;

/// Divisor of all space: the quotient is the reserve, if it is less than [`RESERVE`].
const RESERVED_PART: u64 = 16;

/// Milliseconds after which a measurement is outdated.
const CHECK_EVERY: u64 = 1_000;

/// Bytes of pushes after which a measurement is outdated.
const CHECK_AFTER: u64 = 1 << 20;

/// Bytes that a number takes on disk until it is flushed; a little more than most numbers take.
const NUMBER_BYTES: u64 = 24;

/// Bytes that a block in the memtable will take on disk, with its share of the coarser blocks.
const BLOCK_BYTES: u64 = 512;

/// Seconds after which a refused push may succeed, if something was deleted meanwhile.
const RETRY_AFTER_SECONDS: u32 = 60;

/// Used and free space, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The database without its free pages, its write-ahead log, and blocks that are still to be flushed.
    pub data: u64,
    /// Free space of the file system that this program may use.
    pub free: u64,
    /// Total space of the file system.
    pub capacity: u64,
}

/// The reason why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSpace {
    /// `--max-data` is reached.
    #[error(
        "the database has {}{}; pushes are taken only up to {}, so that boards can still be changed (--max-data {}); raise --max-data, or keep less (--keep-…)",
        ByteSize::b(*.data), and_more(*.more), ByteSize::b(.most - .reserve), ByteSize::b(*.most)
    )]
    Data {
        /// The size of the database.
        data: u64,
        /// The bytes that the request would add; 0 if that is not known.
        more: u64,
        /// The size that the database may have.
        most: u64,
        /// The part that pushes may not use.
        reserve: u64,
    },
    /// The file system is nearly full.
    #[error(
        "the file system of --data has {} left{}; the last {} are reserved, so that boards can still be changed and old points deleted; make room there",
        ByteSize::b(*.free), and_more(*.more), ByteSize::b(*.reserve)
    )]
    Disk {
        /// The free space of the file system.
        free: u64,
        /// The bytes that the request would add; 0 if that is not known.
        more: u64,
        /// The part that pushes may not use.
        reserve: u64,
    },
}

fn and_more(more: u64) -> String {
    if more == 0 { String::new() } else { format!(", and this would take about {} more", ByteSize::b(more)) }
}

impl NoSpace {
    /// Returns the bound that is reached.
    #[must_use]
    pub fn limit(self) -> Limit {
        match self {
            Self::Data { .. } => Limit::Data,
            Self::Disk { .. } => Limit::Disk,
        }
    }
}

impl From<NoSpace> for CommitError {
    fn from(error: NoSpace) -> Self {
        let detail = format!("{error}; nothing of this was stored");
        Self::LimitReached { limit: error.limit(), detail, retry_after: Some(RETRY_AFTER_SECONDS) }
    }
}

/// The purpose of the space that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Points, which must leave the reserve free.
    Pushes,
    /// Documents of boards, which may use the reserve.
    Boards,
}

impl Usage {
    /// Checks that there is room for `more` bytes. `most` is the size that the database may have.
    ///
    /// # Errors
    /// [`NoSpace`].
    pub fn check(self, more: u64, most: Option<u64>, wanted: Use) -> Result<(), NoSpace> {
        let Self { data, free, capacity } = self;
        let reserve_of = |all: u64| match wanted {
            Use::Pushes => RESERVE.min(all / RESERVED_PART),
            Use::Boards => 0,
        };
        if let Some(most) = most {
            let reserve = reserve_of(most);
            if data.saturating_add(more) > most - reserve {
                return Err(NoSpace::Data { data, more, most, reserve });
            }
        }
        let reserve = reserve_of(capacity);
        if capacity > 0 && free < reserve.saturating_add(more) {
            return Err(NoSpace::Disk { free, more, reserve });
        }
        Ok(())
    }
}

/// Figures of the store for other threads.
#[derive(Debug, Default)]
pub struct StoreStats {
    data: AtomicU64,
    free: AtomicU64,
    keys: AtomicUsize,
    repeated: AtomicU64,
    no_space: RwLock<Option<NoSpace>>,
}

impl StoreStats {
    /// Returns the bytes of the database and its write-ahead log, without free pages.
    #[must_use]
    pub fn data(&self) -> u64 {
        self.data.load(Ordering::Relaxed)
    }

    /// Returns the free bytes of the file system.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.free.load(Ordering::Relaxed)
    }

    /// Returns the number of stored idempotency keys.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// Returns the number of points since the start that were repeats and changed nothing.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    pub(super) fn add_repeated(&self, points: u64) {
        self.repeated.fetch_add(points, Ordering::Relaxed);
    }

    /// Returns the reason why the last measurement found no room for pushes; `None` if there was room.
    #[must_use]
    pub fn no_space(&self) -> Option<NoSpace> {
        *self.no_space.read()
    }

    /// Checks whether the last measurement found room for pushes, so that a push can be refused before its body is
    /// read.
    ///
    /// # Errors
    /// [`CommitError::LimitReached`].
    pub fn check(&self) -> Result<(), CommitError> {
        (*self.no_space.read()).map_or(Ok(()), |no_space| Err(no_space.into()))
    }
}

/// The last measurement.
#[derive(Debug, Default)]
pub(super) struct Measurement {
    usage: Usage,
    at: Option<Uptime>,
    /// Bytes that were pushed since the measurement.
    since: u64,
}

impl Store {
    /// Calls `apply` with those pushes of a group for which there is room. A refused push takes no room from the
    /// others.
    pub(super) fn commit_within_space(
        &mut self,
        mut pushes: Vec<(Terms, Push)>,
        now: Uptime,
        apply: impl FnOnce(&mut Self, Vec<(Terms, Push)>, Uptime) -> GroupOutcome,
    ) -> GroupOutcome {
        let checked = self.check_space(&pushes, now);
        if checked.iter().all(Result::is_ok) {
            return apply(self, pushes, now);
        }
        let mut fits = checked.iter().map(Result::is_ok);
        pushes.retain(|_| fits.next() == Some(true));
        let mut outcome = GroupOutcome { results: Vec::new(), committed: Vec::new() };
        if !pushes.is_empty() {
            outcome = apply(self, pushes, now);
        }
        let mut results = outcome.results.into_iter();
        let merged = checked.into_iter().map(|checked| match checked {
            Ok(()) => results.next().expect("each push has a result"),
            Err(no_space) => Err(no_space.into()),
        });
        GroupOutcome { results: merged.collect(), committed: outcome.committed }
    }

    /// Checks for each push, in order, whether there is room. Measures once a second, and after each megabyte of
    /// pushes.
    fn check_space(&mut self, pushes: &[(Terms, Push)], now: Uptime) -> Vec<Result<(), NoSpace>> {
        let sizes: Vec<u64> = pushes.iter().map(|(_, push)| size(push)).collect();
        let more: u64 = sizes.iter().sum();
        let most = self.limits.data;
        let reserve = most.map_or(RESERVE, |most| RESERVE.min(most / RESERVED_PART));
        let is_old = self.measurement.at.is_none_or(|at| at.plus(CHECK_EVERY) <= now);
        if is_old || self.measurement.since.saturating_add(more) > CHECK_AFTER.min(reserve / 2) {
            self.measure(now);
        }
        let check = |size| {
            let Measurement { usage, since, .. } = &mut self.measurement;
            let data = usage.data.saturating_add(*since);
            let now = Usage { data, free: usage.free.saturating_sub(*since), ..*usage };
            now.check(size, most, Use::Pushes)?;
            *since += size;
            Ok(())
        };
        sizes.into_iter().map(check).collect()
    }

    /// Measures again if the last measurement is outdated.
    pub fn measure_if_outdated(&mut self, now: Uptime) {
        if self.measurement.at.is_none_or(|at| at.plus(CHECK_EVERY) <= now) {
            self.measure(now);
        }
    }

    /// Checks that there is room for a document of `bytes` bytes.
    ///
    /// # Errors
    /// [`CommitError::LimitReached`].
    pub fn check_space_for_board(&mut self, bytes: usize, now: Uptime) -> Result<(), CommitError> {
        self.measure(now);
        Ok(self.measurement.usage.check(bytes as u64, self.limits.data, Use::Boards)?)
    }

    /// Measures again, and updates whether there is room for pushes.
    fn measure(&mut self, now: Uptime) {
        match usage(&self.conn, &self.folder) {
            Ok(usage) => {
                let data = usage.data + self.memtable.len() as u64 * BLOCK_BYTES;
                self.measurement = Measurement { usage: Usage { data, ..usage }, at: Some(now), since: 0 };
            }
            Err(error) => tracing::debug!(%error, "cannot measure the database"),
        }
        let Usage { data, free, .. } = self.measurement.usage;
        self.stats.data.store(data, Ordering::Relaxed);
        self.stats.free.store(free, Ordering::Relaxed);
        self.stats.keys.store(self.key_count(), Ordering::Relaxed);
        let checked = self.measurement.usage.check(0, self.limits.data, Use::Pushes);
        let before = std::mem::replace(&mut *self.stats.no_space.write(), checked.err());
        match (before.map(NoSpace::limit), checked.err()) {
            (before, Some(no_space)) if before != Some(no_space.limit()) => {
                tracing::warn!("pushes are refused: {no_space}");
            }
            (Some(_), None) => tracing::info!("there is room again; pushes are taken"),
            _ => {}
        }
    }
}

/// Estimates the bytes that a push takes on disk.
fn size(push: &Push) -> u64 {
    push.points.iter().map(|point| NUMBER_BYTES + 2 * point.bytes_beside() as u64).sum()
}

fn usage(conn: &Connection, folder: &Path) -> Result<Usage, MeasureError> {
    let pragma = |name: &str| conn.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?).unsigned_abs();
    // The file does not exist if the database has no write-ahead log.
    let log = std::fs::metadata(folder.join(format!("{FILE}-wal"))).map_or(0, |file| file.len());
    let files = rustix::fs::statvfs(folder)?;
    Ok(Usage {
        data: pages * pragma("page_size")?.unsigned_abs() + log,
        free: files.f_bavail.saturating_mul(files.f_frsize),
        capacity: files.f_blocks.saturating_mul(files.f_frsize),
    })
}

#[derive(Debug, thiserror::Error)]
enum MeasureError {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    FileSystem(#[from] rustix::io::Errno),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::limits::Limits;
    use shared::{Millis, Number, Point, Value};

    const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

    const GIB: u64 = 1 << 30;

    #[test]
    fn pushes_leave_a_reserve_that_boards_may_use() {
        let usage = |data, free| Usage { data, free, capacity: 100 * GIB };
        for (usage, most, pushes, boards) in [
            (usage(GIB, 50 * GIB), None, true, true),
            (usage(GIB, 50 * GIB), Some(2 * GIB), true, true),
            (usage(2 * GIB - RESERVE + 1, 50 * GIB), Some(2 * GIB), false, true),
            (usage(2 * GIB + 1, 50 * GIB), Some(2 * GIB), false, false),
            (usage(GIB, RESERVE - 1), None, false, true),
            (usage(GIB, 0), None, false, true),
            (usage(950, 50 * GIB), Some(1_000), false, true),
            (usage(900, 50 * GIB), Some(1_000), true, true),
            (Usage { data: 0, free: 9 << 20, capacity: 100 << 20 }, None, true, true),
            (Usage { data: 0, free: 6 << 20, capacity: 100 << 20 }, None, false, true),
        ] {
            assert_eq!(usage.check(0, most, Use::Pushes).is_ok(), pushes, "{usage:?} {most:?}");
            assert_eq!(usage.check(0, most, Use::Boards).is_ok(), boards, "{usage:?} {most:?}");
        }
    }

    #[test]
    fn large_push_that_has_no_room_takes_none_from_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.set_limits(&Limits { data: Some(8 << 20), ..Limits::default() });
        let push = |count: u64| {
            let value = Value::Number(Number::new(1.0).unwrap());
            let point = |n| Point { series: "a".parse().unwrap(), ts: NOW.wall.plus(n), value: value.clone() };
            Push::of((0..count).map(point))
        };
        let outcome = store.commit(vec![push(1), push(400_000), push(2)], NOW);
        let kept: Vec<_> = outcome.results.iter().map(Result::is_ok).collect();
        assert_eq!((kept, outcome.committed.len()), (vec![true, false, true], 3));
        let refusal = outcome.results[1].as_ref().unwrap_err().to_string();
        assert!(refusal.contains("this would take about"), "{refusal}");
        assert_eq!(store.commit(vec![push(400_000)], NOW).committed, []);
    }

    #[test]
    fn refusal_names_the_flag_and_what_to_do() {
        let usage = Usage { data: GIB, free: RESERVE - 1, capacity: 100 * GIB };
        let data = usage.check(0, Some(GIB), Use::Pushes).unwrap_err().to_string();
        assert!(data.contains("--max-data 1.0 GiB") && data.contains("--keep-"), "{data}");
        let disk = usage.check(0, None, Use::Pushes).unwrap_err().to_string();
        assert!(disk.contains("--data") && disk.contains("make room"), "{disk}");
    }
}
