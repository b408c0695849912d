//! Adds InfluxDB's headers to an answer, and InfluxDB's keys to the JSON of an error.
//!
//! Version 1 reads `error`, version 2 `code` and `message`; Telegraf and others log the header `X-Influxdb-Error`.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde::Serialize;
use shared::Problem;

/// The header that names the kind of server.
const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");

/// The header with the version of the server.
pub(super) const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");

/// The header with the reason of an error.
const ERROR: HeaderName = HeaderName::from_static("x-influxdb-error");

/// The most bytes of an error in a header. Some clients refuse headers of 8 KiB.
const MAX_HEADER: usize = 1_000;

/// A problem document with InfluxDB's keys.
#[derive(Serialize)]
struct InfluxProblem<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    error: &'a str,
    code: &'static str,
    message: &'a str,
}

/// Returns true if clients of InfluxDB call this path.
#[must_use]
pub fn is_call(path: &str) -> bool {
    matches!(path, "/write" | "/query" | "/ping" | "/health" | "/ready")
        || path.starts_with("/api/v2/")
        || path.starts_with("/api/v3/")
}

/// Adds InfluxDB's headers to the answer to such a call, and its keys to an error.
pub fn add_influx_fields(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(BUILD, HeaderValue::from_static("pulseboard"));
    headers.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    response.headers_mut().insert(ERROR, header_text(&problem.detail));
    let (error, code) = (problem.detail.as_str(), code(problem.status));
    let extended = InfluxProblem { problem: &problem, error, code, message: error };
    *response.body_mut() = Body::from(serde_json::to_vec(&extended).expect("a problem is always JSON"));
}

/// Returns the error code of InfluxDB 2 for a status.
fn code(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        413 => "request too large",
        422 => "unprocessable entity",
        429 => "too many requests",
        500 => "internal error",
        503 => "unavailable",
        _ => "invalid",
    }
}

/// Converts a text to the value of a header: ASCII, on one line, and cut if it is long.
pub(super) fn header_text(text: &str) -> HeaderValue {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let mut text: String = text.chars().take(MAX_HEADER).map(plain).collect();
    if text.len() == MAX_HEADER {
        text.replace_range(MAX_HEADER - 3.., "...");
    }
    HeaderValue::try_from(text).expect("it is plain ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::ApiError;
    use axum::response::IntoResponse as _;
    use http_body_util::BodyExt as _;
    use serde_json::json;

    #[tokio::test]
    async fn an_error_has_the_keys_of_both_versions_beside_its_own() {
        let mut response = ApiError::field("x", "a", "ü\n").into_response();
        add_influx_fields(&mut response);
        let headers = response.headers().clone();
        assert_eq!(headers[ERROR], "x: expected a, got ??");
        assert_eq!(
            (&headers[BUILD], &headers[VERSION]),
            (&"pulseboard".parse().unwrap(), &env!("CARGO_PKG_VERSION").parse().unwrap())
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let text = "x: expected a, got ü\n";
        let own = [&body["error"], &body["message"], &body["detail"]];
        assert!(own.into_iter().all(|own| own == text), "{body}");
        assert_eq!(
            (&body["code"], &body["status"], &body["errors"][0]["field"]),
            (&json!("unprocessable entity"), &json!(422), &json!("x"))
        );
    }

    #[test]
    fn a_header_is_short_and_on_one_line() {
        assert_eq!(header_text("a\r\nX-Evil: 1"), "a??X-Evil: 1");
        assert_eq!(header_text(&"ü".repeat(5_000)).len(), MAX_HEADER);
    }
}
