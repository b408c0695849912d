//! Measures the effect of readers that never read on the others: the latency from the due time of a push to its
//! arrival, with and without such readers in turn, and the server's memory.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal, quantile_ms};
use crate::load::clock::{Moment, Schedule};
use crate::load::pushers::Pusher;
use crate::load::readers::Readers;
use crate::load::reading::Habit;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Readers that read
    #[arg(long, default_value_t = 1_000)]
    good: usize,
    /// Readers that never do
    #[arg(long, default_value_t = 1_000)]
    bad: usize,
    /// Pushes a second
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Bytes of a push
    #[arg(long, default_value_t = 1_000)]
    bytes: usize,
    /// KiB that are pushed before anything is measured, so that the sockets of those that never read are full
    #[arg(long, default_value_t = 100)]
    before: usize,
    /// Seconds of a phase
    #[arg(long, default_value_t = 15)]
    seconds: u32,
    /// Phases of each kind
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const COLUMNS: [Column; 5] = [
    Column { name: "p50 ms", digits: 2 },
    Column { name: "p99 ms", digits: 2 },
    Column { name: "memory after 1 s, KiB", digits: 0 },
    Column { name: "at the end", digits: 0 },
    Column { name: "good readers that missed any", digits: 0 },
];

/// Runs the phases in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut figures = Figures::new(&COLUMNS);
    let name = |bad: usize| format!("{} read, {bad} never do", options.good);
    for _ in 0..options.rounds {
        for bad in [0, options.bad] {
            figures.add(&name(bad), phase(binary, options, bad)?);
        }
    }
    let without = name(0);
    let with = name(options.bad);
    let goals = [0, 1, 3].map(|column| Goal {
        of: with.as_str(),
        column,
        over: Some(without.as_str()),
        bound: Bound::AtMost(1.2),
    });
    let part = format!(
        "{} pushes a second of {} bytes, {} s after {} KiB to begin with, {} rounds\n\n{}\n{}",
        options.rate,
        options.bytes,
        options.seconds,
        options.before,
        options.rounds,
        figures.table("readers"),
        figures.goals(&goals),
    );
    options.record.write("stalls", &part)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn phase(binary: &Path, options: &Options, bad: usize) -> anyhow::Result<Vec<f64>> {
    let server = Server::start(Peer::Pulseboard, binary)?;
    let mut pusher = Pusher::connect(server.addr)?;
    pusher.push(server.inlet(), &server.body(0, options.bytes))?;
    let path = "/sse?series=bench/**";
    let _stalled = Readers::connect(server.addr, path, bad, Habit::Stall)?;
    let mut readers = Readers::connect(server.addr, path, options.good, Habit::Read)?;
    for _ in 0..(options.before << 10).div_ceil(options.bytes) {
        pusher.push(server.inlet(), &server.body(0, options.bytes))?;
        // No faster than a selection gets frames; otherwise several pushes would share a frame.
        std::thread::sleep(Duration::from_millis(60));
    }
    let schedule = Schedule { start: Moment::now(), gap: Duration::from_secs(1) / options.rate };
    readers.expect(schedule)?;
    let last = u64::from(options.rate * options.seconds);
    let mut before = 0;
    for number in 1..=last {
        schedule.due(number).wait();
        pusher.push(server.inlet(), &server.body(number, options.bytes))?;
        if number == u64::from(options.rate) {
            before = server.resident()?;
        }
    }
    let after = server.resident()?;
    let mut heard = readers.finish(last, Duration::from_secs(10))?;
    Ok(vec![
        quantile_ms(&mut heard.latencies, 0.5),
        quantile_ms(&mut heard.latencies, 0.99),
        before as f64,
        after as f64,
        heard.short as f64,
    ])
}
