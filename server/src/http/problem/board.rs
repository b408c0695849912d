//! Refusals of `/api/boards` as clients receive them: status, type and headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::board::Refusal;

/// The status of the answer.
pub(super) fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotMade(_) => StatusCode::NOT_FOUND,
        Refusal::Changed { .. } | Refusal::Absent(_) => StatusCode::PRECONDITION_FAILED,
        Refusal::Unconditional { .. } => StatusCode::PRECONDITION_REQUIRED,
        Refusal::FromFile { .. } | Refusal::TooMany => StatusCode::CONFLICT,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnknownForm(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
    }
}

/// The type of the problem, and its title.
pub(super) fn kind(refusal: &Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::NotMade(_) => ("not-found", "The board has no document"),
        Refusal::Changed { .. } => ("changed", "The board has changed meanwhile"),
        Refusal::Absent(_) => ("changed", "The board has no document"),
        Refusal::Unconditional { .. } => ("unconditional", "The board is there already"),
        Refusal::FromFile { .. } => ("from-file", "The board is from a file"),
        Refusal::TooMany => ("too-many", "Too many boards"),
        Refusal::TooLarge => ("too-large", "The document is too long"),
        Refusal::UnknownForm(_) => ("unknown-form", "The form is not known"),
        Refusal::NotAcceptable(_) => ("not-acceptable", "Not in this form"),
    }
}

/// Adds the current tag, or the accepted forms, where the client needs them for its next request.
pub(super) fn add_headers(refusal: &Refusal, headers: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    match refusal {
        Refusal::Changed { current, .. } | Refusal::Unconditional { current, .. } => {
            add(header::ETAG, current.to_string());
        }
        // RFC 9110, 15.5.16.
        Refusal::UnknownForm(_) => add(header::ACCEPT, "application/json, application/toml".to_owned()),
        _ => {}
    }
}
