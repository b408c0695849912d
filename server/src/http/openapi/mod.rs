//! `GET /api/openapi.json`: describes every call in OpenAPI 3.1.
//!
//! The description is written by hand, one JSON file for each domain, and merged here. Tests keep it true: those beside
//! this file compare it with the router, the words and the limits of the code. Those of `server/tests` check every
//! answer that any of them gets against it, and every body that is accepted.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing;
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::http::assets;
use crate::http::route::{PUBLIC, Route};

/// The parts of the document. The first has its beginning, and the definitions that the others share.
const PARTS: [&str; 10] = [
    include_str!("common.json"),
    include_str!("push.json"),
    include_str!("influx.json"),
    include_str!("stream.json"),
    include_str!("past.json"),
    include_str!("boards.json"),
    include_str!("document.json"),
    include_str!("doctor.json"),
    include_str!("server.json"),
    include_str!("access.json"),
];

/// Answers that every call may give: the status, and the name of the shared response.
const COMMON: [(&str, &str); 4] =
    [("400", "BadRequest"), ("401", "Unauthorized"), ("403", "ForeignPage"), ("421", "Misdirected")];

/// The document as it is served; built at the first request.
static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let text = serde_json::to_vec_pretty(&document()).expect("a value is always JSON");
    Served { etag: assets::etag(digest(&SHA256, &text).as_ref()), text: text.into() }
});

struct Served {
    text: Bytes,
    etag: String,
}

/// Merges the document from its parts.
///
/// # Panics
/// Never: a test reads the parts.
#[must_use]
pub fn document() -> Value {
    let mut whole = Value::Null;
    for part in PARTS {
        merge(&mut whole, serde_json::from_str(part).expect("the parts are JSON"));
    }
    whole["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    add_common_answers(&mut whole["paths"]);
    whole
}

/// Adds the [common](COMMON) answers to each call that documents none of its own for the same status.
fn add_common_answers(paths: &mut Value) {
    let operations = paths.as_object_mut().into_iter().flatten().flat_map(|(_, item)| item.as_object_mut());
    for responses in operations.flatten().filter_map(|(_, one)| one.get_mut("responses")?.as_object_mut()) {
        for (status, name) in COMMON {
            let reference = format!("#/components/responses/{name}");
            responses.entry(status).or_insert_with(|| serde_json::json!({ "$ref": reference }));
        }
    }
}

/// Merges the keys of one object into another, recursively where both have an object.
fn merge(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (key, value) in part {
                merge(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, part) => *whole = part,
    }
}

/// The route of the description.
#[must_use]
pub fn routes<S: Clone + Send + Sync + 'static>() -> Vec<Route<S>> {
    vec![Route::new("/api/openapi.json", PUBLIC, routing::get(get))]
}

/// `GET /api/openapi.json`.
pub async fn get(headers: HeaderMap) -> Response {
    let Served { text, etag } = &*SERVED;
    let about = [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    if assets::knows(&headers, etag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
}
