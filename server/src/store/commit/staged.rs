//! The changes of a transaction, which take effect in memory once it is committed.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::Transaction;
use shared::point::Kind;
use shared::track::revises;
use shared::{Declared, Millis, Seq, SeriesName, Stretch, Tier, Value};

use super::error::{CommitError, Mismatch, too_many_series};
use crate::store::block::Place;
use crate::store::damage::Damage;
use crate::store::directory::{Look, Names, Row, Whose};
use crate::store::fresh::Known;
use crate::store::imports::Imports;
use crate::store::keys::Keys;
use crate::store::log::{self, Logged};
use crate::store::{Pushed, SeriesId, sql};

/// Most points of the wrong kind that are listed for a push.
const MAX_MISMATCHES: usize = 1_000;

/// The changes of a transaction that is not committed yet.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) head: Seq,
    pub(super) keys: Keys,
    /// Series that were not there before.
    pub(super) begun: Names,
    pub(super) log: log::Rows,
    /// For each of the numbers, whether its block may be in the tables.
    pub(super) known: Vec<Known>,
    /// What points that came late changed of the past.
    pub(super) revised: HashMap<SeriesId, (Stretch, Seq)>,
    /// What is declared otherwise than before.
    pub(super) declared: HashMap<SeriesId, Declared>,
    /// Series with points from before the finest buckets that are kept.
    pub(super) imported: HashSet<SeriesId, RandomState>,
}

impl Staged {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            head: Seq::ZERO,
            keys,
            begun: Names::default(),
            log: log::Rows::default(),
            known: Vec::new(),
            revised: HashMap::new(),
            declared: HashMap::new(),
            imported: HashSet::default(),
        }
    }

    /// Finds the rows of what is pushed by name. Of a series that is not there yet the first point keeps the name; gives
    /// the rows that these will have. There may be `most` series.
    pub(super) fn resolve(&self, known: &Look<'_>, points: &mut [Pushed], most: usize) -> Result<Names, CommitError> {
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

    /// Refuses a resolved push that has numbers from before `oldest` of days that no longer take any.
    pub(super) fn check_past(
        tx: &Transaction<'_>,
        imports: &mut Imports,
        damage: &Damage,
        points: &[Pushed],
        oldest: Millis,
        now: Millis,
    ) -> rusqlite::Result<Result<(), CommitError>> {
        let mut closed = HashSet::new();
        let (mut count, mut first) = (0, 0);
        for (at, point) in (1..).zip(points) {
            let Whose::Row(id) = point.whose else { continue };
            if point.ts >= oldest || matches!(point.value, Value::Text(_)) {
                continue;
            }
            let day = (id, point.ts.floor(Tier::Day.width_ms()));
            if closed.contains(&day) || !imports.takes(tx, damage, id, point.ts, now)? {
                closed.insert(day);
                first = if count == 0 { at } else { first };
                count += 1;
            }
        }
        Ok(if count == 0 { Ok(()) } else { Err(CommitError::Compacted { count, at: first }) })
    }

    pub(super) fn begin(&mut self, tx: &Transaction<'_>, begun: Names) -> rusqlite::Result<()> {
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
    pub(super) fn settle(&self, whose: Whose) -> (SeriesId, Option<SeriesName>) {
        match whose {
            Whose::Row(id) => (id, None),
            Whose::Named(name) => (self.begun[&name].id, Some(name)),
        }
    }

    /// Takes in a number. `newest` is the newest time of its series, which `find` finds where it is not known.
    pub(super) fn number(
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
