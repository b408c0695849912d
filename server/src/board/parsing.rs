//! Parses documents on blocking threads: 256 KiB take long enough to delay all other requests on a runtime thread.

use tokio::sync::Semaphore;

/// Documents that are parsed at once; the others wait. Low, so that other work gets processors too.
const AT_ONCE: usize = 2;

static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Error: the server is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is stopping")]
pub struct Stopping;

/// Runs `work`, which parses or writes a document. The work owns its permit, so the permit is released when the work
/// ends, even if the request ended earlier.
///
/// # Errors
/// [`Stopping`].
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stopping> {
    let permit = PERMITS.acquire().await.map_err(|_| Stopping)?;
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Stopping)
}
