//! The one row of `meta`: the epoch, the head, and up to where the tables have everything.
//!
//! Where it is damaged, the head is found again from all numbers that are stored: none may be given twice, and a bucket
//! takes in only what is newer than itself. The epoch is not found again: readers begin with a snapshot.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::{Epoch, Seq, Tier};

use super::block::{Block, Place};
use super::damage::{Damage, GREATEST, Part};
use super::{SeriesId, sql};

/// What the row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// The epoch of the run that wrote it; nothing where it cannot be read.
    pub epoch: Option<Epoch>,
    /// The last number that was given.
    pub head: Seq,
    /// Up to where the tables have every bucket.
    pub settled: Seq,
}

/// Reads the row, and makes up for what of it is damaged.
///
/// # Errors
/// [`rusqlite::Error`], where it does not only mean that the row is damaged.
pub(super) fn read(conn: &Connection, damage: &Damage) -> rusqlite::Result<Meta> {
    let row = conn.query_row("SELECT epoch, head, settled FROM meta", [], |row| {
        let epoch = row.get_ref(0)?.as_str().ok().and_then(|text| text.parse().ok());
        Ok((epoch, seq(row, 1)?, seq(row, 2)?))
    });
    let row = row.optional().or_else(|error| damage.take(Part::Meta, error).map(|()| None))?;
    let (epoch, head, settled) = row.unwrap_or_default();
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
    let settled = settled.filter(|settled| *settled <= head).unwrap_or_else(|| {
        damage.note(Part::Meta, "it does not say which numbers are in buckets");
        Seq::ZERO
    });
    Ok(Meta { epoch, head, settled })
}

/// Writes the row in place of one that is damaged or missing.
///
/// # Errors
/// [`rusqlite::Error`].
pub(super) fn replace(conn: &Connection, meta: &Meta) -> rusqlite::Result<()> {
    let epoch = meta.epoch.map(|epoch| epoch.to_string());
    conn.execute(
        "INSERT OR REPLACE INTO meta (one, epoch, head, settled) VALUES (1, ?1, ?2, ?3)",
        (epoch, sql(meta.head.0), sql(meta.settled.0)),
    )?;
    Ok(())
}

/// A number of a point, where it can be one.
pub(super) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Seq>> {
    let number = row.get_ref(column)?.as_i64().ok().and_then(|number| u64::try_from(number).ok());
    Ok(number.filter(|&number| number <= GREATEST).map(Seq))
}

/// The greatest key of the log that can be a number, also where the row is damaged: no other row can have it.
fn newest_logged(conn: &Connection) -> Seq {
    let newest = "SELECT last FROM log WHERE last <= ?1 ORDER BY last DESC LIMIT 1";
    let newest = conn.query_row(newest, [sql(GREATEST)], |row| seq(row, 0));
    // Where the pages of the log are damaged, that is noted when it is replayed.
    newest.ok().flatten().unwrap_or_default()
}

/// The greatest number that anything stored has. Reads all of it: there is no other way where `meta` is damaged.
fn greatest(conn: &Connection) -> Seq {
    let mut greatest = Seq::ZERO;
    let (first, _) = Place::all(Tier::Second, SeriesId(0));
    let (first_of_next, _) = Place::all(Tier::TenSeconds, SeriesId(0));
    each(conn, &format!("SELECT key, data FROM blocks WHERE key >= {first} AND key < {first_of_next}"), |row| {
        let place = Place::finest(row.get(0)?);
        if let Ok(block) = row.get_ref(1)?.as_blob().map(|bytes| Block::unpack(bytes, place)) {
            greatest = greatest.max(block.map(|block| block.changed()).unwrap_or_default());
        }
        Ok(())
    });
    for select in
        ["SELECT seq FROM lines", "SELECT gone_seq FROM series", "SELECT seq FROM revised", "SELECT since FROM boards"]
    {
        each(conn, select, |row| {
            greatest = greatest.max(seq(row, 0)?.unwrap_or_default());
            Ok(())
        });
    }
    greatest
}

/// Looks at the rows as far as they can be read.
fn each(conn: &Connection, select: &str, mut look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>) {
    let looked = conn.prepare(select).and_then(|mut select| {
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            look(row)?;
        }
        Ok(())
    });
    if let Err(error) = looked {
        tracing::debug!(%error, select, "read in part");
    }
}
