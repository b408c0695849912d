//! `GET /sse/probe`: a stream with known content, so that the doctor can see how the path to the client changes it.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Version};
use axum::response::Response;
use futures_util::{StreamExt as _, future::ready, stream};
use serde::Deserialize;
use shared::doctor::probe::{self, EVENT, Echo};
use tokio::time::{Instant, sleep_until};

use super::form::{Coding, Framing, as_stream};
use super::state::Streams;
use crate::clock;
use crate::http::problem::ApiError;
use crate::hub::frame::Frame;

/// Maximum number of frames of a probe.
const MAX_FRAMES: u32 = 100;

/// Maximum time of a probe, in milliseconds. It costs the server no more than a subscriber does.
const MAX_TOTAL_MS: u64 = 600_000;

/// Maximum number of padding bytes in a frame.
const MAX_PADDING: usize = 16_384;

/// Maximum length of an echoed header, in characters.
const MAX_ECHO: usize = 200;

#[derive(Debug)]
struct ProbeRequest {
    frames: u32,
    every_ms: u64,
    padding: usize,
    uneven: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    frames: Option<String>,
    every_ms: Option<String>,
    padding: Option<String>,
    uneven: Option<String>,
}

/// Streams `frames=` frames, one every `every_ms=` milliseconds, each with `padding=` bytes without meaning, and ends.
/// With `uneven=1` the pauses differ, but have the same sum. Every frame has the server's clock, and the first one has
/// the parts of the request that arrived here.
///
/// # Errors
/// [`ApiError::Invalid`], which names the parameter.
pub async fn open(
    State(streams): State<Streams>,
    version: Version,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = parse(query.as_deref().unwrap_or_default())?;
    let header = |name: &str| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).chars().take(MAX_ECHO).collect())
    };
    let echo = Echo {
        last_event_id: header("last-event-id"),
        accept_encoding: header("accept-encoding"),
        http: format!("{version:?}"),
    };
    let start = Instant::now();
    // Compressed like a real stream, since the probe must show what a proxy does with that.
    let coding = Coding::negotiate(streams.compression, &headers);
    let name = coding.name();
    let frames = stream::unfold((0, Some(echo), coding), move |(n, echo, mut coding)| {
        let ProbeRequest { frames, every_ms, padding, uneven } = request;
        async move {
            let piece = match n.cmp(&frames) {
                Ordering::Less => {
                    sleep_until(start + Duration::from_millis(probe::due_ms(n, every_ms, uneven))).await;
                    let text = write(&probe::Frame { n, now: clock::now().wall, echo }, padding);
                    let begin = coding.begin(Framing::Bare).filter(|_| n == 0).unwrap_or_default();
                    [begin, coding.frame(&Frame::new(&text), Framing::Bare).clone()].concat()
                }
                Ordering::Equal => coding.end(Framing::Bare).to_vec(),
                Ordering::Greater => return None,
            };
            Some((Ok::<_, Infallible>(piece), (n + 1, None, coding)))
        }
    });
    let frames = frames.filter(|piece| ready(piece.as_ref().is_ok_and(|piece| !piece.is_empty())));
    Ok(as_stream(Response::new(Body::from_stream(frames)), streams.compression, name))
}

fn write(frame: &probe::Frame, padding: usize) -> String {
    let json = serde_json::to_string(frame).expect("a frame is always JSON");
    let padding = if padding == 0 { String::new() } else { format!(": {}\n", ".".repeat(padding)) };
    format!("{padding}event: {EVENT}\ndata: {json}\n\n")
}

fn parse(query: &str) -> Result<ProbeRequest, ApiError> {
    let expected = "optionally frames=, every_ms=, padding= and uneven=";
    let query: Query =
        serde_html_form::from_str(query).map_err(|error| ApiError::field("query", expected, error.to_string()))?;
    let number = |field, given: Option<String>, otherwise: u64, range: std::ops::RangeInclusive<u64>| {
        let Some(text) = given else { return Ok(otherwise) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        number.ok_or_else(|| ApiError::field(field, expected(), format!("{text:?}")))
    };
    let frames = number("frames", query.frames, 10, 1..=u64::from(MAX_FRAMES))?;
    let every_ms = number("every_ms", query.every_ms, 200, 0..=MAX_TOTAL_MS)?;
    let padding = number("padding", query.padding, 0, 0..=MAX_PADDING as u64)?;
    let uneven = number("uneven", query.uneven, 0, 0..=1)? == 1;
    let total = (frames - 1) * every_ms;
    if total > MAX_TOTAL_MS {
        let expected = format!("at most {MAX_TOTAL_MS} in all");
        return Err(ApiError::field("every_ms", expected, format!("{frames} frames in {total}")));
    }
    // Each was checked against a bound that fits.
    let (frames, padding) = (frames.try_into().unwrap_or(MAX_FRAMES), padding.try_into().unwrap_or(0));
    Ok(ProbeRequest { frames, every_ms, padding, uneven })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(query: &str) -> String {
        parse(query).unwrap_err().to_string()
    }

    #[test]
    fn a_probe_is_bounded_in_count_time_and_size() {
        let request = parse("").unwrap();
        assert_eq!((request.frames, request.every_ms, request.padding, request.uneven), (10, 200, 0, false));
        assert!(parse("uneven=1").unwrap().uneven && error("uneven=2").contains("uneven"));
        assert!(parse("frames=2&every_ms=600000&padding=16384").is_ok());
        assert!(error("frames=101").contains("frames: expected a whole number from 1 to 100"));
        assert!(error("frames=0").contains("frames"));
        assert!(error("frames=3&every_ms=600000").contains("every_ms: expected at most 600000 in all"));
        assert!(error("padding=16385").contains("padding"));
        assert!(error("frame=1").contains("frame"));
    }

    #[test]
    fn a_frame_is_an_event_that_reads_back() {
        let frame = probe::Frame { n: 3, now: shared::Millis(7), echo: None };
        let messages = shared::sse::Parser::default().feed(write(&frame, 50).as_bytes());
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].event, EVENT);
        assert_eq!(serde_json::from_str::<probe::Frame>(&messages[0].data).unwrap(), frame);
    }
}
