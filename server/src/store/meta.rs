//! The only row of the table `meta`: the epoch, the head, and the seq up to which the tables hold every bucket.
//!
//! The flushed seq is stored twice, since numbers of the log that it covers are not replayed.
//!
//! If the row is damaged, the head is reconstructed from all seqs that are stored, since no seq may be given twice
//! and a bucket takes only points newer than itself. The epoch cannot be reconstructed: a new one is drawn, and
//! subscribers begin with a snapshot.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::{Epoch, Seq, Tier};

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::damage::{Damage, GREATEST, Part};
use super::sql;
use crate::log::SeriesId;

/// The content of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// The epoch of the run that wrote the row; `None` if it cannot be read.
    pub epoch: Option<Epoch>,
    /// The newest seq that was given to any entry, unless the log has a greater one.
    pub head: Seq,
    /// The seq up to which the tables hold every bucket.
    pub flushed: Seq,
}

/// Reads the row, and reconstructs its damaged parts.
///
/// # Errors
/// [`rusqlite::Error`], unless it only means that the row is damaged.
pub(super) fn read(conn: &Connection, damage: &Damage) -> rusqlite::Result<Meta> {
    let row = conn.query_row("SELECT epoch, head, settled, settled_too FROM meta", [], |row| {
        let epoch = row.get_ref(0)?.as_str().ok().and_then(|text| text.parse().ok());
        let (flushed, twin) = (seq(row, 2)?, seq(row, 3)?);
        if twin.is_some() && twin != flushed {
            damage.note(Part::Meta, "it says twice which numbers are in buckets, and differently");
        }
        // To replay more numbers than needed changes nothing.
        Ok((epoch, seq(row, 1)?, flushed.map(|flushed| twin.map_or(flushed, |twin| twin.min(flushed)))))
    });
    let row = row.optional().or_else(|error| damage.take(Part::Meta, error).map(|()| None))?;
    let (epoch, head, flushed) = row.unwrap_or_default();
    if epoch.is_none() {
        damage.note(Part::Meta, "it has no epoch");
    }
    let logged = newest_logged(conn);
    // A commit of numbers alone does not write the row, since the log has the head then.
    let head = head.map_or_else(
        || {
            damage.note(Part::Meta, "it has no head");
            greatest(conn).max(logged)
        },
        |head| head.max(logged),
    );
    let flushed = flushed.filter(|flushed| *flushed <= head).unwrap_or_else(|| {
        damage.note(Part::Meta, "it does not say which numbers are in buckets");
        Seq::ZERO
    });
    Ok(Meta { epoch, head, flushed })
}

/// Replaces a damaged or missing row.
///
/// # Errors
/// [`rusqlite::Error`].
pub(super) fn replace(conn: &Connection, meta: &Meta) -> rusqlite::Result<()> {
    let epoch = meta.epoch.map(|epoch| epoch.to_string());
    conn.execute(
        "INSERT OR REPLACE INTO meta (one, epoch, head, settled, settled_too) VALUES (1, ?1, ?2, ?3, ?3)",
        (epoch, sql(meta.head.0), sql(meta.flushed.0)),
    )?;
    Ok(())
}

/// Reads a seq; `None` if the value cannot be one.
pub(super) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Seq>> {
    let number = row.get_ref(column)?.as_i64().ok().and_then(|number| u64::try_from(number).ok());
    Ok(number.filter(|&number| number <= GREATEST).map(Seq))
}

/// Finds the greatest key of the log that can be a seq. It counts even if its row is damaged.
fn newest_logged(conn: &Connection) -> Seq {
    let newest = "SELECT last FROM log WHERE last <= ?1 ORDER BY last DESC LIMIT 1";
    let newest = conn.query_row(newest, [sql(GREATEST)], |row| seq(row, 0));
    // Damaged pages of the log are noted when it is replayed.
    newest.ok().flatten().unwrap_or_default()
}

/// Finds the greatest seq of anything stored. Reads all of it: without `meta` there is no other way.
fn greatest(conn: &Connection) -> Seq {
    let mut greatest = Seq::ZERO;
    let (first, _) = BlockId::all(Tier::Second, SeriesId(0));
    let (first_of_next, _) = BlockId::all(Tier::TenSeconds, SeriesId(0));
    each(conn, &format!("SELECT key, data FROM blocks WHERE key >= {first} AND key < {first_of_next}"), |row| {
        if let (Some(id), Ok(bytes)) = (BlockId::of_key(row.get(0)?), row.get_ref(1)?.as_blob()) {
            greatest = greatest.max(Block::unpack(bytes, id).map(|block| block.changed()).unwrap_or_default());
        }
        Ok(())
    });
    each(conn, &format!("SELECT key, data FROM extents WHERE key >= {first} AND key < {first_of_next}"), |row| {
        if let (Some(id), Ok(bytes)) = (ExtentId::of_key(row.get(0)?), row.get_ref(1)?.as_blob()) {
            let blocks = Extent::unpack(bytes, id).map(|extent| extent.blocks).unwrap_or_default();
            greatest = blocks.iter().map(|(_, block)| block.changed()).fold(greatest, Seq::max);
        }
        Ok(())
    });
    for select in [
        "SELECT seq FROM lines",
        "SELECT gone_seq FROM series",
        "SELECT seq FROM revised",
        // A change of a board took the number after the head that it names.
        "SELECT since + 1 FROM boards",
        "SELECT since FROM removed",
        "SELECT since FROM forgotten",
    ] {
        each(conn, select, |row| {
            greatest = greatest.max(seq(row, 0)?.unwrap_or_default());
            Ok(())
        });
    }
    greatest
}

/// Calls `look` for each row that can be read.
fn each(conn: &Connection, select: &str, mut look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>) {
    let looked = conn.prepare(select).and_then(|mut select| {
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            look(row)?;
        }
        Ok(())
    });
    if let Err(error) = looked {
        tracing::debug!(%error, select, "cannot read all rows");
    }
}
