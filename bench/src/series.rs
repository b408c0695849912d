//! What series cost that exist: memory for each at rest, and how long a start with all of them takes.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};

/// How it is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// How many series
    #[arg(long, default_value_t = 1_000_000)]
    series: usize,
    /// Points of each, a second apart
    #[arg(long, default_value_t = 1)]
    points: u64,
    /// Points of a push
    #[arg(long, default_value_t = 5_000)]
    push: usize,
    /// Most seconds to wait until all is at rest
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

/// Makes the series, lets them rest, and starts the server anew, after a clean end and after `kill -9`.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut server = Server::start(Peer::Pulseboard, binary)?;
    let empty = server.resident()?;
    println!("| {} series of {} points | seconds | bytes a series |", options.series, options.points);
    println!("| --- | ---: | ---: |");
    let row = |what: &str, seconds: f64, server: &Server| -> anyhow::Result<()> {
        let bytes = server.resident()?.saturating_sub(empty) * 1_024 / options.series as u64;
        println!("| {what} | {seconds:.1} | {bytes} |");
        Ok(())
    };

    let begun = Instant::now();
    make(&server, options)?;
    row("pushed", begun.elapsed().as_secs_f64(), &server)?;

    server.kill()?;
    let took = server.restart(binary)?;
    row("started after kill -9, nothing written but the log", took.as_secs_f64(), &server)?;

    let begun = Instant::now();
    while server.metric("pulseboard_unwritten_blocks")? > 0.0 {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(options.patience), "it does not come to rest");
        std::thread::sleep(Duration::from_millis(200));
    }
    // What has not changed for two minutes is packed.
    std::thread::sleep(Duration::from_secs(125).saturating_sub(begun.elapsed()));
    row("at rest, all written and packed", begun.elapsed().as_secs_f64(), &server)?;

    server.end()?;
    let took = server.restart(binary)?;
    anyhow::ensure!(server.metric("pulseboard_series")? >= options.series as f64, "not all series are there");
    row("started after a clean end", took.as_secs_f64(), &server)
}

fn make(server: &Server, options: &Options) -> anyhow::Result<()> {
    let mut pusher = Pusher::connect(server.addr)?;
    // In the past by as many seconds as there are points, so that none is ahead of the clock.
    let newest = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let series: Vec<usize> = (0..options.series).collect();
    for point in 0..options.points {
        let ts = (newest - options.points + point) * 1_000;
        for series in series.chunks(options.push) {
            let line = |n: &usize| {
                format!("{{\"series\":\"site{}/rack{}/sensor{n}\",\"value\":{n}.25,\"ts\":{ts}}}\n", n % 10, n % 1_000)
            };
            pusher.push("/in", series.iter().map(line).collect::<String>().as_bytes())?;
        }
    }
    Ok(())
}
