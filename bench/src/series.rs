//! Measures the cost of existing series: the memory of each at rest, and the time of a start with all of them.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal};
use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
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
    #[command(flatten)]
    record: Record,
}

const SECONDS: usize = 0;
const BYTES: usize = 1;
const COLUMNS: [Column; 2] = [Column { name: "seconds", digits: 1 }, Column { name: "bytes a series", digits: 0 }];

/// From this number of points on, the time of a start after `kill -9` depends on the points, not on the series.
const LONG: u64 = 100;

const AFTER_KILL: &str = "started after kill -9, nothing written but the log";
const AT_REST: &str = "at rest, all written";
const AFTER_END: &str = "started after a clean end";

/// Creates the series, lets them come to rest, and restarts the server, after a clean end and after `kill -9`.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut server = Server::start(Peer::Pulseboard, binary)?;
    let empty = server.resident()?;
    let mut figures = Figures::new(&COLUMNS);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let mut row = |what: &str, seconds: f64, server: &Server| -> anyhow::Result<()> {
        let bytes = server.resident()?.saturating_sub(empty) * 1_024;
        figures.add(what, vec![seconds, bytes as f64 / options.series as f64]);
        Ok(())
    };

    let begun = Instant::now();
    make(&server, options)?;
    row("pushed", begun.elapsed().as_secs_f64(), &server)?;

    server.kill()?;
    let took = server.restart(binary)?;
    row(AFTER_KILL, took.as_secs_f64(), &server)?;

    let begun = Instant::now();
    while server.metric("pulseboard_unwritten_blocks")? > 0.0 {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(options.patience), "it does not come to rest");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Tracks that have not changed for two minutes are packed.
    std::thread::sleep(Duration::from_secs(125).saturating_sub(begun.elapsed()));
    row(AT_REST, begun.elapsed().as_secs_f64(), &server)?;

    server.end()?;
    let took = server.restart(binary)?;
    anyhow::ensure!(server.metric("pulseboard_series")? >= options.series as f64, "not all series are there");
    row(AFTER_END, took.as_secs_f64(), &server)?;
    let goal = |of, column, most| Goal { of, column, over: None, bound: Bound::AtMost(most) };
    let mut goals =
        vec![goal(AT_REST, BYTES, 1_024.0), goal(AFTER_END, BYTES, 1_024.0), goal(AFTER_END, SECONDS, 10.0)];
    if options.points < LONG {
        // With more points, the start reads points from the log, so the goal for series does not apply.
        goals.push(goal(AFTER_KILL, SECONDS, 10.0));
    }
    let part = format!(
        "{} series of {} points a second apart, that nobody reads\n\n{}\n{}",
        options.series,
        options.points,
        figures.table("what"),
        figures.goals(&goals),
    );
    options.record.write(&format!("series of {} points", options.points), &part)
}

fn make(server: &Server, options: &Options) -> anyhow::Result<()> {
    let mut pusher = Pusher::connect(server.addr)?;
    // The points start as many seconds ago as there are points, so that none is ahead of the clock.
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
