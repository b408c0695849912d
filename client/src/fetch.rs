//! Sends a request and waits for the whole answer.

use gloo_net::http::{Headers, Request as Asked};
use web_sys::{RequestCache, RequestInit};

use crate::browser;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The address relative to the server's root, without a slash at its start.
    pub address: &'a str,
    /// The headers by name.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: Option<&'a str>,
}

/// The answer of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `ETag`; empty if absent.
    pub etag: String,
    /// The header `Date`; empty if absent.
    pub date: String,
    /// The header `Content-Type`; empty if absent.
    pub kind: String,
    /// The whole body.
    pub body: String,
}

/// No answer came: the network or the server is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server does not answer")]
pub struct NoAnswer;

impl Answer {
    /// Returns true for a successful status (RFC 9110, 15.3).
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Gets an address relative to the server's root, bypassing the browser's cache.
///
/// # Errors
/// [`NoAnswer`]. An answer with an error status is not an error here.
pub async fn get(address: &str) -> Result<Answer, NoAnswer> {
    send(Request { method: "GET", address, headers: &[("accept", "application/json")], body: None }).await
}

/// Sends a request and waits for the whole answer.
///
/// # Errors
/// [`NoAnswer`]. An answer with an error status is not an error here.
pub async fn send(request: Request<'_>) -> Result<Answer, NoAnswer> {
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_cache(RequestCache::NoStore);
    let headers = Headers::new();
    for (name, value) in request.headers {
        headers.set(name, value);
    }
    init.set_headers(&headers.into_raw());
    if let Some(body) = request.body {
        init.set_body(&body.into());
    }
    // Avoids the library's builder, which normalises a query in its own way: the browser finds a preloaded response
    // only by exactly the same URL.
    let asked =
        web_sys::Request::new_with_str_and_init(&browser::address(request.address), &init).map_err(|_| NoAnswer)?;
    let response = Asked::from(asked).send().await.map_err(|_| NoAnswer)?;
    let header = |name| response.headers().get(name).unwrap_or_default();
    let (etag, date, kind) = (header("etag"), header("date"), header("content-type"));
    let body = response.text().await.map_err(|_| NoAnswer)?;
    Ok(Answer { status: response.status(), etag, date, kind, body })
}
