//! Removes a series with all its points.
//!
//! The removal is one small transaction, which takes a seq of its own. From then on the series is in no list and no
//! answer, and a push to its name begins a new series. The row stays, under a name that no series can have, so that
//! its id is never given to another series: the log may still have its points, and pushes that were parsed before
//! refer to it. Its buckets and texts are erased in steps, and pushes are committed between the steps. If the server
//! stops before all is erased, the next start erases the rest.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use shared::{Seq, SeriesName, Tier};

use super::block_id::BlockId;
use super::retention::ROWS;
use super::{CommitError, Store, audit, membership, sql};
use crate::log::{Pushed, SeriesId, push::Target};

/// Begins the name of the row of a removed series. A name of a series never has an empty segment.
pub(super) const GONE: char = '/';

/// The value of the column `gone` for a removed series whose points are all erased.
const ERASED: i64 = -1;

pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS removed (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL)
";

/// A series that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The row that the series had.
    pub series: SeriesId,
    /// The seq of the removal.
    pub at: Seq,
}

/// The removed series that a running store must know.
#[derive(Debug, Default)]
pub(super) struct Removals {
    /// The rows of all removed series, also of earlier runs: a push refers to a row if it was parsed before the removal.
    pub(super) rows: HashSet<SeriesId, RandomState>,
}

impl Removals {
    /// Checks that no point belongs to a series that was removed since the push was parsed.
    ///
    /// # Errors
    /// [`CommitError::Removed`]: the same push, parsed again, begins the series anew.
    pub(super) fn check(&self, points: &[Pushed]) -> Result<(), CommitError> {
        let is_gone = |point: &Pushed| matches!(&point.target, Target::Row(row) if self.rows.contains(row));
        if !self.rows.is_empty() && points.iter().any(is_gone) { Err(CommitError::Removed) } else { Ok(()) }
    }
}

impl Store {
    /// Removes a series; does nothing if there is none of that name. Call [`Store::erase`] until its points are
    /// erased, too.
    ///
    /// # Errors
    /// [`CommitError`]; then the series is unchanged.
    pub fn remove_series(&mut self, name: &SeriesName) -> Result<Option<Removed>, CommitError> {
        if let Some(why) = self.condition.lost() {
            return Err(CommitError::Lost(why));
        }
        let Some(row) = self.directory.look().find(name) else { return Ok(None) };
        let (series, at) = (row.id, self.head.next());
        if let Err(error) = self.record_epoch().and_then(|()| self.write_removal(series, at)) {
            let error = CommitError::from(error);
            self.condition.failed(&error);
            return Err(error);
        }
        membership::committed(self.member.as_mut());
        self.condition.committed();
        self.head = at;
        self.removed_since = at;
        self.directory.remove(name);
        self.removals.rows.insert(series);
        self.memtable.remove(series);
        self.unlisted.remove(&series);
        if let Some(newest) = self.newest.get_mut(series.index()) {
            *newest = None;
        }
        if let Some(declared) = self.declared.get_mut(series.index()) {
            *declared = None;
        }
        Ok(Some(Removed { series, at }))
    }

    fn write_removal(&mut self, series: SeriesId, at: Seq) -> rusqlite::Result<()> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute(
            "UPDATE series SET name = ?2, declared = NULL, gone = 0, gone_seq = 0 WHERE id = ?1",
            (series.0, format!("{GONE}{}", series.0)),
        )?;
        tx.execute("DELETE FROM revised WHERE series = ?1", [series.0])?;
        tx.execute("INSERT OR REPLACE INTO removed (one, since) VALUES (1, ?1)", [sql(at.0)])?;
        tx.execute("UPDATE meta SET head = ?1", [sql(at.0)])?;
        audit::record(&tx, &self.by)?;
        membership::note(self.member.as_ref(), &tx)?;
        tx.commit()
    }

    /// Returns the seq of the last removal of a series. A cursor before it may belong to a picture with that series.
    #[must_use]
    pub fn removed_since(&self) -> Seq {
        self.removed_since
    }

    /// Erases some of the buckets and texts of a removed series: a few milliseconds of work. Returns true if there
    /// are more.
    ///
    /// # Errors
    /// Any SQLite error. The rest is erased at the next start.
    pub fn erase(&mut self, series: SeriesId) -> rusqlite::Result<bool> {
        if !self.removals.rows.contains(&series) {
            return Ok(false);
        }
        self.in_background(|tx| erase(tx, series))
    }

    /// Erases the rest of series that earlier runs removed.
    pub(super) fn erase_rest(&mut self) {
        let left = "SELECT id FROM series WHERE substr(name, 1, 1) = '/' AND gone <> ?1";
        let left = self.conn.prepare(left).and_then(|mut select| {
            let ids = select.query_map([ERASED], |row| row.get::<_, u32>(0))?;
            ids.collect::<rusqlite::Result<Vec<_>>>()
        });
        let erased = left.and_then(|ids| {
            for id in ids {
                while self.erase(SeriesId(id))? {}
            }
            Ok(())
        });
        if let Err(error) = erased {
            tracing::warn!(%error, "cannot erase the rest of removed series");
        }
    }
}

fn erase(tx: &Connection, series: SeriesId) -> rusqlite::Result<bool> {
    for table in ["blocks", "extents"] {
        let rows =
            format!("DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE key BETWEEN ?1 AND ?2 LIMIT ?3)");
        for tier in Tier::ALL {
            let (first, last) = BlockId::all(tier, series);
            if tx.prepare_cached(&rows)?.execute((first, last, ROWS))? > 0 {
                return Ok(true);
            }
        }
    }
    let lines = "DELETE FROM lines WHERE series = ?1 AND (ts, seq) IN
                 (SELECT ts, seq FROM lines WHERE series = ?1 ORDER BY ts, seq LIMIT ?2)";
    if tx.prepare_cached(lines)?.execute((series.0, ROWS))? > 0 {
        return Ok(true);
    }
    tx.prepare_cached("UPDATE series SET gone = ?2 WHERE id = ?1")?.execute((series.0, ERASED))?;
    Ok(false)
}

/// Reads the seq of the last removal.
pub(super) fn since(conn: &Connection) -> rusqlite::Result<Seq> {
    let since = conn.query_row("SELECT since FROM removed", [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(Seq(since.and_then(|since| u64::try_from(since).ok()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::Retention;
    use super::super::memtable::Due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::log::{PointTime, Push, SeriesState};
    use shared::{Millis, Number, Point, Text, Track, Value};

    const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

    fn number(series: &str, ts: u64, value: f64) -> Point {
        let value = Value::Number(Number::new(value).unwrap());
        Point { series: series.parse().unwrap(), ts: Millis(NOW.wall.0 + ts), value }
    }

    fn text(series: &str, ts: u64) -> Point {
        let value = Value::Text(Text::new(format!("line {ts}")).unwrap());
        Point { series: series.parse().unwrap(), ts: Millis(NOW.wall.0 + ts), value }
    }

    fn push(store: &mut Store, points: Vec<Point>) {
        assert_eq!(store.commit(vec![Push::of(points)], NOW).results, [Ok(())]);
    }

    fn remove(store: &mut Store, name: &str) -> Option<Removed> {
        store.remove_series(&name.parse().unwrap()).unwrap()
    }

    fn recovered(store: &mut Store) -> Vec<(String, Track)> {
        let mut all = Vec::new();
        store.recover(|SeriesState { name, track, .. }| all.push((name.to_string(), track))).unwrap();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    fn rows(store: &Store, table: &str) -> i64 {
        store.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn removed_series_is_gone_with_its_points_also_after_a_restart() {
        for written in [false, true] {
            for erased in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let mut store = Store::open(folder.path()).unwrap();
                for n in 0..1_200 {
                    push(&mut store, vec![number("a", n * 1_000, 1.0), number("b", n * 1_000, 2.0), text("t", n)]);
                }
                while written && store.flush(1_000, Due::All).unwrap() > 0 {}
                let head = store.head();
                let removed = remove(&mut store, "a").unwrap();
                assert_eq!((removed.at, store.head(), store.removed_since()), (head.next(), head.next(), head.next()));
                let texts = remove(&mut store, "t").unwrap();
                assert_eq!(remove(&mut store, "a"), None, "it is gone already");
                if erased {
                    for series in [removed.series, texts.series] {
                        while store.erase(series).unwrap() {}
                    }
                    assert_eq!(rows(&store, "lines"), 0);
                }
                let head = store.head();
                drop(store);
                let mut store = Store::open(folder.path()).unwrap();
                assert_eq!((store.head(), store.removed_since()), (head, texts.at));
                let names: Vec<_> = recovered(&mut store).into_iter().map(|(name, _)| name).collect();
                assert_eq!((names, store.damage().is_none()), (vec!["b".to_owned()], true));
                while store.flush(1_000, Due::All).unwrap() > 0 {}
                let (first, last) = BlockId::all(Tier::Second, removed.series);
                let left = "SELECT count(*) + (SELECT count(*) FROM extents WHERE key BETWEEN ?1 AND ?2)
                            FROM blocks WHERE key BETWEEN ?1 AND ?2";
                let left: i64 = store.conn.query_row(left, [first, last], |row| row.get(0)).unwrap();
                assert_eq!((left, rows(&store, "lines"), rows(&store, "revised")), (0, 0, 0));
            }
        }
    }

    #[test]
    fn name_of_a_removed_series_begins_a_new_one_also_of_another_kind() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        push(&mut store, vec![number("a", 0, 1.0)]);
        let old = remove(&mut store, "a").unwrap();
        let outcome = store.commit(vec![Push::of([text("a", 5)])], NOW);
        assert_eq!(outcome.results, [Ok(())]);
        let begun = &outcome.committed[0];
        assert_ne!(begun.series, old.series, "a row is never given to another series");
        assert_eq!(begun.begins.as_ref().map(SeriesName::as_str), Some("a"));
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        let all = recovered(&mut store);
        assert!(matches!(&all[..], [(name, Track::Texts(_))] if name == "a"), "{all:?}");
        let again = remove(&mut store, "a").unwrap();
        assert!(again.at > old.at);
        assert_eq!(store.directory().len(), 0);
    }

    #[test]
    fn push_that_was_parsed_before_the_removal_is_refused_and_its_retry_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        push(&mut store, vec![number("a", 0, 1.0), number("b", 0, 1.0)]);
        let parse = |store: &Store, series: &str| {
            let directory = store.directory();
            let look = directory.look();
            look.point(series, PointTime::of_server(NOW.wall), Value::Number(Number::new(2.0).unwrap())).unwrap()
        };
        let push_of = |points| Push { points, ..Push::of([]) };
        let (both, other) = (vec![parse(&store, "b"), parse(&store, "a")], vec![parse(&store, "b")]);
        remove(&mut store, "a").unwrap();
        let outcome = store.commit(vec![push_of(both), push_of(other)], NOW);
        assert_eq!(outcome.results, [Err(CommitError::Removed), Ok(())]);
        let retry = vec![parse(&store, "b"), parse(&store, "a")];
        assert_eq!(store.commit(vec![push_of(retry)], NOW).results, [Ok(())]);
    }

    #[test]
    fn sweep_passes_over_removed_series() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        push(&mut store, vec![number("a", 0, 1.0), number("b", 0, 1.0)]);
        remove(&mut store, "a").unwrap();
        assert!(store.sweep(&Retention::default(), NOW).is_ok());
        push(&mut store, vec![number("b", 1_000, 1.0)]);
        assert_eq!(recovered(&mut store).len(), 1);
    }
}
