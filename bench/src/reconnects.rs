//! Measures the effect of a reconnect storm on pushes: after a restart, readers of many different selections come at
//! once, while one connection pushes. The latency of a push is from its due time to its answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal, quantile_ms};
use crate::load::clock::{Moment, Schedule};
use crate::load::counters::Counters;
use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Readers, each of a selection of its own
    #[arg(long, default_value_t = 1_000)]
    selections: usize,
    /// Series that each selection has
    #[arg(long, default_value_t = 1_000)]
    series: usize,
    /// Points of each series before the storm, one a second
    #[arg(long, default_value_t = 60)]
    points: usize,
    /// Pushes a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds of the phase without readers, and the shortest time of the storm
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Phases of each kind
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const COLUMNS: [Column; 5] = [
    Column { name: "push p50 ms", digits: 2 },
    Column { name: "push p99 ms", digits: 2 },
    Column { name: "longest push ms", digits: 1 },
    Column { name: "all readers answered after s", digits: 2 },
    Column { name: "MiB to the readers", digits: 1 },
];

const QUIET: &str = "no readers";
const STORM: &str = "reconnect storm";

/// The most milliseconds that a push may take during the storm, for 99 of 100.
const GOAL_MS: f64 = 50.0;

/// Runs the phases in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.rounds {
        let mut server = fill(binary, options)?;
        figures.add(QUIET, phase(&server, options, 0)?);
        // After a restart, the tracks of the series are not in memory.
        server.end()?;
        server.restart(binary)?;
        figures.add(STORM, phase(&server, options, options.selections)?);
    }
    let goals = [Goal { of: STORM, column: 1, over: None, bound: Bound::AtMost(GOAL_MS) }];
    let part = format!(
        "{} selections of {} series with {} points each, {} pushes a second, {} rounds\n\n{}\n{}",
        options.selections,
        options.series,
        options.points,
        options.rate,
        options.rounds,
        figures.table("phase"),
        figures.goals(&goals),
    );
    options.record.write("reconnects", &part)
}

/// Starts a server, and pushes the points of all series.
fn fill(binary: &Path, options: &Options) -> anyhow::Result<Server> {
    let server = Server::start(Peer::Pulseboard, binary)?;
    let mut pusher = Pusher::connect(server.addr)?;
    let now = SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
    for point in 0..options.points {
        let ts = now - 1_000 * (options.points - point) as u128;
        let line = |n| format!("{{\"series\":\"bench/s{n}\",\"value\":{n}.5,\"ts\":{ts}}}\n");
        for from in (0..options.series).step_by(1_000) {
            let body: String = (from..options.series.min(from + 1_000)).map(line).collect();
            pusher.push("/in", body.as_bytes())?;
        }
    }
    Ok(server)
}

/// Pushes while this number of readers connect. Ends when all of them have an answer, but not before the phase is over.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn phase(server: &Server, options: &Options, readers: usize) -> anyhow::Result<Vec<f64>> {
    let (addr, gap) = (server.addr, Duration::from_secs(1) / options.rate);
    let mut pusher = Pusher::connect(addr)?;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let schedule = Schedule { start: Moment::now(), gap };
    let least = u64::from(options.rate * options.seconds);
    let pushing = std::thread::spawn(move || -> anyhow::Result<Vec<u32>> {
        let mut latencies = Vec::new();
        let mut number = 0;
        while number < least || !over.load(Ordering::Relaxed) {
            let due = schedule.due(number);
            due.wait();
            pusher.push("/in/bench/s0", b"1.5")?;
            let took = Moment::now().since(due).as_micros();
            latencies.push(u32::try_from(took).unwrap_or(u32::MAX));
            number += 1;
        }
        Ok(latencies)
    });
    let begun = Instant::now();
    // Each selection is another one, but all of them have the same series.
    let connected = Counters::connect(addr, readers, |number| {
        format!("GET /sse?series=bench/**&series=none/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    });
    let answered = begun.elapsed().as_secs_f64();
    is_over.store(true, Ordering::Relaxed);
    let mut connected = connected?;
    while !pushing.is_finished() {
        connected.read(Duration::from_millis(20))?;
    }
    let mut latencies = pushing.join().map_err(|_| anyhow::anyhow!("the thread that pushes panicked"))??;
    let longest = *latencies.iter().max().context("nothing was pushed")?;
    Ok(vec![
        quantile_ms(&mut latencies, 0.5),
        quantile_ms(&mut latencies, 0.99),
        f64::from(longest) / 1_000.0,
        answered,
        connected.bytes as f64 / f64::from(1 << 20),
    ])
}
