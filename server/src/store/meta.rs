//! The only row of the table `meta`: the epoch, the head, and the seq up to which the tables hold every bucket.
//!
//! If the row is damaged, the head is reconstructed from all seqs that are stored, since no seq may be given twice
//! and a bucket takes only points newer than itself. The epoch cannot be reconstructed: a new one is drawn, and
//! subscribers begin with a snapshot.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::{Epoch, Seq, Tier};

use super::block::Block;
use super::block_id::BlockId;
use super::damage::{Damage, GREATEST, Part};
use super::sql;
use crate::log::SeriesId;

/// The content of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// The epoch of the run that wrote the row; `None` if it cannot be read.
    pub epoch: Option<Epoch>,
    /// The last seq that was given to a point.
    pub head: Seq,
    /// The seq up to which the tables hold every bucket.
    pub flushed: Seq,
}

/// Reads the row, and reconstructs its damaged parts.
///
/// # Errors
/// [`rusqlite::Error`], unless it only means that the row is damaged.
pub(super) fn read(conn: &Connection, damage: &Damage) -> rusqlite::Result<Meta> {
    let row = conn.query_row("SELECT epoch, head, settled FROM meta", [], |row| {
        let epoch = row.get_ref(0)?.as_str().ok().and_then(|text| text.parse().ok());
        Ok((epoch, seq(row, 1)?, seq(row, 2)?))
    });
    let row = row.optional().or_else(|error| damage.take(Part::Meta, error).map(|()| None))?;
    let (epoch, head, flushed) = row.unwrap_or_default();
    if epoch.is_none() {
        damage.note(Part::Meta, "it has no epoch");
    }
    let logged = newest_logged(conn);
    let head = match head {
        Some(head) if logged <= head => head,
        _ => {
            damage.note(Part::Meta, "its head is not the last number that was given");
            greatest(conn).max(logged).max(head.unwrap_or_default())
        }
    };
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
        "INSERT OR REPLACE INTO meta (one, epoch, head, settled) VALUES (1, ?1, ?2, ?3)",
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
        let block_id = BlockId::finest(row.get(0)?);
        if let Ok(block) = row.get_ref(1)?.as_blob().map(|bytes| Block::unpack(bytes, block_id)) {
            greatest = greatest.max(block.map(|block| block.changed()).unwrap_or_default());
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
