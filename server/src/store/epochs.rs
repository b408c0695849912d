//! Decides which cursors can be continued after a restart, also when an earlier copy of the data was restored.
//!
//! Each start draws a new epoch and ends the previous one at the head that it finds. A cursor of an earlier epoch is
//! valid up to the end of that epoch: up to there, all runs have the same past. An earlier copy of the data has its
//! own epoch still open and does not know the later ones. So after it is restored and started, a cursor from the lost
//! future lies beyond the end of its epoch or belongs to an unknown epoch, and its subscriber begins with a gap and a
//! snapshot.
//!
//! A cursor beyond the end of its epoch must never be accepted. So the row that ends the previous epoch is on the
//! disk before the first commit of the next one.

use std::collections::HashMap;

use rusqlite::Connection;
use shared::{Cursor, Epoch, GapReason, Seq};

use super::sql;

/// The most ended epochs that are kept. A cursor of an older one is answered with a gap, which is safe.
const MOST: i64 = 10_000;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS epochs (
        id    INTEGER PRIMARY KEY,
        epoch TEXT    NOT NULL,
        head  INTEGER NOT NULL
    )
";

/// The epoch of this run, and where earlier ones ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    current: Epoch,
    /// The head at which each earlier epoch ended.
    ended: HashMap<Epoch, Seq>,
}

impl From<Epoch> for Epochs {
    /// Starts with the first epoch of a store.
    fn from(current: Epoch) -> Self {
        Self { current, ended: HashMap::new() }
    }
}

impl Epochs {
    /// Returns the epoch of all cursors that this run gives out.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.current
    }

    /// Returns true if this is the current epoch or a known earlier one.
    #[must_use]
    pub fn contains(&self, epoch: Epoch) -> bool {
        self.current == epoch || self.ended.contains_key(&epoch)
    }

    /// Returns the epochs after a restart: the current one ended at `head`, and `next` is the new one.
    #[must_use]
    pub fn followed_by(mut self, next: Epoch, head: Seq) -> Self {
        self.ended.insert(self.current, head);
        self.ended.remove(&next);
        Self { current: next, ..self }
    }

    /// Checks that a picture at `cursor` equals the state of this store at that cursor; `head` is the newest seq.
    ///
    /// # Errors
    /// The reason why the subscriber must begin with a snapshot.
    pub fn check(&self, cursor: Cursor, head: Seq) -> Result<(), GapReason> {
        let last = if cursor.epoch == self.current { Some(head) } else { self.ended.get(&cursor.epoch).copied() };
        match last {
            None => Err(GapReason::OtherEpoch),
            Some(last) if cursor.seq > last.min(head) => Err(GapReason::Ahead),
            Some(_) => Ok(()),
        }
    }
}

/// Creates the table if it does not exist: folders of earlier versions lack it.
///
/// # Errors
/// [`rusqlite::Error`].
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

/// Reads the ended epochs. Skips rows that cannot be read: their cursors are answered with a gap.
///
/// # Errors
/// [`rusqlite::Error`].
pub(super) fn read(conn: &Connection, current: Epoch) -> rusqlite::Result<Epochs> {
    let mut select = conn.prepare("SELECT epoch, head FROM epochs")?;
    let mut rows = select.query([])?;
    let mut epochs = Epochs::from(current);
    while let Some(row) = rows.next()? {
        let (epoch, head) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_i64());
        let epoch = epoch.ok().and_then(|text| text.parse().ok());
        if let (Some(epoch), Ok(Ok(head))) = (epoch, head.map(u64::try_from)) {
            epochs.ended.insert(epoch, Seq(head));
        }
    }
    Ok(epochs)
}

/// Records that the epoch `ended` ended at `head`, and that `current` follows it.
///
/// # Errors
/// [`rusqlite::Error`].
pub(super) fn record(conn: &Connection, (ended, head): (Epoch, Seq), current: Epoch) -> rusqlite::Result<()> {
    conn.execute("INSERT INTO epochs (epoch, head) VALUES (?1, ?2)", (ended.to_string(), sql(head.0)))?;
    conn.execute("DELETE FROM epochs WHERE id <= (SELECT max(id) FROM epochs) - ?1", [MOST])?;
    conn.execute("UPDATE meta SET epoch = ?1", [current.to_string()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u32, seq: u64) -> Cursor {
        Cursor { epoch: Epoch(epoch), seq: Seq(seq) }
    }

    #[test]
    fn cursor_of_an_earlier_epoch_is_valid_up_to_its_end() {
        let epochs = Epochs::from(Epoch(1)).followed_by(Epoch(2), Seq(10)).followed_by(Epoch(3), Seq(10));
        for good in [at(1, 10), at(2, 4), at(2, 10), at(3, 12)] {
            assert_eq!(epochs.check(good, Seq(12)), Ok(()), "{good}");
        }
        for ahead in [at(1, 11), at(2, 11), at(3, 13)] {
            assert_eq!(epochs.check(ahead, Seq(12)), Err(GapReason::Ahead), "{ahead}");
        }
        assert_eq!(epochs.check(at(4, 1), Seq(12)), Err(GapReason::OtherEpoch));
    }

    #[test]
    fn unreadable_rows_are_skipped_and_the_oldest_are_forgotten() {
        let conn = Connection::open_in_memory().unwrap();
        create(&conn).unwrap();
        conn.execute_batch("CREATE TABLE meta (epoch TEXT); INSERT INTO meta VALUES ('')").unwrap();
        record(&conn, (Epoch(1), Seq(5)), Epoch(2)).unwrap();
        conn.execute_batch(
            "INSERT INTO epochs (epoch, head) VALUES ('nonsense', 1), (x'ff', 1), ('00000009', -1), ('00000008', 'x')",
        )
        .unwrap();
        assert_eq!(read(&conn, Epoch(2)).unwrap(), Epochs::from(Epoch(1)).followed_by(Epoch(2), Seq(5)));
        conn.execute("INSERT INTO epochs (id, epoch, head) VALUES (?1, '00000007', 6)", [MOST + 1]).unwrap();
        record(&conn, (Epoch(2), Seq(7)), Epoch(3)).unwrap();
        let epochs = read(&conn, Epoch(3)).unwrap();
        assert!(!epochs.contains(Epoch(1)) && epochs.contains(Epoch(7)) && epochs.contains(Epoch(2)));
    }
}
