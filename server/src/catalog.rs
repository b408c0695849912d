//! `GET /api/series`: what there is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::point::Kind;
use shared::track::Latest;
use shared::{Declared, Millis, SeriesName};

use crate::app::AppState;

/// A series and its newest point.
#[derive(Debug, Serialize)]
pub struct Listed {
    name: SeriesName,
    kind: Kind,
    /// What was declared of it with a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<Declared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    ts: Millis,
}

/// Every series by name, with its newest point: `[{"name", "kind", "declared", "value" or "text", "ts"}]`.
pub async fn list(State(app): State<AppState>) -> Json<Vec<Listed>> {
    let mut all = Vec::new();
    app.hub.each_series(|name, declared, track| {
        let (value, text) = match track.latest() {
            Latest::Number(value) => (Some(value), None),
            Latest::Text(text) => (None, Some(text.to_owned())),
        };
        all.push(Listed { name: name.clone(), kind: track.kind(), declared, value, text, ts: track.latest_at().ts });
    });
    all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Json(all)
}
