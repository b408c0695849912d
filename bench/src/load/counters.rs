//! Readers that count what they receive, without timing it: many of them in one thread.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// A text that each update contains exactly once, and nothing else contains.
const MARK: &[u8] = b"\"type\":\"update\"";

/// Readers in one thread.
pub(crate) struct Counters {
    poll: Poll,
    all: Vec<Reader>,
    /// The number of received updates; counted only in uncompressed streams.
    pub(crate) updates: u64,
    /// The number of received bytes.
    pub(crate) bytes: u64,
    piece: Vec<u8>,
}

struct Reader {
    socket: TcpStream,
    asked: bool,
    /// True once its first bytes arrived.
    is_there: bool,
    request: Vec<u8>,
    /// The last received bytes, which may contain the beginning of a mark.
    tail: Vec<u8>,
}

impl Counters {
    /// Connects the readers, and waits until each has the beginning of its answer. `request` returns the request of a
    /// reader by its number.
    pub(crate) fn connect(addr: SocketAddr, count: usize, request: impl Fn(usize) -> String) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let mut socket = TcpStream::connect(addr)?;
            poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
            let request = request(number).into_bytes();
            all.push(Reader { socket, asked: false, is_there: false, request, tail: Vec::new() });
        }
        let mut readers = Self { poll, all, updates: 0, bytes: 0, piece: vec![0; 64 << 10] };
        let deadline = Instant::now() + Duration::from_mins(2);
        while readers.all.iter().any(|reader| !reader.is_there) {
            anyhow::ensure!(Instant::now() < deadline, "not all readers got an answer");
            readers.read(Duration::from_millis(50))?;
        }
        Ok(readers)
    }

    /// The number of readers.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Reads everything that arrives within `patience`.
    pub(crate) fn read(&mut self, patience: Duration) -> anyhow::Result<()> {
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
                    Ok(len) => {
                        self.bytes += len as u64;
                        self.updates += reader.take(&self.piece[..len]);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

impl Reader {
    /// Counts the updates that begin in a piece of the stream.
    fn take(&mut self, piece: &[u8]) -> u64 {
        self.is_there = true;
        self.tail.extend_from_slice(piece);
        let found = memchr::memmem::find_iter(&self.tail, MARK).count();
        let keep = self.tail.len().saturating_sub(MARK.len() - 1);
        self.tail.drain(..keep);
        found as u64
    }
}
