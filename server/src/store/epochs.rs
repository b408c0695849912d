//! Stores the epoch of this run, and where earlier epochs ended ([`Epochs`]).

use rusqlite::Connection;
use shared::{Epoch, Seq};

use super::sql;
use crate::log::Epochs;

/// The most ended epochs that are kept. A cursor of an older one is answered with a gap, which is safe.
const MOST: i64 = 10_000;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS epochs (
        id    INTEGER PRIMARY KEY,
        epoch TEXT    NOT NULL,
        head  INTEGER NOT NULL
    )
";

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
            epochs.end(epoch, Seq(head));
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
