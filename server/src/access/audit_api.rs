//! `GET /api/audit`: the audit log, as lines of JSON.

use axum::extract::{FromRef, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

use super::extract::AdminAccess;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Route};
use crate::store::Writer;
use crate::store::audit::MAX_READ;

/// The events of an answer if the request names no number.
const USUAL: usize = 100;

/// The type of the answer.
const LINES: &str = "application/x-ndjson";

/// The route of the audit log.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Writer: FromRef<S>,
{
    vec![Route::new("/api/audit", &[("GET", Access::Admin)], get(list))]
}

#[derive(Deserialize)]
struct Query {
    limit: Option<String>,
    before: Option<String>,
}

/// The newest events, the oldest first, a line of JSON each: `?limit=` events below the number `?before=`. Each has its
/// number in `id`.
///
/// # Errors
/// [`ApiError::Invalid`] for a wrong query, [`ApiError::Unavailable`].
async fn list(
    State(writer): State<Writer>,
    _admin: AdminAccess,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Query { limit, before } = serde_html_form::from_str(query.as_deref().unwrap_or_default())
        .map_err(|error| ApiError::field("query", "optionally limit= and before=, once each", error.to_string()))?;
    let most = limit.map_or(Ok(USUAL), |text| {
        let most = text.parse().ok().filter(|most| (1..=MAX_READ).contains(most));
        most.ok_or_else(|| {
            ApiError::field("limit", format!("a whole number from 1 to {MAX_READ}"), format!("{text:?}"))
        })
    })?;
    let before = before.map(|text| {
        let number = text.parse().ok();
        number.ok_or_else(|| ApiError::field("before", "the id of an event", format!("{text:?}")))
    });
    let events = writer.events(before.transpose()?, most).await?;
    let mut lines = String::new();
    for event in events {
        // JSON escapes line ends, so nobody can forge a line.
        lines.push_str(&serde_json::to_string(&event).expect("an event is always JSON"));
        lines.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, LINES)], lines).into_response())
}
