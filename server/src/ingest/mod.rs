//! Pushes: from the body of a request to points that are valid.
//!
//! [`body`] reads one point, [`batch`] many, and [`query`] what the address says beside one. A JSON object is checked field by
//! field in [`fields`], but for one so plain that a `scan` is enough.
//! The handlers here only carry what these say to the store and back.

pub mod batch;
pub mod body;
pub mod fields;
pub mod query;
mod scan;

use std::io::Read as _;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use flate2::read::MultiGzDecoder;
use shared::SeriesName;

use self::batch::Batch;
use self::fields::Acceptance;
use crate::app::AppState;
use crate::clock;
use crate::problem::ApiError;
use crate::store::{IdempotencyKey, Push};

/// Most bytes the body of a push can have: 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// `POST /in/{series}`: one point; with `?kind=counter` or `?kind=gauge` that also says what the series is. 204 once it is
/// committed.
///
/// # Errors
/// [`ApiError`] where the name, the query, the body or a header is wrong, or the store cannot take it now.
pub async fn one(
    State(app): State<AppState>,
    Path(series): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let point = Body { bytes: body, most: MAX_BODY }.unpack(&headers).and_then(|body| {
        let named = |error| fields::bad_series(&series, &error).into_error();
        let read = || {
            let said = query::kind(query.as_deref())?;
            let one = body::read(&body, accepted(&app))?;
            match said {
                None => Ok(one),
                Some(word) => one.also(&word),
            }
        };
        let body::One { ts, value, declares } = match read() {
            Ok(read) => read,
            // A wrong name is told before what else is wrong.
            Err(error) => return Err(series.parse::<SeriesName>().map_or_else(named, |_| error)),
        };
        let point = app.directory.look().point(&series, ts, value).map_err(named)?;
        Ok(point.declaring(declares))
    });
    let batch = point.map(|point| Batch { points: vec![point], lines: vec![1] });
    commit(&app, batch, &headers).await
}

/// `POST /in`: a batch, NDJSON or a JSON array. All of it is committed, or nothing.
///
/// # Errors
/// [`ApiError`]; a 422 lists every line that is wrong.
pub async fn many(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let body = query::none(query.as_deref()).and_then(|()| Body { bytes: body, most: MAX_BODY }.unpack(&headers));
    let points = body.and_then(|body| batch::points(&body, accepted(&app), &app.directory.look()));
    commit(&app, points, &headers).await
}

/// When a point may be from that is pushed now.
#[must_use]
pub fn accepted(app: &AppState) -> Acceptance {
    Acceptance { now: clock::now().wall, late_ms: app.late_ms }
}

/// The body of a push as it came.
#[derive(Debug)]
pub struct Body {
    /// Its bytes, or why they did not come.
    pub bytes: Result<Bytes, BytesRejection>,
    /// How many there may be, also once they are unpacked.
    pub most: usize,
}

impl Body {
    /// The bytes that were meant, where `headers` say that they are compressed.
    ///
    /// # Errors
    /// [`ApiError`] where they did not come, are too many, or are compressed in a way that is not known.
    pub fn unpack(self, headers: &HeaderMap) -> Result<Bytes, ApiError> {
        let Self { bytes, most } = self;
        let bytes = bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(most),
            _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
        })?;
        match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(bytes),
            Some(b"gzip") => {
                let mut whole = Vec::new();
                // One byte more, to see that there are more.
                let mut unpacked = MultiGzDecoder::new(&bytes[..]).take(most as u64 + 1);
                let read = unpacked.read_to_end(&mut whole);
                read.map_err(|error| ApiError::Malformed(format!("the body is no gzip: {error}")))?;
                if whole.len() > most { Err(ApiError::TooLarge(most)) } else { Ok(whole.into()) }
            }
            Some(other) => Err(ApiError::UnknownEncoding(String::from_utf8_lossy(other).into_owned())),
        }
    }
}

/// Commits what was read, and counts what became of it.
///
/// # Errors
/// [`ApiError`]; then nothing was kept.
pub async fn commit(
    app: &AppState,
    read: Result<Batch, ApiError>,
    headers: &HeaderMap,
) -> Result<StatusCode, ApiError> {
    let result = match read.and_then(|batch| Ok((batch, idempotency_key(headers)?))) {
        Ok((Batch { points, lines }, key)) => {
            let kept = app.writer.commit(Push { points, key }).await;
            kept.map_err(|error| ApiError::from(error.at_lines(&lines)))
        }
        Err(error) => Err(error),
    };
    app.metrics.pushed(result.as_ref().err());
    result.map(|()| StatusCode::NO_CONTENT)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = String::from_utf8_lossy(key.as_bytes()).into_owned();
    let len = key.len();
    IdempotencyKey::new(key)
        .map(Some)
        .ok_or_else(|| ApiError::field("Idempotency-Key", "1 to 255 bytes of text", format!("{len} bytes")))
}
