//! Measures the cost of delivering events to many readers.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal, quantile_ms};
use crate::load::clock::{Moment, Schedule};
use crate::load::pace::Pace;
use crate::load::pushers::Pusher;
use crate::load::readers::Readers;
use crate::load::reading::Habit;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The number of connections that push in turn at a fixed rate. An event is sent when it is due, even while up to
/// this many earlier ones are unanswered.
const TURNS: usize = 16;

/// The time within which readers must receive the last event.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings of a measurement.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Servers to measure
    #[arg(long, value_delimiter = ',', default_value = "pulseboard,bare,axum,nchan")]
    peers: Vec<Peer>,
    /// Readers
    #[arg(long, default_value_t = 5_000)]
    readers: usize,
    /// Events a second; 0 is as fast as it goes
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Connections that push, where it goes as fast as it can
    #[arg(long, default_value_t = 32)]
    pushers: usize,
    /// Bytes of an event's text
    #[arg(long, default_value_t = 200)]
    bytes: usize,
    /// Seconds of a phase
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Phases of each peer, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const CONNECTED: usize = 0;
const MEMORY: usize = 1;
const DELIVERED: usize = 2;
const PROCESSOR: usize = 3;
const P99: usize = 5;
const MISSED: usize = 6;
const COLUMNS: [Column; 7] = [
    Column { name: "connected in s", digits: 2 },
    Column { name: "KiB a reader", digits: 1 },
    Column { name: "events/s delivered", digits: 0 },
    Column { name: "µs of CPU an event", digits: 2 },
    Column { name: "p50 ms", digits: 1 },
    Column { name: "p99 ms", digits: 1 },
    Column { name: "readers that missed any", digits: 0 },
];

/// Runs the phases of all peers in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let peers: Vec<Peer> = options.peers.iter().copied().filter(|peer| peer.is_installed()).collect();
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.rounds {
        for &peer in &peers {
            figures.add(&peer.to_string(), phase(binary, options, peer)?);
        }
    }
    let pushed = match options.rate {
        0 => format!("as fast as {} connections push", options.pushers),
        rate => format!("{rate} events a second"),
    };
    let name = match options.rate {
        0 => format!("fanout of {} flat out", options.readers),
        rate => format!("fanout of {} at {rate}", options.readers),
    };
    let part = format!(
        "{} readers, {pushed}, {} bytes each, {} s, {} rounds\n\n{}\n{}",
        options.readers,
        options.bytes,
        options.seconds,
        options.rounds,
        figures.table("server"),
        figures.goals(&goals(options)),
    );
    options.record.write(&name, &part)
}

fn goals(options: &Options) -> Vec<Goal<'static>> {
    let goal = |column, over, bound| Goal { of: "pulseboard", column, over, bound };
    let (bare, nchan) = (Some("bare epoll loop"), Some("nginx with Nchan"));
    if options.rate == 0 {
        return vec![goal(DELIVERED, nchan, Bound::AtLeast(10.0)), goal(MISSED, None, Bound::AtMost(0.0))];
    }
    vec![
        goal(PROCESSOR, bare, Bound::AtMost(1.15)),
        goal(PROCESSOR, nchan, Bound::AtMost(0.67)),
        goal(P99, bare, Bound::AtMost(1.2)),
        goal(MEMORY, None, Bound::AtMost(2.0)),
        goal(CONNECTED, bare, Bound::AtMost(2.0)),
        goal(MISSED, None, Bound::AtMost(0.0)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn phase(binary: &Path, options: &Options, peer: Peer) -> anyhow::Result<Vec<f64>> {
    let server = Server::start(peer, binary)?;
    // The first reader triggers one-time allocations of the server.
    drop(Readers::connect(server.addr, server.stream(), 1, Habit::Read)?);
    let before = server.resident()?;
    let mut readers = Readers::connect(server.addr, server.stream(), options.readers, Habit::Read)?;
    let connected_in = readers.connected_in;
    // Waits, so that temporary memory of connecting does not count as memory of a reader.
    std::thread::sleep(Duration::from_secs(1));
    let each = server.resident()?.saturating_sub(before) as f64 / options.readers as f64;

    let begun = Instant::now();
    let used = server.processor_time()?;
    let last = match options.rate {
        0 => as_fast_as_it_goes(&server, options)?,
        rate => {
            let gap = Duration::from_secs(1) / rate;
            let schedule = Schedule { start: Moment::now(), gap };
            readers.expect(schedule)?;
            at_a_rate(&server, options, schedule)?
        }
    };
    let mut heard = readers.finish(last, PATIENCE)?;
    let took = begun.elapsed().as_secs_f64();
    let used = server.processor_time()?.saturating_sub(used);
    Ok(vec![
        connected_in.as_secs_f64(),
        each,
        heard.events as f64 / took,
        used.as_secs_f64() * 1e6 / heard.events as f64,
        quantile_ms(&mut heard.latencies, 0.5),
        quantile_ms(&mut heard.latencies, 0.99),
        heard.short as f64,
    ])
}

/// Open loop: sends each event when it is due, whether or not the previous one was answered.
fn at_a_rate(server: &Server, options: &Options, schedule: Schedule) -> anyhow::Result<u64> {
    let last = u64::from(options.rate * options.seconds);
    in_parallel(TURNS, |turn| {
        let mut pusher = Pusher::connect(server.addr)?;
        for number in (1..=last).skip(turn).step_by(TURNS) {
            schedule.due(number).wait();
            pusher.push(server.inlet(), &server.body(number, options.bytes))?;
        }
        Ok(())
    })?;
    Ok(last)
}

/// Closed loop over several connections, no faster than a reader receives the events.
fn as_fast_as_it_goes(server: &Server, options: &Options) -> anyhow::Result<u64> {
    let deadline = Instant::now() + Duration::from_secs(options.seconds.into());
    let number = AtomicU64::new(0);
    let pace = Pace::start(server.addr, server.stream())?;
    in_parallel(options.pushers, |_| {
        let mut pusher = Pusher::connect(server.addr)?;
        while Instant::now() < deadline {
            let number = number.fetch_add(1, Ordering::Relaxed) + 1;
            pace.wait(number);
            pusher.push(server.inlet(), &server.body(number, options.bytes))?;
        }
        Ok(())
    })?;
    Ok(number.into_inner())
}

fn in_parallel(count: usize, work: impl Fn(usize) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread that pushes panicked"))?)
    })
}
