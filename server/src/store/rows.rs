//! Reads and writes the rows of the tables `blocks` and `extents`.
//!
//! A flushed block is a row of `blocks`. Rows of past stretches of time are merged into extents ([`super::merge`]),
//! which take a fraction of the space. A row of `blocks` is always complete, so it replaces what an extent has of the
//! same block: a late point needs no change of the extent until the next merge.
//!
//! Damaged rows are recorded and skipped. A damaged row of `blocks` also hides what the extent has of that block, since
//! that is older.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Row, Rows};
use shared::{Millis, Tier, TimeRange};

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::damage::{Damage, Part, Unreadable};
use super::dedup_keys::DedupKeys;
use super::sql;
use crate::log::SeriesId;

/// Decodes the column `data` of a row of `blocks`.
pub(super) fn block_of(row: &Row<'_>, column: usize, id: BlockId) -> rusqlite::Result<Result<Block, Unreadable>> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|_| Unreadable::Type);
    Ok(bytes.and_then(|bytes| Block::unpack(bytes, id)))
}

/// Decodes the columns `data` and `sent` of a row of `blocks`. If `sent` cannot be read, records that; then its points
/// count again when they are repeated.
pub(super) fn whole_block_of(
    row: &Row<'_>,
    columns: [usize; 2],
    id: BlockId,
    damage: &Damage,
) -> rusqlite::Result<Result<Block, Unreadable>> {
    let block = block_of(row, columns[0], id)?;
    let sent = row.get_ref(columns[1])?.as_blob_or_null().map_err(|_| Unreadable::Type);
    Ok(block.map(|mut block| {
        let keys = sent.and_then(|sent| sent.map_or(Ok(DedupKeys::default()), |sent| block.unpack_sent(sent, id)));
        block.dedup_keys = keys.unwrap_or_else(|why| {
            damage.note(Part::Block(id), why);
            DedupKeys::default()
        });
        block
    }))
}

/// Decodes the columns `data` and `sent` of a row of `extents`, as [`whole_block_of`].
pub(super) fn whole_extent_of(
    row: &Row<'_>,
    columns: [usize; 2],
    id: ExtentId,
    damage: &Damage,
) -> rusqlite::Result<Result<Extent, Unreadable>> {
    let bytes = row.get_ref(columns[0])?.as_blob().map_err(|_| Unreadable::Type);
    let sent = row.get_ref(columns[1])?.as_blob_or_null().map_err(|_| Unreadable::Type);
    Ok(bytes.and_then(|bytes| Extent::unpack(bytes, id)).map(|mut extent| {
        let read = sent.and_then(|sent| sent.map_or(Ok(()), |sent| extent.unpack_sent(sent, id)));
        if let Err(why) = read {
            damage.note(Part::Extent(id), why);
        }
        extent
    }))
}

/// The row of a block.
enum Found {
    /// There is none.
    None,
    /// It cannot be read.
    Damaged,
    /// It has this block.
    Block(Block),
}

/// Reads the block at `id` from its row of `blocks`.
fn own_row(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Found> {
    let found = || {
        let mut select = conn.prepare_cached("SELECT data FROM blocks WHERE key = ?1")?;
        let mut rows = select.query([id.key()])?;
        rows.next()?.map(|row| block_of(row, 0, id)).transpose()
    };
    match found() {
        Ok(None) => Ok(Found::None),
        Ok(Some(Ok(block))) => Ok(Found::Block(block)),
        Ok(Some(Err(why))) => {
            damage.note(Part::Block(id), why);
            Ok(Found::Damaged)
        }
        Err(error) => damage.take(Part::Block(id), error).map(|()| Found::Damaged),
    }
}

/// Reads the block at `id`. Returns `None` if there is none, or if it is damaged; damage is recorded.
pub fn find(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Option<Block>> {
    match own_row(conn, id, damage)? {
        Found::Block(block) => return Ok(Some(block)),
        Found::Damaged => return Ok(None),
        Found::None => {}
    }
    let extent_id = ExtentId::of(id);
    let found = || {
        let mut select = conn.prepare_cached("SELECT data FROM extents WHERE key = ?1")?;
        let mut rows = select.query([extent_id.key()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| Unreadable::Type);
        let extent = bytes.and_then(|bytes| {
            let may_have = Extent::may_have(bytes, extent_id, id)?;
            if may_have { Extent::unpack(bytes, extent_id).map(Some) } else { Ok(None) }
        });
        Ok(Some(extent))
    };
    match found() {
        Ok(None | Some(Ok(None))) => Ok(None),
        Ok(Some(Ok(Some(extent)))) => {
            Ok(extent.blocks.into_iter().find(|(block_id, _)| *block_id == id).map(|(_, block)| block))
        }
        Ok(Some(Err(why))) => {
            damage.note(Part::Extent(extent_id), why);
            Ok(None)
        }
        Err(error) => damage.take(Part::Extent(extent_id), error).map(|()| None),
    }
}

/// Reads the block at `id`. Returns an empty block if there is none, or if it is damaged.
pub fn read(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Block> {
    find(conn, id, damage).map(Option::unwrap_or_default)
}

/// Returns true if the row of a block, or the extent that it belongs to, was found damaged.
#[must_use]
pub fn is_damaged(id: BlockId, damage: &Damage) -> bool {
    damage.has(&Part::Block(id)) || damage.has(&Part::Extent(ExtentId::of(id)))
}

/// Reads an extent with the points whose senders set their times, without the rows of `blocks`. Returns `None` if there
/// is none, or if it is damaged; damage is recorded.
pub(super) fn extent(conn: &Connection, id: ExtentId, damage: &Damage) -> rusqlite::Result<Option<Extent>> {
    let found = || {
        let mut select = conn.prepare_cached("SELECT data, sent FROM extents WHERE key = ?1")?;
        let mut rows = select.query([id.key()])?;
        rows.next()?.map(|row| whole_extent_of(row, [0, 1], id, damage)).transpose()
    };
    match found() {
        Ok(found) => Ok(found.and_then(|extent| extent.map_err(|why| damage.note(Part::Extent(id), why)).ok())),
        Err(error) => damage.take(Part::Extent(id), error).map(|()| None),
    }
}

/// Reads the block at `id` to change it: with the points whose senders set their times. Returns `None` if there is no
/// such block, and an empty one if it is damaged.
pub fn find_whole(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Option<Block>> {
    let found = || {
        let mut select = conn.prepare_cached("SELECT data, sent FROM blocks WHERE key = ?1")?;
        let mut rows = select.query([id.key()])?;
        rows.next()?.map(|row| whole_block_of(row, [0, 1], id, damage)).transpose()
    };
    match found() {
        Ok(Some(Ok(block))) => return Ok(Some(block)),
        Ok(Some(Err(why))) => {
            damage.note(Part::Block(id), why);
            return Ok(Some(Block::default()));
        }
        Ok(None) => {}
        Err(error) => return damage.take(Part::Block(id), error).map(|()| Some(Block::default())),
    }
    let extent_id = ExtentId::of(id);
    let extent = extent(conn, extent_id, damage)?;
    if extent.is_none() && damage.has(&Part::Extent(extent_id)) {
        return Ok(Some(Block::default()));
    }
    let blocks = extent.map(|extent| extent.blocks).unwrap_or_default();
    Ok(blocks.into_iter().find(|(block_id, _)| *block_id == id).map(|(_, block)| block))
}

/// Reads the block at `id` to change it. Returns an empty block if there is none, or if it is damaged.
pub fn read_whole(conn: &Connection, id: BlockId, damage: &Damage) -> rusqlite::Result<Block> {
    find_whole(conn, id, damage).map(Option::unwrap_or_default)
}

/// The order in which blocks are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// Calls `look` for the blocks from `first` to `last`, which are of one series and tier, until it breaks. Where pages of
/// a table are damaged, its rows behind them are skipped.
fn each(
    conn: &Connection,
    (first, last): (BlockId, BlockId),
    order: Order,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let word = if order == Order::NewestFirst { "DESC" } else { "" };
    let select = |table: &str| {
        conn.prepare_cached(&format!("SELECT key, data FROM {table} WHERE key BETWEEN ?1 AND ?2 ORDER BY key {word}"))
    };
    let (mut blocks, mut extents) = (select("blocks")?, select("extents")?);
    let mut blocks = Table { rows: blocks.query([first.key(), last.key()])?, name: "blocks", damage };
    let ends = [ExtentId::of(first).key(), ExtentId::of(last).key()];
    let mut extents = Table { rows: extents.query(ends)?, name: "extents", damage };
    let next_block = |table: &mut Table<'_>| -> rusqlite::Result<Option<(BlockId, Option<Block>)>> {
        let Some((key, bytes)) = table.next()? else { return Ok(None) };
        let id = first.with_key(key);
        let block = bytes.and_then(|bytes| Block::unpack(&bytes, id));
        Ok(Some((id, block.map_err(|why| damage.note(Part::Block(id), why)).ok())))
    };
    let before = |a: BlockId, b: BlockId| if order == Order::NewestFirst { a > b } else { a < b };
    let mut block = next_block(&mut blocks)?;
    let mut extent = extents.next()?;
    // The blocks of the current extent, the next one last.
    let mut of_extent: Vec<(BlockId, Block)> = Vec::new();
    loop {
        if of_extent.is_empty()
            && let Some((key, _)) = &extent
            && let Some(id) = ExtentId::of_key(*key)
        {
            let nearest = if order == Order::NewestFirst { id.blocks().1 } else { id.blocks().0 };
            if block.as_ref().is_none_or(|(block_id, _)| !before(*block_id, nearest)) {
                let (_, bytes) = extent.take().expect("it is there");
                match bytes.and_then(|bytes| Extent::unpack(&bytes, id)) {
                    Ok(Extent { blocks }) => {
                        of_extent = blocks;
                        of_extent.retain(|(block_id, _)| (first..=last).contains(block_id));
                        if order == Order::OldestFirst {
                            of_extent.reverse();
                        }
                    }
                    Err(why) => damage.note(Part::Extent(id), why),
                }
                extent = extents.next()?;
                continue;
            }
        }
        let from_extent = of_extent.last().map(|(id, _)| *id);
        let (id, next) = match (&block, from_extent) {
            (None, None) => {
                if extent.is_none() {
                    return Ok(());
                }
                // An extent with an impossible key.
                extent = extents.next()?;
                continue;
            }
            (Some((id, _)), Some(other)) if before(other, *id) => {
                of_extent.pop().map(|(id, block)| (id, Some(block))).expect("it is there")
            }
            (None, Some(_)) => of_extent.pop().map(|(id, block)| (id, Some(block))).expect("it is there"),
            (Some((id, _)), other) => {
                if other == Some(*id) {
                    of_extent.pop();
                }
                let next = block.take().expect("it is there");
                block = next_block(&mut blocks)?;
                next
            }
        };
        if let Some(next) = next
            && look(id, next).is_break()
        {
            return Ok(());
        }
    }
}

/// The key and the column `data` of a row.
type KeyAndBytes = (i64, Result<Vec<u8>, Unreadable>);

/// The rows of a table, up to the first damaged page.
struct Table<'a> {
    rows: Rows<'a>,
    name: &'static str,
    damage: &'a Damage,
}

impl Table<'_> {
    fn next(&mut self) -> rusqlite::Result<Option<KeyAndBytes>> {
        match self.rows.next() {
            Ok(None) => Ok(None),
            Ok(Some(row)) => {
                let bytes = row.get_ref(1)?.as_blob().map(<[u8]>::to_vec).map_err(|_| Unreadable::Type);
                Ok(Some((row.get(0)?, bytes)))
            }
            Err(error) => self.damage.take(Part::Table(self.name), error).map(|()| None),
        }
    }
}

/// Calls `look` for the blocks of a series and tier that overlap `span`, oldest first.
///
/// # Errors
/// Any error of SQLite, except one that shows a damaged part of a table. So do the functions below.
pub fn each_within(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    span: TimeRange,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block),
) -> rusqlite::Result<()> {
    let at = |ts| BlockId::holding(tier, series, ts);
    let ends = (at(span.from), at(Millis(span.to.0.saturating_sub(1))));
    each(conn, ends, Order::OldestFirst, damage, |id, block| {
        look(id, block);
        ControlFlow::Continue(())
    })
}

/// Calls `look` with the blocks of a tier and series that begin before `end`, newest first, until it breaks.
///
/// # Errors
/// As [`each_within`].
pub fn each_before(
    conn: &Connection,
    tier: Tier,
    series: SeriesId,
    end: Millis,
    damage: &Damage,
    look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let at = |ts| BlockId::holding(tier, series, ts);
    each(conn, (at(Millis(0)), at(Millis(end.0.saturating_sub(1)))), Order::NewestFirst, damage, look)
}

/// Calls `look` for the blocks of the finest tier of one series, newest first, until `look` breaks.
///
/// # Errors
/// As [`each_within`].
pub fn each_of(
    conn: &Connection,
    series: SeriesId,
    damage: &Damage,
    look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    each_before(conn, Tier::Second, series, Millis(u64::MAX), damage, look)
}

/// Calls `look` for the blocks of the finest tier: the series with the greatest row first, and within a series the
/// newest block first. When `look` breaks, the rest of that series is not read.
///
/// # Errors
/// Any error of SQLite, also one that shows damaged pages: the series behind them cannot be found.
pub fn each_newest(
    conn: &Connection,
    damage: &Damage,
    mut look: impl FnMut(BlockId, Block) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let (first, _) = BlockId::all(Tier::Second, SeriesId(0));
    let (mut end, _) = BlockId::all(Tier::TenSeconds, SeriesId(0));
    loop {
        let greatest = |table| {
            let select = format!("SELECT key FROM {table} WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1");
            conn.prepare_cached(&select)?.query_row([first, end], |row| row.get::<_, i64>(0)).optional()
        };
        let key = greatest("blocks")?.max(greatest("extents")?);
        // In a damaged file, rows may be out of order: a row beyond the end would be found again and again.
        if key.is_some_and(|key| key >= end) {
            return Err(out_of_order());
        }
        let Some(id) = key.and_then(BlockId::of_key) else { return Ok(()) };
        each_of(conn, id.series, damage, &mut look)?;
        (end, _) = BlockId::all(Tier::Second, id.series);
    }
}

/// The error of a table whose rows are not in the order of their keys.
fn out_of_order() -> rusqlite::Error {
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(corrupt, Some("its rows are out of order".to_owned()))
}

/// Finds the newest block of the finest tier of a series.
///
/// # Errors
/// As [`each_within`].
pub fn newest(conn: &Connection, series: SeriesId, damage: &Damage) -> rusqlite::Result<Option<Block>> {
    let mut newest = None;
    each_of(conn, series, damage, |_, block| {
        newest = Some(block);
        ControlFlow::Break(())
    })?;
    Ok(newest)
}

/// Writes the row of the block at `id` and replaces the present one. A damaged row is first copied to the table
/// `damaged`.
///
/// # Errors
/// Any SQLite error.
pub fn write(conn: &Connection, id: BlockId, block: &Block, damage: &Damage) -> rusqlite::Result<()> {
    if damage.has(&Part::Block(id)) {
        conn.prepare_cached("INSERT OR IGNORE INTO damaged (key, data) SELECT key, data FROM blocks WHERE key = ?1")?
            .execute([id.key()])?;
    }
    conn.prepare_cached("INSERT OR REPLACE INTO blocks (key, buckets, data, sent) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id.key(), sql(block.buckets.len() as u64), block.pack(id), block.pack_sent(id)))?;
    Ok(())
}

/// Writes an extent and replaces the present one. A damaged row is first copied to the table `damaged`, under its
/// negative key.
///
/// # Errors
/// Any SQLite error.
pub(super) fn write_extent(conn: &Connection, id: ExtentId, extent: &Extent, damage: &Damage) -> rusqlite::Result<()> {
    if damage.has(&Part::Extent(id)) {
        conn.prepare_cached("INSERT OR IGNORE INTO damaged (key, data) SELECT -key, data FROM extents WHERE key = ?1")?
            .execute([id.key()])?;
    }
    let (data, sent) = extent.pack(id);
    conn.prepare_cached("INSERT OR REPLACE INTO extents (key, buckets, data, sent) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id.key(), sql(extent.len() as u64), data, sent))?;
    Ok(())
}
