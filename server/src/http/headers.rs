//! Security headers of every answer that has content.
//!
//! The page runs only the scripts of its own build: its inline scripts are listed by their hashes in the
//! `Content-Security-SecurityHeaders`, and style attributes in markup are not applied. Other answers may not load or show
//! anything, in case a browser opens one as a document.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};

use crate::http::origin::Origin;

/// Headers that every answer with content has, unless its handler sets another value: a badge may be an image of any page.
///
/// `Cross-Origin-Resource-SecurityHeaders: same-origin` does not keep out the pages of `--allow-origin`: they use CORS, to which
/// that header does not apply. The referrer policy is `same-origin`, because `no-referrer` also removes `Origin` from
/// some requests of the page.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The policy of an answer that is not a page.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// The security headers of answers, with the content security policy of the page.
#[derive(Clone, Debug)]
pub struct SecurityHeaders(HeaderValue);

impl SecurityHeaders {
    /// Makes the policy of the pages in `html`. Pages of the origins `frames` may embed them in a frame.
    #[must_use]
    pub fn new(html: &str, frames: &[Origin]) -> Self {
        // A set, since pages share scripts.
        let scripts: BTreeSet<&str> = inline_scripts(html).collect();
        let hash = |script: &str| format!(" 'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, script.as_bytes())));
        let hashes: String = scripts.into_iter().map(hash).collect();
        let ancestors: String = frames.iter().map(|origin| format!(" {origin}")).collect();
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'self'{ancestors}"
        );
        Self(HeaderValue::try_from(policy).expect("hashes and origins are ASCII"))
    }

    /// Adds the headers to an answer. Sets `Cache-Control: no-store` only if the handler set no `Cache-Control`;
    /// streams, boards and files of the page have their own. The answer to a push (204) has no content to protect. A
    /// 304 gets no headers either: a browser replaces the headers that it stored with the content by them (RFC 9111,
    /// 4.3.4), and a 304 does not show if that content was a page.
    pub fn add_to(&self, response: &mut Response) {
        if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return;
        }
        let headers = response.headers_mut();
        for (name, value) in ALWAYS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let policy = if is_page { self.0.clone() } else { HeaderValue::from_static(DATA) };
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Finds the inline scripts of the page. Our own build writes their tags, so a plain search finds them.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_that_says_not_modified_changes_no_stored_header() {
        let policy = SecurityHeaders::new("", &[]);
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        policy.add_to(&mut response);
        assert!(response.headers().is_empty(), "{response:?}");
        *response.status_mut() = StatusCode::OK;
        policy.add_to(&mut response);
        assert_eq!(response.headers()["content-security-policy"], DATA);
    }

    #[test]
    fn inline_scripts_are_named_by_their_hashes_and_files_are_not() {
        let html = "<script>alert(1)</script><script src=\"/a.js\"></script><script type=\"module\">\nb()\n</script>";
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["alert(1)", "\nb()\n"]);
        let policy = SecurityHeaders::new(html, &["https://a.example".parse().unwrap()]);
        let policy = policy.0.to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2);
        // The output of `openssl dgst -sha256 -binary | base64`.
        assert!(policy.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'self' https://a.example") && !policy.contains("unsafe-inline"));
    }
}
