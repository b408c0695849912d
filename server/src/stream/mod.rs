//! `GET /sse`: a subscription as an endless response.
//!
//! [`query`] parses the request, [`form`] is the form of the bytes, [`takeover`] takes the socket from hyper, and the
//! threads of [`writer`] write it. [`probe`] and [`diagnose`] are calls of the doctor.

pub mod diagnose;
pub mod form;
pub mod probe;
pub mod query;
pub mod takeover;
pub mod writer;

use axum::Extension;
use axum::extract::{FromRef, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use shared::doctor;

use crate::http::problem::ApiError;
use crate::http::route::{Access, PUBLIC, READ, Route};
use crate::hub::Resume;
use crate::hub::driver::HubHandle;
use crate::limits::Limit;
use crate::limits::client::{Client, ClientSlot, ClientSlots, LimitedClient};
use crate::rehydrate;
use crate::store::Writer;
use form::{Coding, Compression};

/// The state of the streams.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Serves subscribers.
    pub hub: HubHandle,
    /// Reads series that are not in memory.
    pub writer: Writer,
    /// Counts the open streams of each client address.
    pub slots: StreamSlots,
    /// Compression of streams.
    pub compression: Compression,
}

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
    client: Option<Extension<Client>>,
    bounded: LimitedClient,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = query::parse(query.as_deref().unwrap_or_default())?;
    // The header is newer: a browser that reconnects repeats the address with the old cursor.
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resume = Resume::parse(header.or(request.last_event_id).as_deref());
    let slot = client.map(|Extension(client)| take_slot(&streams.slots, client)).transpose()?.flatten();
    let mut subscriber =
        rehydrate::subscribe(&streams.hub, &streams.writer, request.subscription, resume, bounded).await?;
    subscriber.hold(slot);
    let coding = Coding::negotiate(streams.compression, &headers);
    let name = coding.name();
    Ok(form::as_stream(takeover::response(subscriber, coding), streams.compression, name))
}

/// Counts the streams of each client address, up to a bound.
#[derive(Clone, Debug)]
pub struct StreamSlots {
    slots: ClientSlots,
    /// Applies the bound to loopback too, where a reverse proxy stands for many clients.
    loopback: bool,
}

impl StreamSlots {
    /// Makes at most `per_address` slots for each address; without it half of `readers`, and no bound on loopback.
    #[must_use]
    pub fn new(readers: usize, per_address: Option<usize>) -> Self {
        let most = per_address.unwrap_or(readers / 2).max(1);
        Self { slots: ClientSlots::new(usize::MAX, most), loopback: per_address.is_some() }
    }
}

/// Takes a slot for a stream of `client`; `None` if the client has no bound.
fn take_slot(readers: &StreamSlots, client: Client) -> Result<Option<ClientSlot>, ApiError> {
    if client.is_loopback() && !readers.loopback {
        return Ok(None);
    }
    readers.slots.take(client).map(Some).map_err(|_| ApiError::LimitReached {
        limit: Limit::ReadersPerAddress,
        detail: format!(
            "there are {} streams to your address already; close some, or raise --max-readers-per-address",
            readers.slots.most_per_client()
        ),
        retry_after: Some(RETRY_AFTER),
    })
}

/// Seconds after which a client may retry if its address has too many streams.
const RETRY_AFTER: u32 = 10;
