//! One request, and when which part of its answer came.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use shared::doctor::probe::{self, Frame};
use shared::doctor::{Arrival, End, Exchange, Failure, Head, Live};
use shared::{Event, sse};
use ureq::tls::TlsConfig;
use ureq::{Body, http};

use super::{Address, PATIENCE};
use crate::trust;

/// What the doctor calls itself in Last-Event-ID. It is no cursor: `/sse` would answer it with a `gap`.
const LAST_EVENT_ID: &str = "doctor";

/// What to ask of the probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) frames: u32,
    pub(super) every_ms: u64,
    pub(super) padding: usize,
    pub(super) encoding: &'static str,
}

/// Asks, and looks at the clock.
pub(super) struct Client {
    roots: Vec<CertificateDer<'static>>,
    tls: TlsConfig,
}

impl Client {
    /// Trusts whom this machine trusts (or `SSL_CERT_FILE`), else whom Mozilla does.
    pub(super) fn new() -> Self {
        let roots = trust::roots();
        Self { tls: trust::tls(&roots), roots }
    }

    pub(super) fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    /// Opens a stream. A new connection each time, as each `EventSource` may need one; the body comes as it arrives,
    /// since this build of ureq undoes no compression.
    fn open(
        &self,
        address: &Address,
        path: &str,
        headers: &[(&str, &str)],
        deadline: Duration,
    ) -> Result<http::Response<Body>, Failure> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(deadline))
            .tls_config(self.tls.clone());
        if address.is_loopback() {
            config = config.proxy(None);
        }
        let agent: ureq::Agent = config.build().into();
        let mut request = agent.get(format!("{address}{path}")).header("Accept", sse::CONTENT_TYPE);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().map_err(failure)
    }

    /// Asks for a probe, and reads it to its end.
    pub(super) fn probe(&self, address: &Address, asked: &Asked) -> Exchange {
        let Asked { frames, every_ms, padding, encoding } = *asked;
        let path = format!("{}?frames={frames}&every_ms={every_ms}&padding={padding}", probe::PATH);
        let headers = [("Accept-Encoding", encoding), ("Last-Event-ID", LAST_EVENT_ID)];
        let deadline = Duration::from_millis(every_ms * u64::from(frames - 1)) + PATIENCE;
        let start = Instant::now();
        let opened = self.open(address, &path, &headers, deadline);
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
        let ended = match opened {
            Ok(response) => read(response, start, &mut exchange),
            Err(_) => Ok(()),
        };
        exchange.ended_ms = since(start);
        let readable = exchange.answer.as_ref().is_ok_and(|head| head.content_encoding.is_none());
        let missing = readable && exchange.arrivals.len() < frames as usize;
        exchange.end = match ended {
            _ if exchange.ended_ms >= ms(deadline) => End::GivenUp,
            Ok(()) if !missing => End::Whole,
            _ => End::Cut,
        };
        exchange
    }

    /// Opens the stream itself, for no series, until its `hello`.
    pub(super) fn live(&self, address: &Address) -> Live {
        let start = Instant::now();
        let headers = [("Accept-Encoding", "identity")];
        let opened = self.open(address, "/sse?series=pulseboard/doctor", &headers, PATIENCE);
        let answer = opened.as_ref().map(head).map_err(Clone::clone);
        let heartbeat_ms = opened.ok().and_then(|response| hello(response.into_body().into_reader()));
        Live { answer, heartbeat_ms, waited_ms: since(start) }
    }
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

fn read(response: http::Response<Body>, start: Instant, exchange: &mut Exchange) -> io::Result<()> {
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

fn head(response: &http::Response<Body>) -> Head {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Head {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        cache_control: header("cache-control"),
        content_encoding: header("content-encoding").filter(|encoding| encoding != "identity"),
        accel_buffering: header("x-accel-buffering"),
        age: header("age"),
        location: header("location"),
        server: header("server"),
        via: header("via"),
    }
}

fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::TimedOut,
        ureq::Error::HostNotFound => Failure::NoSuchHost,
        ureq::Error::Rustls(error) => Failure::Tls(error.to_string()),
        ureq::Error::Tls(text) => Failure::Tls(text.to_owned()),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::Refused,
            io::ErrorKind::TimedOut => Failure::TimedOut,
            // rustls wraps what it has to say of a certificate into an error of I/O.
            io::ErrorKind::InvalidData => Failure::Tls(error.to_string()),
            _ => Failure::Other(error.to_string()),
        },
        other => Failure::Other(other.to_string()),
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn since(start: Instant) -> u64 {
    ms(start.elapsed())
}
