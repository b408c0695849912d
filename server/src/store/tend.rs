//! What the writer does besides commits: it writes buckets, in steps so small that no push waits for them.

use rusqlite::{Connection, TransactionBehavior};
use shared::{Seq, Tier};

use super::fresh::Due;
use super::settle::{Written, settle};
use super::{Store, sql};

impl Store {
    /// Writes up to `most` of the blocks that are due, and all that they are part of. Gives how many there were.
    ///
    /// # Errors
    /// Whatever SQLite says. Then nothing was written, and nothing is lost: the log has it.
    pub fn settle(&mut self, most: usize, when: Due) -> rusqlite::Result<usize> {
        let due = self.fresh.due(most, self.head, when);
        if due.is_empty() {
            return Ok(0);
        }
        let count = due.len();
        let settled = self.fresh.settled(count, self.head);
        self.in_background(|tx| {
            for (place, block) in &due {
                settle(&mut Written(tx), *place, block.as_ref().clone(), Tier::Day)?;
            }
            tx.prepare_cached("UPDATE meta SET settled = ?1")?.execute([sql(settled.0)])?;
            Ok(())
        })?;
        self.settled = settled;
        self.fresh.forget(count);
        Ok(count)
    }

    /// Up to where the tables have every bucket.
    #[must_use]
    pub fn settled(&self) -> Seq {
        self.settled
    }

    /// A transaction that need not be on the disk when it ends: all of it can be made again from what is. The next commit
    /// takes it along, since a write-ahead log is synced as a whole.
    pub(super) fn in_background<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.conn.pragma_update(None, "synchronous", "NORMAL")?;
        let done = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        });
        self.conn.pragma_update(None, "synchronous", "FULL")?;
        done
    }
}
