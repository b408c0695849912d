//! Commits pushes: resolves names, checks limits, recognises repeats, and writes points in one transaction.
//!
//! [`error`] has the reasons for a refusal; `transaction` has the state of one transaction.

mod error;
#[cfg(test)]
mod tests;
mod transaction;

use rusqlite::{Connection, Transaction};
use shared::{Millis, SeriesName, Stamp, Text, Tier, Value};

use super::block::Block;
use super::block_id::BlockId;
use super::damage::Damage;
use super::dedup::Found;
use super::directory::Names;
use super::idempotency::{Keys, Seen};
use super::memtable::{InTables, Memtable};
use super::number_log::LoggedNumber;
use super::row_limit::RowCount;
use super::{Store, membership, rows, sql};
use crate::clock::{Now, Uptime};
use crate::log::{Atomicity, Committed, Push, Pushed, SeriesId, SetBy, Terms};

pub use error::{CommitError, LONGEST_WAIT, Unfit, UnfitPoint, UnfitReason};
use transaction::{PendingCommit, Resolved};

/// The result of committing a group of pushes.
#[derive(Debug)]
pub struct GroupOutcome {
    /// The result of each push, in order.
    pub results: Vec<Result<(), CommitError>>,
    /// All points that were stored, in the order of their seqs.
    pub committed: Vec<Committed>,
}

impl GroupOutcome {
    /// Refuses all of `count` pushes.
    fn refused(count: usize, error: CommitError) -> Self {
        Self { results: vec![Err(error); count], committed: Vec::new() }
    }
}

impl Store {
    /// Commits a group of pushes in one transaction. On return, stored points are on the disk. Each push is stored as
    /// a whole or not at all, unless it is [partial](crate::log::Atomicity::Partial). If the database fails, no push is
    /// stored.
    pub fn commit(&mut self, pushes: Vec<Push>, now: Now) -> GroupOutcome {
        let terms = self.terms(now.wall);
        self.append_pushes(pushes.into_iter().map(|push| (terms, push)).collect(), now.up)
    }

    /// Commits a group of pushes, each with the terms of the node that appends it. `now` schedules the flush of their
    /// blocks, and is no part of the state.
    pub fn append_pushes(&mut self, pushes: Vec<(Terms, Push)>, now: Uptime) -> GroupOutcome {
        if let Some(why) = self.condition.lost() {
            return GroupOutcome::refused(pushes.len(), CommitError::Lost(why));
        }
        self.commit_within_space(pushes, now, Self::apply_pushes)
    }

    /// Applies a group of pushes of a shared log. The node that appended them has checked the space; one that refused
    /// them now would no longer have the state of the others.
    pub(super) fn apply_shared_pushes(&mut self, pushes: Vec<(Terms, Push)>, now: Uptime) -> GroupOutcome {
        if let Some(why) = self.condition.lost() {
            return GroupOutcome::refused(pushes.len(), CommitError::Lost(why));
        }
        self.apply_pushes(pushes, now)
    }

    fn apply_pushes(&mut self, pushes: Vec<(Terms, Push)>, now: Uptime) -> GroupOutcome {
        let count = pushes.len();
        match self.try_commit(pushes) {
            Ok((outcome, pending)) => {
                membership::committed(self.member.as_mut());
                self.condition.committed();
                self.imports.committed();
                self.head = pending.head;
                self.keys = pending.keys;
                for (series, declared) in pending.declared {
                    self.declared[series.index()] = Some(declared);
                }
                self.directory.extend(pending.begun.into_rows());
                if !self.unlisted.is_empty() {
                    outcome.committed.iter().for_each(|point| _ = self.unlisted.remove(&point.series));
                }
                self.stats.add_repeated(pending.repeated);
                let numbers = pending.numbers.into_iter().zip(pending.known);
                self.memtable.add(numbers, now, |block_id| rows::read_whole(&self.conn, block_id, &self.damage));
                outcome
            }
            Err(error) => {
                // The transaction failed, so the former times are put back. Looking them up would cost one read for
                // each series.
                for (series, before) in self.newest_before.drain(..).rev() {
                    self.newest[series.index()] = before;
                }
                self.imports.rolled_back();
                let rows = self.directory.last_row() as usize;
                self.newest.truncate(rows);
                self.declared.truncate(rows);
                let error = CommitError::from(error);
                self.condition.failed(&error);
                GroupOutcome::refused(count, error)
            }
        }
    }

    fn try_commit(&mut self, pushes: Vec<(Terms, Push)>) -> rusqlite::Result<(GroupOutcome, PendingCommit)> {
        let mut pending = PendingCommit { head: self.head, ..PendingCommit::new(self.keys) };
        self.newest_before.clear();
        let points = pushes.iter().map(|(_, push)| push.points.len()).sum();
        let (results, committed) = (Vec::with_capacity(pushes.len()), Vec::with_capacity(points));
        let mut outcome = GroupOutcome { results, committed };
        pending.numbers.reserve(points);
        pending.known.reserve(points);
        self.record_epoch()?;
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut logged_at = Millis::default();
        for (terms, mut push) in pushes {
            let Terms { at: now, oldest, max_series, max_rows, max_keys } = terms;
            logged_at = now;
            let seen = push.key.as_ref().map_or(Ok(Seen::Never), |key| Keys::look_up(&tx, key, now))?;
            if seen != Seen::Never {
                outcome.results.push(match seen {
                    // Lists the points that were left out then.
                    Seen::Same if push.atomicity == Atomicity::Partial => {
                        match pending.resolve(&self.directory.look(), &mut push, usize::MAX) {
                            Ok(Resolved { mut left_out, .. }) => {
                                let (imports, damage) = (&mut self.imports, &self.damage);
                                PendingCommit::check_past(&tx, imports, damage, &mut push, &mut left_out, oldest, now)?
                                    .and_then(|()| left_out.into_result())
                            }
                            Err(error) => Err(error),
                        }
                    }
                    Seen::Same => Ok(()),
                    _ => Err(CommitError::KeyReused),
                });
                continue;
            }
            if let Err(error) = self.removals.check(&push.points) {
                outcome.results.push(Err(error));
                continue;
            }
            let resolved = pending.resolve(&self.directory.look(), &mut push, max_series);
            let resolved = resolved.and_then(|resolved| {
                // A point causes at most two rows: a new series and a text.
                if push.points.len() > max_rows / 2 {
                    RowCount::of(&push.points, resolved.begun.count(), &self.newest).check(max_rows)?;
                }
                Ok(resolved)
            });
            let Resolved { begun, mut left_out } = match resolved {
                Ok(resolved) => resolved,
                Err(error) => {
                    outcome.results.push(Err(error));
                    continue;
                }
            };
            let (imports, damage) = (&mut self.imports, &self.damage);
            if let Err(error) = PendingCommit::check_past(&tx, imports, damage, &mut push, &mut left_out, oldest, now)?
            {
                outcome.results.push(Err(error));
                continue;
            }
            if let Some(name) = damaged_row(&tx, &begun.names, &self.damage)? {
                outcome.results.push(Err(CommitError::Damaged(name)));
                continue;
            }
            outcome.results.push(left_out.into_result());
            if let Some(key) = &push.key {
                pending.keys.remember(&tx, key, now, max_keys)?;
            }
            pending.begin(&tx, begun)?;
            // A series that has just begun has no earlier points.
            let rows = self.directory.last_row() as usize + pending.begun.count();
            self.newest.resize(rows, Some(Millis(0)));
            self.declared.resize(rows, None);
            for Pushed { target, ts, set_by, value, declares } in push.points {
                let at = Stamp { ts, seq: pending.head.next() };
                let (series, begins) = pending.row_of(target);
                let number = match &value {
                    Value::Number(value) => {
                        let number = LoggedNumber { series, at, value: *value, set_by };
                        let newest = &mut self.newest[series.index()];
                        if newest.is_none() {
                            *newest =
                                Some(self::newest(&tx, &self.memtable, series, &self.damage)?.unwrap_or_default());
                        }
                        let found = look_up(&tx, &self.memtable, &self.damage, &mut pending, &number, *newest)?;
                        found.known().map(|known| Some((number, known)))
                    }
                    Value::Text(text) => (!is_line(&tx, series, ts, set_by, text)?).then_some(None),
                };
                let Some(number) = number else {
                    pending.repeated += 1;
                    continue;
                };
                pending.head = at.seq;
                let begins = begins.or_else(|| self.unlisted.get(&series).cloned());
                if let Some(declares) = declares {
                    pending.declare(&tx, series, declares, self.declared[series.index()])?;
                }
                if let Some((number, known)) = number {
                    let newest = &mut self.newest[series.index()];
                    if at.ts < oldest {
                        pending.imported.insert(series);
                    }
                    self.newest_before.push((series, *newest));
                    pending.number(number, known, newest);
                } else if let Value::Text(text) = &value {
                    tx.prepare_cached("INSERT INTO lines (series, ts, seq, text, sent) VALUES (?1, ?2, ?3, ?4, ?5)")?
                        .execute((series.0, sql(ts.0), sql(at.seq.0), text.as_str(), set_by.nanos()))?;
                }
                outcome.committed.push(Committed { at, series, value, begins, declares });
            }
            if !pending.imported.is_empty() {
                self.imports.note(&tx, &pending.imported, now)?;
                pending.imported.clear();
            }
        }
        std::mem::take(&mut pending.log).append(&tx, logged_at)?;
        pending.note_revised(&tx)?;
        // The log has the seqs of numbers, so that most commits write one page less.
        if pending.numbers.last().is_none_or(|last| last.at.seq != pending.head) {
            tx.prepare_cached("UPDATE meta SET head = ?1")?.execute([sql(pending.head.0)])?;
        }
        membership::note(self.member.as_ref(), &tx)?;
        tx.commit()?;
        Ok((outcome, pending))
    }
}

/// Looks up a number among the points of its series. `newest` is the newest time of the series.
fn look_up(
    tx: &Transaction<'_>,
    memtable: &Memtable,
    damage: &Damage,
    pending: &mut PendingCommit,
    number: &LoggedNumber,
    newest: Option<Millis>,
) -> rusqlite::Result<Found> {
    let (ts, newest) = (number.at.ts, newest.unwrap_or_default());
    // Live points are newer than all earlier ones, so they need no lookup.
    if ts <= newest && number.set_by != SetBy::SERVER {
        return pending.repeats.find(tx, memtable, damage, &pending.numbers, number);
    }
    let block_id = |ts| BlockId::holding(Tier::Second, number.series, ts);
    Ok(Found::New(if block_id(newest) < block_id(ts) { InTables::No } else { InTables::Maybe }))
}

/// Returns true if the series already has this text at this time, and the sender set the time.
fn is_line(tx: &Transaction<'_>, series: SeriesId, ts: Millis, set_by: SetBy, text: &Text) -> rusqlite::Result<bool> {
    let Some(nanos) = set_by.nanos() else { return Ok(false) };
    let same = "SELECT EXISTS (SELECT 1 FROM lines WHERE series = ?1 AND ts = ?2 AND sent = ?3 AND text = ?4)";
    tx.prepare_cached(same)?.query_row((series.0, sql(ts.0), nanos, text.as_str()), |row| row.get(0))
}

/// Finds a new name that already has a row: a row that could not be read.
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

/// Finds the newest time of a series of numbers.
pub(super) fn newest(
    conn: &Connection,
    memtable: &Memtable,
    series: SeriesId,
    damage: &Damage,
) -> rusqlite::Result<Option<Millis>> {
    let of = |block: &Block| block.buckets.last().map(|rolled| rolled.bucket.last.at.ts);
    let written = rows::newest(conn, series, damage)?.as_ref().and_then(of);
    Ok(memtable.of(series).iter().filter_map(|(_, block)| of(block)).chain(written).max())
}
