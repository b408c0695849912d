//! Runs probes and opens the real stream, and measures when each part of the answer arrives.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use shared::doctor::probe::{self, Frame};
use shared::doctor::{Arrival, End, Exchange, Live};
use shared::{Event, sse};
use ureq::Body;
use ureq::http::{Method, Response};

use super::address::Address;
use super::client::{Asked, Client, head};
use super::patience::PATIENCE;

/// The value that the doctor sends in Last-Event-ID. It is not a cursor: `/sse` would answer it with a `gap`.
const LAST_EVENT_ID: &str = "doctor";

/// Parameters of a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) frames: u32,
    pub(super) every_ms: u64,
    pub(super) uneven: bool,
    pub(super) padding: usize,
    pub(super) encoding: &'static str,
}

/// Requests a probe, and reads it to its end.
pub(super) fn probe(client: &Client, address: &Address, asked: &Probe) -> Exchange {
    let Probe { frames, every_ms, uneven, padding, encoding } = *asked;
    let uneven_query = if uneven { "&uneven=1" } else { "" };
    let query = format!("?frames={frames}&every_ms={every_ms}&padding={padding}{uneven_query}");
    let path = format!("{}{}{query}", address.path(), probe::PATH);
    let headers = [("Accept", sse::CONTENT_TYPE), ("Accept-Encoding", encoding), ("Last-Event-ID", LAST_EVENT_ID)];
    let deadline = Duration::from_millis(probe::due_ms(frames - 1, every_ms, uneven)) + PATIENCE;
    let start = Instant::now();
    let asked = Asked { method: Method::GET, path: &path, headers: &headers, body: None, deadline };
    let opened = client.send(address, &asked);
    let mut exchange = Exchange {
        frames,
        every_ms,
        last_event_id: Some(LAST_EVENT_ID.to_owned()),
        answer: opened.as_ref().map(head).map_err(Clone::clone),
        echo: None,
        arrivals: Vec::new(),
        end: End::Whole,
        ended_ms: 0,
    };
    let came_to_its_end = opened.is_ok_and(|response| read(response, start, &mut exchange).is_ok());
    exchange.ended_ms = since(start);
    let readable = exchange.answer.as_ref().is_ok_and(|head| head.content_encoding.is_none());
    let missing = readable && exchange.arrivals.len() < frames as usize;
    exchange.end = if exchange.ended_ms >= ms(deadline) {
        End::GivenUp
    } else if came_to_its_end && !missing {
        End::Whole
    } else {
        End::Cut
    };
    exchange
}

/// Opens the real stream, for no series, and waits for its `hello`.
pub(super) fn live(client: &Client, address: &Address) -> Live {
    let start = Instant::now();
    let path = format!("{}/sse?series=pulseboard/doctor", address.path());
    let headers = [("Accept", sse::CONTENT_TYPE), ("Accept-Encoding", "identity")];
    let opened = client
        .send(address, &Asked { method: Method::GET, path: &path, headers: &headers, body: None, deadline: PATIENCE });
    let answer = opened.as_ref().map(head).map_err(Clone::clone);
    let heartbeat_ms = opened.ok().and_then(|response| hello(response.into_body().into_reader()));
    Live { answer, heartbeat_ms, waited_ms: since(start) }
}

fn hello(mut body: impl Read) -> Option<u64> {
    let mut parser = sse::Parser::default();
    let mut piece = [0; 4_096];
    loop {
        let len = body.read(&mut piece).ok().filter(|&len| len > 0)?;
        for message in parser.feed(&piece[..len]) {
            if let Ok(Event::Hello { heartbeat_ms, .. }) = serde_json::from_str(&message.data) {
                return Some(heartbeat_ms);
            }
        }
    }
}

fn read(response: Response<Body>, start: Instant, exchange: &mut Exchange) -> io::Result<()> {
    let readable = head(&response).content_encoding.is_none();
    let mut parser = sse::Parser::default();
    let mut body = response.into_body().into_reader();
    let mut piece = [0; 16_384];
    loop {
        let len = body.read(&mut piece)?;
        if len == 0 {
            return Ok(());
        }
        let at_ms = since(start);
        if !readable {
            exchange.arrivals.push(Arrival { sent: None, at_ms });
            continue;
        }
        for message in parser.feed(&piece[..len]) {
            if let Ok(Frame { now, echo, .. }) = serde_json::from_str(&message.data) {
                exchange.arrivals.push(Arrival { sent: Some(now), at_ms });
                exchange.echo = exchange.echo.take().or(echo);
            }
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn since(start: Instant) -> u64 {
    ms(start.elapsed())
}
