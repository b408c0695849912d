//! Polls a condition until it holds.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The time limit. It is far longer than needed, since only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The interval between two checks: short for a user, and little work for a machine that also runs a browser.
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

/// Polls `look` until it returns a value.
///
/// # Panics
/// If that takes too long, with `what` was awaited and what the last check saw.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, look).await
}

/// Polls like [`until`], with a time limit of its own.
///
/// # Panics
/// As [`until`].
pub async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(saw) => assert!(Instant::now() < deadline, "after {limit:?} still not so: {what}; instead: {saw}"),
        }
        sleep(BETWEEN_LOOKS).await;
    }
}
