//! Handles `GET /api/history`.

use axum::extract::{FromRef, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::job::Job;
use super::{History, body, query};
use crate::access::ReadAccess;
use crate::clock;
use crate::http::format::AnswerFormat;
use crate::http::problem::ApiError;
use crate::http::route::{READ, Route};
use crate::hub::driver::HubHandle;
use crate::limits::client::LimitedClient;
use crate::monitoring::metrics::Metrics;

/// The routes of history.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    HubHandle: FromRef<S>,
    History: FromRef<S>,
    Metrics: FromRef<S>,
{
    vec![Route::new("/api/history", READ, get(read))]
}

/// `GET /api/history`: the past of the selected series, as `[{"series", "tier_ms", "buckets"}]`, or with `Accept:
/// text/csv` or `?format=csv` as a line for each bucket.
///
/// # Errors
/// [`ApiError`].
pub async fn read(
    State(hub): State<HubHandle>,
    State(history): State<History>,
    State(metrics): State<Metrics>,
    access: ReadAccess,
    client: LimitedClient,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = clock::now().wall;
    let mut asked = query::parse(query.as_deref().unwrap_or_default(), now)?;
    asked.selectors = access.narrow(asked.selectors)?;
    let form = asked.form.unwrap_or_else(|| AnswerFormat::accepted(&headers));
    let selecting = hub.selecting();
    let found = selecting.find(&asked.selectors, client).await?;
    // Checked before the names are cloned: there may be as many as a stream may select.
    Job::check_size(&asked, found.series.len())?;
    let job = Job::new(asked, selecting.names().named(&found.series), form, now)?;
    let body = body::start(history, client, job, metrics).await?;
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}
