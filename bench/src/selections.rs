//! Whether what is delivered costs what it does because of the events, or because of series and readers: as many readers
//! of one selection, and of a thousand, while the same ten thousand series change.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::load::pushers::Pusher;
use crate::peers::{Peer, Server};

/// How it is measured.
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
}

/// Every update has it once, and nothing else does.
const MARK: &[u8] = b"\"type\":\"update\"";

/// Runs the phases in turn and prints a row for each.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    println!(
        "| selections | readers | series | points/s | connected in s | updates delivered/s | CPU s | µs of CPU an update |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for _ in 0..options.rounds {
        for &selections in &options.selections {
            phase(binary, options, selections)?;
        }
    }
    Ok(())
}

fn phase(binary: &Path, options: &Options, selections: usize) -> anyhow::Result<()> {
    let server = Server::start(Peer::Pulseboard, binary)?;
    let mut pusher = Pusher::connect(server.addr)?;
    // Each push has one group, so that an update has all series of a selection.
    let bodies: Vec<Vec<u8>> = (0..options.groups).map(|group| body(group, options.series)).collect();
    for body in &bodies {
        pusher.push("/in", body)?;
    }
    let begun = Instant::now();
    let readers = if selections == 0 { 0 } else { options.readers };
    let mut readers = Readers::connect(&server, readers, selections)?;
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
    println!(
        "| {selections} | {} | {} | {:.0} | {connected:.2} | {:.0} | {used:.2} | {:.2} |",
        readers.all.len(),
        options.groups * options.series,
        points / took,
        updates / took,
        used * 1e6 / updates.max(1.0),
    );
    Ok(())
}

fn body(group: usize, series: usize) -> Vec<u8> {
    let line = |n| format!("{{\"series\":\"bench/g{group}/s{n}\",\"value\":{n}.5}}\n");
    (0..series).map(line).collect::<String>().into_bytes()
}

/// Readers in one thread, who count updates.
struct Readers {
    poll: Poll,
    all: Vec<Reader>,
    updates: u64,
    piece: Vec<u8>,
}

struct Reader {
    socket: TcpStream,
    asked: bool,
    /// Its first bytes came.
    is_there: bool,
    request: Vec<u8>,
    /// The end of what came last, which may be the beginning of a mark.
    tail: Vec<u8>,
}

impl Readers {
    /// Connects them, reader n to selection n modulo `selections`, and waits until each has its snapshot.
    fn connect(server: &Server, count: usize, selections: usize) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let mut socket = TcpStream::connect(server.addr)?;
            poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
            let group = number % selections.max(1);
            let request = format!("GET /sse?series=bench/g{group}/** HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes();
            all.push(Reader { socket, asked: false, is_there: false, request, tail: Vec::new() });
        }
        let mut readers = Self { poll, all, updates: 0, piece: vec![0; 64 << 10] };
        let deadline = Instant::now() + Duration::from_mins(2);
        while readers.all.iter().any(|reader| !reader.is_there) {
            anyhow::ensure!(Instant::now() < deadline, "not all readers got an answer");
            readers.read(Duration::from_millis(50))?;
        }
        Ok(readers)
    }

    /// Reads what comes within `patience`.
    fn read(&mut self, patience: Duration) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(4_096);
        self.poll.poll(&mut events, Some(patience))?;
        for event in &events {
            let reader = &mut self.all[event.token().0];
            if event.is_writable() && !reader.asked {
                reader.asked = true;
                reader.socket.write_all(&reader.request)?;
            }
            while event.is_readable() {
                match reader.socket.read(&mut self.piece) {
                    Ok(0) => anyhow::bail!("the server closed the stream of a reader"),
                    Ok(len) => self.updates += reader.take(&self.piece[..len]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

impl Reader {
    /// How many updates begin in a piece of the stream.
    fn take(&mut self, piece: &[u8]) -> u64 {
        self.is_there = true;
        self.tail.extend_from_slice(piece);
        let found = memchr::memmem::find_iter(&self.tail, MARK).count();
        let keep = self.tail.len().saturating_sub(MARK.len() - 1);
        self.tail.drain(..keep);
        found as u64
    }
}
