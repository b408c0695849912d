//! The socket of one reader, and what it has still to take.

use std::io::{ErrorKind, IoSlice, Read as _, Write as _};

use bytes::{Buf as _, Bytes};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::net::SendFlags;

use super::Open;
use crate::clock::{self, Uptime};
use crate::hub::driver::Subscription;
use crate::hub::frame::Frame;
use crate::stream::form::{Coding, Framing};
use crate::stream::handover::Taken;

/// Most pieces that one system call writes.
const PIECES: usize = 64;

/// Most that a reader may send us before it is cut: it has nothing more to say.
const CHATTER: usize = 64 << 10;

/// One reader. Lines lie side by side, and here is only what each frame has to do with: who writes to thousands of sockets
/// waits for memory more than for anything else of its own.
#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    framing: Framing,
    /// It is on the list of those to step already.
    pub(super) listed: bool,
    /// The socket did not take all. As long as that is so, the reader is not stepped: that is what keeps the memory for
    /// each bounded.
    full: bool,
    /// The response's head is still to be written.
    fresh: bool,
    /// After what is left to write the stream is over.
    ending: bool,
    coding: Coding,
    pub(super) subscription: Subscription,
    /// When it is to be stepped even if nothing happens.
    pub(super) due: Uptime,
    aside: Box<Aside>,
}

/// What of a line is seldom looked at.
#[derive(Debug)]
struct Aside {
    /// The response's head, until it is written.
    head: Option<Bytes>,
    /// What the socket did not take yet.
    rest: Vec<Bytes>,
    /// Time at which the socket last took a byte; valid only while it is full.
    stalled: Uptime,
    /// Tells it from lines that had its place before.
    name: u64,
    /// The reader has closed its side.
    said_all: bool,
    /// So that the server knows when all streams have ended.
    _open: Open,
}

/// What is to be written to a reader.
#[derive(Debug)]
pub(super) enum Piece {
    /// The response's head.
    Head(Bytes),
    /// Some events.
    Frame(Frame),
    /// The stream is over.
    End,
}

/// How writing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// All is with the kernel.
    All,
    /// The socket is full; it says when it can take more.
    Full,
    /// The stream is over.
    Over,
}

/// What a reader says, where its socket says that there is something to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing that matters: a stream is one request.
    Nothing,
    /// That it will say nothing more. It may have left, or may listen still.
    All,
    /// More than anyone has to say, or the socket failed.
    TooMuch,
}

impl Line {
    pub(super) fn new(socket: TcpStream, taken: Taken, open: Open) -> Self {
        Self {
            socket,
            framing: taken.framing,
            listed: false,
            full: false,
            fresh: true,
            ending: false,
            coding: taken.coding,
            subscription: taken.subscription,
            due: Uptime(u64::MAX),
            aside: Box::new(Aside {
                head: Some(taken.head),
                rest: Vec::new(),
                stalled: Uptime(0),
                name: 0,
                said_all: false,
                _open: open,
            }),
        }
    }

    /// Tells it from lines that had its place before.
    pub(super) fn name(&self) -> u64 {
        self.aside.name
    }

    pub(super) fn set_name(&mut self, name: u64) {
        self.aside.name = name;
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Whether the socket has not taken all it was given.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Time at which the socket last took a byte; valid only while it is full.
    pub(super) fn stalled(&self) -> Uptime {
        self.aside.stalled
    }

    /// The response's head, where it is still to be written.
    pub(super) fn take_head(&mut self) -> Option<Bytes> {
        if !std::mem::take(&mut self.fresh) {
            return None;
        }
        self.aside.head.take()
    }

    /// Writes a frame, which is nearly always all that there is to write.
    pub(super) fn write_frame(&mut self, frame: &Frame) -> Written {
        let bytes = self.coding.frame(frame, self.framing);
        // By itself: in a program of several threads, each of libc's writes first makes itself one that can be cancelled.
        match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(len) if len == bytes.len() => Written::All,
            Ok(len) => self.write(&[bytes.slice(len..)]),
            // Which it was is found out there.
            Err(_) => self.write(std::slice::from_ref(bytes)),
        }
    }

    /// A piece of the stream as this reader gets it; those of one reader come in order.
    pub(super) fn encode(&mut self, piece: &Piece) -> Bytes {
        match piece {
            Piece::Head(head) => head.clone(),
            Piece::Frame(frame) => self.coding.frame(frame, self.framing).clone(),
            Piece::End => {
                self.ending = true;
                self.coding.end(self.framing)
            }
        }
    }

    /// Writes these pieces, and keeps what the socket does not take.
    pub(super) fn write(&mut self, pieces: &[Bytes]) -> Written {
        let mut left = pieces;
        // How much of the first of those left is written.
        let mut begun = 0;
        while let Some(first) = left.first() {
            let written = if left.len() == 1 {
                self.socket.write(&first[begun..])
            } else {
                let mut slices = [IoSlice::new(&[]); PIECES];
                let mut count = 0;
                for (slice, piece) in slices.iter_mut().zip(left) {
                    *slice = IoSlice::new(if count == 0 { &piece[begun..] } else { piece });
                    count += 1;
                }
                self.socket.write_vectored(&slices[..count])
            };
            match written {
                Ok(0) => return Written::Over,
                Ok(mut len) => {
                    len += begun;
                    while let Some(first) = left.first()
                        && len >= first.len()
                    {
                        len -= first.len();
                        left = &left[1..];
                    }
                    begun = len;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.full = true;
                    self.aside.rest = left.to_vec();
                    self.aside.rest[0].advance(begun);
                    self.aside.stalled = clock::now().up;
                    return Written::Full;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Written::Over,
            }
        }
        if self.ending { Written::Over } else { Written::All }
    }

    /// Writes what was kept.
    pub(super) fn write_rest(&mut self) -> Written {
        self.full = false;
        let rest = std::mem::take(&mut self.aside.rest);
        let stalled = self.aside.stalled;
        let written = self.write(&rest);
        let len = |pieces: &[Bytes]| pieces.iter().map(Bytes::len).sum::<usize>();
        if written == Written::Full && len(&self.aside.rest) == len(&rest) {
            self.aside.stalled = stalled;
        }
        written
    }

    /// Reads what the reader says.
    pub(super) fn listen(&mut self) -> Said {
        if self.aside.said_all {
            return Said::Nothing;
        }
        let mut scratch = [0; 4_096];
        let mut heard = 0;
        while heard < CHATTER {
            match self.socket.read(&mut scratch) {
                Ok(0) => {
                    self.aside.said_all = true;
                    return Said::All;
                }
                Ok(len) => heard += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Said::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Said::TooMuch,
            }
        }
        Said::TooMuch
    }

    /// Finds out whether a reader that will say nothing more still listens: where it has left, its system answers what
    /// it gets with a reset. A comment, which no reader hears of.
    pub(super) fn sound_out(&mut self) -> Written {
        // What is left to write does the same.
        if self.full || self.fresh { Written::Full } else { self.write_frame(&Frame::new(":\n\n")) }
    }
}
