//! A process of readers, in one thread and with as little work as possible, since it shares the machine with the
//! measured server.

use std::collections::VecDeque;
use std::io::{BufRead as _, ErrorKind, Read as _, Write as _, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::clock::{Moment, Schedule};

/// The byte before an event's number in its text. It occurs nowhere else in a stream.
const MARK: u8 = b'@';

/// The message of a process once every reader has the head of its answer.
pub(crate) const THERE: &str = "there";

/// The time within which all readers must have it.
const PATIENCE: Duration = Duration::from_mins(2);

/// The receive buffer of a reader that never reads, in bytes.
const SMALL_WINDOW: usize = 4_096;

/// The behaviour of readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Habit {
    /// They read what comes.
    Read,
    /// They ask, and then never read.
    Stall,
}

impl Habit {
    /// The keyword on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Stall => "stall",
        }
    }
}

/// Settings of the process, in its arguments. The rest comes over its standard input, a line each: `connect`,
/// `schedule START GAP` and `last NUMBER PATIENCE`, in nanoseconds and milliseconds.
#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    addr: SocketAddr,
    #[arg(long)]
    path: String,
    #[arg(long)]
    first: usize,
    #[arg(long)]
    count: usize,
    #[arg(long)]
    habit: Habit,
}

enum Told {
    Schedule(Schedule),
    Last { number: u64, patience: Duration },
}

struct Reader {
    socket: TcpStream,
    asked: bool,
    /// True once the head of the answer has arrived.
    there: bool,
    /// The number of events so far.
    events: u64,
    /// A number that was cut by the end of a piece.
    cut: Option<u64>,
}

/// Reads until every reader has the last event, and then reports to standard output: a line with the number of
/// events, the number of readers that missed some and the number of latencies, and then the latencies in
/// microseconds, four bytes each.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    say("ready")?;
    let told = listen()?;
    let mut poll = Poll::new()?;
    let mut readers = Vec::with_capacity(options.count);
    for number in 0..options.count {
        let mut socket = connect(options)?;
        poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        readers.push(Reader { socket, asked: false, there: false, events: 0, cut: None });
    }
    let mut waiting = options.count;
    let patient_until = Instant::now() + PATIENCE;
    let mut schedule = None;
    let mut last = None;
    let mut looked = Instant::now();
    let mut latencies: Vec<u32> = Vec::new();
    let mut events = Events::with_capacity(4_096);
    let mut piece = vec![0; 256 << 10];
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(5)))?;
        for event in &events {
            let at = event.token().0;
            let reader = &mut readers[at];
            if event.is_writable() && !reader.asked {
                reader.ask(&options.path.replace("{}", &(options.first + at).to_string()))?;
                // For a reader that never reads, it is unknown whether it was answered, so it counts as connected.
                waiting -= usize::from(options.habit == Habit::Stall);
            }
            while event.is_readable() && options.habit == Habit::Read {
                let len = match reader.socket.read(&mut piece) {
                    Ok(0) => anyhow::bail!("the server closed the stream of a reader"),
                    Ok(len) => len,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                if !reader.there {
                    anyhow::ensure!(piece.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&piece[..len]));
                    reader.there = true;
                    waiting -= 1;
                }
                let now = schedule.map(|_| Moment::now());
                reader.take(&piece[..len], |number| {
                    if let (Some(schedule), Some(now)) = (schedule, now) {
                        let late = now.since(Schedule::due(schedule, number)).as_micros();
                        latencies.push(u32::try_from(late).unwrap_or(u32::MAX));
                    }
                });
                // A short read means that the socket is empty.
                if len < piece.len() {
                    break;
                }
            }
        }
        if waiting == 0 {
            say(THERE)?;
            waiting = usize::MAX;
        }
        anyhow::ensure!(
            waiting == usize::MAX || Instant::now() < patient_until,
            "{waiting} readers got no answer in {PATIENCE:?}"
        );
        match told.try_recv() {
            Ok(Told::Schedule(given)) => schedule = Some(given),
            Ok(Told::Last { number, patience }) => last = Some((number, Instant::now() + patience)),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => anyhow::bail!("nobody wants to know any more"),
        }
        if let Some((number, deadline)) = last
            && looked.elapsed() > Duration::from_millis(5)
        {
            looked = Instant::now();
            if looked > deadline || readers.iter().all(|reader| reader.events >= number) {
                return report(&readers, number, &latencies);
            }
        }
    }
}

/// Waits for the command to connect. A thread sends the later commands to the channel.
fn listen() -> anyhow::Result<Receiver<Told>> {
    let mut first = String::new();
    stdin().read_line(&mut first)?;
    anyhow::ensure!(first.trim() == "connect", "told {first:?}");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            let Some(told) = parse(&line) else { break };
            if sender.send(told).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}

fn parse(line: &str) -> Option<Told> {
    let mut words = line.split(' ').collect::<VecDeque<_>>();
    let word = words.pop_front()?;
    let mut number = || words.pop_front()?.parse::<u64>().ok();
    Some(match word {
        "schedule" => Told::Schedule(Schedule { start: Moment(number()?), gap: Duration::from_nanos(number()?) }),
        "last" => Told::Last { number: number()?, patience: Duration::from_millis(number()?) },
        _ => return None,
    })
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn report(readers: &[Reader], last: u64, latencies: &[u32]) -> anyhow::Result<()> {
    let events: u64 = readers.iter().map(|reader| reader.events).sum();
    let short = readers.iter().filter(|reader| reader.events < last).count();
    let bytes: Vec<u8> = latencies.iter().flat_map(|latency| latency.to_le_bytes()).collect();
    let mut out = stdout().lock();
    writeln!(out, "{events} {short} {}", latencies.len())?;
    out.write_all(&bytes)?;
    Ok(out.flush()?)
}

fn connect(options: &Options) -> anyhow::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    if options.habit == Habit::Stall {
        socket.set_recv_buffer_size(SMALL_WINDOW)?;
    }
    // Each process has its own loopback address, and thereby all ports of one address.
    let own = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() | (std::process::id() & 0xffff));
    socket.bind(&SocketAddr::from((own, 0)).into())?;
    match socket.connect(&options.addr.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            Err(error).context("a reader cannot connect")
        }
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

impl Reader {
    fn ask(&mut self, path: &str) -> anyhow::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
        self.asked = true;
        self.socket.write_all(request.as_bytes()).context("a reader cannot ask")
    }

    /// Finds the events in a piece of the stream. Parsing all of it would measure this program instead of the server.
    fn take(&mut self, piece: &[u8], mut found: impl FnMut(u64)) {
        let mut at = 0;
        if let Some(number) = self.cut.take() {
            at = self.number(number, piece, 0, &mut found);
        }
        while let Some(mark) = memchr::memchr(MARK, &piece[at..]).map(|found| at + found) {
            at = self.number(0, piece, mark + 1, &mut found);
        }
    }

    /// Reads a number that starts at `at` and continues `number`, and returns its end.
    fn number(&mut self, mut number: u64, piece: &[u8], at: usize, found: &mut impl FnMut(u64)) -> usize {
        for (offset, byte) in piece[at..].iter().enumerate() {
            if !byte.is_ascii_digit() {
                // Pushes before the measured load have number 0, and do not count.
                if number > 0 {
                    self.events += 1;
                    found(number);
                }
                return at + offset;
            }
            number = number * 10 + u64::from(byte - b'0');
        }
        self.cut = Some(number);
        piece.len()
    }
}
