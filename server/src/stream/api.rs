//! Opens a stream: parses the request, subscribes it, and makes the head of its answer.

use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRef, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use shared::doctor;

use super::form::{self, Coding};
use super::state::Streams;
use super::{diagnose, probe, query, takeover};
use crate::access::ReadAccess;
use crate::http::problem::ApiError;
use crate::http::route::{Access, PUBLIC, READ, Route};
use crate::hub::Resume;
use crate::limits::client::{Client, LimitedClient};
use crate::rehydrate;

/// The longest time that a reader from another node waits until this node has applied what the reader has seen. Then its
/// stream begins with a gap.
const CATCH_UP: Duration = Duration::from_secs(2);

/// The routes of the streams, and of the doctor's measurements of them.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Streams: FromRef<S>,
{
    vec![
        Route::new("/sse", READ, get(open)),
        Route::new(doctor::probe::PATH, PUBLIC, get(probe::open)),
        Route::new("/api/doctor", &[("POST", Access::Public)], post(diagnose::diagnose)),
    ]
}

/// Streams `hello`, then a snapshot or everything that the client missed, then every update, and heartbeats in between.
///
/// # Errors
/// [`ApiError::Invalid`] where the query is wrong, [`ApiError::Full`] where the maximum number of streams is reached.
pub async fn open(
    State(streams): State<Streams>,
    access: ReadAccess,
    client: Option<Extension<Client>>,
    bounded: LimitedClient,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = query::parse(query.as_deref().unwrap_or_default(), access.scope())?;
    access.check_named(&request.subscription.series)?;
    // The header is newer: a browser that reconnects repeats the address with the old cursor.
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resume = Resume::parse(header.or(request.last_event_id).as_deref());
    let slot = client.map(|Extension(client)| streams.slots.take(client)).transpose()?.flatten();
    if let (Some(cluster), Resume::From(cursor)) = (streams.writer.cluster(), &resume) {
        cluster.reach(*cursor, CATCH_UP).await;
    }
    let mut subscriber =
        rehydrate::subscribe(&streams.hub, &streams.writer, request.subscription, resume, bounded).await?;
    subscriber.hold(slot);
    let coding = Coding::negotiate(streams.compression, &headers);
    let name = coding.name();
    Ok(form::as_stream(takeover::response(subscriber, coding), streams.compression, name))
}
