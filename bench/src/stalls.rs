//! What readers that never read cost those that do: latency from the intended time of a push to its arrival, with and
//! without them, in turn, and the server's memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::watch;

use crate::latency::Latencies;
use crate::reader;
use crate::server::Server;

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
}

const QUERY: &str = "series=bench/**";

/// Runs the phases in turn and prints a row for each.
pub(crate) async fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    println!("| never read | arrivals | p50 ms | p99 ms | memory before, KiB | after |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for _ in 0..options.rounds {
        for bad in [0, options.bad] {
            phase(binary, options, bad).await?;
        }
    }
    Ok(())
}

async fn phase(binary: &Path, options: &Options, bad: usize) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let mut pusher = server.pusher().await?;
    let padding = "x".repeat(options.bytes);
    let body = |number: u64| format!("{{\"text\":\"@{number} {padding}\"}}");
    pusher.push("bench/text", &body(0)).await?;

    let mut stalled = Vec::with_capacity(bad);
    for _ in 0..bad {
        stalled.push(reader::stalled(server.addr, QUERY).await?);
    }
    let gap = Duration::from_secs(1) / options.rate;
    // A second for all readers to be there before the first push counts.
    let start = Instant::now() + Duration::from_secs(1);
    let due = move |number: u64| start + gap * u32::try_from(number).unwrap_or(u32::MAX);
    let sent: Arc<dyn Fn(u64) -> Instant + Send + Sync> = Arc::new(due);
    let (stop, stopped) = watch::channel(false);
    let reading: Vec<_> = (0..options.good)
        .map(|_| {
            let (sent, stopped) = (sent.clone(), stopped.clone());
            tokio::spawn(reader::reading(server.addr, QUERY, sent, stopped))
        })
        .collect();

    let mut before = 0;
    for number in 1..=u64::from(options.rate * options.seconds) {
        tokio::time::sleep_until(due(number).into()).await;
        pusher.push("bench/text", &body(number)).await?;
        if number == u64::from(options.rate) {
            before = server.resident()?;
        }
    }
    let after = server.resident()?;
    // What is under way still arrives.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send_replace(true);
    let mut latencies = Latencies::default();
    for reader in reading {
        latencies.extend(reader.await??);
    }
    let (p50, p99) = (latencies.quantile_ms(0.5), latencies.quantile_ms(0.99));
    println!("| {bad} | {} | {p50:.1} | {p99:.1} | {before} | {after} |", latencies.count());
    Ok(())
}
