//! Measures how many bytes a point takes on the disk, beside `VictoriaMetrics`, and what is written there for it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use rusqlite::{Connection, OpenFlags};

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
    /// The workloads
    #[arg(long, value_delimiter = ',', default_value = "many,long,host,live")]
    workloads: Vec<Workload>,
    /// Seconds to wait, at most, until the server has written all points in their final form
    #[arg(long, default_value_t = 240)]
    patience: u64,
    #[command(flatten)]
    record: Record,
}

/// The series that are pushed, oldest points first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// 1,000 series, 1 Hz, 1,800 s: a random walk with two decimals
    Many,
    /// 20 series, 30 days, a point every 10 s: a random walk with two decimals
    Long,
    /// 20 series of a host, 1 Hz, 6 hours: gauges that seldom change, loads, rates, counters
    Host,
    /// 100 series, 1 Hz, 150 s, each second when it is there
    Live,
}

impl Workload {
    fn name(self) -> &'static str {
        match self {
            Self::Many => "1,000 series × 1,800 s × 1 Hz",
            Self::Long => "20 series × 30 days × 10 s",
            Self::Host => "20 series of a host × 6 h × 1 Hz",
            Self::Live => "100 series × 150 s × 1 Hz, live",
        }
    }

    /// The number of series, of points of each, and of seconds between two of them.
    fn shape(self) -> (usize, u64, u64) {
        match self {
            Self::Many => (1_000, 1_800, 1),
            Self::Long => (20, 30 * 8_640, 10),
            Self::Host => (20, 6 * 3_600, 1),
            Self::Live => (100, 150, 1),
        }
    }
}

const BYTES: usize = 0;
const COLUMNS: [Column; 10] = [
    Column { name: "bytes a point", digits: 2 },
    Column { name: "log", digits: 2 },
    Column { name: "blocks", digits: 2 },
    Column { name: "extents", digits: 2 },
    Column { name: "other", digits: 2 },
    Column { name: "bytes written a point", digits: 1 },
    Column { name: "s of processor", digits: 1 },
    Column { name: "ms for 1 h", digits: 1 },
    Column { name: "ms for 1 d", digits: 1 },
    Column { name: "ms for 30 d", digits: 1 },
];

/// The column of the first of the [`RANGES`].
const HISTORY: usize = 7;

/// The ranges of history that are read, in seconds.
const RANGES: [u64; 3] = [3_600, 86_400, 30 * 86_400];

/// The points of each series in an answer.
const ANSWER: u64 = 500;

/// Requests of a range; the median counts.
const REQUESTS: usize = 15;

/// Runs all workloads with all peers.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let peers: Vec<Peer> = options.peers.iter().copied().filter(|peer| peer.is_installed()).collect();
    let mut part = String::new();
    for &workload in &options.workloads {
        let mut figures = Figures::new(&COLUMNS);
        for &peer in &peers {
            figures.add(&peer.to_string(), round(binary, options, peer, workload)?);
        }
        let ours = Peer::PulseboardWrite.to_string();
        let victoria = Peer::Victoria.to_string();
        let history = |at| Goal { of: &ours, column: HISTORY + at, over: Some(&victoria), bound: Bound::AtMost(1.0) };
        let goals = [
            Goal { of: &ours, column: BYTES, over: None, bound: Bound::AtMost(3.0) },
            Goal { of: &ours, column: BYTES, over: Some(&victoria), bound: Bound::AtMost(2.0) },
        ];
        let mut goals = goals.to_vec();
        if workload == Workload::Long {
            goals.extend((0..RANGES.len()).map(history));
        }
        part += &format!("{}\n\n{}\n{}\n", workload.name(), figures.table("server"), figures.goals(&goals));
    }
    options.record.write("sizes", &part)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn round(binary: &Path, options: &Options, peer: Peer, workload: Workload) -> anyhow::Result<Vec<f64>> {
    let (series, steps, every) = workload.shape();
    let flags = ["--late", "31d", "--keep-1s", "forever", "--keep-10s", "forever", "--keep-1m", "forever"];
    let server = match peer {
        Peer::Victoria => Server::start_with(peer, binary, &["-retentionPeriod=10y"])?,
        _ => Server::start_with(peer, binary, &flags)?,
    };
    let mut pusher = Pusher::connect(server.addr)?;
    let mut walk = Walk::new(workload, series);
    let is_live = workload == Workload::Live;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let from = if is_live { now() } else { now() - steps * every };
    let begun = Instant::now();
    let mut body = Vec::new();
    for step in 0..steps {
        walk.step(from + step * every, &mut body);
        let is_enough = is_live || body.len() > 1 << 20 || step + 1 == steps;
        if is_enough {
            pusher.push("/write", &body)?;
            body.clear();
        }
        if is_live {
            std::thread::sleep((begun + Duration::from_secs(step + 1)).saturating_duration_since(Instant::now()));
        }
    }
    settle(&server, options)?;
    let used = server.processor_time()?.as_secs_f64();
    let written = server.written()? as f64;
    let mut history = Vec::new();
    for range in RANGES {
        history.push(if workload == Workload::Long { read(&server, now(), range)? } else { 0.0 });
    }
    let data = server.stop()?;
    let points = series as f64 * steps as f64;
    let mut bytes = match peer {
        Peer::Victoria => vec![size(data.path())? as f64, 0.0, 0.0, 0.0, 0.0],
        _ => tables(&data.path().join("pulseboard.sqlite"))?,
    };
    bytes.push(written);
    let mut figures: Vec<f64> = bytes.into_iter().map(|bytes| bytes / points).collect();
    figures.push(used);
    figures.extend(history);
    Ok(figures)
}

/// Reads a range of all series, several times. Returns the median of the milliseconds.
fn read(server: &Server, now: u64, range: u64) -> anyhow::Result<f64> {
    let (from, step) = (now - range, range.div_ceil(ANSWER));
    let path = match server.peer {
        Peer::Victoria => format!(
            "/api/v1/query_range?query=avg_over_time(%7B__name__!=%22%22%7D%5B{step}s%5D)&start={from}&end={now}&step={step}s&nocache=1"
        ),
        _ => format!("/api/history?series=**&from={from}000&to={now}000&points={ANSWER}"),
    };
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let mut socket = TcpStream::connect(server.addr)?;
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        let start = &answer[..answer.len().min(300)];
        anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(start));
    }
    times.sort_by(f64::total_cmp);
    Ok(times[REQUESTS / 2])
}

/// Waits until a server of ours has written all points, and until it has written nothing for some time.
fn settle(server: &Server, options: &Options) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(options.patience);
    let mut last = (server.written()?, Instant::now());
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_secs(1));
        let written = server.written()?;
        if written != last.0 {
            last = (written, Instant::now());
        }
        // A sweep through all series begins each minute.
        let quiet = if server.peer == Peer::Victoria { 10 } else { 100 };
        if last.1.elapsed() > Duration::from_secs(quiet) {
            break;
        }
    }
    Ok(())
}

/// Returns the bytes of all tables, then those of the log, the blocks, the extents, and the rest.
#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
fn tables(file: &Path) -> anyhow::Result<Vec<f64>> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut select = conn.prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")?;
    let mut sizes = vec![0.0; 5];
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (name, bytes): (String, i64) = (row.get(0)?, row.get(1)?);
        let at = ["log", "blocks", "extents"].iter().position(|known| *known == name).unwrap_or(3);
        sizes[at + 1] += bytes as f64;
        sizes[0] += bytes as f64;
    }
    Ok(sizes)
}

/// Adds up the sizes of all files of a folder.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

/// The series of a workload.
struct Walk {
    workload: Workload,
    values: Vec<i64>,
    random: u64,
}

impl Walk {
    fn new(workload: Workload, series: usize) -> Self {
        Self { workload, values: vec![2_000; series], random: 0x9e37_79b9_7f4a_7c15 }
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Appends the next point of each series as a line.
    fn step(&mut self, ts: u64, body: &mut Vec<u8>) {
        for series in 0..self.values.len() {
            let drawn = self.draw();
            let more = i64::try_from(drawn % 16).unwrap_or_default() - 8;
            let before = self.values[series];
            let (value, decimals) = match (self.workload, series % 4) {
                // A gauge that seldom changes, a load, a rate in bytes a second, a counter.
                (Workload::Host, 0) => (if drawn.is_multiple_of(64) { before + more } else { before }, 0),
                (Workload::Host, 1) => ((before + more).max(0), 2),
                (Workload::Host, 2) => (i64::try_from(drawn % 2_000_000).unwrap_or_default(), 1),
                (Workload::Host, _) => (before + i64::try_from(drawn % 900).unwrap_or_default(), 0),
                _ => (before + more, 2),
            };
            self.values[series] = value;
            let unit = 10_i64.pow(decimals);
            let sign = if value < 0 { "-" } else { "" };
            let (whole, part) = (value.abs() / unit, value.abs() % unit);
            let part =
                if decimals == 0 { String::new() } else { format!(".{part:0width$}", width = decimals as usize) };
            let line = format!("bench,series=s{series} value={sign}{whole}{part} {ts}000000000\n");
            body.extend_from_slice(line.as_bytes());
        }
    }
}
