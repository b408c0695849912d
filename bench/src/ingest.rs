//! Measures how many pushes a second a server accepts, and the cost of each.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use crate::figures::{Bound, Column, Figures, Goal};
use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Servers to measure
    #[arg(long, value_delimiter = ',', default_value = "pulseboard,pulseboard-write,victoria")]
    peers: Vec<Peer>,
    /// Connections, each waiting for its answer
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Points of a push
    #[arg(long, default_value_t = 1)]
    points: usize,
    /// Series that the points are spread over
    #[arg(long, default_value_t = 1_000)]
    series: usize,
    /// Seconds of a phase
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// Phases of each peer, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const POINTS: usize = 1;
const REQUESTS_A_CPU_SECOND: usize = 2;
const COLUMNS: [Column; 4] = [
    Column { name: "requests/s", digits: 0 },
    Column { name: "points/s", digits: 0 },
    Column { name: "requests a CPU second", digits: 0 },
    Column { name: "points a CPU second", digits: 0 },
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
    let (points, connections) = (options.points, options.connections);
    let ours = Peer::Pulseboard.to_string();
    let victoria = Peer::Victoria.to_string();
    let goal = if points == 1 {
        let (column, over) = (REQUESTS_A_CPU_SECOND, Some(&*victoria));
        Goal { of: &ours, column, over, bound: Bound::AtLeast(0.7) }
    } else {
        Goal { of: &ours, column: POINTS, over: None, bound: Bound::AtLeast(1e6) }
    };
    let part = format!(
        "{points} points a push over {connections} connections, {} series, {} s, {} rounds\n\n{}\n{}",
        options.series,
        options.seconds,
        options.rounds,
        figures.table("server"),
        figures.goals(&[goal]),
    );
    options.record.write(&format!("ingest of {points} over {connections}"), &part)
}

fn phase(binary: &Path, options: &Options, peer: Peer) -> anyhow::Result<Vec<f64>> {
    let server = Server::start(peer, binary)?;
    let pushes = AtomicU64::new(0);
    let used = server.processor_time()?;
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(options.seconds.into());
    std::thread::scope(|scope| {
        let pushing: Vec<_> = (0..options.connections)
            .map(|connection| {
                let (server, pushes) = (&server, &pushes);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut pusher = Pusher::connect(server.addr)?;
                    // The bodies are made in advance, since making them takes processor time from the server.
                    let bodies: Vec<_> = (0..16).map(|turn| body(peer, options, connection + turn * 7)).collect();
                    for (path, body) in bodies.iter().cycle() {
                        if Instant::now() >= deadline {
                            break;
                        }
                        pusher.push(path, body)?;
                        pushes.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        pushing
            .into_iter()
            .try_for_each(|pushing| pushing.join().map_err(|_| anyhow::anyhow!("a connection's thread panicked"))?)
    })?;
    let took = begun.elapsed().as_secs_f64();
    let used = server.processor_time()?.saturating_sub(used).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (pushes, points) = (pushes.into_inner() as f64, options.points as f64);
    Ok(vec![pushes / took, pushes * points / took, pushes / used, pushes * points / used])
}

/// The path and the body of a push. Its points have no time, so they get the server's.
fn body(peer: Peer, options: &Options, turn: usize) -> (String, Vec<u8>) {
    let series = |point: usize| (turn * options.points + point) % options.series;
    let lines = |line: &dyn Fn(usize) -> String| (0..options.points).map(line).collect::<String>().into_bytes();
    match (peer, options.points) {
        (Peer::Victoria, _) => {
            let line = |point| format!("bench,series=s{} value={}.5\n", series(point), point + turn);
            ("/write".to_owned(), lines(&line))
        }
        (_, 1) => (format!("/in/bench/s{}", series(0)), format!("{turn}.5").into_bytes()),
        (Peer::PulseboardWrite, _) => {
            let line = |point| format!("bench,series=s{} value={}.5\n", series(point), point + turn);
            ("/write".to_owned(), lines(&line))
        }
        _ => {
            let line = |point| format!("{{\"series\":\"bench/s{}\",\"value\":{}.5}}\n", series(point), point + turn);
            ("/in".to_owned(), lines(&line))
        }
    }
}
