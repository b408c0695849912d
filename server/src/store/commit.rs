//! Putting points in.

use std::collections::HashMap;

use rusqlite::{Connection, ErrorCode, Transaction};
use shared::point::Kind;
use shared::problem::FieldError;
use shared::track::revises;
use shared::{Declared, Millis, Seq, SeriesName, Stamp, Stretch, Tier, Value};

use super::block::{self, Block, Place};
use super::claim::LONGEST_WAIT;
use super::damage::Damage;
use super::directory::{Look, Names, Row, Whose};
use super::fresh::{Fresh, Known};
use super::keys::Keys;
use super::log::{self, Logged};
use super::rows::RowCount;
use super::{Push, Pushed, SeriesId, Store, sql};
use crate::clock::Now;
use crate::limits::Limit;
use crate::problem::ApiError;

/// Seconds after which a sender may try again to start series: an operator has to raise the flag first.
const MORE_SERIES_AFTER_SECONDS: u32 = 60;

/// Most points of the wrong kind that are listed for a push.
const MAX_MISMATCHES: usize = 1_000;

/// Why a push was not kept. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It has points of the kind that their series does not hold.
    #[error("{count} of its points are not of the kind that their series holds")]
    OtherKind {
        /// The number of such points.
        count: usize,
        /// The first of them.
        listed: Vec<Mismatch>,
    },
    /// A bound is reached.
    #[error("{detail}")]
    LimitReached {
        /// The bound.
        limit: Limit,
        /// Names the flag, its value and what to do.
        detail: String,
        /// Seconds after which the same push may be kept; `None` if it never will be.
        retry_after: Option<u32>,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The row of this series in the database is damaged.
    #[error("the row of the series {0} in the database is damaged; push to another series, or repair the database")]
    Damaged(SeriesName),
    /// Another program has held the database for longer than a second.
    #[error("the database is locked by another program")]
    Locked,
    /// The database cannot be written.
    #[error("the database cannot be written: {0}")]
    Database(String),
    /// The writer thread did not take the job in time.
    #[error("the store was too busy to take it within {} s", LONGEST_WAIT.as_secs())]
    Overdue,
    /// Too many requests wait for the store.
    #[error("too many requests wait for the store")]
    Busy,
    /// The file is no longer the one that was opened.
    #[error("{0}")]
    Lost(String),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
}

/// A point of the wrong kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which point of the push, from 1, or its line.
    pub at: usize,
    /// Its series.
    pub series: SeriesName,
    /// What the series holds.
    pub holds: Kind,
}

impl CommitError {
    /// Where points are not of the right kind, tells their lines: of each point of the push, that in `lines`.
    #[must_use]
    pub fn at_lines(mut self, lines: &[u32]) -> Self {
        if let Self::OtherKind { listed, .. } = &mut self {
            for mismatch in listed {
                let line = mismatch.at.checked_sub(1).and_then(|at| lines.get(at)).copied();
                mismatch.at = line.map_or(mismatch.at, |line| line as usize);
            }
        }
        self
    }
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let detail = error.to_string();
        let (count, listed) = match error {
            CommitError::OtherKind { count, listed } => (count, listed),
            CommitError::LimitReached { limit, detail, retry_after } => {
                return Self::LimitReached { limit, detail, retry_after };
            }
            CommitError::Busy | CommitError::Overdue => return Self::Overloaded(detail),
            _ => return Self::Unavailable(detail),
        };
        let mut detail = format!("{detail}, so nothing was stored");
        if count > listed.len() {
            detail = format!("{detail}; the first {} are listed", listed.len());
        }
        let errors = listed.into_iter().map(|Mismatch { at, series, holds }| {
            let (field, expected, got) = match holds {
                Kind::Number => ("text", "a number", "a text"),
                Kind::Text => ("value", "a text", "a number"),
            };
            let expected = format!("{expected}, which is what {series} holds since its first point");
            FieldError { line: Some(at), field: field.to_owned(), expected, got: got.to_owned() }
        });
        Self::Invalid { detail, errors: errors.collect() }
    }
}

/// A point that is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// Its time, and the number that it was committed under.
    pub at: Stamp,
    /// The row of its series.
    pub series: SeriesId,
    /// What it was.
    pub value: Value,
    /// The name of its series, where it is the first point of it.
    pub begins: Option<SeriesName>,
    /// What its sender says of all numbers of the series.
    pub declares: Option<Declared>,
}

/// What became of a group of pushes.
#[derive(Debug)]
pub struct Outcome {
    /// For each push, in order, whether it was kept.
    pub results: Vec<Result<(), CommitError>>,
    /// All points that were kept, in the order of their numbers.
    pub committed: Vec<Committed>,
}

impl Outcome {
    /// Refuses all of `count` pushes.
    fn refused(count: usize, error: CommitError) -> Self {
        Self { results: vec![Err(error); count], committed: Vec::new() }
    }
}

impl Store {
    /// Commits a group of pushes in one transaction; on return, what was kept is on the disk. Each push is kept whole
    /// or not at all; where the database fails, none is.
    pub fn commit(&mut self, pushes: Vec<Push>, now: Now) -> Outcome {
        if let Some(why) = self.condition.lost() {
            return Outcome::refused(pushes.len(), CommitError::Lost(why));
        }
        self.where_there_is_room(pushes, now, Self::commit_group)
    }

    fn commit_group(&mut self, pushes: Vec<Push>, now: Now) -> Outcome {
        let count = pushes.len();
        match self.try_commit(pushes, self.time.now(now.wall)) {
            Ok((outcome, staged)) => {
                self.condition.committed();
                self.head = staged.head;
                self.keys = staged.keys;
                for (series, declared) in staged.declared {
                    self.declared[series.index()] = Some(declared);
                }
                self.directory.extend(staged.begun);
                if !self.unshown.is_empty() {
                    outcome.committed.iter().for_each(|point| _ = self.unshown.remove(&point.series));
                }
                let numbers = outcome.committed.iter().filter_map(Logged::of).zip(staged.known);
                self.fresh.add(numbers, now.up, |place| block::read(&self.conn, place, &self.damage));
                outcome
            }
            Err(error) => {
                // The transaction failed, so the former times are put back. Looking them up would cost one read for
                // each series.
                for (series, before) in self.newest_before.drain(..).rev() {
                    self.newest[series.index()] = before;
                }
                let rows = self.directory.last_row() as usize;
                self.newest.truncate(rows);
                self.declared.truncate(rows);
                let error = CommitError::from(error);
                self.condition.failed(&error);
                Outcome::refused(count, error)
            }
        }
    }

    fn try_commit(&mut self, pushes: Vec<Push>, now: Millis) -> rusqlite::Result<(Outcome, Staged)> {
        let mut staged = Staged { head: self.head, ..Staged::new(self.keys) };
        self.newest_before.clear();
        let points = pushes.iter().map(|push| push.points.len()).sum();
        let (results, committed) = (Vec::with_capacity(pushes.len()), Vec::with_capacity(points));
        let mut outcome = Outcome { results, committed };
        self.record_epoch()?;
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for mut push in pushes {
            let begun = staged.resolve(&self.directory.look(), &mut push.points, self.limits.series);
            let begun = begun.and_then(|begun| {
                // A point causes at most two rows: a new series and a text.
                if push.points.len() > self.limits.rows / 2 {
                    RowCount::of(&push.points, begun.len(), &self.newest).check(self.limits.rows)?;
                }
                Ok(begun)
            });
            let begun = match begun {
                Ok(begun) => begun,
                Err(error) => {
                    outcome.results.push(Err(error));
                    continue;
                }
            };
            if let Some(name) = damaged_row(&tx, &begun, &self.damage)? {
                outcome.results.push(Err(CommitError::Damaged(name)));
                continue;
            }
            outcome.results.push(Ok(()));
            if let Some(key) = &push.key
                && !staged.keys.remember(&tx, key, now)?
            {
                continue;
            }
            staged.begin(&tx, begun)?;
            // Of a series that has just begun it is known that there is nothing before.
            let rows = self.directory.last_row() as usize + staged.begun.len();
            self.newest.resize(rows, Some(Millis(0)));
            self.declared.resize(rows, None);
            for Pushed { whose, ts, value, declares } in push.points {
                let seq = staged.head.next();
                staged.head = seq;
                let at = Stamp { ts, seq };
                let (series, begins) = staged.settle(whose);
                let begins = begins.or_else(|| self.unshown.get(&series).cloned());
                if let Some(declares) = declares {
                    staged.declare(&tx, series, declares, self.declared[series.index()])?;
                }
                match &value {
                    Value::Number(value) => {
                        let logged = Logged { series, at, value: *value };
                        let known = &mut self.newest[series.index()];
                        self.newest_before.push((series, *known));
                        staged.number(logged, known, || newest(&tx, &self.fresh, series, &self.damage))?;
                    }
                    Value::Text(text) => {
                        tx.prepare_cached("INSERT INTO lines (series, ts, seq, text) VALUES (?1, ?2, ?3, ?4)")?
                            .execute((series.0, sql(ts.0), sql(seq.0), text.as_str()))?;
                    }
                }
                outcome.committed.push(Committed { at, series, value, begins, declares });
            }
        }
        std::mem::take(&mut staged.log).append(&tx, now)?;
        staged.note_revised(&tx)?;
        tx.prepare_cached("UPDATE meta SET head = ?1")?.execute([sql(staged.head.0)])?;
        tx.commit()?;
        Ok((outcome, staged))
    }
}

/// Finds a new name that already has a row, one that could not be read.
fn damaged_row(tx: &Transaction<'_>, begun: &Names, damage: &Damage) -> rusqlite::Result<Option<SeriesName>> {
    if damage.is_none() {
        return Ok(None);
    }
    let mut select = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM series WHERE name = ?1)")?;
    for name in begun.keys() {
        if select.query_row([name.as_str()], |row| row.get(0))? {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// The newest time of a series of numbers.
pub(super) fn newest(
    conn: &Connection,
    fresh: &Fresh,
    series: SeriesId,
    damage: &Damage,
) -> rusqlite::Result<Option<Millis>> {
    let of = |block: &Block| block.buckets.last().map(|rolled| rolled.bucket.last.at.ts);
    let written = block::newest(conn, series, damage)?.as_ref().and_then(of);
    Ok(fresh.of(series).iter().filter_map(|(_, block)| of(block)).chain(written).max())
}

/// What a transaction will have changed once it is committed.
#[derive(Debug)]
struct Staged {
    head: Seq,
    keys: Keys,
    /// Series that were not there before.
    begun: Names,
    log: log::Rows,
    /// For each of the numbers, whether its block may be in the tables.
    known: Vec<Known>,
    /// What points that came late changed of the past.
    revised: HashMap<SeriesId, (Stretch, Seq)>,
    /// What is declared otherwise than before.
    declared: HashMap<SeriesId, Declared>,
}

fn too_many_series(there: usize, begun: usize, most: usize) -> CommitError {
    CommitError::LimitReached {
        limit: Limit::Series,
        detail: format!(
            "there are {there} series and the push would start {begun} more; the store may hold at most {most} (--max-series); push to existing series, or raise --max-series; nothing of this was stored"
        ),
        retry_after: Some(MORE_SERIES_AFTER_SECONDS),
    }
}

impl Staged {
    fn new(keys: Keys) -> Self {
        Self {
            head: Seq::ZERO,
            keys,
            begun: Names::default(),
            log: log::Rows::default(),
            known: Vec::new(),
            revised: HashMap::new(),
            declared: HashMap::new(),
        }
    }

    /// Finds the rows of what is pushed by name. Of a series that is not there yet the first point keeps the name; gives
    /// the rows that these will have. There may be `most` series.
    fn resolve(&self, known: &Look<'_>, points: &mut [Pushed], most: usize) -> Result<Names, CommitError> {
        let mut begun = Names::default();
        let (mut count, mut listed) = (0, Vec::new());
        for (at, point) in (1..).zip(points) {
            let Whose::Named(name) = &point.whose else { continue };
            let kind = point.value.kind();
            let found = known.find(name).or_else(|| self.begun.get(name).or_else(|| begun.get(name)).copied());
            match found {
                Some(row) if row.kind == kind => point.whose = Whose::Row(row.id),
                Some(row) => {
                    count += 1;
                    if listed.len() < MAX_MISMATCHES {
                        listed.push(Mismatch { at, series: name.clone(), holds: row.kind });
                    }
                }
                None => {
                    let next = self.begun.len() + begun.len() + 1;
                    let id = SeriesId(known.last_row().saturating_add(u32::try_from(next).unwrap_or(u32::MAX)));
                    begun.insert(name.clone(), Row { id, kind });
                }
            }
        }
        if count > 0 {
            return Err(CommitError::OtherKind { count, listed });
        }
        let there = known.len() + self.begun.len();
        if !begun.is_empty() && there + begun.len() > most {
            return Err(too_many_series(there, begun.len(), most));
        }
        Ok(begun)
    }

    fn begin(&mut self, tx: &Transaction<'_>, begun: Names) -> rusqlite::Result<()> {
        let mut insert = tx.prepare_cached("INSERT INTO series (id, name, kind) VALUES (?1, ?2, ?3)")?;
        // In the order of their rows: SQLite appends fastest so.
        let mut rows: Vec<_> = begun.iter().collect();
        rows.sort_unstable_by_key(|(_, row)| row.id);
        for (name, Row { id, kind }) in rows {
            let word = match kind {
                Kind::Number => "number",
                Kind::Text => "text",
            };
            insert.execute((id.0, name.as_str(), word))?;
        }
        self.begun.extend(begun);
        Ok(())
    }

    /// The row of a point of a push that was resolved and begun, and the name where it is the first of its series.
    fn settle(&self, whose: Whose) -> (SeriesId, Option<SeriesName>) {
        match whose {
            Whose::Row(id) => (id, None),
            Whose::Named(name) => (self.begun[&name].id, Some(name)),
        }
    }

    /// Takes in a number. `newest` is the newest time of its series, which `find` finds where it is not known.
    fn number(
        &mut self,
        logged: Logged,
        newest: &mut Option<Millis>,
        find: impl FnOnce() -> rusqlite::Result<Option<Millis>>,
    ) -> rusqlite::Result<()> {
        let ts = logged.at.ts;
        let before = match *newest {
            None => find()?.unwrap_or_default(),
            Some(known) => known,
        };
        let place = |ts| Place::holding(Tier::Second, logged.series, ts);
        self.known.push(if place(before) < place(ts) { Known::New } else { Known::Perhaps });
        if let Some(span) = revises(ts, before) {
            let (whole, seq) = self.revised.entry(logged.series).or_insert((span, logged.at.seq));
            (*whole, *seq) = (whole.hull(span), logged.at.seq);
        }
        *newest = Some(before.max(ts));
        self.log.add(&logged);
        Ok(())
    }

    /// Notes what is said of a series, of which `before` was said; most who say so say it with each push.
    fn declare(
        &mut self,
        tx: &Transaction<'_>,
        series: SeriesId,
        declares: Declared,
        before: Option<Declared>,
    ) -> rusqlite::Result<()> {
        if self.declared.get(&series).copied().or(before) == Some(declares) {
            return Ok(());
        }
        self.declared.insert(series, declares);
        tx.prepare_cached("UPDATE series SET declared = ?2 WHERE id = ?1")?.execute((series.0, declares.word()))?;
        Ok(())
    }

    fn note_revised(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut note = tx.prepare_cached(
            "INSERT INTO revised (series, start, stop, seq) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (series) DO UPDATE
             SET start = min(start, excluded.start), stop = max(stop, excluded.stop), seq = excluded.seq",
        )?;
        for (series, (span, seq)) in &self.revised {
            note.execute((series.0, sql(span.from.0), sql(span.to.0), sql(seq.0)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::IdempotencyKey;
    use super::super::keys::LIFETIME as KEY_LIFETIME;
    use super::*;
    use crate::clock::Uptime;
    use crate::limits::Limits;
    use shared::{Number, Point, Text};

    const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

    fn number(series: &str, value: f64) -> Point {
        let value = Value::Number(Number::new(value).unwrap());
        Point { series: series.parse().unwrap(), ts: NOW.wall, value }
    }

    fn text(series: &str) -> Point {
        Point { series: series.parse().unwrap(), ts: NOW.wall, value: Value::Text(Text::new("up".into()).unwrap()) }
    }

    fn push(points: Vec<Point>) -> Push {
        Push::of(points)
    }

    fn rows(store: &Store) -> i64 {
        let mut numbers = 0;
        log::replay(&store.conn, Seq::ZERO, &store.damage, |row| numbers += i64::try_from(row.len()).unwrap()).unwrap();
        let texts: i64 = store.conn.query_row("SELECT count(*) FROM lines", [], |row| row.get(0)).unwrap();
        numbers + texts
    }

    #[test]
    fn points_are_numbered_without_holes_across_pushes_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let outcome =
            store.commit(vec![push(vec![number("a", 1.0), number("b", 2.0)]), push(vec![number("a", 3.0)])], NOW);
        assert_eq!(outcome.committed.iter().map(|point| point.at.seq.0).collect::<Vec<_>>(), [1, 2, 3]);
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        let outcome = store.commit(vec![push(vec![number("b", 4.0)])], NOW);
        assert_eq!(outcome.committed[0].at.seq, Seq(4));
        assert_eq!(rows(&store), 4);
    }

    #[test]
    fn a_push_of_the_wrong_kind_is_refused_whole_and_the_others_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let outcome = store.commit(
            vec![
                push(vec![number("a", 1.0)]),
                push(vec![number("b", 1.0), text("a"), text("b")]),
                push(vec![text("b"), text("b")]),
            ],
            NOW,
        );
        let Err(CommitError::OtherKind { count: 2, listed }) = &outcome.results[1] else { panic!("{outcome:?}") };
        assert_eq!(listed.iter().map(|m| m.at).collect::<Vec<_>>(), [2, 3]);
        assert!(outcome.results[0].is_ok() && outcome.results[2].is_ok());
        assert_eq!(rows(&store), 3);
    }

    #[test]
    fn what_is_declared_is_kept_across_a_restart_and_the_last_word_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let declared = |store: &mut Store| {
            let mut all = Vec::new();
            store.recover(|series| all.push((series.name.to_string(), series.declared))).unwrap();
            all.sort_by(|a: &(String, _), b| a.0.cmp(&b.0));
            all
        };
        let say = |name: &str, declares| {
            let point = Pushed::from(number(name, 1.0)).declaring(declares);
            Push { points: vec![point], key: None }
        };
        let (gauge, counter) = (Some(Declared::Gauge), Some(Declared::Counter));
        let outcome = store.commit(vec![say("a", gauge), say("a", counter), say("b", None), say("a", None)], NOW);
        assert_eq!(
            outcome.committed.iter().map(|point| point.declares).collect::<Vec<_>>(),
            [gauge, counter, None, None]
        );
        for _ in 0..2 {
            assert_eq!(declared(&mut store), [("a".to_owned(), counter), ("b".to_owned(), None)]);
            drop(store);
            store = Store::open(folder.path()).unwrap();
        }
        store.commit(vec![say("a", gauge)], NOW);
        assert_eq!(declared(&mut store)[0].1, gauge);
    }

    #[test]
    fn a_push_with_a_key_counts_once_until_the_key_is_a_day_old() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let keyed = || Push { key: IdempotencyKey::new("k1".into()), ..push(vec![number("a", 1.0)]) };
        assert_eq!(store.commit(vec![keyed(), keyed()], NOW).committed.len(), 1);
        let again = store.commit(vec![keyed()], NOW);
        assert!(again.results[0].is_ok() && again.committed.is_empty());
        assert_eq!(
            store.commit(vec![keyed()], Now { wall: NOW.wall.plus(KEY_LIFETIME + 1), ..NOW }).committed.len(),
            1
        );
    }

    #[test]
    fn no_series_starts_beyond_max_series_and_existing_ones_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.set_limits(&Limits { series: 3, ..Limits::default() });
        let limit = |result: &Result<(), CommitError>| match result {
            Ok(()) => None,
            Err(CommitError::LimitReached { limit, .. }) => Some(*limit),
            Err(error) => panic!("{error}"),
        };
        let outcome = store.commit(
            vec![
                push(vec![number("a", 1.0), number("b", 1.0)]),
                push(vec![number("a", 2.0), number("c", 1.0), number("d", 1.0)]),
                push(vec![number("c", 1.0), number("c", 2.0)]),
                push(vec![number("d", 1.0)]),
                push(vec![number("a", 3.0), number("b", 2.0), number("c", 3.0)]),
            ],
            NOW,
        );
        let limits: Vec<_> = outcome.results.iter().map(limit).collect();
        assert_eq!(limits, [None, Some(Limit::Series), None, Some(Limit::Series), None]);
        assert_eq!((rows(&store), store.directory().len()), (7, 3), "all or nothing of each push");
    }

    #[test]
    fn push_of_too_many_rows_is_refused_and_others_of_its_group_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.set_limits(&Limits { rows: 4, ..Limits::default() });
        let numbers = |count| push((0..count).map(|n| number(&format!("s{n}"), 1.0)).collect());
        let texts = |count| push((0..count).map(|_| text("t")).collect());
        let outcome = store.commit(vec![numbers(5), numbers(4), texts(4), texts(3), numbers(4), texts(4)], NOW);
        let kept: Vec<_> = outcome.results.iter().map(Result::is_ok).collect();
        assert_eq!(kept, [false, true, false, true, true, true]);
        let many = push((0..100).map(|n| number(&format!("s{}", n % 4), 1.0)).collect());
        assert_eq!(store.commit(vec![many], NOW).results, [Ok(())], "numbers of known series are packed");
    }

    #[test]
    fn where_the_database_is_full_nothing_is_kept_and_what_was_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert!(store.commit(vec![push(vec![number("a", 1.0)])], NOW).results[0].is_ok());
        let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let _: i64 = store.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
        let later = Point { ts: NOW.wall.plus(60_000), ..number("a", 2.0) };
        let many = [later].into_iter().chain((0..5_000).map(|i| number(&format!("s{i}"), 1.0))).collect();
        let outcome = store.commit(vec![push(many)], NOW);
        assert_eq!(outcome.results, [Err(CommitError::DiskFull)]);
        assert_eq!(rows(&store), 1);
        assert_eq!(store.newest, [Some(NOW.wall)], "the newest times are as they were, not forgotten");
        let _: i64 = store.conn.query_row("PRAGMA max_page_count = 1000000", [], |row| row.get(0)).unwrap();
        let outcome = store.commit(vec![push(vec![number("s1", 2.0)])], NOW);
        assert_eq!(outcome.committed[0].at.seq, Seq(2), "the numbers go on where they were");
    }
}
