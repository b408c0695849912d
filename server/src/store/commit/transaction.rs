//! The changes of one transaction, which take effect in memory once it is committed.
//!
//! [`PendingCommit`] collects the changes. It resolves the names of a push to rows ([`View`]), begins new series, and
//! refuses points of the wrong kind or of days that no longer take points.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::Transaction;
use shared::point::Kind;
use shared::track::revises;
use shared::{Declared, Millis, Seq, SeriesName, Tier, TimeRange, Value};

use super::error::{CommitError, Unfit, UnfitReason, too_many_series};
use crate::log::push::{NewSeries, Target};
use crate::log::{Atomicity, Push, Pushed, SeriesId, Source};
use crate::store::damage::Damage;
use crate::store::dedup::Repeats;
use crate::store::directory::{Look, Names, Row, SuffixedNames, suffixed};
use crate::store::idempotency::Keys;
use crate::store::imports::Imports;
use crate::store::memtable::InTables;
use crate::store::number_log::{self, LoggedNumber};
use crate::store::source::{SeriesOrigin, suffixed_name};
use crate::store::sql;

/// Series that begin, and series of unknown origin that a source takes over.
#[derive(Debug, Default)]
pub(super) struct NewRows {
    pub(super) names: Names,
    /// The entries of `names` that have a name of their own because the readable one was taken, by their source.
    suffixed: SuffixedNames,
    /// Series that an earlier version created, with the source that they have from now on.
    taken_over: Names,
}

impl NewRows {
    /// Returns the number of series that did not exist before.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    fn find(&self, name: &SeriesName) -> Option<Row> {
        self.names.get(name).or_else(|| self.taken_over.get(name)).copied()
    }

    fn extend(&mut self, begun: Self) {
        self.names.extend(begun.names);
        self.suffixed.extend(begun.suffixed);
        self.taken_over.extend(begun.taken_over);
    }

    /// Returns all rows that are new or different.
    pub(super) fn into_rows(self) -> Names {
        let Self { mut names, taken_over, .. } = self;
        names.extend(taken_over);
        names
    }
}

/// All series as they will be once the push is committed.
struct View<'a> {
    known: &'a Look<'a>,
    /// Series that earlier pushes of the transaction began.
    pending: &'a NewRows,
    /// Series that this push begins.
    begun: NewRows,
}

impl View<'_> {
    /// Finds the series of a point. A source takes over a series of unknown origin that has its readable name.
    fn find(&mut self, new: &NewSeries, kind: Kind) -> Option<Row> {
        let named = self.named(&new.name);
        let Some(source) = new.source else { return named };
        let own = named
            .filter(|row| row.origin == SeriesOrigin::Readable(source))
            .or_else(|| self.suffixed(&new.name, source));
        if own.is_some() {
            return own;
        }
        let row = named.filter(|row| row.origin == SeriesOrigin::Unknown)?;
        if row.kind == kind {
            let row = Row { origin: SeriesOrigin::Readable(source), ..row };
            self.begun.taken_over.insert(new.name.clone(), row);
        }
        Some(row)
    }

    fn named(&self, name: &SeriesName) -> Option<Row> {
        self.begun.find(name).or_else(|| self.pending.find(name)).or_else(|| self.known.find(name))
    }

    /// Finds the series of a source whose readable name was taken.
    fn suffixed(&self, readable: &SeriesName, source: Source) -> Option<Row> {
        let begun = self.begun.suffixed.get(&source).or_else(|| self.pending.suffixed.get(&source)).copied();
        begun.or_else(|| self.known.of_source(readable.as_str(), source))
    }

    /// Begins the series of a point, and stores its name in `new`.
    fn begin(&mut self, new: &mut NewSeries, kind: Kind) {
        let next = u32::try_from(self.pending.count() + self.begun.count() + 1).unwrap_or(u32::MAX);
        let id = SeriesId(self.known.last_row().saturating_add(next));
        let origin = match new.source {
            None => SeriesOrigin::Name,
            Some(source) if self.named(&new.name).is_none() => SeriesOrigin::Readable(source),
            Some(source) => {
                new.name = suffixed_name(&new.name, source, |name| self.named(name).map(|row| row.origin));
                SeriesOrigin::Suffixed(source)
            }
        };
        let row = Row { id, kind, origin };
        self.begun.suffixed.extend(suffixed(&row));
        self.begun.names.insert(new.name.clone(), row);
    }
}

/// A push whose points have rows.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The series that the push starts.
    pub(super) begun: NewRows,
    /// The points that were taken out of the push.
    pub(super) left_out: Unfit,
}

/// The changes of a transaction that is not committed yet.
#[derive(Debug)]
pub(super) struct PendingCommit {
    pub(super) head: Seq,
    pub(super) keys: Keys,
    /// Series that did not exist before, or whose origin was unknown.
    pub(super) begun: NewRows,
    pub(super) log: number_log::Rows,
    /// The numbers, in the order of their seqs.
    pub(super) numbers: Vec<LoggedNumber>,
    /// For each number, whether its block may be in the tables.
    pub(super) known: Vec<InTables>,
    /// Looks up points that may be repeats.
    pub(super) repeats: Repeats,
    /// The number of repeated points.
    pub(super) repeated: u64,
    /// The stretch of each series' past that late points changed, and the seq of the last of those points.
    pub(super) revised: HashMap<SeriesId, (TimeRange, Seq)>,
    /// Metric types that differ from those declared before.
    pub(super) declared: HashMap<SeriesId, Declared>,
    /// Series that got points older than the finest buckets that are kept.
    pub(super) imported: HashSet<SeriesId, RandomState>,
}

impl PendingCommit {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            head: Seq::ZERO,
            keys,
            begun: NewRows::default(),
            log: number_log::Rows::default(),
            numbers: Vec::new(),
            known: Vec::new(),
            repeats: Repeats::default(),
            repeated: 0,
            revised: HashMap::new(),
            declared: HashMap::new(),
            imported: HashSet::default(),
        }
    }

    /// Replaces the names in a push by rows. If a series does not exist yet, its first point keeps the name. Returns
    /// the series that begin, with the rows that they will have. Refuses the push if there would be more than `most`
    /// series. Takes points of the wrong kind out of a partial push.
    pub(super) fn resolve(&self, known: &Look<'_>, push: &mut Push, most: usize) -> Result<Resolved, CommitError> {
        let mut view = View { known, pending: &self.begun, begun: NewRows::default() };
        let (mut unfit, mut at) = (Unfit::default(), 0);
        push.points.retain_mut(|point| {
            at += 1;
            let Target::New(new) = &mut point.target else { return true };
            let kind = point.value.kind();
            match view.find(new, kind) {
                Some(row) if row.kind == kind => point.target = Target::Row(row.id),
                Some(row) => {
                    unfit.add(at, || UnfitReason::OtherKind { series: new.name.clone(), holds: row.kind });
                    return false;
                }
                None => view.begin(new, kind),
            }
            true
        });
        if unfit.count() > 0 && push.atomicity == Atomicity::AllOrNothing {
            return Err(CommitError::OtherKind(unfit));
        }
        let begun = view.begun;
        let there = known.len() + self.begun.count();
        if begun.count() > 0 && there + begun.count() > most {
            return Err(too_many_series(there, begun.count(), most));
        }
        Ok(Resolved { begun, left_out: unfit })
    }

    /// Refuses a resolved push if it has numbers from before `oldest` of days that no longer take points. Takes such
    /// points out of a partial push, and adds them to `left_out`.
    pub(super) fn check_past(
        tx: &Transaction<'_>,
        imports: &mut Imports,
        damage: &Damage,
        push: &mut Push,
        left_out: &mut Unfit,
        oldest: Millis,
        now: Millis,
    ) -> rusqlite::Result<Result<(), CommitError>> {
        let day_of = |point: &Pushed| match point.target {
            Target::Row(id) if point.ts < oldest && matches!(point.value, Value::Number(_)) => {
                Some((id, point.ts.floor(Tier::Day.width_ms())))
            }
            _ => None,
        };
        let mut closed = HashSet::new();
        for point in &push.points {
            let Some(day) = day_of(point).filter(|day| !closed.contains(day)) else { continue };
            if !imports.takes(tx, damage, day.0, point.ts, now)? {
                closed.insert(day);
            }
        }
        if closed.is_empty() {
            return Ok(Ok(()));
        }
        let mut unfit = Unfit::default();
        let removed = left_out.listed.iter().map(|point| point.at).chain(left_out.others.iter().copied());
        let (mut removed, mut at) = (removed.peekable(), 0);
        push.points.retain(|point| {
            at += 1;
            // The place that the point had before others were taken out.
            while removed.next_if_eq(&at).is_some() {
                at += 1;
            }
            let is_closed = day_of(point).is_some_and(|day| closed.contains(&day));
            if is_closed {
                unfit.add(at, || UnfitReason::Compacted);
            }
            !is_closed
        });
        if push.atomicity == Atomicity::AllOrNothing {
            return Ok(Err(CommitError::Compacted(unfit)));
        }
        left_out.extend(unfit);
        Ok(Ok(()))
    }

    pub(super) fn begin(&mut self, tx: &Transaction<'_>, begun: NewRows) -> rusqlite::Result<()> {
        let mut insert = tx.prepare_cached("INSERT INTO series (id, name, kind, source) VALUES (?1, ?2, ?3, ?4)")?;
        // In the order of their rows, which SQLite appends fastest.
        let mut rows: Vec<_> = begun.names.iter().collect();
        rows.sort_unstable_by_key(|(_, row)| row.id);
        for (name, Row { id, kind, origin }) in rows {
            let word = match kind {
                Kind::Number => "number",
                Kind::Text => "text",
            };
            insert.execute((id.0, name.as_str(), word, origin.column()))?;
        }
        let mut take_over = tx.prepare_cached("UPDATE series SET source = ?2 WHERE id = ?1")?;
        for row in begun.taken_over.values() {
            take_over.execute((row.id.0, row.origin.column()))?;
        }
        self.begun.extend(begun);
        Ok(())
    }

    /// Returns the row of a point of a push that was resolved and begun, and the name if it is the first point of its
    /// series.
    pub(super) fn row_of(&self, target: Target) -> (SeriesId, Option<SeriesName>) {
        match target {
            Target::Row(id) => (id, None),
            Target::New(new) => (self.begun.names[&new.name].id, Some(new.name)),
        }
    }

    /// Adds a number that is not a repeat. `newest` is the newest time of its series.
    pub(super) fn number(&mut self, logged: LoggedNumber, known: InTables, newest: &mut Option<Millis>) {
        let ts = logged.at.ts;
        let before = newest.unwrap_or_default();
        if let Some(span) = revises(ts, before) {
            let (whole, seq) = self.revised.entry(logged.series).or_insert((span, logged.at.seq));
            (*whole, *seq) = (whole.hull(span), logged.at.seq);
        }
        *newest = Some(before.max(ts));
        self.log.add(&logged);
        self.numbers.push(logged);
        self.known.push(known);
    }

    /// Records a declared metric type if it differs from `before`. Most senders that declare a type do so with each
    /// push.
    pub(super) fn declare(
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

    pub(super) fn note_revised(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
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
