//! `pulseboard doctor`: goes the way that a stream goes, and says what breaks it there.
//!
//! This part only measures and prints; [`shared::doctor`] judges.

pub(crate) mod address;
mod client;
mod exchange;
mod forward;
mod protocol;
mod report;
mod rest;

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use shared::doctor::{Certificate, Exchange, Failure, Finding, Level, Measurements, held_ms, judge};

pub use address::{Address, AddressError};
pub use client::{ExtraHeader, HeaderError};

use crate::clock;
use crate::terminal;
use client::Client;
use exchange::{Probe, live, probe};
use forward::Way;

/// Most redirects that are followed.
const MAX_HOPS: usize = 5;

/// The frames of a probe for buffers: enough to see a pattern, soon over.
const PROBE: Probe = Probe { frames: 10, every_ms: 200, uneven: true, padding: 0, encoding: "identity" };

/// The same as browsers ask. Caddy compresses nothing whose first piece is below 512 bytes, and snapshots are above. When a
/// frame was sent cannot be read of what is compressed: there the pattern needs even pauses.
const BROWSER: Probe = Probe { uneven: false, padding: 2_000, encoding: "gzip, deflate, br, zstd", ..PROBE };

/// Ends at once.
const KNOCK: Probe = Probe { frames: 1, every_ms: 0, uneven: false, ..PROBE };

/// Most frames of a stream that is never silent for long.
const MAX_LASTING: u64 = 60;

/// What to look at, and how to say it.
#[derive(Debug)]
pub struct Visit {
    /// Where readers reach the server.
    pub address: Address,
    /// How long a stream has to stay open in silence, in seconds; nothing to not look at that.
    pub idle: Option<u32>,
    /// Headers to send with each request.
    pub headers: Vec<ExtraHeader>,
    /// Whether the certificate of the server must be trusted.
    pub certificate: Certificate,
    /// Print for programs, not for people.
    pub json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    /// The worst of the findings.
    verdict: Level,
    findings: &'a [Finding],
    measurements: &'a Measurements,
}

/// Measures, judges, and prints to `out`. The answer is the worst of the findings.
///
/// # Errors
/// Where `out` cannot be written.
pub fn run(visit: &Visit, out: &mut impl Write) -> std::io::Result<Level> {
    let client = Client::new(visit.certificate, &visit.headers);
    let measured = measure(&client, &visit.address, visit.idle);
    let findings = judge(&measured);
    let verdict = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    let mut text = Vec::new();
    if visit.json {
        let report = Report { verdict, findings: &findings, measurements: &measured };
        serde_json::to_writer_pretty(&mut text, &report)?;
        text.push(b'\n');
    } else {
        report::print(&measured, &findings, &mut text)?;
    }
    // Headers and errors come from the remote server, and may have terminal escapes in them.
    terminal::write_lines(out, &String::from_utf8_lossy(&text))?;
    out.flush()?;
    Ok(verdict)
}

fn measure(client: &Client, address: &Address, idle: Option<u32>) -> Measurements {
    let mut address = address.clone();
    let mut redirects = Vec::new();
    let (knock, clock) = loop {
        let before = clock::now().wall;
        let knock = probe(client, &address, &KNOCK);
        let after = clock::now().wall;
        let to = knock.answer.as_ref().ok().and_then(|head| address.redirected(head));
        match to {
            Some(to) if redirects.len() < MAX_HOPS => {
                redirects.push(to.to_string());
                address = to;
            }
            _ => break (knock, (before, after)),
        }
    };
    let mut measured = Measurements {
        base: address.to_string(),
        loopback: address.is_loopback(),
        redirects,
        through: Way::to(&address).through(),
        certificate: if address.is_https() { client.certificate() } else { Certificate::Checked },
        knock,
        clock,
        protocol: None,
        live: None,
        plain: None,
        compressed: None,
        idle: None,
        lasting: None,
        pages: Vec::new(),
        assets: Vec::new(),
        saving: None,
        bodies: Vec::new(),
    };
    if measured.knock.echo.is_none() {
        return measured;
    }
    // All at once: together they take as long as the longest.
    std::thread::scope(|scope| {
        let address = &address;
        let plain = scope.spawn(|| twice(client, address, &PROBE));
        let compressed = scope.spawn(|| twice(client, address, &BROWSER));
        let probing = |asked: Probe| scope.spawn(move || probe(client, address, &asked));
        let idle = idle.map(|seconds| (probing(silent(seconds)), probing(lasting(seconds))));
        let live = scope.spawn(|| live(client, address));
        measured.protocol = protocol::of(address, client);
        measured.live = live.join().ok();
        measured.plain = plain.join().ok();
        measured.compressed = compressed.join().ok();
        if let Some((idle, lasting)) = idle {
            (measured.idle, measured.lasting) = (idle.join().ok(), lasting.join().ok());
        }
    });
    // After the probes, whose times these would disturb on a slow line.
    (measured.pages, measured.assets) = rest::page(client, &address);
    measured.saving = Some(rest::saving(client, &address));
    measured.bodies = rest::bodies(client, &address);
    measured
}

/// Two frames with a silence between them.
fn silent(seconds: u32) -> Probe {
    Probe { frames: 2, every_ms: u64::from(seconds) * 1_000, uneven: false, ..PROBE }
}

/// For as long, a frame each second, or a few seconds where that would be too many.
fn lasting(seconds: u32) -> Probe {
    let ms = u64::from(seconds) * 1_000;
    let pauses = u64::from(seconds).min(MAX_LASTING);
    Probe { frames: u32::try_from(pauses + 1).unwrap_or(2), every_ms: ms / pauses, uneven: false, ..PROBE }
}

/// What looks like a buffer must do so twice: a machine that was busy for two seconds looks the same.
fn twice(client: &Client, address: &Address, asked: &Probe) -> Exchange {
    let first = probe(client, address, asked);
    let silent = matches!(first.answer, Err(Failure::TimedOut));
    if held_ms(&first).is_some() && !silent { probe(client, address, asked) } else { first }
}

/// How long beyond its own length an exchange may take.
const PATIENCE: Duration = Duration::from_secs(5);
