//! The way of every push: read its body, parse it, commit its points, and count the result.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::batch_builder::{Batch, BatchBuilder};
use super::fields::Acceptance;
use super::intake::{self, Intake};
use super::lookup::SeriesLookup;
use super::query::Age;
use crate::access::PushAccess;
use crate::clock;
use crate::http::problem::ApiError;
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::Share;
use crate::log::{Atomicity, Fingerprint, IdempotencyKey, Push};
use crate::monitoring::metrics::Metrics;
use crate::monitoring::rejections::{Rejection, excerpt};
use crate::store::{Directory, Writer};

/// The header with the idempotency key of a push.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The most bytes that the body of a push may have: 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// The state of all calls that take pushes.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Commits the points.
    pub writer: Writer,
    /// Reads bodies within their memory bound.
    pub intake: Intake,
    /// Settings of the parser of each body.
    pub settings: ParserSettings,
    /// Counts pushes.
    pub metrics: Metrics,
}

impl Ingest {
    /// Returns a parser for the bodies of a sender.
    #[must_use]
    pub fn parser(&self, access: PushAccess) -> Parser {
        Parser { settings: self.settings.clone(), access }
    }
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
    ingest: &Ingest,
    body: Body,
    headers: &HeaderMap,
    client: LimitedClient,
    most: usize,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<T, ApiError> + Send + 'static,
) -> Result<(T, Share), Refused> {
    if let Err(no_space) = ingest.writer.stats().check() {
        intake::discard_refused(&mut body.into_data_stream(), headers, most).await;
        return Err(ApiError::from(no_space).into());
    }
    let parse = move |text: &[u8], share: &mut Share| {
        Ok(parse(text, share).map_err(|error| Refused::with_excerpt(error, text)))
    };
    let (parsed, share) = ingest.intake.read(body, headers, client, most, parse).await?;
    Ok((parsed?, share))
}

/// Parses bodies of one sender; it can move to another thread.
#[derive(Clone, Debug)]
pub struct Parser {
    settings: ParserSettings,
    access: PushAccess,
}

/// The part of the server's state that parsing a body needs.
#[derive(Clone, Debug)]
pub struct ParserSettings {
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
            Age::Recent => self.settings.late_ms,
            Age::Any => u64::MAX,
        };
        Acceptance { now: clock::now().wall, late_ms }
    }

    /// Starts to collect the points of a body, with their memory reserved in `share`.
    #[must_use]
    pub fn batch_builder<'a>(&'a self, share: &'a mut Share) -> BatchBuilder<'a> {
        BatchBuilder::new(self.look(), self.settings.most_points, share)
    }

    /// Locks the directory of series, as far as the sender may push to them.
    #[must_use]
    pub fn look(&self) -> SeriesLookup<'_> {
        SeriesLookup::new(&self.settings.directory, &self.access)
    }
}

/// Commits the parsed points, and counts the result in the metrics.
///
/// # Errors
/// [`Refused`]; then nothing was stored.
pub async fn commit(
    ingest: &Ingest,
    read: Result<(Batch, Share), Refused>,
    headers: &HeaderMap,
) -> Result<StatusCode, Refused> {
    let result = match read {
        Ok(batch) => store(ingest, batch, headers).await,
        Err(error) => Err(error),
    };
    ingest.metrics.pushed(result.as_ref().err().map(|refused| &refused.error));
    result.map(|()| StatusCode::NO_CONTENT)
}

/// Commits the points of a batch, all or nothing, without counting the push.
///
/// # Errors
/// [`Refused`].
pub async fn store(ingest: &Ingest, (batch, share): (Batch, Share), headers: &HeaderMap) -> Result<(), Refused> {
    let key = idempotency_key(headers, batch.request)?;
    let push = Push { points: batch.points, key, atomicity: Atomicity::AllOrNothing };
    let kept = ingest.writer.commit(push, share).await;
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
