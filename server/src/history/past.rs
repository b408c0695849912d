//! The past of series, as the store has it.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _};
use shared::point::Kind;
use shared::{Millis, Rolled, Selector, SeriesName, Stretch};

use super::plan::Plan;
use crate::store::SeriesId;
use crate::store::block::{self, Block, Place};
use crate::store::damage::Damage;
use crate::store::fresh::Fresh;
use crate::store::settle::{Overlay, settle};

/// Most series in one answer.
pub const MAX_SERIES: usize = 1_000;

/// The past of one series.
#[derive(Clone, Debug, PartialEq)]
pub enum Past {
    /// Of numbers: the buckets that are not empty, oldest first.
    Numbers(Vec<Rolled>),
    /// Of texts.
    Texts(Texts),
}

/// Lines of a series of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The newest lines of the stretch, oldest first.
    pub lines: Vec<(Millis, String)>,
    /// The line before the first of them: what was so when they begin.
    pub before: Option<(Millis, String)>,
    /// Whether the stretch has more lines, which are older.
    pub more: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The selectors match more than [`MAX_SERIES`].
    #[error("more than {MAX_SERIES} series are selected")]
    TooMany,
    /// The database cannot be read.
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Every series that one of the selectors matches, by name. Looks only at names that begin as a selector does.
///
/// # Errors
/// [`PastError`].
pub fn select(conn: &Connection, selectors: &[Selector]) -> Result<BTreeMap<SeriesName, (SeriesId, Kind)>, PastError> {
    let mut found = BTreeMap::new();
    let mut exact = conn.prepare_cached("SELECT id, name, kind FROM series WHERE name = ?1")?;
    let mut range = conn.prepare_cached("SELECT id, name, kind FROM series WHERE name >= ?1 AND name < ?2")?;
    for selector in selectors {
        let text = selector.as_str();
        let mut look = |mut rows: rusqlite::Rows<'_>| {
            while let Some(row) = rows.next()? {
                // Only names were ever written.
                let Ok(name) = row.get_ref(1)?.as_str().unwrap_or_default().parse::<SeriesName>() else { continue };
                if selector.matches(&name) {
                    let kind =
                        if row.get_ref(2)?.as_str().unwrap_or_default() == "text" { Kind::Text } else { Kind::Number };
                    // One whose row is damaged is left out, as the store does.
                    let Ok(id) = row.get(0) else { continue };
                    found.insert(name, (SeriesId(id), kind));
                    if found.len() > MAX_SERIES {
                        return Err(PastError::TooMany);
                    }
                }
            }
            Ok(())
        };
        match text.find('*') {
            None => look(exact.query([text])?)?,
            Some(at) => {
                let prefix = &text[..at];
                // The rest that ** stands for may be none.
                look(exact.query([prefix.trim_end_matches('/')])?)?;
                // What begins with the prefix comes before what has the next character in the place of its last, a slash.
                let end = prefix.strip_suffix('/').map_or_else(|| "\u{7f}".to_owned(), |stem| format!("{stem}0"));
                look(range.query([prefix, &end])?)?;
            }
        }
    }
    Ok(found)
}

/// The buckets of a plan that are not empty. Reads the rows of its stretch and tier, and those that what is not written
/// yet changes; so it costs what it answers, however much is stored.
///
/// # Errors
/// Whatever SQLite says.
pub fn numbers(
    conn: &Connection,
    fresh: &Fresh,
    damage: &Damage,
    series: SeriesId,
    plan: &Plan,
) -> rusqlite::Result<Vec<Rolled>> {
    // Looked at before the tables: what is written meanwhile is in both, and nothing is in neither.
    let unwritten = fresh.of(series);
    let mut overlay = Overlay { conn, damage, over: HashMap::new() };
    for (place, block) in unwritten {
        if place.span().overlaps(plan.span) && block.changed() > block::read(conn, place, damage)?.changed() {
            settle(&mut overlay, place, Block::clone(&block), plan.tier)?;
        }
    }
    let mut blocks: BTreeMap<Place, Block> = BTreeMap::new();
    block::each_within(conn, plan.tier, series, plan.span, damage, |place, block| {
        blocks.insert(place, block);
    })?;
    blocks.extend(overlay.over.into_iter().filter(|(place, _)| place.tier == plan.tier));
    let within = blocks.values().flat_map(|block| block.within(plan.span));
    if plan.width_ms == plan.tier.width_ms() {
        return Ok(within.cloned().collect());
    }
    let finer: Vec<Rolled> = within.cloned().collect();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(plan.width_ms);
    let together = finer.chunk_by(|a, b| start(a) == start(b));
    Ok(together.filter_map(|buckets| Rolled::over(buckets, plan.width_ms)).collect())
}

/// The newest lines in a stretch, at most so many, and the one before.
///
/// # Errors
/// Whatever SQLite says.
pub fn texts(conn: &Connection, series: SeriesId, span: Stretch, most: u64) -> rusqlite::Result<Texts> {
    let ms = |ms: Millis| i64::try_from(ms.0).unwrap_or(i64::MAX);
    let line = |row: &rusqlite::Row<'_>| Ok((Millis(row.get::<_, i64>(0)?.unsigned_abs()), row.get::<_, String>(1)?));
    let mut select = conn.prepare_cached(
        "SELECT ts, text FROM lines WHERE series = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts DESC, seq DESC LIMIT ?4",
    )?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
    let rows = select.query_map((series.0, ms(span.from), ms(span.to), limit), line)?;
    let mut lines: Vec<_> = rows.collect::<Result<_, _>>()?;
    let more = lines.len() > most;
    let before = if more {
        lines.pop()
    } else {
        let mut select = conn.prepare_cached(
            "SELECT ts, text FROM lines WHERE series = ?1 AND ts < ?2 ORDER BY ts DESC, seq DESC LIMIT 1",
        )?;
        select.query_row((series.0, ms(span.from)), line).optional()?
    };
    lines.reverse();
    Ok(Texts { lines, before, more })
}
