//! `GET /sse`: a subscription as a response that does not end.

pub mod form;
pub mod handover;
pub mod judge;
pub mod probe;
pub mod query;
pub mod writer;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use shared::sse;

use crate::app::AppState;
use crate::hub::Resume;
use crate::problem::ApiError;
use crate::recall;
use form::{Coding, Compression};

/// Streams `hello`, then a snapshot or what the reader missed, then every update; a heartbeat where nothing happens.
///
/// # Errors
/// [`ApiError::Invalid`] where the query is wrong, [`ApiError::Full`] where there are too many readers.
pub async fn open(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = query::parse(query.as_deref().unwrap_or_default())?;
    // The header is the newer one: a browser that reconnects by itself repeats the address with the old cursor.
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resume = Resume::parse(header.or(wanted.last_event_id).as_deref());
    let subscription = recall::subscribe(&app.hub, &app.writer, wanted.interest, resume).await?;
    let coding = Coding::negotiate(app.compression, &headers);
    let name = coding.name();
    Ok(as_stream(handover::response(subscription, coding), app.compression, name))
}

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
