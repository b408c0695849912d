//! `GET /api/series`: what there is.
//!
//! The names are collected a few at a time under the hub's lock and sorted without it; then the answer is written piece
//! by piece, as fast as the client takes it. So a list of a million series delays no push, and an answer that waits for
//! its client keeps only the indexes of its series.

use std::collections::BinaryHeap;
use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use shared::point::Kind;
use shared::track::Latest;
use shared::{Declared, Millis, SeriesName};

use crate::app::AppState;
use crate::clock;
use crate::hub::driver::HubHandle;
use crate::problem::ApiError;
use crate::rollup::SeriesIndex;

/// Series in one piece of the answer.
const PIECE: usize = 512;

/// A series and its newest point.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    name: &'a SeriesName,
    kind: Kind,
    /// What was declared of it with a push.
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
}

/// The requested part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    /// Names begin with this text.
    prefix: String,
    /// Names come after this one.
    after: Option<String>,
    /// Most series of the page.
    limit: usize,
}

impl Page {
    fn parse(query: &str) -> Result<Self, ApiError> {
        let expected = "optionally prefix=, after= and limit=, once each";
        let query: Query =
            serde_html_form::from_str(query).map_err(|error| ApiError::field("query", expected, error.to_string()))?;
        let limit = query.limit.map_or(Ok(usize::MAX), |text| {
            let limit = text.parse().ok().filter(|&limit| limit > 0);
            limit.ok_or_else(|| ApiError::field("limit", "a whole number from 1", format!("{text:?}")))
        })?;
        Ok(Self { prefix: query.prefix, after: query.after, limit })
    }

    fn has(&self, name: &SeriesName) -> bool {
        let is_after = self.after.as_deref().is_none_or(|after| name.as_str() > after);
        is_after && name.as_str().starts_with(&self.prefix)
    }

    /// Finds the series of the page, by name.
    fn collect(&self, hub: &HubHandle) -> Vec<SeriesIndex> {
        // The greatest name is on top; it is removed when there are more names than the limit.
        let mut found = BinaryHeap::new();
        hub.each_name(|index, name| {
            let is_too_great = || found.len() == self.limit && found.peek().is_some_and(|(most, _)| name >= most);
            if self.has(name) && !is_too_great() {
                if found.len() == self.limit {
                    found.pop();
                }
                found.push((name.clone(), index));
            }
        });
        found.into_sorted_vec().into_iter().map(|(_, index)| index).collect()
    }
}

/// Every series by name, with its newest point: `[{"name", "kind", "declared", "value" or "text", "ts"}]`. `?prefix=`
/// selects names that begin with a text, `?limit=` bounds the number of series, and `?after=` names the last series of
/// the page before.
///
/// # Errors
/// [`ApiError::Invalid`] where the query is wrong.
pub async fn list(State(app): State<AppState>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let page = Page::parse(query.as_deref().unwrap_or_default())?;
    let hub = app.hub.clone();
    let turn = app.hub.selecting().turn().await?;
    let work = move || {
        let found = page.collect(&hub);
        drop(turn);
        found
    };
    let found = tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Unreadable(error.to_string()))?;
    let body = if found.len() <= PIECE { Body::from(piece(&app.hub, &found, 0)) } else { pieces(app.hub, found) };
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
}

/// The list in pieces, each made when the client has taken the one before.
fn pieces(hub: HubHandle, found: Vec<SeriesIndex>) -> Body {
    let starts = (0..found.len()).step_by(PIECE);
    Body::from_stream(stream::iter(starts.map(move |start| Ok::<_, Infallible>(piece(&hub, &found, start)))))
}

/// The piece of the list that begins at `start`.
fn piece(hub: &HubHandle, found: &[SeriesIndex], start: usize) -> Bytes {
    let end = found.len().min(start + PIECE);
    let now = clock::now().wall;
    let mut json = String::from(if start == 0 { "[" } else { "" });
    hub.each_newest(&found[start..end], |name, declared, track| {
        if !(json.is_empty() || json == "[") || start > 0 {
            json.push(',');
        }
        // A point ahead of now is not the newest yet.
        let (at, latest) = track.newest_at(now);
        let (value, text) = match latest {
            Latest::Number(value) => (Some(value), None),
            Latest::Text(text) => (None, Some(text)),
        };
        let listed = Listed { name, kind: track.kind(), declared, value, text, ts: at.ts };
        let written = serde_json::to_string(&listed).expect("a listed series is always JSON");
        json.push_str(&written);
    });
    if end == found.len() {
        json.push(']');
    }
    json.into()
}
