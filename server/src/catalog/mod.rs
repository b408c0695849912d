//! Handles `GET /api/series`: lists the series with their newest points. [`overview`] lists the boards that show them,
//! with their states from `watched`, and `remove` handles the deletion of a series.
//!
//! The names are collected a few at a time under the hub's lock and sorted without it. Then the answer is written
//! piece by piece, as fast as the client takes it. So a list of a million series delays no push, and an answer that
//! waits for its client keeps only the indexes of its series.

pub mod overview;
mod remove;
mod watched;

use std::collections::BinaryHeap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use shared::point::Kind;
use shared::track::Latest;
use shared::{Declared, Millis, SeriesName, nfc};

use crate::access::ReadAccess;
use crate::clock;
use crate::http::csv;
use crate::http::format::AnswerFormat;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, READ, Route};
use crate::hub::driver::HubHandle;
use crate::limits::client::LimitedClient;
use crate::rollup::SeriesIndex;
use crate::store::Writer;
use overview::{Overview, overview};
use remove::remove;

/// The routes of the list of series.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    HubHandle: FromRef<S>,
    Overview: FromRef<S>,
    TrustedProxies: FromRef<S>,
    Writer: FromRef<S>,
{
    vec![
        Route::new("/api/overview", READ, get(overview)),
        Route::new("/api/series", READ, get(list)),
        Route::new("/api/series/{*series}", &[("DELETE", Access::Admin)], delete(remove)),
    ]
}

/// Series in one piece of the answer.
const PIECE: usize = 512;

/// A series and its newest point.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    name: &'a SeriesName,
    kind: Kind,
    /// The declared metric type.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<Declared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    ts: Millis,
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    limit: Option<String>,
    format: Option<String>,
}

/// The columns of CSV.
const COLUMNS: &str = "name,kind,declared,value,text,ts\r\n";

/// The requested part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    /// Names begin with this text.
    prefix: String,
    /// Names come after this text.
    after: Option<String>,
    /// The most series of the page.
    limit: usize,
    /// The format that the query names, which takes precedence over `Accept`.
    form: Option<AnswerFormat>,
}

impl Page {
    fn parse(query: &str) -> Result<Self, ApiError> {
        let expected = "optionally prefix=, after=, limit= and format=, once each";
        let query: Query =
            serde_html_form::from_str(query).map_err(|error| ApiError::field("query", expected, error.to_string()))?;
        let limit = query.limit.map_or(Ok(usize::MAX), |text| {
            let limit = text.parse().ok().filter(|&limit| limit > 0);
            limit.ok_or_else(|| ApiError::field("limit", "a whole number from 1", format!("{text:?}")))
        })?;
        let form = AnswerFormat::asked(query.format.as_deref())?;
        let after = query.after.map(|after| nfc(&after).into_owned());
        Ok(Self { prefix: nfc(&query.prefix).into_owned(), after, limit, form })
    }

    fn has(&self, name: &SeriesName) -> bool {
        let is_after = self.after.as_deref().is_none_or(|after| name.as_str() > after);
        is_after && name.as_str().starts_with(&self.prefix)
    }

    /// Finds the series of the page that the reader may see, sorted by name.
    fn collect(&self, hub: &HubHandle, access: &ReadAccess) -> Vec<SeriesIndex> {
        // The greatest name is on top; it is removed when there are more names than the limit.
        let mut found = BinaryHeap::new();
        hub.each_name(|index, name| {
            let is_too_great = || found.len() == self.limit && found.peek().is_some_and(|(most, _)| name >= most);
            if self.has(name) && access.sees(name) && !is_too_great() {
                if found.len() == self.limit {
                    found.pop();
                }
                found.push((name.clone(), index));
            }
        });
        found.into_sorted_vec().into_iter().map(|(_, index)| index).collect()
    }
}

/// Lists every series by name, with its newest point: `[{"name", "kind", "declared", "value" or "text", "ts"}]`.
/// `?prefix=` selects names that begin with a text, `?limit=` bounds the number of series, and `?after=` names the
/// last series of the page before. With `Accept: text/csv` or `?format=csv` the answer has a line for each series.
///
/// # Errors
/// [`ApiError::Invalid`] if the query is wrong.
pub async fn list(
    State(hub): State<HubHandle>,
    access: ReadAccess,
    client: LimitedClient,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let page = Page::parse(query.as_deref().unwrap_or_default())?;
    let form = page.form.unwrap_or_else(|| AnswerFormat::accepted(&headers));
    let permit = hub.selecting().permit(client).await?;
    let listed = hub.clone();
    let work = move || {
        let found = page.collect(&listed, &access);
        drop(permit);
        found
    };
    let found = tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Unreadable(error.to_string()))?;
    let body = if found.len() <= PIECE { Body::from(piece(&hub, &found, 0, form)) } else { pieces(hub, found, form) };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(form.content_type())),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((headers, body).into_response())
}

/// Streams the list in pieces, each made when the client has taken the one before.
fn pieces(hub: HubHandle, found: Vec<SeriesIndex>, form: AnswerFormat) -> Body {
    let (starts, found) = ((0..found.len()).step_by(PIECE), Arc::new(found));
    Body::from_stream(stream::iter(starts).then(move |start| {
        let (hub, found) = (hub.clone(), found.clone());
        async move {
            // Lets other requests run first: hyper asks for pieces without a pause until the socket is full.
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(piece(&hub, &found, start, form))
        }
    }))
}

/// Writes the piece of the list that begins at `start`.
fn piece(hub: &HubHandle, found: &[SeriesIndex], start: usize, form: AnswerFormat) -> Bytes {
    let end = found.len().min(start + PIECE);
    let now = clock::now().wall;
    let mut text = String::new();
    if start == 0 {
        text.push_str(if form == AnswerFormat::Csv { COLUMNS } else { "[" });
    }
    let mut is_first = start == 0;
    hub.each_newest(&found[start..end], |name, declared, track| {
        // A point in the future is not the newest yet.
        let (at, latest) = track.newest_at(now);
        let (value, newest) = match latest {
            Latest::Number(value) => (Some(value), None),
            Latest::Text(text) => (None, Some(text)),
        };
        let listed = Listed { name, kind: track.kind(), declared, value, text: newest, ts: at.ts };
        match form {
            AnswerFormat::Json => {
                if !std::mem::take(&mut is_first) {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(&listed).expect("a listed series is always JSON"));
            }
            AnswerFormat::Csv => listed.write_csv(&mut text),
        }
    });
    if end == found.len() && form == AnswerFormat::Json {
        text.push(']');
    }
    text.into()
}

impl Listed<'_> {
    fn write_csv(&self, text: &mut String) {
        let kind = if self.kind == Kind::Text { "text" } else { "number" };
        let declared = self.declared.map_or("", Declared::word);
        let value = self.value.map(|value| value.to_string()).unwrap_or_default();
        let newest = self.text.map(csv::quoted).unwrap_or_default();
        let cells = [&csv::cell(self.name.as_str()), kind, declared, &value, &newest, &self.ts.to_string()];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests;
