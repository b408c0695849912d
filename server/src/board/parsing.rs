//! Parses documents on blocking threads: 256 KiB take long enough to delay all other requests on a runtime thread.

use tokio::sync::Semaphore;

use crate::http::problem::ApiError;

/// Documents that are parsed at once; the others wait. Low, so that other work gets processors too.
const AT_ONCE: usize = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Runs `work`, which parses or writes a document. The work owns its permit, so the permit is released when the work
/// ends, even if the request ended earlier.
///
/// # Errors
/// [`ApiError::Unavailable`] if the server is stopping.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let stopping = || ApiError::Unavailable("the server is stopping".to_owned());
    let turn = TURNS.acquire().await.map_err(|_| stopping())?;
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| stopping())
}
