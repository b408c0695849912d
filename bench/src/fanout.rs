//! What it costs to bring an event to many readers.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;

use crate::latency::Latencies;
use crate::load::pushers::Pusher;
use crate::load::readers::{Readers, Schedule};
use crate::peers::{Peer, Server};

/// How it is measured.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Who is measured
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
}

/// Runs the phases in turn and prints a row for each.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    println!(
        "| server | readers | connected in s | KiB a reader | events/s delivered | µs of CPU an event | p50 ms | p99 ms | readers that missed any |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let peers: Vec<Peer> = options.peers.iter().copied().filter(|peer| peer.is_installed()).collect();
    for _ in 0..options.rounds {
        for &peer in &peers {
            phase(binary, options, peer)?;
        }
    }
    Ok(())
}

fn phase(binary: &Path, options: &Options, peer: Peer) -> anyhow::Result<()> {
    let server = Server::start(peer, binary)?;
    // The first readers make whatever a server makes once.
    drop(Readers::connect(server.addr, server.stream(), 1, None)?.finish(0, Duration::ZERO, 1)?);
    let before = server.resident()?;
    let start = Arc::new(Mutex::new(Instant::now()));
    let schedule = (options.rate > 0).then(|| -> Schedule {
        let (start, gap) = (start.clone(), Duration::from_secs(1) / options.rate);
        Arc::new(move |number| {
            *start.lock().expect("nobody panics with it") + gap * u32::try_from(number).unwrap_or(u32::MAX)
        })
    });
    let readers = Readers::connect(server.addr, server.stream(), options.readers, schedule.clone())?;
    let connected_in = readers.connected_in;
    // So that what a connection leaves behind for a moment does not count as what a reader needs.
    std::thread::sleep(Duration::from_secs(1));
    let each = server.resident()?.saturating_sub(before) as f64 / options.readers as f64;

    let begun = Instant::now();
    *start.lock().expect("nobody panics with it") = begun;
    let used = server.processor_time()?;
    let last = match &schedule {
        Some(schedule) => at_a_rate(&server, options, schedule.as_ref())?,
        None => as_fast_as_it_goes(&server, options)?,
    };
    let heard = readers.finish(last, Duration::from_secs(30), options.readers)?;
    let took = begun.elapsed().as_secs_f64();
    let used = server.processor_time()?.saturating_sub(used);
    let mut latencies = Latencies::default();
    latencies.extend(heard.latencies);
    println!(
        "| {peer} | {} | {:.2} | {each:.1} | {:.0} | {:.2} | {:.1} | {:.1} | {} |",
        options.readers,
        connected_in.as_secs_f64(),
        heard.events as f64 / took,
        used.as_secs_f64() * 1e6 / heard.events as f64,
        latencies.quantile_ms(0.5),
        latencies.quantile_ms(0.99),
        heard.short,
    );
    Ok(())
}

/// Open loop: an event is due at its time, whether the one before was answered or not.
fn at_a_rate(
    server: &Server,
    options: &Options,
    schedule: &(dyn Fn(u64) -> Instant + Send + Sync),
) -> anyhow::Result<u64> {
    let mut pusher = Pusher::connect(server.addr)?;
    let last = u64::from(options.rate * options.seconds);
    for number in 1..=last {
        std::thread::sleep(schedule(number).saturating_duration_since(Instant::now()));
        pusher.push(server.inlet(), &server.body(number, options.bytes))?;
    }
    Ok(last)
}

/// Closed loop over several connections.
fn as_fast_as_it_goes(server: &Server, options: &Options) -> anyhow::Result<u64> {
    let deadline = Instant::now() + Duration::from_secs(options.seconds.into());
    let number = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let pushing: Vec<_> = (0..options.pushers)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    let mut pusher = Pusher::connect(server.addr)?;
                    while Instant::now() < deadline {
                        let number = number.fetch_add(1, Ordering::Relaxed) + 1;
                        pusher.push(server.inlet(), &server.body(number, options.bytes))?;
                    }
                    Ok(())
                })
            })
            .collect();
        for pushing in pushing {
            pushing.join().map_err(|_| anyhow::anyhow!("a pusher panicked"))??;
        }
        Ok(number.load(Ordering::Relaxed))
    })
}
