//! One request, and its whole answer.

use gloo_net::http::{Headers, Request as Asked};
use web_sys::{RequestCache, RequestInit};

use crate::browser;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The address, as seen from the root of the server: without a slash at its start.
    pub address: &'a str,
    /// Headers by name.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent along.
    pub body: Option<&'a str>,
}

/// What the server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `ETag`; empty where there is none.
    pub etag: String,
    /// The header `Date`; empty where there is none.
    pub date: String,
    /// The header `Content-Type`; empty where there is none.
    pub kind: String,
    /// All of the body.
    pub body: String,
}

/// Nobody answered: there is no network, or no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server does not answer")]
pub struct NoAnswer;

impl Answer {
    /// Whether the status is one of success (RFC 9110, 15.3).
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Gets what is at an address below the root of the server, never from the browser's cache.
///
/// # Errors
/// [`NoAnswer`]; an answer with a status of failure is none.
pub async fn get(address: &str) -> Result<Answer, NoAnswer> {
    send(Request { method: "GET", address, headers: &[("accept", "application/json")], body: None }).await
}

/// Asks, and waits for all of the answer.
///
/// # Errors
/// [`NoAnswer`]; an answer with a status of failure is none.
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
    // Not by the library's builder, which writes an address with a query in a way of its own: what the server had the browser
    // fetch beforehand is found by its very address.
    let asked =
        web_sys::Request::new_with_str_and_init(&browser::address(request.address), &init).map_err(|_| NoAnswer)?;
    let response = Asked::from(asked).send().await.map_err(|_| NoAnswer)?;
    let header = |name| response.headers().get(name).unwrap_or_default();
    let (etag, date, kind) = (header("etag"), header("date"), header("content-type"));
    let body = response.text().await.map_err(|_| NoAnswer)?;
    Ok(Answer { status: response.status(), etag, date, kind, body })
}
