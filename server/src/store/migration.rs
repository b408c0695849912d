//! Brings data folders of earlier versions to the present form of stored buckets, when they are opened.
//!
//! Rows of version 2 are merged into extents, some hundreds of extents in a transaction. The table `upgrade` exists from
//! the first transaction until all rows are done, so a server that is killed meanwhile continues at its next start. A row
//! that cannot be read is moved to the table `damaged`; a coarser one is rebuilt from the finer tier, as far as that
//! reaches. In the end the file is written anew without the space that the old rows took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::compact::rebuilt;
use super::damage::{Damage, Part, Unreadable};
use super::dedup_keys::DedupKeys;
use super::{Store, legacy, rows};

/// The version of the tables whose rows are brought to the present form.
pub(super) const FROM: i64 = 2;

/// Rows of earlier versions that one transaction takes, at least. A kill costs the work of one transaction.
const ROWS: usize = 10_000;

/// The time between two lines of the log.
const LOGGED_EVERY: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS upgrade (one INTEGER PRIMARY KEY CHECK (one = 1));
";

/// The progress of opening a store, for health checks. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<[AtomicU64; 2]>);

impl Progress {
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0[0].store(done, Ordering::Relaxed);
        self.0[1].store(total, Ordering::Relaxed);
    }

    /// Describes the work; `None` while there is none.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let [done, total] = [0, 1].map(|at| self.0[at].load(Ordering::Relaxed));
        let percent = (100 * done).checked_div(total)?;
        Some(format!("the data folder is being upgraded: {percent} % of {total} rows"))
    }
}

/// Writes that the tables are of `version`, and that the rows are still to be brought to its form.
///
/// # Errors
/// Any SQLite error.
pub(super) fn begin(conn: &mut Connection, version: i64) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(TABLES)?;
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()
}

/// Returns true if rows are still to be brought to the present form.
///
/// # Errors
/// Any SQLite error.
pub(super) fn is_begun(conn: &Connection) -> rusqlite::Result<bool> {
    let is_begun = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'upgrade')";
    conn.query_row(is_begun, [], |row| row.get(0))
}

/// Brings all rows to the present form, if that was begun and not ended. Then gives the space back to the file system.
///
/// # Errors
/// Any SQLite error. The next start continues.
pub(super) fn run(conn: &mut Connection, damage: &Damage, progress: &Progress) -> rusqlite::Result<()> {
    if is_begun(conn)? {
        let total: i64 = conn.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0))?;
        let total = total.unsigned_abs();
        tracing::info!(rows = total, "upgrading the data folder; it goes on at the next start if it is stopped");
        let (begun, mut logged, mut done) = (Instant::now(), Instant::now(), 0);
        progress.set(0, total);
        // Each transaction can be made again, so none waits for the disk.
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        loop {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let taken = step(&tx, damage)?;
            if taken == 0 {
                tx.execute_batch("DROP TABLE upgrade")?;
                tx.commit()?;
                break;
            }
            tx.commit()?;
            done += taken as u64;
            progress.set(done, total.max(done));
            if logged.elapsed() >= LOGGED_EVERY {
                logged = Instant::now();
                tracing::info!("upgraded {} % of the data folder", (100 * done).checked_div(total).unwrap_or(100));
            }
        }
        conn.pragma_update(None, "synchronous", "FULL")?;
        tracing::info!(rows = done, seconds = begun.elapsed().as_secs(), "upgraded the data folder");
    }
    return_space(conn);
    Ok(())
}

/// Merges the rows of some extents. Returns the number of rows.
fn step(tx: &Connection, damage: &Damage) -> rusqlite::Result<usize> {
    let mut taken = 0;
    while taken < ROWS {
        let next = "SELECT key FROM blocks ORDER BY key LIMIT 1";
        let mut select = tx.prepare_cached(next)?;
        let mut next = select.query([])?;
        let Some(row) = next.next()? else { break };
        let key: i64 = row.get(0)?;
        drop(next);
        let rows = match BlockId::of_key(key) {
            Some(id) => upgrade(tx, ExtentId::of(id), damage)?,
            None => tx.prepare_cached("DELETE FROM blocks WHERE key = ?1")?.execute([key])?,
        };
        if rows == 0 {
            // The first row is not found by its key, so it would be the first one for ever.
            damage.note(Part::Table("blocks"), "its rows are out of order");
            break;
        }
        taken += rows;
    }
    Ok(taken)
}

/// Merges the rows of an extent. Returns their number.
fn upgrade(tx: &Connection, id: ExtentId, damage: &Damage) -> rusqlite::Result<usize> {
    let (first, last) = id.blocks();
    let ends = [first.key(), last.key()];
    let mut extent = rows::extent(tx, id, damage)?.unwrap_or_default();
    let mut unreadable = Vec::new();
    let mut select =
        tx.prepare_cached("SELECT key, data, sent FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key")?;
    let mut found = select.query(ends)?;
    while let Some(row) = found.next()? {
        let block_id = first.with_key(row.get(0)?);
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| Unreadable::Type);
        match bytes.and_then(|bytes| legacy::unpack(bytes, block_id)) {
            Ok(mut block) => {
                let sent = row.get_ref(2)?.as_blob_or_null().map_err(|_| Unreadable::Type);
                let sent = sent.and_then(|sent| sent.map_or(Ok(DedupKeys::default()), legacy::unpack_sent));
                block.dedup_keys = sent.unwrap_or_else(|why| {
                    damage.note(Part::Block(block_id), why);
                    DedupKeys::default()
                });
                extent.set(block_id, block);
            }
            Err(why) => {
                damage.note(Part::Block(block_id), why);
                unreadable.push(block_id);
            }
        }
    }
    drop(found);
    for block_id in unreadable {
        let keep = "INSERT OR IGNORE INTO damaged (key, data) SELECT key, data FROM blocks WHERE key = ?1";
        tx.prepare_cached(keep)?.execute([block_id.key()])?;
        // Finer tiers have lower keys, so they are upgraded already.
        let buckets = rebuilt(tx, id.tier, block_id, block_id.span(), damage)?;
        if !buckets.is_empty() {
            extent.set(block_id, Block { buckets, ..Block::default() });
        }
    }
    if extent != Extent::default() {
        rows::write_extent(tx, id, &extent, damage)?;
    }
    tx.prepare_cached("DELETE FROM blocks WHERE key BETWEEN ?1 AND ?2")?.execute(ends)
}

/// Writes a file of an earlier version anew, so that free pages can be given back to the file system from now on. If there
/// is no room for that, the next start tries again; the free pages are used again meanwhile.
fn return_space(conn: &Connection) {
    const INCREMENTAL: i64 = 2;
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let vacuum = || {
        if pragma("auto_vacuum")? == INCREMENTAL {
            return Ok(());
        }
        let pages = pragma("page_count")?;
        tracing::info!(pages, "writing the database anew, to give its free space back");
        conn.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
        conn.execute_batch("VACUUM")?;
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    if let Err(error) = vacuum() {
        tracing::warn!(%error, "cannot give free space back to the file system; the next start tries again");
    }
}

/// The free pages from which they are given back: 1 MiB.
const FREE_PAGES: i64 = 256;

/// The pages that one step gives back: some milliseconds of work.
const STEP: i64 = 64;

/// Gives some free pages at the end of the file back to the file system, if more than an eighth of it is free.
///
/// # Errors
/// Any SQLite error.
pub(super) fn give_back(store: &mut Store) -> rusqlite::Result<()> {
    let conn = &store.conn;
    let pragma = |name: &str| conn.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get::<_, i64>(0));
    let (pages, free) = (pragma("page_count")?, pragma("freelist_count")?);
    if free < FREE_PAGES || free < pages / 8 {
        return Ok(());
    }
    store.in_background(|tx| {
        let mut step = tx.prepare(&format!("PRAGMA incremental_vacuum({STEP})"))?;
        let mut freed = step.query([])?;
        // SQLite gives one page back with each row.
        while freed.next()?.is_some() {}
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::super::memtable::Due;
    use super::super::merge::merge_due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::log::{Push, Pushed, SeriesId};
    use shared::{Millis, Number, Point, Tier, TimeRange, Value};
    use std::path::Path;

    const START: Millis = Millis(1_732_320_000_000);
    const ALL: TimeRange = TimeRange { from: Millis(0), to: Millis(u64::MAX) };

    /// Makes a folder of version 2, with times that senders set, and returns its blocks.
    fn old_folder(folder: &Path) -> Vec<(BlockId, Block)> {
        let mut store = Store::open(folder).unwrap();
        for series in 0..3_u64 {
            let point = |n: u64| {
                let value = Value::Number(Number::new((n * 7 % 31) as f64 / 4.0).unwrap());
                let ts = START.plus(n * (1 + series * 97) * 700);
                Pushed::from(Point { series: format!("s/{series}").parse().unwrap(), ts, value })
            };
            let points =
                (0..2_000).map(|n| if n % 3 == 0 { point(n) } else { point(n).sent(u32::try_from(n).unwrap()) });
            let push = Push { points: points.collect(), ..Push::of([]) };
            let now = Now { wall: START.plus(86_400_000), up: Uptime(0) };
            assert_eq!(store.commit(vec![push], now).results, [Ok(())]);
        }
        while store.flush(5_000, Due::All).unwrap() > 0 {}
        let blocks = blocks(&store.conn);
        store
            .conn
            .execute_batch("BEGIN; DELETE FROM blocks; DROP TABLE extents; ALTER TABLE log DROP COLUMN sum")
            .unwrap();
        for (id, block) in &blocks {
            let (data, sent) = legacy::pack(block, *id);
            let insert = "INSERT INTO blocks (key, buckets, data, sent) VALUES (?1, ?2, ?3, ?4)";
            store.conn.execute(insert, (id.key(), super::super::sql(block.buckets.len() as u64), data, sent)).unwrap();
        }
        store.conn.pragma_update(None, "user_version", FROM).unwrap();
        store.conn.execute_batch("COMMIT; PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
        blocks
    }

    fn blocks(conn: &Connection) -> Vec<(BlockId, Block)> {
        let damage = Damage::default();
        let mut all = Vec::new();
        for series in (1..=3).map(SeriesId) {
            for tier in Tier::ALL {
                rows::each_within(conn, tier, series, ALL, &damage, |id, _| {
                    all.push((id, rows::read_whole(conn, id, &damage).unwrap()));
                })
                .unwrap();
            }
        }
        assert!(damage.is_none(), "{:?}", damage.warning());
        all
    }

    fn pragma(conn: &Connection, name: &str) -> i64 {
        conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn folder_of_version_2_has_the_same_buckets_afterwards_and_takes_less_space() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = old_folder(folder.path());
        let before = pragma(&Connection::open(folder.path().join(FILE)).unwrap(), "page_count");
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(blocks(&store.conn), wanted);
        assert!(store.damage.is_none() && pragma(&store.conn, "user_version") == 3);
        assert_eq!(pragma(&store.conn, "auto_vacuum"), 2);
        let after = pragma(&store.conn, "page_count");
        assert!(after * 2 < before, "{after} of {before} pages");
        assert_eq!(pragma(&store.conn, "freelist_count"), 0);
        assert_eq!(store.conn.query_row("SELECT count(*) FROM blocks", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }

    #[test]
    fn migration_that_was_killed_after_any_step_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = old_folder(folder.path());
        let mut conn = Connection::open(folder.path().join(FILE)).unwrap();
        conn.execute_batch(
            "CREATE TABLE extents (key INTEGER PRIMARY KEY, buckets INTEGER NOT NULL, data BLOB NOT NULL, sent BLOB)",
        )
        .unwrap();
        begin(&mut conn, 3).unwrap();
        let mut steps = 0;
        loop {
            // The state on the disk after each transaction is what a start after a kill finds.
            if steps % 16 == 0 {
                let copy = tempfile::tempdir().unwrap();
                conn.execute("VACUUM INTO ?1", [copy.path().join(FILE).to_str().unwrap()]).unwrap();
                let store = Store::open(copy.path()).unwrap();
                assert_eq!(blocks(&store.conn), wanted, "after {steps} steps");
            }
            let next = "SELECT key FROM blocks ORDER BY key LIMIT 1";
            let Ok(key) = conn.query_row(next, [], |row| row.get::<_, i64>(0)) else { break };
            upgrade(&conn, ExtentId::of(BlockId::of_key(key).unwrap()), &Damage::default()).unwrap();
            steps += 1;
        }
    }

    #[test]
    fn unreadable_row_is_kept_aside_and_coarser_ones_are_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = old_folder(folder.path());
        let conn = Connection::open(folder.path().join(FILE)).unwrap();
        let broken = |tier| wanted.iter().find(|(id, _)| id.tier == tier).unwrap().0;
        let (second, hour) = (broken(Tier::Second), broken(Tier::Hour));
        for id in [second, hour] {
            conn.execute("UPDATE blocks SET data = x'ffffff' WHERE key = ?1", [id.key()]).unwrap();
        }
        drop(conn);
        let store = Store::open(folder.path()).unwrap();
        let warning = store.damage().warning().unwrap();
        assert!(warning.contains("in 2 places"), "{warning}");
        let kept: i64 = store.conn.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 2);
        let found = blocks(&store.conn);
        let wanted: Vec<_> = wanted.into_iter().filter(|(id, _)| *id != second).collect();
        let count = |(_, block): &(BlockId, Block)| block.buckets.iter().map(|rolled| rolled.bucket.count).sum::<u64>();
        assert_eq!(found.iter().map(count).collect::<Vec<_>>(), wanted.iter().map(count).collect::<Vec<_>>());
    }

    #[test]
    fn merging_changes_no_block_and_gives_space_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for n in 0..400_u64 {
            let value = Value::Number(Number::new(n as f64 / 10.0).unwrap());
            let ts = START.plus(n * 20_000);
            let point = Pushed::from(Point { series: "a".parse().unwrap(), ts, value }).sent(0);
            let push = Push { points: vec![point], ..Push::of([]) };
            let now = Now { wall: START.plus(86_400_000), up: Uptime(0) };
            assert_eq!(store.commit(vec![push], now).results, [Ok(())]);
            store.flush(1, Due::All).unwrap();
            if n % 50 == 49 {
                let before = blocks(&store.conn);
                while merge_due(&store.conn, SeriesId(1), SeriesId(1), 2, &store.damage).unwrap() > 0 {}
                assert_eq!(blocks(&store.conn), before);
            }
        }
        let count = |table: &str| -> i64 {
            store.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert!(count("blocks") < 30 && count("extents") < 10, "{} {}", count("blocks"), count("extents"));
    }

    #[test]
    fn free_pages_are_given_back_in_steps() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store
            .conn
            .execute_batch("CREATE TABLE large (data BLOB); INSERT INTO large VALUES (zeroblob(9000000))")
            .unwrap();
        store.conn.execute_batch("DROP TABLE large").unwrap();
        let before = pragma(&store.conn, "page_count");
        give_back(&mut store).unwrap();
        assert_eq!(pragma(&store.conn, "page_count"), before - STEP);
        for _ in 0..100 {
            give_back(&mut store).unwrap();
        }
        assert!(pragma(&store.conn, "freelist_count") < FREE_PAGES);
    }
}
