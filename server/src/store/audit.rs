//! Stores the audit log. Nothing but its age and its bounds removes an event.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use shared::Millis;

use super::damage::Part;
use super::{CommitError, Store, sql};
use crate::clock::Uptime;
use crate::log::{AuditAction, AuditEvent, By};

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS audit (
        id      INTEGER PRIMARY KEY,
        at      INTEGER NOT NULL,
        who     TEXT    NOT NULL,
        source  TEXT,
        action  TEXT    NOT NULL,
        object  TEXT    NOT NULL,
        detail  TEXT    NOT NULL,
        attempt INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS audit_by_kind ON audit (attempt, id);
";

/// Milliseconds for which an event is kept: a year.
pub const LIFETIME: u64 = 366 * 86_400_000;

/// The most changes that are kept.
pub const MAX_CHANGES: usize = 100_000;

/// The most attempts that are kept ([`AuditAction::is_attempt`]).
pub const MAX_ATTEMPTS: usize = 20_000;

/// The most events of one answer: a millisecond of the writer thread's time.
pub const MAX_READ: usize = 1_000;

/// Events that one step of the cleaning deletes.
const STEP: usize = 500;

/// Milliseconds between two cleanings.
const REST: u64 = 600_000;

/// An event with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The number. Later events have higher ones.
    pub id: u64,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

/// Adds an event to a transaction; does nothing without one.
pub(super) fn record(tx: &Connection, by: &By) -> rusqlite::Result<()> {
    let Some(event) = by else { return Ok(()) };
    let insert =
        "INSERT INTO audit (at, who, source, action, object, detail, attempt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.prepare_cached(insert)?.execute((
        sql(event.at.0),
        &event.who,
        event.from.map(|from| from.to_string()),
        event.action.word(),
        &event.object,
        &event.detail,
        event.action.is_attempt(),
    ))?;
    Ok(())
}

impl Store {
    /// Adds the event of the entry that is being applied, which makes no change; on return it is on the disk.
    ///
    /// # Errors
    /// [`CommitError`].
    pub(super) fn add_event(&mut self) -> Result<(), CommitError> {
        self.change_rows(|_| Ok(0))
    }

    /// Reads the newest `most` events, at most [`MAX_READ`], whose number is below `before`. The oldest comes first.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn events(&self, before: Option<u64>, most: usize) -> rusqlite::Result<Vec<StoredEvent>> {
        let select =
            "SELECT id, at, who, source, action, object, detail FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
        let mut select = self.conn.prepare_cached(select)?;
        let before = before.map_or(i64::MAX, sql);
        let mut rows = select.query((before, sql(most.min(MAX_READ) as u64)))?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            match read(row)? {
                Some(event) => events.push(event),
                None => self.damage.note(Part::Table("audit"), "an event of the audit log cannot be read"),
            }
        }
        events.reverse();
        Ok(events)
    }

    /// Deletes some events that are older than [`LIFETIME`] or beyond a bound. Does nothing for a while after nothing was
    /// left to delete. `now` is the store's time.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn forget_events(&mut self, now: Millis, up: Uptime) -> rusqlite::Result<usize> {
        if up < self.audit_rests_until {
            return Ok(0);
        }
        let forgotten = self.in_background(|tx| forget(tx, now, [MAX_CHANGES, MAX_ATTEMPTS]))?;
        if forgotten == 0 {
            self.audit_rests_until = up.plus(REST);
        }
        Ok(forgotten)
    }
}

/// Deletes old events, and the oldest beyond the bounds of changes and of attempts.
fn forget(tx: &Connection, now: Millis, bounds: [usize; 2]) -> rusqlite::Result<usize> {
    let old = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)";
    let step = sql(STEP as u64);
    let mut forgotten = tx.prepare_cached(old)?.execute((sql(now.0.saturating_sub(LIFETIME)), step))?;
    for (attempt, most) in [false, true].into_iter().zip(bounds) {
        let beyond = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE attempt = ?1 AND id <=
                      (SELECT id FROM audit WHERE attempt = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2) LIMIT ?3)";
        forgotten += tx.prepare_cached(beyond)?.execute((attempt, sql(most as u64), step))?;
    }
    Ok(forgotten)
}

/// Reads a row; `None` if it is damaged.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<StoredEvent>> {
    let text = |column| row.get_ref(column).map(|value| value.as_str().ok().map(str::to_owned));
    let number = |column| row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or_default());
    let action = text(4)?.as_deref().and_then(AuditAction::of);
    let (Some(action), Some(who), Some(object), Some(detail)) = (action, text(2)?, text(5)?, text(6)?) else {
        return Ok(None);
    };
    let from = text(3).ok().flatten().and_then(|from| from.parse().ok());
    let event = AuditEvent { at: Millis(number(1)?), who, from, action, object, detail };
    Ok(Some(StoredEvent { id: number(0)?, event }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64, action: AuditAction) -> AuditEvent {
        let from = Some("10.0.0.1".parse().unwrap());
        AuditEvent::new(Millis(at), "user ann", from, action, "ops\n", "a\nb")
    }

    fn add(store: &mut Store, event: AuditEvent) {
        store.by = Some(Box::new(event));
        store.add_event().unwrap();
    }

    fn ids(store: &Store, before: Option<u64>, most: usize) -> Vec<u64> {
        store.events(before, most).unwrap().into_iter().map(|event| event.id).collect()
    }

    #[test]
    fn events_are_read_page_by_page_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for at in 1..=5 {
            add(&mut store, event(at, AuditAction::BoardStored));
        }
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.events(None, 1).unwrap(), [StoredEvent { id: 5, event: event(5, AuditAction::BoardStored) }]);
        assert_eq!((ids(&store, None, 2), ids(&store, Some(4), 9)), (vec![4, 5], vec![1, 2, 3]));
    }

    #[test]
    fn old_events_go_and_attempts_push_out_attempts_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for at in 1..=3 {
            add(&mut store, event(at, AuditAction::TokenCreated));
            add(&mut store, event(at, AuditAction::Refused));
        }
        assert_eq!(forget(&store.conn, Millis(3), [9, 2]).unwrap(), 1);
        assert_eq!(ids(&store, None, 9), [1, 3, 4, 5, 6]);
        assert_eq!(forget(&store.conn, Millis(LIFETIME + 3), [9, 9]).unwrap(), 3);
        assert_eq!(ids(&store, None, 9), [5, 6]);
        let mut forgets = |up| store.forget_events(Millis(LIFETIME + 9), Uptime(up)).unwrap();
        assert_eq!((forgets(1), forgets(2), forgets(3)), (2, 0, 0));
        add(&mut store, event(1, AuditAction::TokenCreated));
        let mut forgets = |up| store.forget_events(Millis(LIFETIME + 9), Uptime(up)).unwrap();
        assert_eq!((forgets(4), forgets(3 + REST)), (0, 1));
    }

    #[test]
    fn event_that_cannot_be_read_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        add(&mut store, event(1, AuditAction::SignedIn));
        add(&mut store, event(2, AuditAction::SignedIn));
        store.conn.execute("UPDATE audit SET action = 'x' WHERE id = 1", []).unwrap();
        assert_eq!(ids(&store, None, 9), [2]);
    }
}
