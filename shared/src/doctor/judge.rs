//! Turns measurements into findings, one for each check.
//!
//! - `path`: reachability, headers, resuming, protocol and clock;
//! - `stream`: the flow of events, compression and timeouts;
//! - `page`: the page and its files, saving, and large pushes.

mod page;
mod path;
mod stream;

use super::{Check, Finding, Level, Measurements, Mend};

/// Returns every finding in the order of [`Check`]. If no Pulseboard answers, returns only that finding.
#[must_use]
pub fn judge(measured: &Measurements) -> Vec<Finding> {
    let reach = path::reach(measured);
    if reach.level == Level::Fail {
        return vec![reach];
    }
    let proxy = measured.proxy();
    let mut findings = vec![reach];
    findings.extend(path::headers(measured, proxy));
    findings.push(path::resume(measured, proxy));
    findings.extend(stream::live(measured, proxy));
    findings.extend(stream::buffering(measured, proxy));
    findings.extend(stream::compression(measured, proxy));
    match stream::lifetime(measured, proxy) {
        // A proxy that cuts a busy stream also cuts a silent one, for the same reason, so the idle finding is left
        // out.
        Some(cut) if cut.level != Level::Ok => findings.push(cut),
        lasts => findings.extend(stream::idle(measured, proxy).into_iter().chain(lasts)),
    }
    findings.extend(path::protocol(measured, proxy));
    findings.push(path::clock(measured));
    findings.extend(page::page(measured, proxy));
    findings.extend(page::assets(measured, proxy));
    findings.extend(page::saving(measured, proxy));
    findings.extend(page::bodies(measured, proxy));
    findings
}

fn ok(check: Check, what: impl Into<String>) -> Finding {
    Finding { check, level: Level::Ok, what: what.into(), why: String::new(), mend: Vec::new() }
}

fn warn(check: Check, what: impl Into<String>, why: &str, mend: Vec<Mend>) -> Finding {
    Finding { check, level: Level::Warn, what: what.into(), why: why.to_owned(), mend }
}

fn fail(check: Check, what: impl Into<String>, why: &str, mend: Vec<Mend>) -> Finding {
    Finding { check, level: Level::Fail, what: what.into(), why: why.to_owned(), mend }
}

/// Formats a duration for a message: `80 ms`, `2 s`, `1.8 s`, `3 min`.
fn span(ms: u64) -> String {
    // Rounds to a tenth of a second, the precision of the measurement.
    let tenths = (ms + 50) / 100;
    match (ms, tenths % 10) {
        (0..950, _) => format!("{ms} ms"),
        (950..120_000, 0) => format!("{} s", tenths / 10),
        (950..120_000, tenth) => format!("{}.{tenth} s", tenths / 10),
        _ => format!("{} min", ms / 60_000),
    }
}
