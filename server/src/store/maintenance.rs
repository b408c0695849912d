//! The writer thread's work besides commits. It flushes the memtable in steps so small that no push waits for them,
//! and checks the clock, the disk and the file.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use shared::{Millis, Seq, Tier};

use super::compact::{Tables, compact};
use super::memtable::Due;
use super::{BUSY_TIMEOUT, Store, sql};
use crate::clock::{self, Now};

/// Milliseconds between two stamps while nothing is pushed: an hour. At the start, the time of the last stamp shows how
/// long the server was stopped.
const STAMP_EVERY: u64 = 3_600_000;

/// Beyond this many bytes the write-ahead log is truncated, as soon as no reader needs it. It rarely exceeds 4 MiB.
pub(super) const LOG_LIMIT: u64 = 16 << 20;

/// Bytes that a probe of the disk writes.
const PROBE: i64 = 64 * 1_024;

impl Store {
    /// Flushes up to `most` of the blocks that are due, and rebuilds the coarser buckets that contain them. Returns
    /// how many blocks were due.
    ///
    /// # Errors
    /// Any SQLite error. Then nothing was written, and nothing is lost: the log has it.
    pub fn flush(&mut self, most: usize, when: Due) -> rusqlite::Result<usize> {
        let due = self.memtable.due(most, self.head, when);
        if due.blocks.is_empty() {
            return Ok(0);
        }
        let count = due.blocks.len();
        let flushed = self.memtable.flushed(&due, self.head);
        let damage = self.damage.clone();
        let mut blocks: Vec<_> = due.blocks.iter().map(|(place, block)| (*place, block.as_ref().clone())).collect();
        blocks.sort_unstable_by_key(|(block_id, _)| *block_id);
        let head = self.head;
        self.in_background(|conn| {
            // One series after the other, so that only the blocks of one are in memory twice.
            while let Some((last, _)) = blocks.last() {
                let series = last.series;
                let from = blocks.partition_point(|(block_id, _)| block_id.series < series);
                let mut tables = Tables::new(conn, &damage);
                compact(&mut tables, blocks.split_off(from), Tier::Day)?;
                tables.write()?;
            }
            conn.prepare_cached("UPDATE meta SET head = ?1, settled = ?2, settled_too = ?2")?
                .execute([sql(head.0), sql(flushed.0)])?;
            Ok(())
        })?;
        self.flushed = flushed;
        self.memtable.remove_flushed(&due);
        Ok(count)
    }

    /// Returns the seq up to which the tables hold every bucket.
    #[must_use]
    pub fn flushed(&self) -> Seq {
        self.flushed
    }

    /// Passes the clocks on to [`StoreTime`] and, once a second, checks whether the file is still the one that was
    /// opened and, after a failed commit, whether it can be written again. `asleep` is as in [`StoreTime::observe`].
    ///
    /// [`StoreTime`]: super::time::StoreTime
    /// [`StoreTime::observe`]: super::time::StoreTime::observe
    pub fn observe(&mut self, now: Now, asleep: u64) {
        self.time.observe(now, asleep);
        self.condition.warn_of_clock(self.time.warning());
        if !self.file_watch.is_due(now.up) || self.condition.lost().is_some() {
            return;
        }
        if let Err(why) = self.file_watch.check() {
            self.condition.lose(&why);
            // The file at the path may be the operator's copy: SQLite must not write into it, not even when it closes.
            let kept = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            _ = kept.inspect_err(|error| tracing::warn!(%error, "the write-ahead log may be written into the file"));
        } else if self.condition.is_failing() {
            self.probe();
        } else if (self.head != self.stamped.0 || now.up >= self.stamped.1.plus(STAMP_EVERY))
            && let Err(error) = self.stamp()
        {
            tracing::debug!(%error, "cannot stamp the database");
        }
        if self.condition.refusal().is_none() && self.file_watch.log_size() > LOG_LIMIT {
            self.checkpoint();
        }
    }

    /// Returns the time by which retention judges age; never later than `wall`.
    #[must_use]
    pub fn time(&self, wall: Millis) -> Millis {
        self.time.now(wall)
    }

    /// Writes the next counter, which distinguishes this file from older copies, and the store's time.
    pub(super) fn stamp(&mut self) -> rusqlite::Result<()> {
        let (counter, now) = (self.file_watch.next(), clock::now());
        let time = self.time.now(now.wall);
        // Set before the attempt: a commit may report a failure although the file has the counter.
        self.file_watch.committed(counter);
        self.in_background(|tx| {
            tx.pragma_update(None, "application_id", counter.cast_signed())?;
            tx.prepare_cached("INSERT OR REPLACE INTO clock (one, at) VALUES (1, ?1)")?.execute([sql(time.0)])?;
            Ok(())
        })?;
        self.stamped = (self.head, now.up);
        Ok(())
    }

    /// Copies the write-ahead log into the file as far as no reader needs it, and truncates it if no reader needs any
    /// of it. Does not wait.
    pub(super) fn checkpoint(&mut self) {
        let copy =
            |conn: &Connection| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        let copied = self.conn.busy_timeout(Duration::ZERO).and_then(|()| copy(&self.conn));
        if let Err(error) = self.conn.busy_timeout(BUSY_TIMEOUT).and(copied) {
            tracing::debug!(%error, "cannot copy the write-ahead log into the database");
        }
    }

    /// Tries a commit that writes [`PROBE`] bytes. Does not wait for other programs.
    fn probe(&mut self) {
        let write = |conn: &mut Connection| {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute("INSERT OR REPLACE INTO probe (one, data) VALUES (1, zeroblob(?1))", [PROBE])?;
            tx.commit()
        };
        let probed = self.conn.busy_timeout(Duration::ZERO).and_then(|()| write(&mut self.conn));
        let probed = self.conn.busy_timeout(BUSY_TIMEOUT).and(probed);
        match probed.and_then(|()| self.record_epoch()) {
            Ok(()) => self.condition.committed(),
            Err(error) => self.condition.failed(&error.into()),
        }
    }

    /// Runs a transaction that need not be on the disk when it ends, since all of it can be made again from data that
    /// is. The next commit syncs it too, since SQLite syncs a write-ahead log as a whole.
    pub(super) fn in_background<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.conn.pragma_update(None, "synchronous", "NORMAL")?;
        let done = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        });
        self.conn.pragma_update(None, "synchronous", self.synchronous())?;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CommitError, Retention};
    use super::*;
    use crate::clock::Uptime;
    use crate::log::Push;
    use shared::{Number, Point, Text, Value};

    const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

    fn number(value: f64) -> Push {
        let value = Value::Number(Number::new(value).unwrap());
        Push::of([Point { series: "a".parse().unwrap(), ts: NOW.wall, value }])
    }

    fn seconds(up: u64) -> Now {
        Now { wall: NOW.wall.plus(up * 1_000), up: Uptime(up * 1_000) }
    }

    #[test]
    fn deleted_replaced_or_overwritten_file_is_noticed_and_pushes_are_refused() {
        type Harm = fn(&std::path::Path, &[u8]);
        let harms: [(Harm, &str); 5] = [
            (|file, _| std::fs::remove_file(file).unwrap(), "was deleted"),
            (
                |file, _| {
                    std::fs::copy(file, file.with_extension("new")).unwrap();
                    std::fs::rename(file.with_extension("new"), file).unwrap();
                },
                "was replaced",
            ),
            (|file, older| std::fs::write(file, older).unwrap(), "was overwritten"),
            (|file, _| std::fs::write(file, "").unwrap(), "was overwritten"),
            (|file, _| std::fs::remove_file(file.with_extension("sqlite-wal")).unwrap(), "-wal was deleted"),
        ];
        for (harm, wanted) in harms {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(super::super::FILE);
            drop(Store::open(folder.path()).unwrap());
            let older = std::fs::read(&file).unwrap();
            let mut store = Store::open(folder.path()).unwrap();
            assert_eq!(store.commit(vec![number(1.0)], NOW).results, [Ok(())]);
            (1..4).for_each(|up| store.observe(seconds(up), 0));
            assert_eq!(store.condition().refusal(), None);
            harm(&file, &older);
            store.observe(seconds(5), 0);
            let refusal = store.condition().refusal().unwrap();
            assert!(refusal.contains(wanted), "{refusal}");
            let results = store.commit(vec![number(2.0)], seconds(6)).results;
            assert_eq!(results, [Err(CommitError::Lost(refusal))]);
        }
    }

    #[test]
    fn stamps_and_checkpoints_do_not_look_like_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for up in 1..30 {
            assert_eq!(store.commit(vec![number(1.0)], NOW).results, [Ok(())]);
            store.observe(seconds(up), 0);
            if up % 7 == 0 {
                store.checkpoint();
            }
            assert_eq!(store.condition().refusal(), None, "after {up} s");
        }
    }

    #[test]
    fn failed_store_takes_pushes_again_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let limit = |store: &Store, pages: i64| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            let _: i64 = store.conn.query_row(&pragma, [], |row| row.get(0)).unwrap();
        };
        limit(&store, 1);
        let many = Push::of((0..3_000).map(|n| {
            let value = Value::Number(Number::new(1.0).unwrap());
            Point { series: format!("s/{n}").parse().unwrap(), ts: NOW.wall, value }
        }));
        assert_eq!(store.commit(vec![many], NOW).results, [Err(CommitError::DiskFull)]);
        store.observe(seconds(2), 0);
        assert_eq!(store.condition().refusal().as_deref(), Some("the disk is full"));
        limit(&store, 1_000_000);
        store.observe(seconds(4), 0);
        assert_eq!(store.condition().refusal(), None);
    }

    #[test]
    fn write_ahead_log_shrinks_once_a_long_reader_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.conn.pragma_update(None, "synchronous", "OFF").unwrap();
        let reader = Connection::open(folder.path().join(super::super::FILE)).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM series").unwrap();
        let _: i64 = reader.query_row("SELECT count(*) FROM series", [], |row| row.get(0)).unwrap();
        let text = "x".repeat(4_096);
        for n in 0..6_u64 {
            let lines = (0..1_000).map(|line| {
                let value = Value::Text(Text::new(text.clone()).unwrap());
                Point { series: "log".parse().unwrap(), ts: NOW.wall.plus(n * 1_000 + line), value }
            });
            assert_eq!(store.commit(vec![Push::of(lines)], NOW).results, [Ok(())]);
        }
        assert!(store.file_watch.log_size() > LOG_LIMIT);
        store.observe(seconds(2), 0);
        assert!(store.file_watch.log_size() > LOG_LIMIT, "the part that is being read stays");
        reader.execute_batch("COMMIT").unwrap();
        store.observe(seconds(4), 0);
        assert!(store.file_watch.log_size() <= LOG_LIMIT);
    }

    #[test]
    fn clock_that_jumps_for_a_minute_deletes_nothing() {
        const YEARS: u64 = 3 * 365 * 86_400_000;
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.time = super::super::time::StoreTime::begin(Some(NOW.wall), NOW);
        assert_eq!(store.commit(vec![number(1.0)], NOW).results, [Ok(())]);
        while store.flush(1_000, Due::All).unwrap() > 0 {}
        let blocks = |store: &Store| -> i64 {
            store
                .conn
                .query_row(
                    "SELECT count(*) + (SELECT count(*) FROM log) + (SELECT count(*) FROM extents) FROM blocks",
                    [],
                    |row| row.get(0),
                )
                .unwrap()
        };
        let before = blocks(&store);
        let sweep = |store: &mut Store, now: Now| {
            store.observe(now, 0);
            let now = Now { wall: store.time(now.wall), ..now };
            store.sweep(&Retention { raw: Some(2 * 86_400_000), ..Retention::default() }, now).unwrap();
        };
        for up in 1..300 {
            let Now { wall, up } = seconds(up);
            let jumped = (100_000..170_000).contains(&up.0);
            sweep(&mut store, Now { wall: if jumped { wall.plus(YEARS) } else { wall }, up });
            assert_eq!(store.condition().warnings().len(), usize::from(jumped));
        }
        assert_eq!(blocks(&store), before);
        // A clock that stays there for an hour is trusted.
        for up in 300..4_100 {
            let Now { wall, up } = seconds(up);
            sweep(&mut store, Now { wall: wall.plus(YEARS), up });
        }
        assert!(blocks(&store) < before);
    }
}
