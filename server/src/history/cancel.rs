//! Cancels work on a blocking thread when its request is gone, or when it takes too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Steps of SQLite's virtual machine between two checks: less than a millisecond of work.
const SQLITE_STEPS: i32 = 10_000;

/// A token that work checks to know if it must stop. Clones share the flag.
#[derive(Clone, Debug)]
pub struct Cancel {
    stopped: Arc<AtomicBool>,
    deadline: Instant,
}

/// Stops the work when dropped, for example with the future of a request that was reset.
#[derive(Debug)]
pub struct StopOnDrop(Arc<AtomicBool>);

/// The reason why work must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The request is gone.
    #[error("the request was cancelled")]
    Unwanted,
    /// The deadline passed.
    #[error("it took too long")]
    TooLong,
}

impl Cancel {
    /// Creates the check for work that may take `longest`, and the guard that stops it earlier.
    #[must_use]
    pub fn within(longest: Duration) -> (Self, StopOnDrop) {
        let stopped = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stopped.clone());
        (Self { stopped, deadline: Instant::now() + longest }, guard)
    }

    /// Checks if the work may go on. Cheap enough for each row.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Stopped::Unwanted);
        }
        if Instant::now() >= self.deadline { Err(Stopped::TooLong) } else { Ok(()) }
    }

    /// Runs `work` on a connection whose queries SQLite interrupts once [`Cancel::check`] fails.
    pub fn watch<T>(&self, conn: &Connection, work: impl FnOnce() -> T) -> rusqlite::Result<T> {
        let cancel = self.clone();
        conn.progress_handler(SQLITE_STEPS, Some(move || cancel.check().is_err()))?;
        let done = work();
        conn.progress_handler(0, None::<fn() -> bool>)?;
        Ok(done)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query that would take hours.
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT sum(i) FROM n";

    fn run(cancel: &Cancel) -> rusqlite::Error {
        let conn = Connection::open_in_memory().unwrap();
        let error = cancel.watch(&conn, || conn.query_row(ENDLESS, [], |_| Ok(())).unwrap_err()).unwrap();
        assert_eq!(conn.query_row("SELECT 7", [], |row| row.get(0)), Ok(7), "the connection serves the next");
        error
    }

    #[test]
    fn a_query_ends_when_its_guard_is_dropped() {
        let (cancel, guard) = Cancel::within(Duration::from_secs(3_600));
        assert_eq!(cancel.check(), Ok(()));
        let working = cancel.clone();
        let work = std::thread::spawn(move || run(&working));
        drop(guard);
        assert_eq!(work.join().unwrap().sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        assert_eq!(cancel.check(), Err(Stopped::Unwanted));
    }

    #[test]
    fn a_query_ends_at_its_deadline() {
        let (cancel, _guard) = Cancel::within(Duration::from_millis(1));
        assert_eq!(run(&cancel).sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        assert_eq!(cancel.check(), Err(Stopped::TooLong));
    }
}
