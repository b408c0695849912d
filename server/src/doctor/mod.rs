//! `pulseboard doctor`: goes the way that a stream goes, and says what breaks it there.
//!
//! This part only measures and prints; [`shared::doctor`] judges.

pub(crate) mod address;
mod exchange;
mod protocol;
mod report;

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use shared::doctor::{Failure, Finding, Level, Measurements, held_ms, judge};

pub use address::{Address, AddressError};

use crate::clock;
use crate::terminal;
use exchange::{Asked, Client};

/// Most redirects that are followed.
const MAX_HOPS: usize = 5;

/// The frames of a probe for buffers: enough to see a pattern, soon over.
const PROBE: Asked = Asked { frames: 10, every_ms: 200, padding: 0, encoding: "identity" };

/// The same as browsers ask. Caddy compresses nothing whose first piece is below 512 bytes, and snapshots are above.
const BROWSER: Asked = Asked { padding: 2_000, encoding: "gzip, deflate, br, zstd", ..PROBE };

/// Ends at once.
const KNOCK: Asked = Asked { frames: 1, every_ms: 0, ..PROBE };

/// What to look at, and how to say it.
#[derive(Debug)]
pub struct Visit {
    /// Where readers reach the server.
    pub address: Address,
    /// How long a stream has to stay open in silence, in seconds; nothing to not look at that.
    pub idle: Option<u32>,
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
    let measured = measure(&visit.address, visit.idle);
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

fn measure(address: &Address, idle: Option<u32>) -> Measurements {
    let client = Client::new();
    let mut address = address.clone();
    let mut redirects = Vec::new();
    let (knock, clock) = loop {
        let before = clock::now().wall;
        let knock = client.probe(&address, &KNOCK);
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
        knock,
        clock,
        protocol: None,
        live: None,
        plain: None,
        compressed: None,
        idle: None,
    };
    if measured.knock.echo.is_none() {
        return measured;
    }
    // All at once: together they take as long as the longest.
    std::thread::scope(|scope| {
        let (client, address) = (&client, &address);
        let plain = scope.spawn(|| twice(client, address, &PROBE));
        let compressed = scope.spawn(|| twice(client, address, &BROWSER));
        let idle = idle.map(|seconds| {
            let asked = Asked { frames: 2, every_ms: u64::from(seconds) * 1_000, ..PROBE };
            scope.spawn(move || client.probe(address, &asked))
        });
        let live = scope.spawn(|| client.live(address));
        measured.protocol = protocol::of(address, client.roots());
        measured.live = live.join().ok();
        measured.plain = plain.join().ok();
        measured.compressed = compressed.join().ok();
        measured.idle = idle.and_then(|idle| idle.join().ok());
    });
    measured
}

/// What looks like a buffer must do so twice: a machine that was busy for two seconds looks the same.
fn twice(client: &Client, address: &Address, asked: &Asked) -> shared::doctor::Exchange {
    let first = client.probe(address, asked);
    let silent = matches!(first.answer, Err(Failure::TimedOut));
    if held_ms(&first).is_some() && !silent { client.probe(address, asked) } else { first }
}

/// How long beyond its own length an exchange may take.
const PATIENCE: Duration = Duration::from_secs(5);
