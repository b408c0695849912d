//! Waiting for something to become so.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take here. Far more than it needs: only a failing test waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks: well within a blink, and little work for a machine that also runs a browser.
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

/// Looks until it finds what it looks for.
///
/// # Panics
/// When that takes too long, saying `what` was awaited and what the last look saw.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, look).await
}

/// As [`until`], where it matters how long it takes.
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
