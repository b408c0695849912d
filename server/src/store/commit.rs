//! Putting points in.

use std::collections::HashMap;

use rusqlite::{ErrorCode, Transaction};
use shared::point::Kind;
use shared::problem::FieldError;
use shared::{Millis, Point, Seq, SeriesName, Value};

use super::{Push, SeriesId, Store};
use crate::problem::ApiError;

/// How long an idempotency key is remembered, in milliseconds: a day.
const KEY_LIFETIME: u64 = 86_400_000;

/// Why a push was not kept. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It has points of the kind that their series does not hold.
    #[error("{} of its points are not of the kind that their series holds", .0.len())]
    OtherKind(Vec<Mismatch>),
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// Another program has held the database for longer than a second.
    #[error("the database is locked by another program")]
    Locked,
    /// The database cannot be written.
    #[error("the database cannot be written: {0}")]
    Database(String),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
}

/// A point of the wrong kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which point of the push, from 1.
    pub at: usize,
    /// Its series.
    pub series: SeriesName,
    /// What the series holds.
    pub holds: Kind,
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
        let CommitError::OtherKind(mismatches) = error else { return Self::Unavailable(detail) };
        let errors = mismatches.into_iter().map(|Mismatch { at, series, holds }| {
            let (field, expected, got) = match holds {
                Kind::Number => ("text", "a number", "a text"),
                Kind::Text => ("value", "a text", "a number"),
            };
            let expected = format!("{expected}, which is what {series} holds since its first point");
            FieldError { line: Some(at), field: field.to_owned(), expected, got: got.to_owned() }
        });
        Self::Invalid { detail: format!("{detail}, so nothing was stored"), errors: errors.collect() }
    }
}

/// A point with the number that it was committed under.
pub type Committed = (Seq, Point);

/// What became of a group of pushes.
#[derive(Debug)]
pub struct Outcome {
    /// For each push, in order, whether it was kept.
    pub results: Vec<Result<(), CommitError>>,
    /// All points that were kept, in the order of their numbers.
    pub committed: Vec<Committed>,
}

impl Store {
    /// Commits a group of pushes in one transaction; on return, what was kept is on the disk. Each push is kept whole
    /// or not at all; where the database fails, none is.
    pub fn commit(&mut self, pushes: Vec<Push>, now: Millis) -> Outcome {
        let count = pushes.len();
        match self.try_commit(pushes, now) {
            Ok((outcome, staged)) => {
                self.head = staged.head;
                self.series.extend(staged.series);
                outcome
            }
            Err(error) => {
                let error = CommitError::from(error);
                Outcome { results: vec![Err(error); count], committed: Vec::new() }
            }
        }
    }

    fn try_commit(&mut self, pushes: Vec<Push>, now: Millis) -> rusqlite::Result<(Outcome, Staged)> {
        let mut staged = Staged { head: self.head, series: HashMap::new() };
        let mut outcome = Outcome { results: Vec::with_capacity(pushes.len()), committed: Vec::new() };
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for push in pushes {
            let mismatches = staged.mismatches(&self.series, &push.points);
            if !mismatches.is_empty() {
                outcome.results.push(Err(CommitError::OtherKind(mismatches)));
                continue;
            }
            outcome.results.push(Ok(()));
            if let Some(key) = &push.key {
                tx.prepare_cached("DELETE FROM pushes WHERE at < ?1")?
                    .execute([sql(now.0.saturating_sub(KEY_LIFETIME))])?;
                let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO pushes (key, at) VALUES (?1, ?2)")?;
                if insert.execute((&key.0, sql(now.0)))? == 0 {
                    continue;
                }
            }
            let mut insert =
                tx.prepare_cached("INSERT INTO points (series, ts, seq, value) VALUES (?1, ?2, ?3, ?4)")?;
            for point in push.points {
                let series = staged.id_of(&self.series, &tx, &point)?;
                staged.head = staged.head.next();
                let (ts, seq) = (sql(point.ts.0), sql(staged.head.0));
                match &point.value {
                    Value::Number(number) => insert.execute((series, ts, seq, number.get()))?,
                    Value::Text(text) => insert.execute((series, ts, seq, text.as_str()))?,
                };
                outcome.committed.push((staged.head, point));
            }
        }
        tx.prepare_cached("UPDATE meta SET head = ?1")?.execute([sql(staged.head.0)])?;
        tx.commit()?;
        Ok((outcome, staged))
    }
}

/// What a transaction will have changed in memory once it is committed.
struct Staged {
    head: Seq,
    series: HashMap<SeriesName, (SeriesId, Kind)>,
}

impl Staged {
    fn find(&self, known: &HashMap<SeriesName, (SeriesId, Kind)>, name: &SeriesName) -> Option<(SeriesId, Kind)> {
        known.get(name).or_else(|| self.series.get(name)).copied()
    }

    fn mismatches(&self, known: &HashMap<SeriesName, (SeriesId, Kind)>, points: &[Point]) -> Vec<Mismatch> {
        // A series that this very push begins holds what its first point here is.
        let mut begun: HashMap<&SeriesName, Kind> = HashMap::new();
        let mut mismatches = Vec::new();
        for (at, point) in (1..).zip(points) {
            let kind = point.value.kind();
            let holds = match self.find(known, &point.series) {
                Some((_, holds)) => holds,
                None => *begun.entry(&point.series).or_insert(kind),
            };
            if holds != kind {
                mismatches.push(Mismatch { at, series: point.series.clone(), holds });
            }
        }
        mismatches
    }

    fn id_of(
        &mut self,
        known: &HashMap<SeriesName, (SeriesId, Kind)>,
        tx: &Transaction<'_>,
        point: &Point,
    ) -> rusqlite::Result<SeriesId> {
        if let Some((id, _)) = self.find(known, &point.series) {
            return Ok(id);
        }
        let kind = point.value.kind();
        let word = match kind {
            Kind::Number => "number",
            Kind::Text => "text",
        };
        tx.prepare_cached("INSERT INTO series (name, kind) VALUES (?1, ?2)")?.execute((point.series.as_str(), word))?;
        let id = tx.last_insert_rowid();
        self.series.insert(point.series.clone(), (id, kind));
        Ok(id)
    }
}

/// SQLite's integers have a sign; times and numbers of points stay far below where that matters.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::IdempotencyKey;
    use super::*;
    use shared::{Number, Text};

    const NOW: Millis = Millis(1_732_399_200_000);

    fn number(series: &str, value: f64) -> Point {
        let value = Value::Number(Number::new(value).unwrap());
        Point { series: series.parse().unwrap(), ts: NOW, value }
    }

    fn text(series: &str) -> Point {
        Point { series: series.parse().unwrap(), ts: NOW, value: Value::Text(Text::new("up".into()).unwrap()) }
    }

    fn push(points: Vec<Point>) -> Push {
        Push { points, key: None }
    }

    fn rows(store: &Store) -> i64 {
        store.conn.query_row("SELECT count(*) FROM points", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn points_are_numbered_without_holes_across_pushes_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let outcome =
            store.commit(vec![push(vec![number("a", 1.0), number("b", 2.0)]), push(vec![number("a", 3.0)])], NOW);
        assert_eq!(outcome.committed.iter().map(|(seq, _)| seq.0).collect::<Vec<_>>(), [1, 2, 3]);
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        let outcome = store.commit(vec![push(vec![number("b", 4.0)])], NOW);
        assert_eq!(outcome.committed[0].0, Seq(4));
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
        let Err(CommitError::OtherKind(mismatches)) = &outcome.results[1] else { panic!("{outcome:?}") };
        assert_eq!(mismatches.iter().map(|m| m.at).collect::<Vec<_>>(), [2, 3]);
        assert!(outcome.results[0].is_ok() && outcome.results[2].is_ok());
        assert_eq!(rows(&store), 3);
    }

    #[test]
    fn a_push_with_a_key_counts_once_until_the_key_is_a_day_old() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let keyed = || Push { points: vec![number("a", 1.0)], key: IdempotencyKey::new("k1".into()) };
        assert_eq!(store.commit(vec![keyed(), keyed()], NOW).committed.len(), 1);
        let again = store.commit(vec![keyed()], NOW);
        assert!(again.results[0].is_ok() && again.committed.is_empty());
        assert_eq!(store.commit(vec![keyed()], NOW.plus(KEY_LIFETIME + 1)).committed.len(), 1);
    }

    #[test]
    fn where_the_database_is_full_nothing_is_kept_and_what_was_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert!(store.commit(vec![push(vec![number("a", 1.0)])], NOW).results[0].is_ok());
        let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let _: i64 = store.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
        let many = (0..5_000).map(|i| number(&format!("s{i}"), 1.0)).collect();
        let outcome = store.commit(vec![push(many)], NOW);
        assert_eq!(outcome.results, [Err(CommitError::DiskFull)]);
        assert_eq!(rows(&store), 1);
        let _: i64 = store.conn.query_row("PRAGMA max_page_count = 1000000", [], |row| row.get(0)).unwrap();
        let outcome = store.commit(vec![push(vec![number("s1", 2.0)])], NOW);
        assert_eq!(outcome.committed[0].0, Seq(2), "the numbers go on where they were");
    }
}
