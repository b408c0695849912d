//! Sends one request to the stream's address to learn its status, which EventSource does not expose.

use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCache, RequestInit, Response};

use super::refusal::ProbeResponse;

/// Sends the request. Returns `None` where there is no answer.
pub async fn probe(address: &str) -> Option<ProbeResponse> {
    ask(address).await.ok()
}

async fn ask(address: &str) -> Result<ProbeResponse, JsValue> {
    let stop = AbortController::new()?;
    let request = RequestInit::new();
    request.set_cache(RequestCache::NoStore);
    request.set_signal(Some(&stop.signal()));
    let response = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(address, &request)).await?;
    let response: Response = response.dyn_into()?;
    let retry_after = response.headers().get("retry-after")?;
    let is_problem =
        response.headers().get("content-type")?.is_some_and(|kind| kind.starts_with(shared::problem::CONTENT_TYPE));
    let mut answer = ProbeResponse { status: response.status(), retry_after, detail: None };
    if is_problem {
        // The browser's parser reads it: ours would take a kilobyte for one field.
        let body = JsFuture::from(response.json()?).await?;
        answer.detail = js_sys::Reflect::get(&body, &"detail".into())?.as_string();
    }
    // The body of a stream has no end, so it is aborted.
    stop.abort();
    Ok(answer)
}
