//! Measures the savings and the cost of compressed streams on a real board: the metrics of this machine, pushed by
//! the agent and read by many readers, as text and with gzip.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use clap::Args;

use crate::figures::{Column, Figures};
use crate::load::counters::Counters;
use crate::peers::{Peer, Server};
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Readers
    #[arg(long, default_value_t = 5_000)]
    readers: usize,
    /// Seconds of a phase, each with an update
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Phases of each kind, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    record: Record,
}

const COLUMNS: [Column; 3] = [
    Column { name: "bytes until the first update", digits: 0 },
    Column { name: "bytes an update", digits: 0 },
    Column { name: "µs of CPU an update and reader", digits: 2 },
];

/// The kinds of readers: a name, and the header for the accepted encoding.
const KINDS: [(&str, &str); 2] = [("text", ""), ("gzip", "Accept-Encoding: gzip\r\n")];

/// Runs the phases of all kinds in turn.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.rounds {
        for (name, accepts) in KINDS {
            figures.add(name, phase(binary, options, accepts)?);
        }
    }
    let part = format!(
        "{} readers of host/**, an update a second, {} s, {} rounds\n\n{}",
        options.readers,
        options.seconds,
        options.rounds,
        figures.table("stream")
    );
    options.record.write("compression", &part)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn phase(binary: &Path, options: &Options, accepts: &str) -> anyhow::Result<Vec<f64>> {
    let server = Server::start(Peer::Pulseboard, binary)?;
    let _agent = Agent::start(binary, &server)?;
    // Waits for some points, so that the snapshot has a past to contain.
    let frames = || server.metric("pulseboard_frames_total");
    while server.metric("pulseboard_points_total")? < 200.0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let request = format!("GET /sse?series=host/** HTTP/1.1\r\nHost: localhost\r\n{accepts}\r\n");
    let mut readers = Counters::connect(server.addr, options.readers, |_| request.clone())?;
    let begun = frames()?;
    while frames()? == begun {
        readers.read(Duration::from_millis(5))?;
    }
    // All readers have the update that ended the wait, and the next one is most of a second away.
    wait(&mut readers, Duration::from_millis(500))?;
    let (first, before, used) = (readers.bytes, frames()?, server.processor_time()?);
    wait(&mut readers, Duration::from_secs(options.seconds))?;
    let used = server.processor_time()?.saturating_sub(used);
    let (updates, bytes) = (frames()? - before, readers.bytes - first);
    let all = readers.len() as f64;
    Ok(vec![first as f64 / all, bytes as f64 / (updates * all), used.as_secs_f64() * 1e6 / (updates * all)])
}

fn wait(readers: &mut Counters, time: Duration) -> anyhow::Result<()> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        readers.read(Duration::from_millis(20))?;
    }
    Ok(())
}

/// An agent that pushes this machine's metrics until it is dropped.
struct Agent(Child);

impl Agent {
    fn start(binary: &Path, server: &Server) -> anyhow::Result<Self> {
        Ok(Self(Command::new(binary).args(["agent", "--to", &format!("http://{}", server.addr)]).spawn()?))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}
