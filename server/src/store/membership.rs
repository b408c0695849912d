//! The shared log that a store applies, and how far it has applied it.
//!
//! The position is written in the transaction of the changes that it covers. So after a crash the store continues with
//! exactly the rows that it lacks, although it need not sync each commit: the shared log still has the rows.

use rusqlite::{Connection, OptionalExtension as _, Transaction};
use shared::Epoch;

use super::sql;
use crate::log::postgres::{LogIdentity, Position};

pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS shared_log (
        one      INTEGER PRIMARY KEY CHECK (one = 1),
        id       TEXT    NOT NULL,
        position INTEGER NOT NULL,
        sum      INTEGER NOT NULL
    )
";

/// The last row of the shared log that a store has applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppliedRow {
    /// Its position; 0 before the first.
    pub position: Position,
    /// Its checksum, by which another past of the log is noticed.
    pub checksum: i64,
}

/// The progress of a store in its shared log.
#[derive(Debug)]
pub(super) struct Membership {
    /// The identity of the log.
    pub(super) id: String,
    /// The last row that is committed.
    applied: AppliedRow,
    /// The row that the next transaction completes.
    pending: Option<AppliedRow>,
}

/// Reads the membership; `None` if the store belongs to no shared log.
pub(super) fn read(conn: &Connection) -> rusqlite::Result<Option<Membership>> {
    let row = conn.query_row("SELECT id, position, sum FROM shared_log", [], |row| {
        let applied = AppliedRow { position: row.get::<_, i64>(1)?.unsigned_abs(), checksum: row.get(2)? };
        Ok(Membership { id: row.get(0)?, applied, pending: None })
    });
    row.optional()
}

/// Makes an empty store a member of a shared log, before the first row.
pub(super) fn begin(conn: &Connection, identity: &LogIdentity) -> rusqlite::Result<Membership> {
    let tx = conn.unchecked_transaction()?;
    tx.execute("INSERT INTO shared_log (one, id, position, sum) VALUES (1, ?1, 0, 0)", [&identity.id])?;
    tx.execute("UPDATE meta SET epoch = ?1", [identity.epoch.to_string()])?;
    tx.commit()?;
    Ok(Membership { id: identity.id.clone(), applied: AppliedRow::default(), pending: None })
}

/// Makes a database leave its shared log. Returns false if it belongs to none. The next start begins an epoch, as
/// after any other run.
pub(super) fn end(conn: &Connection) -> rusqlite::Result<bool> {
    conn.execute("DELETE FROM shared_log", []).map(|deleted| deleted > 0)
}

/// Writes the epoch of the shared log into `meta`.
pub(super) fn set_epoch(conn: &Connection, epoch: Epoch) -> rusqlite::Result<()> {
    conn.execute("UPDATE meta SET epoch = ?1", [epoch.to_string()]).map(|_| ())
}

/// Returns true if nothing was ever stored.
pub(super) fn is_empty(conn: &Connection) -> rusqlite::Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM series) OR EXISTS (SELECT 1 FROM boards) OR EXISTS (SELECT 1 FROM tokens)
               OR EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM links) OR EXISTS (SELECT 1 FROM log) OR (SELECT head FROM meta) > 0";
    conn.query_row(any, [], |row| row.get(0)).map(|any: bool| !any)
}

/// Writes the pending row, as a part of the transaction that completes it.
pub(super) fn note(member: Option<&Membership>, tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let Some(AppliedRow { position, checksum }) = member.and_then(|member| member.pending) else { return Ok(()) };
    tx.prepare_cached("UPDATE shared_log SET position = ?1, sum = ?2")?.execute((sql(position), checksum))?;
    Ok(())
}

/// Records that the transaction is committed.
pub(super) fn committed(member: Option<&mut Membership>) {
    if let Some(member) = member
        && let Some(pending) = member.pending.take()
    {
        member.applied = pending;
    }
}

impl Membership {
    /// Returns true if a row was applied.
    pub(super) fn has_applied(&self) -> bool {
        self.applied.position > 0
    }
}

impl super::Store {
    /// Makes the store, with its content, the beginning of the shared log `id`. The present epoch ends, and that of the
    /// log begins.
    pub(super) fn begin_shared_log(&mut self, id: &str, epoch: Epoch) -> rusqlite::Result<()> {
        self.record_epoch()?;
        let ended = (self.epochs.current(), self.head);
        let tx = self.conn.transaction()?;
        super::epochs::record(&tx, ended, epoch)?;
        tx.execute("INSERT INTO shared_log (one, id, position, sum) VALUES (1, ?1, 0, 0)", [id])?;
        tx.commit()
    }

    /// Returns the last row of the shared log that is applied; `None` if the store belongs to no shared log.
    #[must_use]
    pub fn applied_row(&self) -> Option<AppliedRow> {
        self.member.as_ref().map(|member| member.applied)
    }

    /// Announces that the next transaction completes this row.
    pub(super) fn begin_row(&mut self, row: AppliedRow) {
        if let Some(member) = &mut self.member {
            member.pending = Some(row);
        }
    }

    /// Writes the announced row, if no transaction has done so: its change has changed nothing.
    pub(super) fn finish_row(&mut self) -> rusqlite::Result<()> {
        if self.member.as_ref().is_some_and(|member| member.pending.is_some()) {
            let tx = self.conn.transaction()?;
            note(self.member.as_ref(), &tx)?;
            tx.commit()?;
            committed(self.member.as_mut());
        }
        Ok(())
    }

    /// Takes the announcement back, since the row was not applied.
    pub(super) fn abandon_row(&mut self) {
        if let Some(member) = &mut self.member {
            member.pending = None;
        }
    }

    /// The value of the pragma `synchronous` for commits. A member need not sync: the shared log has what it commits.
    pub(super) fn synchronous(&self) -> &'static str {
        if self.member.is_some() { "NORMAL" } else { "FULL" }
    }
}
