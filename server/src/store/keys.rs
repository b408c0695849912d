//! Idempotency keys: remembered for a day, in bounded number, and forgotten in small steps.
//!
//! If there are too many, the oldest are forgotten early. Refusing pushes with a key instead would let one sender with
//! many keys block all other senders for a day. A key is forgotten early only after `--max-keys` newer ones, and a
//! sender repeats its push within seconds or minutes.

use rusqlite::{Connection, OptionalExtension as _};
use shared::Millis;

use super::{IdempotencyKey, Store, sql};

/// Milliseconds for which a key is remembered: a day.
pub(super) const LIFETIME: u64 = 86_400_000;

/// Most keys that one step forgets: some milliseconds of work.
const STEP: usize = 500;

/// Most keys that one push forgets, so that its work is bounded. A push adds one key, so the excess shrinks.
const STEP_OF_PUSH: usize = 2;

/// The number of keys, and its bound. A transaction works on a copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// Rows of the table.
    pub(super) count: usize,
    /// Most rows that the table may have.
    pub(super) most: usize,
}

impl Keys {
    /// Remembers the key of a push. Returns true if the push is new. A key that is older than its lifetime counts as
    /// forgotten, although its row may still be there.
    pub(super) fn remember(&mut self, tx: &Connection, key: &IdempotencyKey, now: Millis) -> rusqlite::Result<bool> {
        let oldest = sql(now.0.saturating_sub(LIFETIME));
        let at = tx.prepare_cached("SELECT at FROM pushes WHERE key = ?1")?;
        let at: Option<i64> = { at }.query_row([&key.0], |row| row.get(0)).optional()?;
        match at {
            Some(at) if at >= oldest => return Ok(false),
            Some(_) => {
                tx.prepare_cached("UPDATE pushes SET at = ?2 WHERE key = ?1")?.execute((&key.0, sql(now.0)))?;
            }
            None => {
                tx.prepare_cached("INSERT INTO pushes (key, at) VALUES (?1, ?2)")?.execute((&key.0, sql(now.0)))?;
                self.count += 1;
            }
        }
        let excess = self.count.saturating_sub(self.most).min(STEP_OF_PUSH);
        if excess > 0 {
            let oldest = "DELETE FROM pushes WHERE key IN (SELECT key FROM pushes ORDER BY at LIMIT ?1)";
            self.count -= tx.prepare_cached(oldest)?.execute([rows(excess)])?;
        }
        Ok(true)
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
    /// Forgets some keys that are older than a day or exceed the bound. Returns how many it forgot.
    ///
    /// # Errors
    /// [`rusqlite::Error`]; then nothing was forgotten.
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

    /// Returns the number of remembered idempotency keys.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.count
    }
}

#[cfg(test)]
mod tests {
    use super::super::Push;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::limits::Limits;
    use proptest::prelude::*;
    use shared::{Number, Point, Value};

    const START: Millis = Millis(1_732_399_200_000);

    /// Pushes with this key. Returns true if the push was new.
    fn push(store: &mut Store, key: &str, now: Millis) -> bool {
        let point = Point { series: "a".parse().unwrap(), ts: now, value: Value::Number(Number::new(1.0).unwrap()) };
        let push = Push { key: IdempotencyKey::new(key.to_owned()), ..Push::of([point]) };
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
                    INSERT INTO pushes SELECT 'old' || i, ?1 FROM n";
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
