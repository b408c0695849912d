//! Reads `If-Match` and `If-None-Match` (RFC 9110, 13.1).
//!
//! A `*` within a list of tags is not valid, but counts as one that stands alone: a proxy may have joined two headers.

use axum::http::{HeaderMap, HeaderName, header};
use headers::{HeaderMapExt as _, IfMatch, IfNoneMatch};

/// Returns the condition `If-Match`; `None` where it is absent.
#[must_use]
pub fn if_match(headers: &HeaderMap) -> Option<IfMatch> {
    if has_any(headers, &header::IF_MATCH) { Some(IfMatch::any()) } else { headers.typed_get() }
}

/// Returns the condition `If-None-Match`; `None` where it is absent.
#[must_use]
pub fn if_none_match(headers: &HeaderMap) -> Option<IfNoneMatch> {
    if has_any(headers, &header::IF_NONE_MATCH) { Some(IfNoneMatch::any()) } else { headers.typed_get() }
}

fn has_any(headers: &HeaderMap, name: &HeaderName) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim() == "*")
}
