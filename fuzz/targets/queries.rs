//! Fuzz targets for the queries and headers of requests.

use axum::http::{HeaderMap, HeaderValue, header};
use pulseboard::access::ReadScope;
use pulseboard::board::precondition::Conditions;
use pulseboard::history::query;
use pulseboard::http::accept;
use pulseboard::hub::Subscription;
use pulseboard::{history, stream};
use shared::Millis;
use shared::board::Etag;

const NOW: Millis = Millis(1_732_399_200_123);

/// The query of a stream is parsed without a panic.
pub fn stream(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(request) = stream::query::parse(text, ReadScope::everything()) {
        let Subscription { .. } = request.subscription;
    }
}

/// The query of a history request: its time range is not empty, and its points and selectors are bounded.
pub fn history(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(asked) = query::parse(text, NOW) {
        assert!(asked.span.from < asked.span.to);
        assert!((1..=10_000).contains(&asked.points));
        assert!(!asked.selectors.is_empty() && asked.selectors.len() <= 256);
    }
    if let Ok(time) = history::time::parse(text, NOW) {
        assert_eq!(history::time::parse(&time.0.to_string(), NOW).unwrap_or(time), time);
    }
}

/// Headers that are parsed by hand: accepted encodings, and entity tags.
pub fn headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    for name in [header::IF_MATCH, header::IF_NONE_MATCH, header::ACCEPT, header::ACCEPT_ENCODING] {
        headers.insert(name, value.clone());
    }
    let _accepted = accept::encoding(&headers, "gzip");
    let _conditions = Conditions::of(&headers);
    if let Some(etag) = value.to_str().ok().and_then(|text| text.parse::<Etag>().ok()) {
        assert_eq!(etag.to_string().parse::<Etag>().ok(), Some(etag));
    }
}
