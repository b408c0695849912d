//! Reads the past of series from the database and the memtable.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _};
use shared::{Millis, Rolled, Tier, TimeRange};

use super::cancel::Stopped;
use super::plan::Plan;
use crate::log::SeriesId;
use crate::store::block::Block;
use crate::store::block_id::BlockId;
use crate::store::compact::{Overlay, compact};
use crate::store::damage::{Damage, Part};
use crate::store::memtable::Memtable;
use crate::store::rows;

/// A line of a text series: its time, its number, the text.
pub type Line = (Millis, i64, String);

/// Reason why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The work was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The file is no longer the one that was opened.
    #[error("{0}")]
    Lost(String),
    /// The database cannot be read.
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Reads the non-empty buckets of a plan. Reads the rows of its range and tier, and the rows that unflushed blocks
/// change. So the cost depends on the size of the answer, not on the amount of stored data.
///
/// # Errors
/// Any error of SQLite.
pub fn numbers(
    conn: &Connection,
    memtable: &Memtable,
    damage: &Damage,
    series: SeriesId,
    plan: &Plan,
) -> rusqlite::Result<Vec<Rolled>> {
    // Read before the transaction begins: a block that is written in between is then in both places, and none is
    // missing.
    let unflushed = memtable.of(series);
    let tx = conn.unchecked_transaction()?;
    let mut overlay = Overlay { conn: &tx, damage, over: HashMap::new() };
    let mut newer = Vec::new();
    for (block_id, block) in unflushed {
        if block_id.span().overlaps(plan.span) && block.changed() > rows::read(&tx, block_id, damage)?.changed() {
            newer.push((block_id, Block::clone(&block)));
        }
    }
    compact(&mut overlay, newer, plan.tier)?;
    let mut blocks: BTreeMap<BlockId, Block> = BTreeMap::new();
    rows::each_within(&tx, plan.tier, series, plan.span, damage, |block_id, block| {
        blocks.insert(block_id, block);
    })?;
    blocks.extend(overlay.over.into_iter().filter(|(block_id, _)| block_id.tier == plan.tier));
    let within = blocks.values().flat_map(|block| block.within(plan.span));
    if plan.width_ms == plan.tier.width_ms() {
        return Ok(within.cloned().collect());
    }
    let finer: Vec<Rolled> = within.cloned().collect();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(plan.width_ms);
    let together = finer.chunk_by(|a, b| start(a) == start(b));
    Ok(together.filter_map(|buckets| Rolled::over(buckets, plan.width_ms)).collect())
}

/// Reads the newest `most` non-empty buckets whose last point is before `end`, oldest first. Each is of the finest tier
/// that still has its points; no point is in two of them. Reads at most as many rows of each tier.
///
/// # Errors
/// Any error of SQLite.
pub fn newest_before(
    conn: &Connection,
    memtable: &Memtable,
    damage: &Damage,
    series: SeriesId,
    end: Millis,
    most: usize,
) -> rusqlite::Result<Vec<(Tier, Rolled)>> {
    // Read before the transaction begins, as in `numbers`.
    let unflushed = memtable.of(series);
    let tx = conn.unchecked_transaction()?;
    let mut newer = Vec::new();
    for (block_id, block) in unflushed {
        if block_id.span().from < end && block.changed() > rows::read(&tx, block_id, damage)?.changed() {
            newer.push((block_id, Block::clone(&block)));
        }
    }
    let mut overlay = Overlay { conn: &tx, damage, over: newer.iter().cloned().collect() };
    let mut newer = Some(newer);
    let (mut end, mut found) = (end, Vec::new());
    for tier in Tier::ALL {
        // Most series have enough seconds, and then nothing is rolled up.
        if tier != Tier::Second
            && let Some(newer) = newer.take()
        {
            compact(&mut overlay, newer, Tier::Day)?;
        }
        let mut laid: BTreeMap<BlockId, &Block> =
            overlay.over.iter().filter(|(id, _)| id.tier == tier).map(|(id, block)| (*id, block)).collect();
        let mut take = |block: &Block| {
            let before = block.buckets.iter().rev().filter(|rolled| rolled.bucket.last.at.ts < end);
            for rolled in before {
                if found.len() == most {
                    return ControlFlow::Break(());
                }
                found.push((tier, rolled.clone()));
            }
            ControlFlow::Continue(())
        };
        rows::each_before(&tx, tier, series, end, damage, |id, block| {
            while let Some(over) = laid.last_entry().filter(|over| *over.key() >= id) {
                let (over_id, over) = over.remove_entry();
                take(over)?;
                if over_id == id {
                    return ControlFlow::Continue(());
                }
            }
            take(&block)
        })?;
        // The first block that has no room left ends the tier.
        _ = laid.into_values().rev().try_for_each(take);
        if found.len() == most {
            break;
        }
        end = found.last().map_or(end, |(_, oldest): &(Tier, Rolled)| oldest.bucket.first.at.ts);
    }
    found.reverse();
    Ok(found)
}

/// The newest lines of a range, as many as an answer may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The time of the first of them, and its number.
    pub first: (Millis, i64),
    /// The line before it: its text was the current one when these lines begin.
    pub before: Option<(Millis, String)>,
    /// True if the range has older lines.
    pub more: bool,
}

/// Finds where the newest `most` lines of a range begin. Reads only the line before them. Damaged lines are recorded
/// and skipped.
///
/// # Errors
/// Any error of SQLite, except one that shows a damaged part of the table.
pub fn texts(
    conn: &Connection,
    damage: &Damage,
    series: SeriesId,
    span: TimeRange,
    most: u64,
) -> rusqlite::Result<Texts> {
    let tx = conn.unchecked_transaction()?;
    let mut nth = tx.prepare_cached(
        "SELECT ts, seq FROM lines WHERE series = ?1 AND ts >= ?2 AND ts < ?3
             AND typeof(ts) = 'integer' AND typeof(seq) = 'integer'
         ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET ?4",
    )?;
    let (from, to, skipped) = (ms(span.from), ms(span.to), i64::try_from(most.saturating_sub(1)).unwrap_or(i64::MAX));
    let first: rusqlite::Result<Option<(i64, i64)>> =
        nth.query_row((series.0, from, to, skipped), |row| Ok((row.get(0)?, row.get(1)?))).optional();
    let first = first.or_else(|error| damage.take(Part::Line(series), error).map(|()| None))?;
    let (ts, seq) = first.unwrap_or((from, 0));
    let mut newest_before = tx.prepare_cached(
        "SELECT ts, seq, text FROM lines WHERE series = ?1 AND (ts, seq) < (?2, ?3) ORDER BY ts DESC, seq DESC",
    )?;
    let mut before = None;
    each_sound(newest_before.query((series.0, ts, seq))?, damage, series, |(ts, _, text)| {
        before = Some((ts, text));
        false
    })?;
    let more = before.as_ref().is_some_and(|before| before.0 >= span.from);
    Ok(Texts { first: (Millis(ts.unsigned_abs()), seq), before, more })
}

/// Calls `look` with the lines from `from` up to but not including `to`, oldest first, until it returns false. Damaged
/// lines are recorded and skipped.
///
/// # Errors
/// Any error of SQLite, except one that shows a damaged part of the table.
pub fn each_line(
    conn: &Connection,
    damage: &Damage,
    series: SeriesId,
    from: (Millis, i64),
    to: Millis,
    look: impl FnMut(Line) -> bool,
) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached(
        "SELECT ts, seq, text FROM lines WHERE series = ?1 AND (ts, seq) >= (?2, ?3) AND ts < ?4 ORDER BY ts, seq",
    )?;
    each_sound(select.query((series.0, ms(from.0), from.1, ms(to)))?, damage, series, look)
}

/// Calls `look` with each row `ts, seq, text` that can be read, until it returns false. Ends at a damaged page.
fn each_sound(
    mut rows: rusqlite::Rows<'_>,
    damage: &Damage,
    series: SeriesId,
    mut look: impl FnMut(Line) -> bool,
) -> rusqlite::Result<()> {
    let part = Part::Line(series);
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(error) => return damage.take(part, error),
        };
        let line = || Ok((Millis(row.get::<_, i64>(0)?.unsigned_abs()), row.get(1)?, row.get(2)?));
        match line() {
            Ok(line) => {
                if !look(line) {
                    return Ok(());
                }
            }
            Err(error) => damage.take(part.clone(), error)?,
        }
    }
}

fn ms(ms: Millis) -> i64 {
    i64::try_from(ms.0).unwrap_or(i64::MAX)
}
