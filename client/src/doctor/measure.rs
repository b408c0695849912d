//! Measures the stream's network path with the means of a browser.
//!
//! The measurements are built as a JavaScript object with the shape of [`shared::doctor::Measurements`], and the
//! server judges them. The judging code and its texts would be an eighth of the page, for a rarely used feature.

use js_sys::{Array, Function, JSON, Object, Reflect, Uint8Array};
use leptos::prelude::window;
use shared::doctor::probe::PATH;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, ReadableStreamDefaultReader, RequestCache, RequestInit, Response};

use super::JUDGE;
use super::findings::Finding;
use crate::{browser, json};

/// The Last-Event-ID of a probe, sent to see whether it arrives.
const LAST_EVENT_ID: &str = "doctor-1";

/// The headers that matter to a stream, with their field names in the measurements.
const HEADERS: [(&str, &str); 8] = [
    ("content_type", "content-type"),
    ("cache_control", "cache-control"),
    ("content_encoding", "content-encoding"),
    ("accel_buffering", "x-accel-buffering"),
    ("age", "age"),
    ("location", "location"),
    ("server", "server"),
    ("via", "via"),
];

/// Measures everything that a browser can, and returns the server's findings. A browser cannot refuse compression,
/// but small frames are not worth compressing, so they stand for the uncompressed probe. The stream itself is not
/// probed, since the page already has one.
///
/// # Errors
/// If the server does not answer, or not as expected.
pub async fn examine() -> Result<Vec<Finding>, JsValue> {
    let before = number(browser::now());
    let knock = probe(1, 0, 0).await?;
    let clock = Array::of2(&before, &number(browser::now()));
    let host = window().location().hostname()?;
    let loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let reached = Reflect::get(&knock, &"echo".into())?.is_object();
    // Runs both probes at once, so that they take as long as the longer one.
    let (plain, compressed) = match reached {
        true => {
            let compressed = wasm_bindgen_futures::future_to_promise(probe(10, 200, 2_000));
            (probe(10, 200, 0).await?, JsFuture::from(compressed).await?)
        }
        false => (JsValue::NULL, JsValue::NULL),
    };
    let saving = if reached { saving().await? } else { JsValue::NULL };
    let measured = object(&[
        ("base", browser::base().into()),
        ("loopback", loopback.into()),
        ("redirects", Array::new().into()),
        ("knock", knock),
        ("clock", clock.into()),
        ("protocol", protocol().into()),
        ("plain", plain),
        ("compressed", compressed),
        ("saving", saving),
    ])?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&JSON::stringify(&measured)?.into());
    let answer: Response =
        JsFuture::from(window().fetch_with_str_and_init(&browser::address(JUDGE), &request)).await?.dyn_into()?;
    let text = JsFuture::from(answer.text()?).await?.as_string().unwrap_or_default();
    json::read(&text).ok_or_else(|| text.into())
}

/// Sends a change of a board with an `If-Match` that no board meets, in the way in which this page would save a
/// board.
async fn saving() -> Result<JsValue, JsValue> {
    let request = RequestInit::new();
    request.set_method("PUT");
    request.set_body(&r#"{"widgets":[]}"#.into());
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    headers.set("If-Match", "\"doctor\"")?;
    request.set_headers(&headers);
    let address = browser::address("api/boards/pulseboard-doctor");
    let answer = match JsFuture::from(window().fetch_with_str_and_init(&address, &request)).await {
        Err(_) => no_answer()?,
        Ok(response) => object(&[("Ok", head(&response.dyn_into()?)?)])?,
    };
    // A browser sends Sec-Fetch-Site only from a secure context.
    object(&[(if window().is_secure_context() { "with_fetch_site" } else { "origin_only" }, answer)])
}

/// Makes a failed answer. A browser does not give the reason of a failure.
fn no_answer() -> Result<JsValue, JsValue> {
    object(&[("Err", object(&[("why", "other".into()), ("detail", "the browser got no answer".into())])?)])
}

async fn probe(frames: u32, every_ms: u32, padding: u32) -> Result<JsValue, JsValue> {
    let asked = browser::now();
    let since = || number(browser::now().saturating_sub(asked));
    let request = RequestInit::new();
    request.set_cache(RequestCache::NoStore);
    let headers = Headers::new()?;
    headers.set("Last-Event-ID", LAST_EVENT_ID)?;
    request.set_headers(&headers);
    let path = PATH.trim_start_matches('/');
    let address = browser::address(&format!("{path}?frames={frames}&every_ms={every_ms}&padding={padding}"));
    let answered = JsFuture::from(window().fetch_with_str_and_init(&address, &request)).await;
    let arrivals = Array::new();
    let mut echo = JsValue::NULL;
    let answer = match answered {
        Err(_) => no_answer()?,
        Ok(response) => {
            let response: Response = response.dyn_into()?;
            // The frames that came before the connection broke still count.
            let _broken = read(&response, &arrivals, &mut echo, &since).await;
            object(&[("Ok", head(&response)?)])?
        }
    };
    let end = if arrivals.length() >= frames { "whole" } else { "cut" };
    object(&[
        ("frames", frames.into()),
        ("every_ms", every_ms.into()),
        ("last_event_id", LAST_EVENT_ID.into()),
        ("answer", answer),
        ("echo", echo),
        ("arrivals", arrivals.into()),
        ("end", end.into()),
        ("ended_ms", since()),
    ])
}

/// Records each frame as it arrives.
async fn read(
    response: &Response,
    arrivals: &Array,
    echo: &mut JsValue,
    since: &impl Fn() -> JsValue,
) -> Result<(), JsValue> {
    let body = response.body().ok_or(JsValue::NULL)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    let mut text = String::new();
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        let value = Reflect::get(&piece, &"value".into())?;
        if value.is_undefined() {
            return Ok(());
        }
        text.push_str(&String::from_utf8_lossy(&Uint8Array::new(&value).to_vec()));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            if let Some((_, data)) = frame.split_once("data: ") {
                let data = JSON::parse(data)?;
                arrivals.push(&object(&[("sent", Reflect::get(&data, &"now".into())?), ("at_ms", since())])?);
                let echoed = Reflect::get(&data, &"echo".into())?;
                if echoed.is_object() {
                    *echo = echoed;
                }
            }
            text = rest.to_owned();
        }
    }
}

fn head(response: &Response) -> Result<JsValue, JsValue> {
    let head = object(&[("status", response.status().into())])?;
    for (field, header) in HEADERS {
        Reflect::set(&head, &field.into(), &response.headers().get(header)?.into())?;
    }
    Ok(head)
}

/// The protocol of the last probe, such as `h2` (W3C Resource Timing, `nextHopProtocol`).
fn protocol() -> Option<String> {
    let performance: JsValue = window().performance()?.into();
    let list: Function = Reflect::get(&performance, &"getEntriesByType".into()).ok()?.dyn_into().ok()?;
    let entries: Array = list.call1(&performance, &"resource".into()).ok()?.dyn_into().ok()?;
    let named = |entry: &JsValue, field: &str| Reflect::get(entry, &field.into()).ok()?.as_string();
    let mut probes = entries.iter().filter(|entry| named(entry, "name").is_some_and(|name| name.contains(PATH)));
    named(&probes.next_back()?, "nextHopProtocol").filter(|protocol| !protocol.is_empty())
}

fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (field, value) in fields {
        Reflect::set(&object, &(*field).into(), value)?;
    }
    Ok(object.into())
}

#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn number(ms: u64) -> JsValue {
    (ms as f64).into()
}
