//! One request, and its whole answer.

use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestInit, Response};

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

async fn ask(request: Request<'_>) -> Result<Answer, JsValue> {
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_cache(RequestCache::NoStore);
    let headers = Headers::new()?;
    for (name, value) in request.headers {
        headers.set(name, value)?;
    }
    init.set_headers(&headers);
    if let Some(body) = request.body {
        init.set_body(&body.into());
    }
    let response = JsFuture::from(window().fetch_with_str_and_init(request.address, &init)).await?;
    let response: Response = response.unchecked_into();
    let headers = response.headers();
    let header = |name| headers.get(name).ok().flatten().unwrap_or_default();
    let (etag, date, kind) = (header("etag"), header("date"), header("content-type"));
    let body = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    Ok(Answer { status: response.status(), etag, date, kind, body })
}
