//! The file of the database, and its integers.

use std::time::Duration;

/// The name of the database in its folder.
pub const FILE: &str = "pulseboard.sqlite";

/// The longest time that a commit or a read waits for another program's lock on the database.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Converts to SQLite's signed integer. Times and seqs stay far below the values where the sign matters.
pub(super) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
