//! Rehydrates series: loads evicted tracks back into memory when a client subscribes to them.
//!
//! Of a series without subscribers, the hub keeps only the newest entry; the rest of its track is in the store. It is
//! read between two commits, when the store has exactly the points that the hub has. So the hub's state machine does
//! not depend on it.

use crate::hub::driver::{self, HubHandle, Subscriber};
use crate::hub::selecting::FindError;
use crate::hub::{Match, Refused, Resume, Subscription};
use crate::limits::client::LimitedClient;
use crate::log::TrackError;
use crate::names::SelectError;
use crate::store::{CommitError, Writer};

/// Number of series that are read between two commits: some milliseconds, for which pushes wait.
const AT_ONCE: usize = 32;

/// Reason why a client cannot be subscribed now, or at all.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The maximum number of streams is reached.
    #[error("there are {readers} readers already")]
    Full {
        /// The number of streams.
        readers: usize,
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// The permission of the client has ended.
    #[error("the permission has ended")]
    Denied,
    /// The subscription has more selectors than are allowed.
    #[error("the subscription has {0} selectors")]
    TooManySelectors(usize),
    /// The selections, tracks and frames of all subscribers have reached their memory bound.
    #[error("there is no memory for the subscription")]
    NoRoom {
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// Matching the selectors takes too much work, or selects too many series.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The selectors cannot be matched now.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The writer thread did not take the job.
    #[error(transparent)]
    Store(#[from] CommitError),
    /// The tracks cannot be read from the store.
    #[error(transparent)]
    Unreadable(#[from] TrackError),
}

/// Subscribes a client, once its selection is matched and all selected series are in memory.
///
/// # Errors
/// [`SubscribeError`].
pub async fn subscribe(
    hub: &HubHandle,
    writer: &Writer,
    subscription: Subscription,
    resume: Resume,
    client: LimitedClient,
) -> Result<Subscriber, SubscribeError> {
    let selecting = hub.selecting();
    let mut found: Option<Match> = None;
    loop {
        if let Some(Match { selection, matched }) = &mut found {
            selecting.names().catch_up(matched, &selection.selectors, selecting.budget())?;
        }
        match hub.subscribe(&subscription, found.as_ref(), &resume, client) {
            Ok(subscriber) => return Ok(subscriber),
            Err(driver::SubscribeError::Full { readers, retry_after }) => {
                return Err(SubscribeError::Full { readers, retry_after });
            }
            Err(driver::SubscribeError::Refused(Refused::TooManySelectors(count))) => {
                return Err(SubscribeError::TooManySelectors(count));
            }
            Err(driver::SubscribeError::Refused(Refused::Denied)) => return Err(SubscribeError::Denied),
            Err(driver::SubscribeError::Refused(Refused::Behind)) => {}
            Err(driver::SubscribeError::Refused(Refused::NoRoom)) => {
                return Err(SubscribeError::NoRoom { retry_after: hub.retry_after() });
            }
            Err(driver::SubscribeError::Refused(Refused::Unmatched(selection))) => {
                let matched = selecting.find(&selection.selectors, client).await?;
                found = Some(Match { selection, matched });
            }
            Err(driver::SubscribeError::Refused(Refused::Warm(series))) => {
                for some in series.chunks(AT_ONCE) {
                    if !hub.has_room_for_tracks() {
                        return Err(SubscribeError::NoRoom { retry_after: hub.retry_after() });
                    }
                    let loaded = writer.rehydrate(some.to_vec(), hub.clone()).await?;
                    loaded?;
                }
            }
        }
    }
}
