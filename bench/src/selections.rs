//! Measures whether the cost of delivery depends on the events or on the series and readers: the same number of
//! readers with one selection and with a thousand, while the same ten thousand series change.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::{Column, Figures};
use crate::load::counters::Counters;
use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};
use crate::record::Record;
use clap::Args;

/// The settings of a measurement.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Readers, over all selections
    #[arg(long, default_value_t = 10_000)]
    readers: usize,
    /// How many selections they are spread over, phase by phase; 0: no readers, for what the pushes cost alone
    #[arg(long, value_delimiter = ',', default_value = "0,1,1000")]
    selections: Vec<usize>,
    /// Groups of series, of which a selection reads one
    #[arg(long, default_value_t = 1_000)]
    groups: usize,
    /// Series of a group
    #[arg(long, default_value_t = 10)]
    series: usize,
    /// How often each series changes a second
    #[arg(long, default_value_t = 1)]
    rate: u32,
    /// Seconds of a phase
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Phases of each kind, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const COLUMNS: [Column; 5] = [
    Column { name: "connected in s", digits: 2 },
    Column { name: "points/s", digits: 0 },
    Column { name: "updates delivered/s", digits: 0 },
    Column { name: "CPU s", digits: 2 },
    Column { name: "µs of CPU an update, beyond what the pushes cost alone", digits: 1 },
];

/// The measurements of a phase.
struct Phase {
    connected: f64,
    points: f64,
    /// The number of updates, over all readers.
    updates: f64,
    /// The duration in seconds.
    took: f64,
    /// The processor time in seconds.
    used: f64,
}

/// Runs the phases in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.rounds {
        let mut alone = None;
        for &selections in &options.selections {
            let Phase { connected, points, updates, took, used } = phase(binary, options, selections)?;
            let name = match selections {
                0 => "no readers".to_owned(),
                1 => format!("{} readers of one selection", options.readers),
                _ => format!("{} readers of {selections} selections", options.readers),
            };
            if selections == 0 {
                alone = Some(used);
            }
            let beyond = alone.filter(|_| updates > 0.0).map_or(f64::NAN, |alone| (used - alone) * 1e6 / updates);
            figures.add(&name, vec![connected, points / took, updates / took, used, beyond]);
        }
    }
    let part = format!(
        "{} series, each changing {} times a second, {} in a push, {} s, {} rounds\n\n{}",
        options.groups * options.series,
        options.rate,
        options.series,
        options.seconds,
        options.rounds,
        figures.table("readers"),
    );
    options.record.write("selections", &part)
}

fn phase(binary: &Path, options: &Options, selections: usize) -> anyhow::Result<Phase> {
    let server = Server::start(Peer::Pulseboard, binary)?;
    let mut pusher = Pusher::connect(server.addr)?;
    // Each push contains one group, so that an update has all series of a selection.
    let bodies: Vec<Vec<u8>> = (0..options.groups).map(|group| body(group, options.series)).collect();
    for body in &bodies {
        pusher.push("/in", body)?;
    }
    let begun = Instant::now();
    let readers = if selections == 0 { 0 } else { options.readers };
    let mut readers = Counters::connect(server.addr, readers, |number| {
        let group = number % selections.max(1);
        format!("GET /sse?series=bench/g{group}/** HTTP/1.1\r\nHost: localhost\r\n\r\n")
    })?;
    let connected = begun.elapsed().as_secs_f64();

    let used = server.processor_time()?;
    let start = Instant::now();
    let pushes = options.rate as usize * options.groups * options.seconds as usize;
    let gap = Duration::from_secs(1) / options.rate / u32::try_from(options.groups)?;
    let pushing = std::thread::spawn(move || -> anyhow::Result<Vec<Vec<u8>>> {
        for (due, body) in (0..).zip(bodies.iter().cycle().take(pushes)) {
            std::thread::sleep((start + gap * due).saturating_duration_since(Instant::now()));
            pusher.push("/in", body)?;
        }
        Ok(bodies)
    });
    while !pushing.is_finished() {
        readers.read(Duration::from_millis(50))?;
    }
    pushing.join().map_err(|_| anyhow::anyhow!("the thread that pushes panicked"))??;
    let took = start.elapsed().as_secs_f64();
    let used = server.processor_time()?.saturating_sub(used).as_secs_f64();
    let settled = Instant::now() + Duration::from_secs(1);
    while Instant::now() < settled {
        readers.read(Duration::from_millis(50))?;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (updates, points) = (readers.updates as f64, (pushes * options.series) as f64);
    Ok(Phase { connected, points, updates, took, used })
}

fn body(group: usize, series: usize) -> Vec<u8> {
    let line = |n| format!("{{\"series\":\"bench/g{group}/s{n}\",\"value\":{n}.5}}\n");
    (0..series).map(line).collect::<String>().into_bytes()
}
