//! Measures how fast old points are imported: many days of few series, compared with `VictoriaMetrics`.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal};
use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Servers to measure
    #[arg(long, value_delimiter = ',', default_value = "pulseboard-write,victoria")]
    peers: Vec<Peer>,
    /// Series
    #[arg(long, default_value_t = 20)]
    series: usize,
    /// Days of each series
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// Seconds between two points of a series
    #[arg(long, default_value_t = 10)]
    every: u64,
    /// Points of a push
    #[arg(long, default_value_t = 40_000)]
    points: usize,
    /// Rounds of each peer, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const POINTS: usize = 1;
const COLUMNS: [Column; 4] = [
    Column { name: "s until the last answer", digits: 1 },
    Column { name: "points/s", digits: 0 },
    Column { name: "points a CPU second", digits: 0 },
    Column { name: "MiB of memory, most", digits: 0 },
];

/// Runs the rounds of all peers in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let peers: Vec<Peer> = options.peers.iter().copied().filter(|peer| peer.is_installed()).collect();
    let bodies = bodies(options);
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.rounds {
        for &peer in &peers {
            figures.add(&peer.to_string(), round(binary, options, peer, &bodies)?);
        }
    }
    let (ours, victoria) = (Peer::PulseboardWrite.to_string(), Peer::Victoria.to_string());
    let goal = Goal { of: &ours, column: POINTS, over: Some(&victoria), bound: Bound::AtLeast(0.5) };
    let part = format!(
        "{} series, {} days, a point every {} s, {} points a push over one connection, {} rounds\n\n{}\n{}",
        options.series,
        options.days,
        options.every,
        options.points,
        options.rounds,
        figures.table("server"),
        figures.goals(&[goal]),
    );
    options.record.write("backfill", &part)
}

fn round(binary: &Path, options: &Options, peer: Peer, bodies: &[Vec<u8>]) -> anyhow::Result<Vec<f64>> {
    // A day more than the age of the oldest point, since a round takes a while.
    let late = format!("{}d", options.days + 1);
    let flags = [("--late", &*late), ("--keep-1s", "forever"), ("--keep-10s", "forever"), ("--keep-1m", "forever")];
    let server = match peer {
        Peer::Victoria => Server::start_with(peer, binary, &["-retentionPeriod=10y"])?,
        _ => {
            let flags: Vec<&str> = flags.iter().flat_map(|&(flag, value)| [flag, value]).collect();
            Server::start_with(peer, binary, &flags)?
        }
    };
    let used = server.processor_time()?;
    let begun = Instant::now();
    let mut pusher = Pusher::connect(server.addr)?;
    let mut memory = 0;
    for body in bodies {
        pusher.push("/write", body)?;
        memory = memory.max(server.resident()?);
    }
    let took = begun.elapsed().as_secs_f64();
    let used = server.processor_time()?.saturating_sub(used).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (points, memory) = (count(options) as f64, memory as f64 / 1_024.0);
    Ok(vec![took, points / took, points / used, memory])
}

fn count(options: &Options) -> u64 {
    options.days * 86_400 / options.every * options.series as u64
}

/// Makes all points as line protocol, in the order of time, split into pushes of the given size. Each series is a
/// random walk with two decimals.
fn bodies(options: &Options) -> Vec<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let from = now - options.days * 86_400;
    let mut walks = vec![2_000_i64; options.series];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bodies = vec![Vec::new()];
    let mut points = 0;
    for step in 0..options.days * 86_400 / options.every {
        for (series, walk) in walks.iter_mut().enumerate() {
            if points == options.points {
                bodies.push(Vec::new());
                points = 0;
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *walk += i64::try_from(random >> 60).unwrap_or_default() - 8;
            let (ts, value) = (from + step * options.every, *walk);
            let line = format!("bench,series=s{series} value={}.{:02} {ts}000000000\n", value / 100, value.abs() % 100);
            bodies.last_mut().expect("one was pushed first").extend_from_slice(line.as_bytes());
            points += 1;
        }
    }
    bodies
}
