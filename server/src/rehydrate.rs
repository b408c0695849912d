//! Rehydrates series: loads evicted tracks back into memory when a client subscribes to them.
//!
//! Of a series without subscribers, the hub keeps only the newest entry; the rest of its track is in the store. It is
//! read between two commits, when the store has exactly the points that the hub has. So the hub's state machine does
//! not depend on it.

use crate::http::problem::ApiError;
use crate::hub::boards::MAX_SELECTORS;
use crate::hub::driver::{HubHandle, SubscribeError, Subscriber};
use crate::hub::selecting::FindError;
use crate::hub::{Match, MissingTracks, Refused, Resume, Subscription};
use crate::limits::Limit;
use crate::limits::client::LimitedClient;
use crate::rollup::NotResident;
use crate::store::{Store, Writer};

/// Number of series that are read between two commits: some milliseconds, for which pushes wait.
const AT_ONCE: usize = 32;

/// Seconds after which a client may retry if its address has too many long matches.
const MATCH_RETRY_SECONDS: u32 = 1;

/// Subscribes a client, once its selection is matched and all selected series are in memory.
///
/// # Errors
/// [`ApiError::Full`], [`ApiError::LimitReached`] if the selection exceeds a bound, or an error if the store cannot be
/// read now.
pub async fn subscribe(
    hub: &HubHandle,
    writer: &Writer,
    subscription: Subscription,
    resume: Resume,
    client: LimitedClient,
) -> Result<Subscriber, ApiError> {
    let selecting = hub.selecting();
    let mut found: Option<Match> = None;
    loop {
        if let Some(Match { selection, matched }) = &mut found {
            selecting.names().catch_up(matched, &selection.selectors, selecting.budget())?;
        }
        match hub.subscribe(&subscription, found.as_ref(), &resume, client) {
            Ok(subscriber) => return Ok(subscriber),
            Err(SubscribeError::Full { readers, retry_after }) => return Err(ApiError::Full { readers, retry_after }),
            Err(SubscribeError::Refused(Refused::TooManySelectors(count))) => return Err(too_many(count)),
            Err(SubscribeError::Refused(Refused::Behind)) => {}
            Err(SubscribeError::Refused(Refused::NoRoom)) => return Err(no_room(hub.retry_after())),
            Err(SubscribeError::Refused(Refused::Unmatched(selection))) => {
                let matched = selecting.find(&selection.selectors, client).await?;
                found = Some(Match { selection, matched });
            }
            Err(SubscribeError::Refused(Refused::MissingTracks(MissingTracks(series)))) => {
                for some in series.chunks(AT_ONCE) {
                    if !hub.has_room_for_tracks() {
                        return Err(no_room(hub.retry_after()));
                    }
                    let (hub, some) = (hub.clone(), some.to_vec());
                    let read = writer.run(move |store| rehydrate(&hub, store, &some)).await?;
                    read.map_err(|error| ApiError::Unreadable(error.to_string()))?;
                }
            }
        }
    }
}

fn no_room(retry_after: u32) -> ApiError {
    let detail = format!(
        "the selections, tracks and unsent frames of all readers use all the memory that they may have; try again in \
         {retry_after} s, subscribe to a selection that other readers have, or raise --max-topic-memory of the server"
    );
    ApiError::LimitReached { limit: Limit::TopicMemory, detail, retry_after: Some(retry_after) }
}

fn too_many(count: usize) -> ApiError {
    let detail = format!(
        "the series and boards of this stream have {count} selectors together; at most {MAX_SELECTORS} are allowed: \
         name fewer series or boards in one stream"
    );
    ApiError::LimitReached { limit: Limit::Selectors, detail, retry_after: None }
}

impl From<FindError> for ApiError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::TooMuch(error) => error.into(),
            FindError::TooMany => Self::LimitReached {
                limit: Limit::MatchesPerAddress,
                detail: format!("{error}; try again in {MATCH_RETRY_SECONDS} s, or name series instead of wildcards"),
                retry_after: Some(MATCH_RETRY_SECONDS),
            },
            FindError::Stopped => Self::Unreadable(error.to_string()),
        }
    }
}

/// Rehydrates these series, if they are not fully in memory. Call it on the thread that commits.
///
/// # Errors
/// Any error of SQLite.
pub fn rehydrate(hub: &HubHandle, store: &Store, series: &[NotResident]) -> rusqlite::Result<()> {
    for &NotResident { series, kind } in series {
        // Of many clients that come at once, the first has loaded it for all.
        if !hub.is_hot(series) {
            hub.rehydrate(series, store.track(series, kind)?);
        }
    }
    Ok(())
}
