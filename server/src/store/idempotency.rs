//! Idempotency keys: kept for a day, bounded in number, and deleted in small steps.
//!
//! If there are too many, the oldest are deleted early. Refusing pushes with a key instead would let one sender with
//! many keys block all other senders for a day. A key is deleted early only after `--max-keys` newer ones, and a
//! sender repeats its push within seconds or minutes.
//!
//! A key belongs to one request: the row also has a hash of the address and the body of that request. So a key that
//! is used again for another request is noticed, and a new push is never mistaken for a repeat.

use rusqlite::{Connection, OptionalExtension as _};
use shared::Millis;

use super::{Store, sql};
use crate::log::IdempotencyKey;

/// Milliseconds for which a key is kept: a day.
pub(super) const LIFETIME: u64 = 86_400_000;

/// The most keys that one step deletes: some milliseconds of work.
const STEP: usize = 500;

/// The most keys that one push deletes, so that its work is bounded. A push adds one key, so the excess shrinks.
const STEP_OF_PUSH: usize = 2;

/// The relation of a keyed push to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// No push had the key, or the key is older than its lifetime.
    Never,
    /// The same request had the key.
    Same,
    /// Another request had the key.
    Other,
}

/// The number of keys, and its bound. A transaction works on a copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// The number of rows of the table.
    pub(super) count: usize,
    /// The most rows that the table may have.
    pub(super) most: usize,
}

impl Keys {
    /// Looks a key up. A key that is older than its lifetime counts as unknown, although its row may still be there.
    pub(super) fn look_up(tx: &Connection, key: &IdempotencyKey, now: Millis) -> rusqlite::Result<Seen> {
        let oldest = sql(now.0.saturating_sub(LIFETIME));
        let mut select = tx.prepare_cached("SELECT request FROM pushes WHERE key = ?1 AND at >= ?2")?;
        let found =
            select.query_row((&key.text, oldest), |row| Ok(row.get_ref(0)?.as_blob_or_null()?.map(<[u8]>::to_vec)));
        Ok(match found.optional()? {
            None => Seen::Never,
            // A row of an earlier version, which stored only the key.
            Some(None) => Seen::Same,
            Some(Some(request)) if request == key.request.0 => Seen::Same,
            Some(Some(_)) => Seen::Other,
        })
    }

    /// Stores the key of a new push. At most `most` keys are kept.
    pub(super) fn remember(
        &mut self,
        tx: &Connection,
        key: &IdempotencyKey,
        now: Millis,
        most: usize,
    ) -> rusqlite::Result<()> {
        let row = (&key.text, sql(now.0), key.request.0);
        let renew = "UPDATE pushes SET at = ?2, request = ?3 WHERE key = ?1";
        if tx.prepare_cached(renew)?.execute(row)? == 0 {
            tx.prepare_cached("INSERT INTO pushes (key, at, request) VALUES (?1, ?2, ?3)")?.execute(row)?;
            self.count += 1;
        }
        let excess = self.count.saturating_sub(most).min(STEP_OF_PUSH);
        if excess > 0 {
            let oldest = "DELETE FROM pushes WHERE key IN (SELECT key FROM pushes ORDER BY at LIMIT ?1)";
            self.count -= tx.prepare_cached(oldest)?.execute([rows(excess)])?;
        }
        Ok(())
    }
}

/// Counts the keys in the table.
pub(super) fn count(conn: &Connection) -> rusqlite::Result<usize> {
    let count: i64 = conn.query_row("SELECT count(*) FROM pushes", [], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Converts a number of rows for SQLite.
fn rows(count: usize) -> i64 {
    sql(count as u64)
}

impl Store {
    /// Deletes some keys that are older than a day or exceed the bound. Returns how many it deleted.
    ///
    /// # Errors
    /// [`rusqlite::Error`]; then nothing was deleted.
    pub fn forget_keys(&mut self, now: Millis) -> rusqlite::Result<usize> {
        let expired = sql(now.0.saturating_sub(LIFETIME));
        let excess = self.keys.count.saturating_sub(self.keys.most).min(STEP);
        let oldest = "SELECT at FROM pushes ORDER BY at LIMIT 1";
        let oldest: Option<i64> = self.conn.prepare_cached(oldest)?.query_row([], |row| row.get(0)).optional()?;
        if excess == 0 && oldest.is_none_or(|oldest| oldest >= expired) {
            return Ok(0);
        }
        let forgotten = self.in_background(|tx| {
            let old = "DELETE FROM pushes WHERE key IN (SELECT key FROM pushes WHERE at < ?1 ORDER BY at LIMIT ?2)";
            let mut forgotten = tx.prepare_cached(old)?.execute((expired, rows(STEP)))?;
            if forgotten < excess {
                let oldest = "DELETE FROM pushes WHERE key IN (SELECT key FROM pushes ORDER BY at LIMIT ?1)";
                forgotten += tx.prepare_cached(oldest)?.execute([rows(excess - forgotten)])?;
            }
            Ok(forgotten)
        })?;
        self.keys.count = self.keys.count.saturating_sub(forgotten);
        Ok(forgotten)
    }

    /// Returns the number of stored idempotency keys.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.count
    }
}

#[cfg(test)]
mod tests {
    use super::super::CommitError;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::limits::Limits;
    use crate::log::{Fingerprint, Push};
    use proptest::prelude::*;
    use shared::{Number, Point, Value};

    const START: Millis = Millis(1_732_399_200_000);

    /// Pushes a point with this key. Returns true if the push was new.
    fn push(store: &mut Store, key: &str, now: Millis) -> bool {
        let point = Point { series: "a".parse().unwrap(), ts: now, value: Value::Number(Number::new(1.0).unwrap()) };
        let request = Fingerprint::of("/in/a", b"1");
        let push = Push { key: IdempotencyKey::new(key.to_owned(), request), ..Push::of([point]) };
        let outcome = store.commit(vec![push], Now { wall: now, up: Uptime(0) });
        assert_eq!(outcome.results, [Ok(())]);
        !outcome.committed.is_empty()
    }

    fn key_rows(store: &Store) -> usize {
        let rows = count(&store.conn).unwrap();
        assert_eq!(rows, store.key_count());
        rows
    }

    #[test]
    fn expired_keys_are_forgotten_in_steps_and_no_push_waits_for_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                    INSERT INTO pushes (key, at) SELECT 'old' || i, ?1 FROM n";
        store.conn.execute(many, [sql(START.0)]).unwrap();
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        let later = START.plus(LIFETIME + 1);
        assert!(push(&mut store, "new", later));
        assert_eq!(key_rows(&store), 3_001, "the push forgot none");
        assert!(push(&mut store, "old7", later), "expired, although its row is still there");
        assert!(!push(&mut store, "old7", later));
        let mut steps = 0;
        while store.forget_keys(later).unwrap() > 0 {
            steps += 1;
        }
        assert_eq!((steps, key_rows(&store)), (6, 2));
        assert!(!push(&mut store, "old7", later.plus(LIFETIME)));
    }

    #[test]
    fn key_belongs_to_the_address_and_the_body_of_its_first_push() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut push = |now: Millis, target: &str, body: &str| {
            let point =
                Point { series: "a".parse().unwrap(), ts: now, value: Value::Number(Number::new(1.0).unwrap()) };
            let key = IdempotencyKey::new("k".to_owned(), Fingerprint::of(target, body.as_bytes()));
            let outcome = store.commit(vec![Push { key, ..Push::of([point]) }], Now { wall: now, up: Uptime(0) });
            (outcome.results[0].clone(), outcome.committed.len())
        };
        assert_eq!(push(START, "/in/a", "1"), (Ok(()), 1));
        for (target, body) in [("/in/b", "1"), ("/in/a", "2"), ("/in/a?kind=gauge", "1"), ("/in/", "a1")] {
            assert_eq!(push(START, target, body), (Err(CommitError::KeyReused), 0), "{target} {body}");
        }
        assert_eq!(push(START, "/in/a", "1"), (Ok(()), 0));
        let later = START.plus(LIFETIME + 1);
        assert_eq!(push(later, "/in/b", "1"), (Ok(()), 1), "the key is free again after a day");
        assert_eq!(push(later, "/in/a", "1"), (Err(CommitError::KeyReused), 0));
    }

    #[test]
    fn keys_of_a_folder_of_an_earlier_version_are_still_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.conn.execute_batch("ALTER TABLE pushes DROP COLUMN request").unwrap();
        store.conn.execute("INSERT INTO pushes (key, at) VALUES ('k', ?1)", [sql(START.0)]).unwrap();
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        assert!(!push(&mut store, "k", START));
        assert!(push(&mut store, "k", START.plus(LIFETIME + 1)));
        assert_eq!(key_rows(&store), 1);
    }

    #[test]
    fn oldest_keys_beyond_the_bound_are_forgotten_also_after_the_flag_was_lowered() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let at_most = |keys| Limits { keys, ..Limits::default() };
        store.set_limits(&at_most(10));
        for n in 0..50 {
            assert!(push(&mut store, &format!("k{n}"), START.plus(n)));
            assert!(key_rows(&store) <= 10);
        }
        let now = START.plus(100);
        assert!((40..50).all(|n| !push(&mut store, &format!("k{n}"), now)), "the newest are remembered");
        assert!(push(&mut store, "k39", now), "and older ones are not");
        store.set_limits(&at_most(3));
        assert!(push(&mut store, "k100", now));
        assert_eq!(key_rows(&store), 9, "a push forgets few");
        assert_eq!((store.forget_keys(now).unwrap(), key_rows(&store)), (6, 3));
    }

    proptest! {
        #[test]
        fn key_counts_once_a_day_whatever_was_forgotten_meanwhile(
            pushes in prop::collection::vec((0..4_u8, 0..LIFETIME, any::<bool>()), 1..30)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = Store::open(folder.path()).unwrap();
            let (mut now, mut last) = (START, std::collections::HashMap::new());
            for (key, wait, forgets) in pushes {
                now = now.plus(wait);
                if forgets {
                    store.forget_keys(now).unwrap();
                }
                let is_new = last.get(&key).is_none_or(|&last: &Millis| now.since(last) > LIFETIME);
                prop_assert_eq!(push(&mut store, &format!("k{key}"), now), is_new);
                if is_new {
                    last.insert(key, now);
                }
                key_rows(&store);
            }
        }
    }
}
