//! Handles `POST /write`, `/api/v2/write` and `/api/v3/write_lp`: points in line protocol.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::partial::{self, Rest};
use super::precision::Precision;
use super::read::{Reading, read};
use super::state::Influx;
use super::warnings::Warnings;
use crate::access::PushAccess;
use crate::clock;
use crate::http::problem::ApiError;
use crate::ingest::pipeline::{self, Ingest, Refused};
use crate::ingest::query::Age;
use crate::ingest::{fields, query};
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::Share;
use crate::log::{Atomicity, Push};
use crate::monitoring::rejections::excerpt;
use crate::store::commit::{CommitError, Unfit};

/// The most bytes that the body of a write may have, also decompressed: 4 MiB. Clients collect more lines than a
/// script does.
pub const MAX_BODY: usize = 4 << 20;

/// The options in the query string of a write. Everything else in it is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Options {
    /// The unit of the times.
    precision: Precision,
    /// The age that the points may have.
    age: Age,
    /// Decides whether a wrong line spoils the others.
    atomicity: Atomicity,
}

/// Reads the age that points may have.
fn age(query: Option<&str>) -> Result<Age, ApiError> {
    // Answers 400, since clients of InfluxDB do not expect a 422.
    query::age(query).map_err(|error| ApiError::Malformed(error.to_string()))
}

#[derive(Debug, Default, Deserialize)]
struct Query {
    precision: Option<String>,
    accept_partial: Option<String>,
}

impl Query {
    fn read(query: Option<&str>) -> Result<Self, ApiError> {
        serde_html_form::from_str(query.unwrap_or_default())
            .map_err(|error| ApiError::Malformed(format!("the query cannot be read: {error}")))
    }
}

impl Options {
    /// Reads the query of InfluxDB 1 or 2: times are in nanoseconds unless it names a unit.
    ///
    /// # Errors
    /// [`ApiError::Malformed`] for an unknown unit.
    fn of(query: Option<&str>) -> Result<Self, ApiError> {
        let word = Query::read(query)?.precision.unwrap_or_default();
        let precision = Precision::of(&word).ok_or_else(|| {
            let expected = "one of ns, us, ms, s, m and h";
            ApiError::Malformed(format!("precision: expected {expected}, got {}", fields::echo(&word)))
        })?;
        Ok(Self { precision, age: age(query)?, atomicity: Atomicity::Partial })
    }

    /// Reads the query of InfluxDB 3: the unit of times is guessed unless it names one.
    ///
    /// # Errors
    /// [`ApiError::Malformed`] for an unknown unit, or another word than true or false.
    fn of_version_3(query: Option<&str>) -> Result<Self, ApiError> {
        let age = age(query)?;
        let query = Query::read(query)?;
        let word = query.precision.unwrap_or_default();
        let precision = Precision::of_version_3(&word).ok_or_else(|| {
            let expected = "one of auto, nanosecond, microsecond, millisecond and second";
            ApiError::Malformed(format!("precision: expected {expected}, got {}", fields::echo(&word)))
        })?;
        let atomicity = match query.accept_partial.as_deref() {
            None | Some("" | "true") => Atomicity::Partial,
            Some("false") => Atomicity::AllOrNothing,
            Some(other) => {
                let got = fields::echo(other);
                return Err(ApiError::Malformed(format!("accept_partial: expected true or false, got {got}")));
            }
        };
        Ok(Self { precision, age, atomicity })
    }
}

/// Handles `POST /write` and `POST /api/v2/write`: answers 204 once all lines are stored, also if there are none.
/// Wrong lines are left out and named in an answer 400.
pub async fn write(
    State(ingest): State<Ingest>,
    State(influx): State<Arc<Influx>>,
    access: PushAccess,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Response {
    take(&ingest, &influx, Request { access, uri, headers, client, body }, Options::of).await
}

/// Handles `POST /api/v3/write_lp`: the same with the parameters of InfluxDB 3.
pub async fn write_version_3(
    State(ingest): State<Ingest>,
    State(influx): State<Arc<Influx>>,
    access: PushAccess,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Response {
    take(&ingest, &influx, Request { access, uri, headers, client, body }, Options::of_version_3).await
}

/// The parts of a request that a write needs.
struct Request {
    access: PushAccess,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
}

async fn take(
    ingest: &Ingest,
    influx: &Influx,
    request: Request,
    options: fn(Option<&str>) -> Result<Options, ApiError>,
) -> Response {
    let Request { access, uri, headers, client, body } = request;
    let (parser, fingerprint) = (ingest.parser(access), pipeline::fingerprint(&uri, &headers));
    let query = uri.query().map(str::to_owned);
    let parse = move |text: &[u8], share: &mut Share| {
        let options = options(query.as_deref())?;
        let mut reading = read(text, options.precision, parser.accepted(options.age), parser.batch_builder(share))?;
        reading.batch.request = fingerprint(text);
        let wrong = reading.wrong.listed.first().and_then(|error| error.line);
        let excerpt = wrong.map(|line| excerpt(text, Some(line)));
        Ok((reading, options.atomicity, excerpt))
    };
    let mut warnings = Warnings::default();
    let result = match pipeline::read_and_parse(ingest, body, &headers, client, MAX_BODY, parse).await {
        Ok(((mut reading, atomicity, excerpt), share)) => {
            warnings = std::mem::take(&mut reading.warnings);
            let stored = store(ingest, reading, atomicity, share, &headers).await;
            stored.map_err(|error| Refused::with_line(error, excerpt))
        }
        Err(error) => Err(error),
    };
    ingest.metrics.pushed(result.as_ref().err().map(|refused| &refused.error));
    let mut response = match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    };
    warnings.attach(&mut response, &influx.warnings, clock::now().up);
    response
}

/// Stores the points of the valid lines.
async fn store(
    ingest: &Ingest,
    reading: Reading,
    atomicity: Atomicity,
    share: Share,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let Reading { batch, wrong, .. } = reading;
    // Answers 400, since clients of InfluxDB do not expect a 422.
    let key =
        pipeline::idempotency_key(headers, batch.request).map_err(|error| ApiError::Malformed(error.to_string()))?;
    if batch.points.is_empty() || (atomicity == Atomicity::AllOrNothing && wrong.count > 0) {
        return partial::error(wrong, Unfit::default(), Rest::Lost).map_or(Ok(()), Err);
    }
    let (lines, count) = (batch.lines, batch.points.len());
    let push = Push { points: batch.points, key, atomicity };
    let (left_out, rest) = match ingest.writer.commit(push, share).await.map_err(|error| error.at_lines(&lines)) {
        Ok(()) => (Unfit::default(), Rest::Stored),
        Err(CommitError::LeftOut(wrong)) if wrong.count() == count => (wrong, Rest::Lost),
        Err(CommitError::LeftOut(wrong)) => (wrong, Rest::Stored),
        Err(CommitError::OtherKind(wrong) | CommitError::Compacted(wrong)) => (wrong, Rest::Lost),
        Err(error) => return Err(error.into()),
    };
    partial::error(wrong, left_out, rest).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_times_is_named_by_the_words_of_each_version() {
        let of = |query| Options::of(Some(query)).map(|options| options.precision);
        for (query, precision) in [
            ("", Precision::Nanos),
            ("db=telegraf&precision=ns&rp=", Precision::Nanos),
            ("precision=n", Precision::Nanos),
            ("bucket=b&org=o&precision=us", Precision::Micros),
            ("precision=%C2%B5", Precision::Micros),
            ("precision=ms", Precision::Millis),
            ("precision=s", Precision::Seconds),
            ("precision=m", Precision::Minutes),
            ("precision=h", Precision::Hours),
        ] {
            assert_eq!(of(query), Ok(precision), "{query}");
        }
        let error = of("precision=d").unwrap_err().to_string();
        assert_eq!(error, "precision: expected one of ns, us, ms, s, m and h, got \"d\"");
        assert!(matches!(of("precision=s&precision=ms"), Err(ApiError::Malformed(_))));
    }

    #[test]
    fn version_3_can_ask_for_all_or_nothing() {
        let of = |query| Options::of_version_3(Some(query));
        let options = |precision, atomicity| Ok(Options { precision, age: Age::Recent, atomicity });
        assert_eq!(of("db=x"), options(Precision::Auto, Atomicity::Partial));
        let query = "db=x&precision=millisecond&accept_partial=false&no_sync=true";
        assert_eq!(of(query), options(Precision::Millis, Atomicity::AllOrNothing));
        for wrong in ["precision=fortnight", "accept_partial=1"] {
            assert!(matches!(of(wrong), Err(ApiError::Malformed(_))), "{wrong}");
        }
    }
}
