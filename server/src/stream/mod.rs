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
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use shared::sse;

use crate::http::app::AppState;
use crate::http::problem::ApiError;
use crate::hub::Resume;
use crate::limits::Limit;
use crate::limits::client::{Client, ClientSlot, ClientSlots, LimitedClient};
use crate::rehydrate;
use form::{Coding, Compression};

/// Streams `hello`, then a snapshot or everything that the client missed, then every update, and heartbeats in between.
///
/// # Errors
/// [`ApiError::Invalid`] where the query is wrong, [`ApiError::Full`] where the maximum number of streams is reached.
pub async fn open(
    State(app): State<AppState>,
    client: Option<Extension<Client>>,
    bounded: LimitedClient,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = query::parse(query.as_deref().unwrap_or_default())?;
    // The header is newer: a browser that reconnects repeats the address with the old cursor.
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resume = Resume::parse(header.or(request.last_event_id).as_deref());
    let slot = client.map(|Extension(client)| take_slot(&app.readers, client)).transpose()?.flatten();
    let mut subscriber = rehydrate::subscribe(&app.hub, &app.writer, request.subscription, resume, bounded).await?;
    subscriber.hold(slot);
    let coding = Coding::negotiate(app.compression, &headers);
    let name = coding.name();
    Ok(as_stream(takeover::response(subscriber, coding), app.compression, name))
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

/// Adds the headers of a stream to the response; `coding` is the value of `Content-Encoding`.
fn as_stream(mut response: Response, compression: Compression, coding: Option<&'static str>) -> Response {
    let headers = response.headers_mut();
    if let Some(name) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    if compression == Compression::Offered {
        headers.insert(header::VARY, HeaderValue::from_name(header::ACCEPT_ENCODING));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sse::CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx buffers a response unless this header turns that off.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
