//! Putting points in.

mod error;
mod staged;
#[cfg(test)]
mod tests;

use rusqlite::{Connection, Transaction};
use shared::{Declared, Millis, SeriesName, Stamp, Value};

use super::block::{self, Block};
use super::damage::Damage;
use super::directory::Names;
use super::fresh::Fresh;
use super::keys::{Keys, Seen};
use super::log::Logged;
use super::rows::RowCount;
use super::{Push, Pushed, SeriesId, Store, sql};
use crate::clock::Now;

pub use error::{CommitError, Mismatch};
use staged::Staged;

/// A point that is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// Its time, and the number that it was committed under.
    pub at: Stamp,
    /// The row of its series.
    pub series: SeriesId,
    /// Its value.
    pub value: Value,
    /// The name of its series, where it is the first point of it.
    pub begins: Option<SeriesName>,
    /// The property that its sender declares of all numbers of the series.
    pub declares: Option<Declared>,
}

/// The result of committing a group of pushes.
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
        let oldest = Millis(self.keep_finest.map_or(0, |keep| now.0.saturating_sub(keep)));
        self.record_epoch()?;
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for mut push in pushes {
            let seen = push.key.as_ref().map_or(Ok(Seen::Never), |key| Keys::look_up(&tx, key, now))?;
            if seen != Seen::Never {
                outcome.results.push(if seen == Seen::Same { Ok(()) } else { Err(CommitError::KeyReused) });
                continue;
            }
            if let Err(error) = self.removals.check(&push.points) {
                outcome.results.push(Err(error));
                continue;
            }
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
            if let Err(error) = Staged::check_past(&tx, &mut self.imports, &self.damage, &push.points, oldest, now)? {
                outcome.results.push(Err(error));
                continue;
            }
            if let Some(name) = damaged_row(&tx, &begun, &self.damage)? {
                outcome.results.push(Err(CommitError::Damaged(name)));
                continue;
            }
            outcome.results.push(Ok(()));
            if let Some(key) = &push.key {
                staged.keys.remember(&tx, key, now)?;
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
                        if ts < oldest {
                            staged.imported.insert(series);
                        }
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
        self.imports.note(&tx, &staged.imported, now)?;
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
