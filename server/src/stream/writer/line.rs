//! The socket of one reader, and what it has still to take.

use std::io::{ErrorKind, IoSlice, Read as _, Write as _};

use bytes::{Buf as _, Bytes};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::Open;
use crate::clock::Uptime;
use crate::hub::driver::Subscription;
use crate::hub::frame::Frame;
use crate::stream::form::{Coding, Framing};
use crate::stream::handover::Taken;

/// Most pieces that one system call writes.
const PIECES: usize = 64;

/// Most that a reader may send us before it is cut: it has nothing more to say.
const CHATTER: usize = 64 << 10;

/// One reader.
#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    pub(super) subscription: Subscription,
    framing: Framing,
    coding: Coding,
    /// The response's head, until it is written.
    head: Option<Bytes>,
    /// What the socket did not take yet. As long as there is any, the reader is not stepped: that is what keeps the
    /// memory for each bounded.
    rest: Vec<Bytes>,
    /// Tells it from lines that had its place before.
    pub(super) name: u64,
    /// When it is to be stepped even if nothing happens.
    pub(super) due: Uptime,
    /// After what is left to write the stream is over.
    ending: bool,
    /// The reader has closed its side.
    said_all: bool,
    /// It is on the list of those to step already.
    pub(super) listed: bool,
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
            subscription: taken.subscription,
            framing: taken.framing,
            coding: taken.coding,
            head: Some(taken.head),
            rest: Vec::new(),
            name: 0,
            due: Uptime(u64::MAX),
            ending: false,
            said_all: false,
            listed: false,
            _open: open,
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Whether the socket has not taken all it was given.
    pub(super) fn is_full(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The response's head, where it is still to be written.
    pub(super) fn take_head(&mut self) -> Option<Bytes> {
        self.head.take()
    }

    /// A piece of the stream as this reader gets it; those of one reader come in order.
    pub(super) fn encode(&mut self, piece: &Piece) -> Bytes {
        match piece {
            Piece::Head(head) => head.clone(),
            Piece::Frame(frame) => self.coding.frame(frame, self.framing),
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
                    self.rest = left.to_vec();
                    self.rest[0].advance(begun);
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
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest)
    }

    /// Reads what the reader says.
    pub(super) fn listen(&mut self) -> Said {
        if self.said_all {
            return Said::Nothing;
        }
        let mut scratch = [0; 4_096];
        let mut heard = 0;
        while heard < CHATTER {
            match self.socket.read(&mut scratch) {
                Ok(0) => {
                    self.said_all = true;
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
        if self.is_full() || self.head.is_some() {
            Written::Full
        } else {
            let comment = self.coding.frame(&Frame::new(":\n\n"), self.framing);
            self.write(&[comment])
        }
    }
}
