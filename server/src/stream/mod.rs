//! `GET /sse`: a subscription as a response that does not end.

pub mod form;
pub mod handover;
pub mod judge;
pub mod probe;
pub mod query;
pub mod writer;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use shared::sse;

use crate::app::AppState;
use crate::hub::Resume;
use crate::limits::Limit;
use crate::places::{Bounded, Client, Place, Places};
use crate::problem::ApiError;
use crate::recall;
use form::{Coding, Compression};

/// Streams `hello`, then a snapshot or what the reader missed, then every update; a heartbeat where nothing happens.
///
/// # Errors
/// [`ApiError::Invalid`] where the query is wrong, [`ApiError::Full`] where there are too many readers.
pub async fn open(
    State(app): State<AppState>,
    client: Option<Extension<Client>>,
    bounded: Bounded,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = query::parse(query.as_deref().unwrap_or_default())?;
    // The header is the newer one: a browser that reconnects by itself repeats the address with the old cursor.
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resume = Resume::parse(header.or(wanted.last_event_id).as_deref());
    let place = client.map(|Extension(client)| take_place(&app.readers, client)).transpose()?.flatten();
    let mut subscription = recall::subscribe(&app.hub, &app.writer, wanted.interest, resume, bounded).await?;
    subscription.hold(place);
    let coding = Coding::negotiate(app.compression, &headers);
    let name = coding.name();
    Ok(as_stream(handover::response(subscription, coding), app.compression, name))
}

/// Counts the streams of each client address, up to a bound.
#[derive(Clone, Debug)]
pub struct ReaderPlaces {
    places: Places,
    /// Applies the bound to loopback too, where a reverse proxy stands for many readers.
    loopback: bool,
}

impl ReaderPlaces {
    /// At most `per_address` streams of each address; without it half of `readers`, and no bound on loopback.
    #[must_use]
    pub fn new(readers: usize, per_address: Option<usize>) -> Self {
        let most = per_address.unwrap_or(readers / 2).max(1);
        Self { places: Places::new(usize::MAX, most), loopback: per_address.is_some() }
    }
}

/// Takes a place for a stream of `client`; `None` if the client has no bound.
fn take_place(readers: &ReaderPlaces, client: Client) -> Result<Option<Place>, ApiError> {
    if client.is_loopback() && !readers.loopback {
        return Ok(None);
    }
    readers.places.take(client).map(Some).map_err(|_| ApiError::LimitReached {
        limit: Limit::ReadersPerAddress,
        detail: format!(
            "there are {} streams to your address already; close some, or raise --max-readers-per-address",
            readers.places.most_per_client()
        ),
        retry_after: Some(RETRY_AFTER),
    })
}

/// Seconds after which a reader whose address has too many streams may try again.
const RETRY_AFTER: u32 = 10;

/// The response with the headers of a stream; `coding` is the name of what it is encoded in.
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
    // nginx buffers a response unless told so.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
