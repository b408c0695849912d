//! What readers that never read cost those that do: latency from the intended time of a push to its arrival, with and
//! without them, in turn, and the server's memory.

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

/// How it is measured.
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
    let goals: Vec<Goal<'_>> =
        [0, 1, 3].map(|column| Goal { column, over: Some(without.as_str()), bound: Bound::AtMost(1.2) }).into();
    let part = format!(
        "{} pushes a second of {} bytes, {} s, {} rounds\n\n{}\n{}",
        options.rate,
        options.bytes,
        options.seconds,
        options.rounds,
        figures.table("readers"),
        figures.goals(&name(options.bad), &goals),
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
