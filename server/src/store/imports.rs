//! Imports of the past: decides which days of a series still take points that are older than the finest buckets that
//! retention keeps.
//!
//! A coarser bucket is rebuilt from finer ones ([`super::compact`]). Once retention has deleted the finer buckets of a
//! day, one more point of that day would replace the coarser buckets instead of adding to them. So a day takes points
//! from the past only while the store has all of its finest buckets. After an import, retention spares the series for
//! a day, so that the import can be continued.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::Connection;
use shared::{Millis, Tier, TimeRange};

use super::block::Block;
use super::block_id::BlockId;
use super::damage::Damage;
use super::rows;
use super::sql;
use crate::log::SeriesId;

/// Milliseconds for which retention spares the buckets of a series after its last import: a day.
const SPARED: u64 = 86_400_000;

/// Milliseconds after which the time of an import is written again.
const NOTED_EVERY: u64 = 3_600_000;

/// The most days that are cached as complete. Beyond that, days are checked again.
const MOST_DAYS: usize = 1_000_000;

/// The table of the last import of each series.
pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS imports (series INTEGER PRIMARY KEY, at INTEGER NOT NULL);
";

/// The imports of the last day.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// The time of the last import of each series, as stored.
    last: HashMap<SeriesId, Millis, RandomState>,
    /// The former entries of `last` that the running transaction changed, in order.
    former: Vec<(SeriesId, Option<Millis>)>,
    /// Days, counted from 1970, that take points. Valid while retention spares the series.
    whole: HashSet<(SeriesId, u64), RandomState>,
}

impl Imports {
    /// Reads the table.
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut select = conn.prepare("SELECT series, at FROM imports WHERE typeof(at) = 'integer'")?;
        let rows =
            select.query_map([], |row| Ok((SeriesId(row.get(0)?), Millis(row.get::<_, i64>(1)?.unsigned_abs()))))?;
        Ok(Self { last: rows.collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// Returns true while retention must not delete the buckets of a series. `now` is the store's time.
    pub(super) fn spares(&self, series: SeriesId, now: Millis) -> bool {
        self.last.get(&series).is_some_and(|&at| now.since(at) < SPARED && at <= now.plus(SPARED))
    }

    /// Returns true if the day of `ts` takes a point: the store has all of its finest buckets, or no bucket of the
    /// day.
    pub(super) fn takes(
        &mut self,
        conn: &Connection,
        damage: &Damage,
        series: SeriesId,
        ts: Millis,
        now: Millis,
    ) -> rusqlite::Result<bool> {
        let width = Tier::Day.width_ms();
        let day = (series, ts.0 / width);
        if self.spares(series, now) && self.whole.contains(&day) {
            return Ok(true);
        }
        let from = ts.floor(width);
        if !is_whole(conn, damage, series, TimeRange { from, to: from.plus(width) })? {
            return Ok(false);
        }
        if self.whole.len() >= MOST_DAYS {
            self.whole.clear();
        }
        self.whole.insert(day);
        Ok(true)
    }

    /// Records that these series are being imported, so that retention spares them from now on. The end of the
    /// transaction must be reported by [`Self::committed`] or [`Self::rolled_back`].
    pub(super) fn note(
        &mut self,
        conn: &Connection,
        series: &HashSet<SeriesId, RandomState>,
        now: Millis,
    ) -> rusqlite::Result<()> {
        let mut insert = conn.prepare_cached("INSERT OR REPLACE INTO imports (series, at) VALUES (?1, ?2)")?;
        for &id in series {
            if self.last.get(&id).is_none_or(|&at| now.since(at) >= NOTED_EVERY || at > now) {
                if !self.spares(id, now) {
                    // Retention may have deleted buckets since these days were checked.
                    self.whole.retain(|&(other, _)| other != id);
                }
                insert.execute((id.0, sql(now.0)))?;
                self.former.push((id, self.last.insert(id, now)));
            }
        }
        Ok(())
    }

    /// Keeps what the transaction noted.
    pub(super) fn committed(&mut self) {
        self.former.clear();
    }

    /// Forgets what the transaction noted, since its rows are not in the table.
    pub(super) fn rolled_back(&mut self) {
        for (id, former) in self.former.drain(..).rev() {
            match former {
                Some(at) => self.last.insert(id, at),
                None => self.last.remove(&id),
            };
        }
    }
}

/// Returns true if the finest buckets of a day have as many points as the bucket of the day. Points that are not
/// flushed yet are in neither.
fn is_whole(conn: &Connection, damage: &Damage, series: SeriesId, day: TimeRange) -> rusqlite::Result<bool> {
    let count = |block: &Block| -> u64 { block.within(day).iter().map(|rolled| rolled.bucket.count).sum() };
    let whole = count(&rows::read(conn, BlockId::holding(Tier::Day, series, day.from), damage)?);
    if whole == 0 {
        return Ok(true);
    }
    let mut finest = 0;
    rows::each_within(conn, Tier::Second, series, day, damage, |_, block| finest += count(&block))?;
    Ok(finest == whole)
}

#[cfg(test)]
mod tests {
    use shared::{Number, Point, Text, Value};

    use super::super::commit::{UnfitPoint, UnfitReason};
    use super::super::memtable::Due;
    use super::super::time::StoreTime;
    use super::super::{CommitError, Retention, Store};
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::log::{Atomicity, Fingerprint, IdempotencyKey, Push};

    const DAY: u64 = 86_400_000;
    const NOW: Millis = Millis(20_000 * DAY + 7 * 3_600_000);

    /// Opens a store whose clock shows `wall`.
    fn open(folder: &std::path::Path, wall: Millis) -> Store {
        let mut store = Store::open(folder).unwrap();
        store.time = StoreTime::begin(Some(wall), Now { wall, up: Uptime(0) });
        store
    }

    /// Pushes `count` points, one for each minute from `from`.
    fn push(store: &mut Store, series: &str, from: Millis, count: u64, wall: Millis) -> Result<(), CommitError> {
        let point = |n| Point {
            series: series.parse().unwrap(),
            ts: from.plus(n * 60_000),
            value: Value::Number(Number::new(1.0).unwrap()),
        };
        let push = Push::of((0..count).map(point));
        store.commit(vec![push], Now { wall, up: Uptime(0) }).results.remove(0)
    }

    /// Flushes all buckets, then lets retention delete what is old.
    fn settle_and_sweep(store: &mut Store, wall: Millis) {
        while store.flush(1_000, Due::All).unwrap() > 0 {}
        for sweep in 1..20 {
            store.sweep(&Retention::default(), Now { wall, up: Uptime(sweep * DAY) }).unwrap();
        }
    }

    #[test]
    fn import_is_noted_once_its_transaction_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let old = Millis(19_000 * DAY);
        let mut store = open(folder.path(), NOW);
        let noted = |store: &Store| {
            let table = Imports::read(&store.conn).unwrap();
            assert_eq!(store.imports.last, table.last);
            table.last.len()
        };
        let limit = |store: &Store, pages: u32| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            let _: i64 = store.conn.query_row(&pragma, [], |row| row.get(0)).unwrap();
        };
        push(&mut store, "a", NOW, 1, NOW).unwrap();
        limit(&store, 1);
        assert!(push(&mut store, "a", old, 20_000, NOW).is_err());
        assert_eq!(noted(&store), 0);
        limit(&store, 1_000_000);
        push(&mut store, "a", old, 20_000, NOW).unwrap();
        assert_eq!(noted(&store), 1);
    }

    /// Returns the number of points in the bucket of a day of the first series.
    fn count(store: &Store, day: Millis) -> u64 {
        let block = rows::read(&store.conn, BlockId::holding(Tier::Day, SeriesId(1), day), &store.damage).unwrap();
        block.within(TimeRange { from: day, to: day.plus(DAY) }).iter().map(|rolled| rolled.bucket.count).sum()
    }

    /// Returns the number of points that were refused because their day is compacted, and their places.
    fn compacted(result: &Result<(), CommitError>) -> Option<(usize, Vec<usize>)> {
        let Err(CommitError::Compacted(unfit)) = result else { return None };
        Some((unfit.count(), unfit.listed.iter().map(|point| point.at).collect()))
    }

    #[test]
    fn day_takes_points_until_its_finest_buckets_are_deleted_and_its_count_is_always_true() {
        let folder = tempfile::tempdir().unwrap();
        let (old, other) = (Millis(19_000 * DAY), Millis(19_001 * DAY));
        let mut store = open(folder.path(), NOW);
        // Pushes hours apart and out of order, with retention at work in between.
        for (part, hour) in [5, 0, 11].into_iter().enumerate() {
            assert_eq!(push(&mut store, "a", old.plus(hour * 3_600_000), 50, NOW), Ok(()));
            settle_and_sweep(&mut store, NOW);
            assert_eq!(count(&store, old), 50 * (part as u64 + 1));
        }
        drop(store);
        // The same after a restart.
        let mut store = open(folder.path(), NOW);
        settle_and_sweep(&mut store, NOW);
        assert_eq!(push(&mut store, "a", old.plus(5 * 3_600_000), 7, NOW), Ok(()));
        settle_and_sweep(&mut store, NOW);
        assert_eq!(count(&store, old), 157);

        drop(store);
        let later = NOW.plus(2 * DAY);
        let mut store = open(folder.path(), later);
        assert_eq!(push(&mut store, "a", later, 400, later), Ok(()), "the newest buckets stay whatever their age");
        settle_and_sweep(&mut store, later);
        let refused = push(&mut store, "a", old.plus(9 * 3_600_000), 3, later);
        assert_eq!(compacted(&refused), Some((3, vec![1, 2, 3])));
        assert_eq!(push(&mut store, "a", other, 3, later), Ok(()), "a day that has nothing yet");
        assert_eq!(push(&mut store, "b", old, 3, later), Ok(()), "another series");
        settle_and_sweep(&mut store, later);
        assert_eq!((count(&store, old), count(&store, other)), (157, 3));
    }

    #[test]
    fn partial_import_leaves_out_the_points_of_compacted_days_and_names_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let old = Millis(19_000 * DAY);
        let mut store = open(folder.path(), NOW);
        assert_eq!(push(&mut store, "a", old, 50, NOW), Ok(()));
        settle_and_sweep(&mut store, NOW);
        drop(store);
        let later = NOW.plus(2 * DAY);
        let mut store = open(folder.path(), later);
        assert_eq!(push(&mut store, "a", later, 400, later), Ok(()), "the newest buckets stay whatever their age");
        settle_and_sweep(&mut store, later);
        let number = || Value::Number(Number::new(1.0).unwrap());
        let point = |series: &str, ts, value| Point { series: series.parse().unwrap(), ts, value };
        let points = [
            point("a", later, Value::Text(Text::new("hot".into()).unwrap())),
            point("a", old, number()),
            point("b", old, number()),
            point("a", later.plus(1), number()),
            point("a", later, Value::Text(Text::new("hot".into()).unwrap())),
            point("a", old.plus(DAY / 2), number()),
        ];
        let key = IdempotencyKey::new("once".to_owned(), Fingerprint::of("/write", b"points")).unwrap();
        for stored in [2, 0] {
            let push = Push { atomicity: Atomicity::Partial, key: Some(key.clone()), ..Push::of(points.clone()) };
            let outcome = store.commit(vec![push], Now { wall: later, up: Uptime(0) });
            let [Err(CommitError::LeftOut(unfit))] = &outcome.results[..] else { panic!("{:?}", outcome.results) };
            let is_compacted = |point: &UnfitPoint| (point.at, point.why == UnfitReason::Compacted);
            let all: Vec<_> = unfit.listed.iter().map(is_compacted).collect();
            assert_eq!(all, [(1, false), (2, true), (5, false), (6, true)]);
            assert_eq!((unfit.count(), outcome.committed.len()), (4, stored), "a repeat gets the same answer");
        }
    }

    #[test]
    fn day_that_is_partly_deleted_takes_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), NOW);
        // Live points of the day that is now two days ago.
        let day = Millis(NOW.0 / DAY * DAY);
        assert_eq!(push(&mut store, "a", day, 7 * 60, NOW), Ok(()));
        let later = NOW.plus(3 * DAY);
        drop(store);
        let mut store = open(folder.path(), later);
        assert_eq!(push(&mut store, "a", later, 400, later), Ok(()), "the newest buckets stay whatever their age");
        settle_and_sweep(&mut store, later);
        let refused = push(&mut store, "a", day.plus(60_000), 2, later);
        assert_eq!(compacted(&refused), Some((2, vec![1, 2])));
        assert_eq!(count(&store, day), 7 * 60);
    }
}
