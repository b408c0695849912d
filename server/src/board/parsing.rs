//! Reads documents on threads of their own: of 256 KiB that takes long enough to hold up whatever else a thread of the
//! runtime serves.

use tokio::sync::Semaphore;

use crate::problem::ApiError;

/// Documents that are read at once; the others wait. Low, so that they leave processors to all else.
const AT_ONCE: usize = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Runs `work`, which reads or writes a document. The turn belongs to the work, also where nobody waits for it any more.
///
/// # Errors
/// [`ApiError::Unavailable`] where the server is stopping.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let stopping = || ApiError::Unavailable("the server is stopping".to_owned());
    let turn = TURNS.acquire().await.map_err(|_| stopping())?;
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| stopping())
}
