//! Handles `POST /in` and `/in/{series}`.

use axum::body::Body;
use axum::extract::{FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::post;
use shared::SeriesName;
use shared::problem::FieldError;

use super::batch_builder::{self, Batch};
use super::body::{BodyPoint, Content};
use super::fields::Acceptance;
use super::fields::Wrong;
use super::pipeline::{Ingest, MAX_BODY, Parser, Refused, commit, identified, read_and_parse};
use super::query::Age;
use super::{batch, body, fields, query};
use crate::access::PushAccess;
use crate::http::problem::ApiError;
use crate::http::route::{PUSH, PUSH_OR_GET, Route, not_allowed};
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::Share;

/// The routes of our own formats.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Ingest: FromRef<S>,
{
    vec![
        Route::new("/in", PUSH, post(many)),
        Route::new("/in/{*series}", PUSH_OR_GET, post(one).get(one_by_get).head(no_head)),
    ]
}

/// Rejects HEAD on a path where GET stores a point.
async fn no_head(uri: Uri) -> ApiError {
    not_allowed(&Method::HEAD, &uri, PUSH_OR_GET)
}

/// Handles `POST /in/{series}`: one point, or an object of numbers for the series below. `?kind=counter` or
/// `?kind=gauge` also declares the metric type, `?ts=` gives the time. The point may be in the query string if there is no body. Answers 204
/// once it is committed.
///
/// # Errors
/// [`Refused`] if the name, the query, the body or a header is wrong, or if the store cannot take it now.
pub async fn one(
    State(ingest): State<Ingest>,
    access: PushAccess,
    Path(series): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Result<StatusCode, Refused> {
    let (parser, query) = (ingest.parser(access), uri.query().map(str::to_owned));
    let parse = identified(&uri, &headers, move |text: &[u8], share: &mut Share| {
        let read = |accepted| match query::point(query.as_deref())? {
            Some(point) if text.trim_ascii().is_empty() => body::object(&point, accepted),
            Some(_) => Err(ApiError::field("value", "the point in the body or in the address", "both")),
            None => {
                let mut content = body::read(text, accepted)?;
                if let Some(word) = query::kind(query.as_deref())? {
                    content = content.with_kind(&word)?;
                }
                match query::ts(query.as_deref())? {
                    None => Ok(content),
                    Some(ts) => content.at(ts, accepted),
                }
            }
        };
        named(&parser, &series, query::age(query.as_deref())?, read, share)
    });
    let batch = read_and_parse(&ingest, body, &headers, client, MAX_BODY, parse).await;
    commit(&ingest, batch, &headers).await
}

/// Handles `GET /in/{series}?value=42.5`, for devices that can only fetch an address. [`crate::http::csrf`] refuses it for
/// pages of other sites, and for browsers that prefetch addresses.
///
/// # Errors
/// As [`one`].
pub async fn one_by_get(
    State(ingest): State<Ingest>,
    access: PushAccess,
    Path(series): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
) -> Result<impl IntoResponse, Refused> {
    let parser = ingest.parser(access);
    let parse = identified(&uri, &headers, move |_: &[u8], share: &mut Share| {
        let read = |accepted| match query::point(query.as_deref())? {
            Some(point) => body::object(&point, accepted),
            None => Err(ApiError::field("value", "a number in the address, as in ?value=42.5, or a text", "nothing")),
        };
        named(&parser, &series, query::age(query.as_deref())?, read, share)
    });
    let batch = read_and_parse(&ingest, Body::empty(), &headers, client, MAX_BODY, parse).await;
    let status = commit(&ingest, batch, &headers).await?;
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
        Ok(Content::Point(BodyPoint { time, value, declares })) => {
            let point = parser.look().point(series, time, value).map_err(Wrong::into_error)?;
            batch_builder::single(point.declaring(declares), share)
        }
        Ok(Content::Fields(all)) => {
            series.parse::<SeriesName>().map_err(named)?;
            below(parser, series, all, share)
        }
        // A wrong name is reported before any other error.
        Err(error) => Err(series.parse::<SeriesName>().map_or_else(named, |_| error)),
    }
}

/// Makes a point of each number of an object, in a series below `series`.
fn below(parser: &Parser, series: &str, all: Vec<(String, BodyPoint)>, share: &mut Share) -> Result<Batch, ApiError> {
    let mut builder = parser.batch_builder(share);
    let (mut errors, mut is_forbidden) = (Vec::new(), false);
    for (number, (field, BodyPoint { time, value, declares })) in (1..).zip(all) {
        let name = format!("{series}/{field}");
        let point = builder.look().point(&name, time, value);
        match point {
            Ok(point) => builder.take(number, Ok(point.declaring(declares)))?,
            Err(error) => {
                is_forbidden |= error.is_forbidden();
                let wrong = error.at(number);
                errors.push(FieldError { line: None, field: fields::cut(&field), ..wrong });
            }
        }
    }
    if errors.is_empty() {
        return builder.finish();
    }
    let count = errors.len();
    errors.truncate(batch_builder::MAX_LISTED);
    if is_forbidden {
        let detail = format!("{count} fields are of series that the sender may not push to, so nothing was stored");
        return Err(ApiError::Forbidden { detail, errors });
    }
    let detail = format!("{count} fields cannot be part of the name of a series, so nothing was stored");
    Err(ApiError::Invalid { detail, errors })
}

/// Handles `POST /in`: a batch, NDJSON or a JSON array. Either all of it is committed, or nothing.
///
/// # Errors
/// [`Refused`]; a 422 lists the wrong lines.
pub async fn many(
    State(ingest): State<Ingest>,
    access: PushAccess,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Result<StatusCode, Refused> {
    let parser = ingest.parser(access);
    let age = query::none(query.as_deref()).and_then(|()| query::age(query.as_deref()));
    let batch = match age {
        Ok(age) => {
            let parse = move |text: &[u8], share: &mut Share| {
                batch::points(text, parser.accepted(age), parser.batch_builder(share))
            };
            read_and_parse(&ingest, body, &headers, client, MAX_BODY, identified(&uri, &headers, parse)).await
        }
        Err(error) => Err(error.into()),
    };
    commit(&ingest, batch, &headers).await
}
