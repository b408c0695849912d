//! `pulseboard doctor`: takes the same path as a stream, and reports problems on the way.
//!
//! These modules only measure and print; [`shared::doctor`] judges. [`run`] does all of it:
//!
//! - `address` parses the server's address.
//! - `client` sends a request, through the forward proxy of the environment (`forward`).
//! - `exchange` runs probes and opens the real stream; `protocol` finds the version of HTTP.
//! - `rest` checks the page, saving and long pushes.
//! - `report` prints the findings.

pub(crate) mod address;
mod client;
mod exchange;
mod forward;
mod patience;
mod protocol;
mod report;
mod rest;

use std::io::Write;

use serde::Serialize;
use shared::doctor::{Certificate, Exchange, Failure, Finding, Level, Measurements, held_ms, judge};

pub use address::{Address, AddressError};
pub use client::{ExtraHeader, HeaderError};

use crate::clock;
use crate::plain_text;
use client::Client;
use exchange::{Probe, live, probe};
use forward::Way;

/// Maximum number of redirects that are followed.
const MAX_HOPS: usize = 5;

/// The probe that looks for buffering: enough frames to see a pattern, and soon over.
const PROBE: Probe = Probe { frames: 10, every_ms: 200, uneven: true, padding: 0, encoding: "identity" };

/// The same probe with a browser's headers. Caddy compresses nothing whose first piece is below 512 bytes, and
/// snapshots are larger than that. In a compressed stream, the doctor cannot read when each frame was sent, so this
/// probe has even pauses to make the pattern visible.
const BROWSER: Probe = Probe { uneven: false, padding: 2_000, encoding: "gzip, deflate, br, zstd", ..PROBE };

/// A probe that ends at once.
const REACHABILITY: Probe = Probe { frames: 1, every_ms: 0, uneven: false, ..PROBE };

/// Maximum number of frames of a stream that is never silent for long.
const MAX_LASTING: u64 = 60;

/// Options of the command.
#[derive(Debug)]
pub struct Visit {
    /// The address at which clients reach the server.
    pub address: Address,
    /// Seconds that a silent stream must stay open; `None` skips this check.
    pub idle: Option<u32>,
    /// Headers to send with each request.
    pub headers: Vec<ExtraHeader>,
    /// Verification of the server's certificate.
    pub certificate: Certificate,
    /// Print JSON, for programs.
    pub json: bool,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    /// The worst of the findings.
    verdict: Level,
    findings: &'a [Finding],
    measurements: &'a Measurements,
}

/// Measures, judges, and prints to `out`. Returns the level of the worst finding.
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
    plain_text::write_lines(out, &String::from_utf8_lossy(&text))?;
    out.flush()?;
    Ok(verdict)
}

fn measure(client: &Client, address: &Address, idle: Option<u32>) -> Measurements {
    let mut address = address.clone();
    let mut redirects = Vec::new();
    let (knock, clock) = loop {
        let before = clock::now().wall;
        let knock = probe(client, &address, &REACHABILITY);
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
    // Runs after the probes, because on a slow connection these requests would disturb their timing.
    (measured.pages, measured.assets) = rest::page(client, &address);
    measured.saving = Some(rest::saving(client, &address));
    measured.bodies = rest::bodies(client, &address);
    measured
}

/// A probe of two frames with a silence between them.
fn silent(seconds: u32) -> Probe {
    Probe { frames: 2, every_ms: u64::from(seconds) * 1_000, uneven: false, ..PROBE }
}

/// A probe that lasts equally long, with a frame each second, or every few seconds where that would be too many frames.
fn lasting(seconds: u32) -> Probe {
    let ms = u64::from(seconds) * 1_000;
    let pauses = u64::from(seconds).min(MAX_LASTING);
    Probe { frames: u32::try_from(pauses + 1).unwrap_or(2), every_ms: ms / pauses, uneven: false, ..PROBE }
}

/// Repeats a probe that seems to be buffered: a machine that was busy for two seconds looks the same.
fn twice(client: &Client, address: &Address, asked: &Probe) -> Exchange {
    let first = probe(client, address, asked);
    let silent = matches!(first.answer, Err(Failure::TimedOut));
    if held_ms(&first).is_some() && !silent { probe(client, address, asked) } else { first }
}
