//! Many readers of streams in one thread, which does as little as it can: the machine is shared with what is measured.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// What precedes an event's number in its text. Nothing else in a stream has it.
const MARK: u8 = b'@';

/// How long all readers may take to be there.
const PATIENCE: Duration = Duration::from_mins(2);

/// When an event was meant to be sent, by its number.
pub(crate) type Schedule = Arc<dyn Fn(u64) -> Instant + Send + Sync>;

/// Readers that are reading.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    thread: JoinHandle<anyhow::Result<Heard>>,
    /// How long it took until every one had the head of its answer.
    pub(crate) connected_in: Duration,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Readers that have had the last event.
    finished: AtomicU64,
    /// The number of the last event; nobody knows it before it was sent.
    last: AtomicU64,
}

/// What the readers heard.
#[derive(Default)]
pub(crate) struct Heard {
    /// Events, over all readers.
    pub(crate) events: u64,
    /// Readers that did not hear every number from the first to the last.
    pub(crate) short: usize,
    /// How long after its intended time each event arrived, where there is a schedule.
    pub(crate) latencies: Vec<Duration>,
}

struct Reader {
    socket: TcpStream,
    /// The head of the answer has come.
    there: bool,
    /// Events so far.
    events: u64,
    /// The greatest number so far.
    newest: u64,
    /// A number that was cut by the end of a piece.
    cut: Option<u64>,
    /// The last byte but one of the piece before, and the last.
    tail: [u8; 2],
}

impl Readers {
    /// Connects `count` readers to `path`, all at once, and waits until each has the head of its answer.
    pub(crate) fn connect(
        addr: SocketAddr,
        path: &str,
        count: usize,
        schedule: Option<Schedule>,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (there, all_there) = std::sync::mpsc::channel();
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n");
        let begun = Instant::now();
        let thread = {
            let shared = shared.clone();
            std::thread::spawn(move || run(addr, request.as_bytes(), count, schedule.as_ref(), &shared, &there))
        };
        if all_there.recv_timeout(PATIENCE).is_err() {
            shared.stop.store(true, Ordering::Relaxed);
            let error = thread.join().map(Result::err);
            anyhow::bail!("not all {count} readers got an answer: {error:?}");
        }
        Ok(Self { shared, thread, connected_in: begun.elapsed() })
    }

    /// Waits until every reader has had event `last`, for so long at most, and gives what they heard.
    pub(crate) fn finish(self, last: u64, patience: Duration, count: usize) -> anyhow::Result<Heard> {
        self.shared.last.store(last, Ordering::Relaxed);
        let deadline = Instant::now() + patience;
        while self.shared.finished.load(Ordering::Relaxed) < count as u64 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the readers' thread panicked")?
    }
}

fn run(
    addr: SocketAddr,
    request: &[u8],
    count: usize,
    schedule: Option<&Schedule>,
    shared: &Shared,
    all_there: &std::sync::mpsc::Sender<()>,
) -> anyhow::Result<Heard> {
    let mut poll = Poll::new()?;
    let mut readers = Vec::with_capacity(count);
    for number in 0..count {
        let mut socket = connect(addr, number)?;
        poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        readers.push(Reader { socket, there: false, events: 0, newest: 0, cut: None, tail: [0; 2] });
    }
    let mut asked = vec![false; count];
    let mut waiting = count;
    let mut finished = 0;
    let mut heard = Heard::default();
    let mut events = Events::with_capacity(4_096);
    let mut piece = vec![0; 256 << 10];
    while !shared.stop.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(20)))?;
        for event in &events {
            let at = event.token().0;
            let reader = &mut readers[at];
            if event.is_writable() && !asked[at] {
                asked[at] = true;
                reader.socket.write_all(request).with_context(|| format!("reader {at} cannot ask"))?;
            }
            if !event.is_readable() {
                continue;
            }
            loop {
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
                    if waiting == 0 {
                        all_there.send(())?;
                    }
                }
                let before = reader.newest;
                reader.take(&piece[..len]);
                if reader.newest > before
                    && let Some(schedule) = schedule
                {
                    let now = Instant::now();
                    let new = before + 1..=reader.newest;
                    heard.latencies.extend(new.map(|number| now.saturating_duration_since(schedule(number))));
                }
                // A short read has emptied the socket.
                if len < piece.len() {
                    break;
                }
            }
        }
        let last = shared.last.load(Ordering::Relaxed);
        if last > 0 {
            finished = readers.iter().filter(|reader| reader.events >= last).count().max(finished);
            shared.finished.store(finished as u64, Ordering::Relaxed);
        }
    }
    let last = shared.last.load(Ordering::Relaxed);
    heard.events = readers.iter().map(|reader| reader.events).sum();
    heard.short = readers.iter().filter(|reader| reader.events < last).count();
    Ok(heard)
}

/// From one of several loopback addresses, so that more readers fit than one address has ports.
fn connect(addr: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let last = u8::try_from(2 + number / 20_000).unwrap_or(u8::MAX);
    if number >= 20_000 {
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into())?;
    }
    match socket.connect(&addr.into()) {
        Err(error) if error.raw_os_error() != Some(115) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

impl Reader {
    /// Counts the events in a piece of the stream. Parsing all of it would measure this program instead.
    fn take(&mut self, piece: &[u8]) {
        let mut at = 0;
        if let Some(number) = self.cut.take() {
            at = self.number(number, piece, 0);
        }
        while let Some(mark) = memchr::memchr(MARK, &piece[at..]).map(|found| at + found) {
            let before = match mark {
                0 => self.tail,
                1 => [self.tail[1], piece[0]],
                _ => [piece[mark - 2], piece[mark - 1]],
            };
            // A frame of this project has the latest text twice: `"text":"@7"` beside the list of what is new.
            at = if before == *b":\"" { mark + 1 } else { self.number(0, piece, mark + 1) };
        }
        if let [.., first, second] = *piece {
            self.tail = [first, second];
        }
    }

    /// Reads a number at `at`, of which `number` was read before, and gives where it ends.
    fn number(&mut self, mut number: u64, piece: &[u8], at: usize) -> usize {
        for (offset, byte) in piece[at..].iter().enumerate() {
            if !byte.is_ascii_digit() {
                self.events += 1;
                self.newest = self.newest.max(number);
                return at + offset;
            }
            number = number * 10 + u64::from(byte - b'0');
        }
        self.cut = Some(number);
        piece.len()
    }
}
