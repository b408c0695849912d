//! `GET /api/openapi.json`: every call, as OpenAPI 3.1 has them.
//!
//! It is written by hand, a file of JSON for each domain, and put together here. What keeps it true are tests: those beside
//! this file hold it to the router, the words and the limits of the code, and those of `server/tests` hold every answer that
//! any of them gets, and every body that is taken, to it.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::assets;

/// The parts of the document. The first has what it begins with, and what the others share.
const PARTS: [&str; 9] = [
    include_str!("common.json"),
    include_str!("push.json"),
    include_str!("influx.json"),
    include_str!("stream.json"),
    include_str!("past.json"),
    include_str!("boards.json"),
    include_str!("document.json"),
    include_str!("doctor.json"),
    include_str!("server.json"),
];

/// Answers that every call may give: the status, and the name of the shared response.
const COMMON: [(&str, &str); 3] = [("400", "BadRequest"), ("403", "ForeignPage"), ("421", "Misdirected")];

/// The document as it is served: put together when somebody asks for it first.
static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let text = serde_json::to_vec_pretty(&document()).expect("a value is always JSON");
    Served { etag: assets::etag(digest(&SHA256, &text).as_ref()), text: text.into() }
});

struct Served {
    text: Bytes,
    etag: String,
}

/// The document.
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

/// Puts the keys of one object into another, and so on within those that both have.
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

/// `GET /api/openapi.json`.
pub async fn get(headers: HeaderMap) -> Response {
    let Served { text, etag } = &*SERVED;
    let about = [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    if assets::knows(&headers, etag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
}
