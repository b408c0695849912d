//! Handles pushes: parses the body of a request into valid points and commits them. This folder has our own formats;
//! [`influx`] and [`collectd`] are the dialects of other programs.
//!
//! - [`intake`] reads and decompresses bodies within bounds.
//! - [`body`] parses one point, [`batch`] parses many, which [`batch_builder`] collects, and [`query`] parses the query
//!   string.
//! - [`fields`] checks a JSON object field by field; `scan` is a fast path for common objects.
//!
//! The handlers in this file pass the points to the store and its result back.

pub mod batch;
pub mod batch_builder;
pub mod body;
pub mod collectd;
pub mod elements;
pub mod fields;
pub mod influx;
pub mod intake;
pub mod query;
mod scan;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use shared::SeriesName;
use shared::problem::FieldError;

use self::batch_builder::{Batch, BatchBuilder};
use self::body::{Content, One};
use self::fields::Acceptance;
use self::query::Age;
use crate::clock;
use crate::http::app::AppState;
use crate::http::problem::ApiError;
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::Share;
use crate::log::{Atomicity, Fingerprint, IdempotencyKey, Push};
use crate::monitoring::rejections::{Rejection, excerpt};
use crate::store::Directory;

/// The header with the idempotency key of a push.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The most bytes that the body of a push may have: 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// Handles `POST /in/{series}`: one point, or an object of numbers for the series below. `?kind=counter` or
/// `?kind=gauge` also declares the metric type, `?ts=` gives the time. The point may be in the query string if there is no body. Answers 204
/// once it is committed.
///
/// # Errors
/// [`Refused`] if the name, the query, the body or a header is wrong, or if the store cannot take it now.
pub async fn one(
    State(app): State<AppState>,
    Path(series): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Result<StatusCode, Refused> {
    let parser = app.parser();
    let parse = identified(&uri, &headers, move |text: &[u8], share: &mut Share| {
        let read = |accepted| match query::point(query.as_deref())? {
            Some(point) if text.trim_ascii().is_empty() => body::object(&point, accepted),
            Some(_) => Err(ApiError::field("value", "the point in the body or in the address", "both")),
            None => {
                let mut content = body::read(text, accepted)?;
                if let Some(word) = query::kind(query.as_deref())? {
                    content = content.also(&word)?;
                }
                match query::ts(query.as_deref())? {
                    None => Ok(content),
                    Some(ts) => content.at(ts, accepted),
                }
            }
        };
        named(&parser, &series, query::age(query.as_deref())?, read, share)
    });
    let batch = read_and_parse(&app, body, &headers, client, MAX_BODY, parse).await;
    commit(&app, batch, &headers).await
}

/// Handles `GET /in/{series}?value=42.5`, for devices that can only fetch an address. [`crate::http::csrf`] refuses it for
/// pages of other sites, and for browsers that prefetch addresses.
///
/// # Errors
/// As [`one`].
pub async fn one_by_get(
    State(app): State<AppState>,
    Path(series): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
) -> Result<impl IntoResponse, Refused> {
    let parser = app.parser();
    let parse = identified(&uri, &headers, move |_: &[u8], share: &mut Share| {
        let read = |accepted| match query::point(query.as_deref())? {
            Some(point) => body::object(&point, accepted),
            None => Err(ApiError::field("value", "a number in the address, as in ?value=42.5, or a text", "nothing")),
        };
        named(&parser, &series, query::age(query.as_deref())?, read, share)
    });
    let batch = read_and_parse(&app, Body::empty(), &headers, client, MAX_BODY, parse).await;
    let status = commit(&app, batch, &headers).await?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")]))
}

/// Reads the points of a push to one name.
fn named(
    parser: &Parser,
    series: &str,
    age: Age,
    read: impl FnOnce(Acceptance) -> Result<Content, ApiError>,
    share: &mut Share,
) -> Result<Batch, ApiError> {
    let named = |error| fields::bad_series(series, &error).into_error();
    match read(parser.accepted(age)) {
        Ok(Content::One(One { time, value, declares })) => {
            let point = parser.directory.look().point(series, time, value).map_err(named)?;
            batch_builder::single(point.declaring(declares), share)
        }
        Ok(Content::Below(all)) => {
            series.parse::<SeriesName>().map_err(named)?;
            below(parser, series, all, share)
        }
        // A wrong name is reported before any other error.
        Err(error) => Err(series.parse::<SeriesName>().map_or_else(named, |_| error)),
    }
}

/// Makes a point of each number of an object, in a series below `series`.
fn below(parser: &Parser, series: &str, all: Vec<(String, One)>, share: &mut Share) -> Result<Batch, ApiError> {
    let mut builder = parser.batch_builder(share);
    let mut errors = Vec::new();
    for (number, (field, One { time, value, declares })) in (1..).zip(all) {
        let name = format!("{series}/{field}");
        let point = builder.look().point(&name, time, value);
        match point {
            Ok(point) => builder.take(number, Ok(point.declaring(declares)))?,
            Err(error) => {
                let wrong = fields::bad_series(&name, &error).at(number);
                errors.push(FieldError { line: None, field: fields::cut(&field), ..wrong });
            }
        }
    }
    if errors.is_empty() {
        return builder.finish();
    }
    let detail = format!("{} fields cannot be part of the name of a series, so nothing was stored", errors.len());
    errors.truncate(batch_builder::MAX_LISTED);
    Err(ApiError::Invalid { detail, errors })
}

/// Handles `POST /in`: a batch, NDJSON or a JSON array. Either all of it is committed, or nothing.
///
/// # Errors
/// [`Refused`]; a 422 lists the wrong lines.
pub async fn many(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Result<StatusCode, Refused> {
    let parser = app.parser();
    let said = query::none(query.as_deref()).and_then(|()| query::age(query.as_deref()));
    let batch = match said {
        Ok(age) => {
            let parse = move |text: &[u8], share: &mut Share| {
                batch::points(text, parser.accepted(age), parser.batch_builder(share))
            };
            read_and_parse(&app, body, &headers, client, MAX_BODY, identified(&uri, &headers, parse)).await
        }
        Err(error) => Err(error.into()),
    };
    commit(&app, batch, &headers).await
}

/// Wraps `parse` so that the batch of a request with an idempotency key also has the hash of the request.
pub fn identified(
    uri: &Uri,
    headers: &HeaderMap,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<Batch, ApiError> + Send + 'static,
) -> impl FnOnce(&[u8], &mut Share) -> Result<Batch, ApiError> + Send + 'static {
    let fingerprint = fingerprint(uri, headers);
    move |text, share| {
        let batch = parse(text, share)?;
        Ok(Batch { request: fingerprint(text), ..batch })
    }
}

/// Returns a function that hashes a request with an idempotency key once its body was read. For a request without a
/// key, it returns `None`.
pub fn fingerprint(uri: &Uri, headers: &HeaderMap) -> impl FnOnce(&[u8]) -> Option<Fingerprint> + Send + 'static {
    let target = headers.contains_key(IDEMPOTENCY_KEY).then(|| uri.path_and_query().map(ToString::to_string));
    move |text| target.map(|target| Fingerprint::of(&target.unwrap_or_default(), text))
}

/// A push that is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The reason.
    pub error: ApiError,
    /// The beginning of the wrong line, or of the body, if it was read.
    excerpt: Option<String>,
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self { error, excerpt: None }
    }
}

impl Refused {
    /// Creates a refusal with the wrong line, which the caller found before.
    #[must_use]
    pub fn with_line(error: ApiError, excerpt: Option<String>) -> Self {
        Self { error, excerpt }
    }

    /// Creates a refusal with the wrong line, cut from the body.
    #[must_use]
    pub fn with_excerpt(error: ApiError, body: &[u8]) -> Self {
        let excerpt = match &error {
            ApiError::Invalid { errors, .. } => Some(excerpt(body, errors.first().and_then(|error| error.line))),
            ApiError::Malformed(_) => Some(excerpt(body, None)),
            _ => None,
        };
        Self { error, excerpt }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        if let Some(rejection) = response.extensions_mut().get_mut::<Rejection>() {
            rejection.text = self.excerpt;
        }
        response
    }
}

/// Reads a body of at most `most` bytes and parses it. Refuses it unparsed if the store has no room for more.
///
/// # Errors
/// [`Refused`]; see [`intake::Intake::read`].
pub async fn read_and_parse<T: Send + 'static>(
    app: &AppState,
    body: Body,
    headers: &HeaderMap,
    client: LimitedClient,
    most: usize,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<T, ApiError> + Send + 'static,
) -> Result<(T, Share), Refused> {
    if let Err(no_space) = app.writer.stats().check() {
        intake::discard_refused(&mut body.into_data_stream(), headers, most).await;
        return Err(ApiError::from(no_space).into());
    }
    let parse = move |text: &[u8], share: &mut Share| {
        Ok(parse(text, share).map_err(|error| Refused::with_excerpt(error, text)))
    };
    let (parsed, share) = app.intake.read(body, headers, client, most, parse).await?;
    Ok((parsed?, share))
}

/// The part of the server's state that parsing a body needs; it can move to another thread.
#[derive(Clone, Debug)]
pub struct Parser {
    /// Resolves names of series.
    pub directory: Directory,
    /// The most milliseconds that a pushed point may be behind the server's clock.
    pub late_ms: u64,
    /// The most points that one request may push.
    pub most_points: usize,
}

impl Parser {
    /// Returns the range of times that a point pushed now may have.
    #[must_use]
    pub fn accepted(&self, age: Age) -> Acceptance {
        let late_ms = match age {
            Age::Recent => self.late_ms,
            Age::Any => u64::MAX,
        };
        Acceptance { now: clock::now().wall, late_ms }
    }

    /// Starts to collect the points of a body, with their memory reserved in `share`.
    #[must_use]
    pub fn batch_builder<'a>(&'a self, share: &'a mut Share) -> BatchBuilder<'a> {
        BatchBuilder::new(&self.directory, self.most_points, share)
    }
}

/// Commits the parsed points, and counts the result in the metrics.
///
/// # Errors
/// [`Refused`]; then nothing was stored.
pub async fn commit(
    app: &AppState,
    read: Result<(Batch, Share), Refused>,
    headers: &HeaderMap,
) -> Result<StatusCode, Refused> {
    let result = match read {
        Ok(batch) => store(app, batch, headers).await,
        Err(error) => Err(error),
    };
    app.metrics.pushed(result.as_ref().err().map(|refused| &refused.error));
    result.map(|()| StatusCode::NO_CONTENT)
}

/// Commits the points of a batch, all or nothing, without counting the push.
///
/// # Errors
/// [`Refused`].
pub async fn store(app: &AppState, (batch, share): (Batch, Share), headers: &HeaderMap) -> Result<(), Refused> {
    let key = idempotency_key(headers, batch.request)?;
    let push = Push { points: batch.points, key, atomicity: Atomicity::AllOrNothing };
    let kept = app.writer.commit(push, share).await;
    kept.map_err(|error| ApiError::from(error.at_lines(&batch.lines)).into())
}

/// Reads the idempotency key of a push; `None` if it has none. `request` is the hash of a push with a key.
///
/// # Errors
/// [`ApiError::Invalid`] for a key that is empty or too long.
pub fn idempotency_key(headers: &HeaderMap, request: Option<Fingerprint>) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(request) = request else { return Ok(None) };
    let key =
        headers.get(IDEMPOTENCY_KEY).map_or_else(String::new, |key| String::from_utf8_lossy(key.as_bytes()).into());
    let len = key.len();
    IdempotencyKey::new(key, request)
        .map(Some)
        .ok_or_else(|| ApiError::field("Idempotency-Key", "1 to 255 bytes of text", format!("{len} bytes")))
}
