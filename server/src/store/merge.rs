//! Merges rows of `blocks` into extents, which take a fraction of the space.
//!
//! A flush writes each block as a row of its own, since that reads nothing and writes little. The sweep merges the rows
//! of a series and tier once there are some of them, except the newest, which may still change. A flush of many blocks
//! of one extent, as during an import, writes the extent at once.

use rusqlite::Connection;
use shared::Tier;

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::damage::{Damage, Part};
use super::{compact, rows};
use crate::log::SeriesId;

/// Returns the number of rows of `blocks` of one series and tier from which they are merged. Fewer rows would take less
/// space, and the extent would be written more often.
#[must_use]
pub(super) fn merged_from(tier: Tier) -> u32 {
    match tier {
        Tier::Second => 10,
        Tier::TenSeconds | Tier::Minute => 4,
        Tier::TenMinutes => 6,
        Tier::Hour | Tier::Day => 5,
    }
}

/// Writes an extent with the rows of `blocks` that lie in it and with `newer`, which replace those, and deletes the rows.
/// Rows that cannot be read stay where they are. Rows with keys greater than `upto` stay, too. Returns true if anything
/// was written.
///
/// # Errors
/// Any SQLite error.
pub(super) fn merge(
    conn: &Connection,
    id: ExtentId,
    newer: Vec<(BlockId, Block)>,
    upto: i64,
    damage: &Damage,
) -> rusqlite::Result<bool> {
    let (first, last) = id.blocks();
    let mut taken = Vec::new();
    let mut select =
        conn.prepare_cached("SELECT key, data, sent FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key")?;
    let mut found = select.query([first.key(), last.key().min(upto)])?;
    while let Some(row) = found.next()? {
        let block_id = first.with_key(row.get(0)?);
        match rows::whole_block_of(row, [1, 2], block_id, damage)? {
            Ok(block) => taken.push((block_id, block)),
            Err(why) => damage.note(Part::Block(block_id), why),
        }
    }
    drop(found);
    if taken.is_empty() && newer.is_empty() {
        return Ok(false);
    }
    let mut extent = match rows::extent(conn, id, damage)? {
        Some(extent) => extent,
        None if damage.has(&Part::Extent(id)) => compact::rebuilt_extent(conn, id, damage)?,
        None => Extent::default(),
    };
    let mut delete = conn.prepare_cached("DELETE FROM blocks WHERE key = ?1")?;
    for (block_id, block) in taken {
        delete.execute([block_id.key()])?;
        extent.set(block_id, block);
    }
    for (block_id, block) in newer {
        if damage.has(&Part::Block(block_id)) {
            conn.prepare_cached(
                "INSERT OR IGNORE INTO damaged (key, data) SELECT key, data FROM blocks WHERE key = ?1",
            )?
            .execute([block_id.key()])?;
        }
        delete.execute([block_id.key()])?;
        extent.set(block_id, block);
    }
    rows::write_extent(conn, id, &extent, damage)?;
    Ok(true)
}

/// Merges rows of `blocks` of some series, from row `from` to row `to`, where there are enough of them. Returns the number
/// of extents that were written; it stops after `most`.
///
/// # Errors
/// Any SQLite error.
pub(super) fn merge_due(
    conn: &Connection,
    from: SeriesId,
    to: SeriesId,
    most: usize,
    damage: &Damage,
) -> rusqlite::Result<usize> {
    let mut written = 0;
    for tier in Tier::ALL {
        let (first, _) = BlockId::all(tier, from);
        let (_, last) = BlockId::all(tier, to);
        // Keys of one series and tier differ in the low 32 bits.
        let mut due = conn.prepare_cached(
            "SELECT min(key), max(key) FROM blocks WHERE key BETWEEN ?1 AND ?2 GROUP BY key >> 32 HAVING count(*) > ?3",
        )?;
        let due = due.query_map((first, last, merged_from(tier)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let due: Vec<(i64, i64)> = due.collect::<Result<_, _>>()?;
        for (oldest, newest) in due {
            let mut next = oldest;
            while next < newest && written < most {
                let Some(id) = BlockId::of_key(next).map(ExtentId::of) else { break };
                written += usize::from(merge(conn, id, Vec::new(), newest - 1, damage)?);
                let following = "SELECT min(key) FROM blocks WHERE key > ?1 AND key <= ?2";
                let (_, end) = id.blocks();
                let found: Option<i64> =
                    conn.prepare_cached(following)?.query_row([end.key(), newest], |row| row.get(0))?;
                // In a damaged file, rows may be out of order.
                next = found.filter(|found| *found > next).unwrap_or(newest);
            }
        }
    }
    Ok(written)
}
