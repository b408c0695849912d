//! Pages of other sites must not push.
//!
//! A browser sends a plain POST to wherever a page says, without asking first, and the answer that the page may not read
//! it comes after the deed. So whatever changes something is refused where the browser says that a page of another
//! site sent it: by `Sec-Fetch-Site` (W3C Fetch Metadata), or where that is absent by an `Origin` of another host than
//! the request's. curl, scripts and services send neither.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::config::Origin;
use crate::problem::ApiError;

/// Lets a request pass that reads, or that no page of another site sent, unless `allowed` names that page's origin.
pub async fn refuse(State(allowed): State<Arc<[Origin]>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match foreign(request.headers()) {
        Some(origin) if !reads && !allowed.iter().any(|known| known.header() == origin.as_str()) => {
            ApiError::ForeignPage(origin).into_response()
        }
        _ => next.run(request).await,
    }
}

/// The origin of the page of another site that sent the request, if one did.
fn foreign(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN.as_str())?;
    let same = match text("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        // A name alone: behind a proxy the scheme that the browser used is not known.
        None => origin.split_once("://").is_some_and(|(_, host)| Some(host) == text(header::HOST.as_str())),
    };
    (!same).then(|| origin.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_told_by_what_the_browser_says() {
        for (headers, is_foreign) in [
            (vec![("host", "a:1")], false),
            (vec![("host", "a:1"), ("origin", "http://a:1")], false),
            (vec![("host", "a:1"), ("origin", "http://b:1")], true),
            (vec![("host", "a:1"), ("origin", "http://a:2")], true),
            (vec![("host", "a:1"), ("origin", "null")], true),
            (vec![("host", "inner:1"), ("origin", "https://a"), ("sec-fetch-site", "same-origin")], false),
            (vec![("host", "a"), ("origin", "http://b"), ("sec-fetch-site", "cross-site")], true),
            (vec![("host", "a"), ("origin", "http://c.a"), ("sec-fetch-site", "same-site")], true),
        ] {
            let map = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(foreign(&map).is_some(), is_foreign, "{headers:?}");
        }
    }
}
