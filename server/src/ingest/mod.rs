//! Pushes: from the body of a request to points that are valid.
//!
//! [`intake`] reads and unpacks bodies within bounds. [`body`] reads one point, [`batch`] many, which [`gathering`]
//! collects, and [`query`] what the address says beside one. A JSON object is checked field by field in [`fields`], but
//! for one so plain that a `scan` is enough. The handlers here only carry what these say to the store and back.

pub mod batch;
pub mod body;
pub mod fields;
pub mod gathering;
pub mod intake;
pub mod query;
mod scan;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use shared::SeriesName;

use self::fields::Acceptance;
use self::gathering::{Batch, Gathering};
use crate::app::AppState;
use crate::clock;
use crate::problem::ApiError;
use crate::push_memory::Share;
use crate::store::{Directory, Fingerprint, IdempotencyKey, Push};

/// The header with the key of a push.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

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
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let parser = app.parser();
    let parse = identified(&uri, &headers, move |text: &[u8], share: &mut Share| {
        let named = |error| fields::bad_series(&series, &error).into_error();
        let read = || {
            let said = query::kind(query.as_deref())?;
            let one = body::read(text, parser.accepted())?;
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
        let point = parser.directory.look().point(&series, ts, value).map_err(named)?;
        gathering::single(point.declaring(declares), share)
    });
    let batch = take_in(&app, body, &headers, MAX_BODY, parse).await;
    commit(&app, batch, &headers).await
}

/// `POST /in`: a batch, NDJSON or a JSON array. All of it is committed, or nothing.
///
/// # Errors
/// [`ApiError`]; a 422 lists the lines that are wrong.
pub async fn many(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let parser = app.parser();
    let parse = move |text: &[u8], share: &mut Share| batch::points(text, parser.accepted(), parser.gathering(share));
    let parse = identified(&uri, &headers, parse);
    let batch = match query::none(query.as_deref()) {
        Ok(()) => take_in(&app, body, &headers, MAX_BODY, parse).await,
        Err(error) => Err(error),
    };
    commit(&app, batch, &headers).await
}

/// Wraps `parse` so that the batch of a request with an idempotency key also has the hash of the request.
pub fn identified(
    uri: &Uri,
    headers: &HeaderMap,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<Batch, ApiError> + Send + 'static,
) -> impl FnOnce(&[u8], &mut Share) -> Result<Batch, ApiError> + Send + 'static {
    let target = headers.contains_key(IDEMPOTENCY_KEY).then(|| uri.path_and_query().map(ToString::to_string));
    move |text, share| {
        let batch = parse(text, share)?;
        let request = target.map(|target| Fingerprint::of(&target.unwrap_or_default(), text));
        Ok(Batch { request, ..batch })
    }
}

/// Reads a body of at most `most` bytes and parses it. Refuses it unread if the store has no room for more.
///
/// # Errors
/// [`ApiError`]; see [`intake::Intake::read`].
pub async fn take_in<T: Send + 'static>(
    app: &AppState,
    body: Body,
    headers: &HeaderMap,
    most: usize,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<T, ApiError> + Send + 'static,
) -> Result<(T, Share), ApiError> {
    if let Err(no_room) = app.writer.levels().check() {
        intake::discard(&mut body.into_data_stream(), most).await;
        return Err(no_room.into());
    }
    app.intake.read(body, headers, most, parse).await
}

/// The part of the server's state that parsing a body needs; it can move to another thread.
#[derive(Clone, Debug)]
pub struct Parser {
    /// Resolves names of series.
    pub directory: Directory,
    /// Most milliseconds that a pushed point may lie behind the server's clock.
    pub late_ms: u64,
    /// Points that one request may push.
    pub most_points: usize,
}

impl Parser {
    /// Returns the range of times that a point pushed now may have.
    #[must_use]
    pub fn accepted(&self) -> Acceptance {
        Acceptance { now: clock::now().wall, late_ms: self.late_ms }
    }

    /// Starts to collect the points of a body, with their memory reserved in `share`.
    #[must_use]
    pub fn gathering<'a>(&'a self, share: &'a mut Share) -> Gathering<'a> {
        Gathering::new(&self.directory, self.most_points, share)
    }
}

/// Commits what was read, and counts what became of it.
///
/// # Errors
/// [`ApiError`]; then nothing was kept.
pub async fn commit(
    app: &AppState,
    read: Result<(Batch, Share), ApiError>,
    headers: &HeaderMap,
) -> Result<StatusCode, ApiError> {
    let keyed = |(batch, share): (Batch, Share)| {
        let key = batch.request.map(|request| idempotency_key(headers, request)).transpose()?;
        Ok((batch, share, key))
    };
    let result = match read.and_then(keyed) {
        Ok((Batch { points, lines, .. }, share, key)) => {
            let kept = app.writer.commit(Push { points, key }, share).await;
            kept.map_err(|error| ApiError::from(error.at_lines(&lines)))
        }
        Err(error) => Err(error),
    };
    app.metrics.pushed(result.as_ref().err());
    result.map(|()| StatusCode::NO_CONTENT)
}

fn idempotency_key(headers: &HeaderMap, request: Fingerprint) -> Result<IdempotencyKey, ApiError> {
    let key =
        headers.get(IDEMPOTENCY_KEY).map_or_else(String::new, |key| String::from_utf8_lossy(key.as_bytes()).into());
    let len = key.len();
    IdempotencyKey::new(key, request)
        .ok_or_else(|| ApiError::field("Idempotency-Key", "1 to 255 bytes of text", format!("{len} bytes")))
}
