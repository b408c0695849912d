//! One request, and its whole answer.

use gloo_net::http::RequestBuilder;
use web_sys::RequestCache;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The address, as it is seen from the page.
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

/// Gets what is at an address, never from the browser's cache.
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
    ask(request).await.map_err(|_| NoAnswer)
}

async fn ask(request: Request<'_>) -> Result<Answer, gloo_net::Error> {
    let mut asked = RequestBuilder::new(request.address)
        .method(request.method.parse().unwrap_or_default())
        .cache(RequestCache::NoStore);
    for (name, value) in request.headers {
        asked = asked.header(name, value);
    }
    let response = match request.body {
        Some(body) => asked.body(body)?.send().await?,
        None => asked.send().await?,
    };
    let header = |name| response.headers().get(name).unwrap_or_default();
    let (etag, date, kind) = (header("etag"), header("date"), header("content-type"));
    Ok(Answer { status: response.status(), etag, date, kind, body: response.text().await? })
}
