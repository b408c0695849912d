//! The connection of one subscriber: its socket, and the bytes that the socket has not taken yet.

use std::io::{ErrorKind, IoSlice, Read as _, Write as _};

use bytes::{Buf as _, Bytes};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::net::SendFlags;

use super::open::Open;
use crate::clock::{self, Uptime};
use crate::hub::driver::Subscriber;
use crate::hub::frame::Frame;
use crate::stream::form::{Coding, Framing};
use crate::stream::takeover::UpgradedStream;

/// Maximum number of pieces in one system call.
const PIECES: usize = 64;

/// A client that sends more than this is disconnected: a stream is one request, so there is nothing more to send.
const CHATTER: usize = 64 << 10;

/// The connection of one subscriber. Connections lie side by side in memory, and the fields here are only those that
/// each frame needs: a thread that writes to thousands of sockets spends most of its own time waiting for memory.
#[derive(Debug)]
pub(super) struct Connection {
    socket: TcpStream,
    framing: Framing,
    /// It is already on the list of connections to step.
    pub(super) listed: bool,
    /// The socket did not take all bytes. While that is so, the subscriber is not stepped; this bounds the memory of
    /// each connection.
    full: bool,
    /// The response's head is not written yet.
    fresh: bool,
    /// The stream ends after the remaining bytes are written.
    ending: bool,
    coding: Coding,
    pub(super) subscriber: Subscriber,
    /// The time at which to step it even if nothing happens.
    pub(super) due: Uptime,
    cold: Box<ColdFields>,
}

/// The fields of a connection that are seldom used.
#[derive(Debug)]
struct ColdFields {
    /// The response's head, until it is written.
    head: Option<Bytes>,
    /// The bytes that the socket did not take yet.
    rest: Vec<Bytes>,
    /// Time at which the socket last took a byte; valid only while it is full.
    stalled: Uptime,
    /// Distinguishes it from earlier connections in the same slot.
    name: u64,
    /// The client has closed its sending side.
    is_half_closed: bool,
    /// Lets the server see when all streams have ended.
    _open: Open,
}

/// A piece of a stream that must be written.
#[derive(Debug)]
pub(super) enum Piece {
    /// The response's head.
    Head(Bytes),
    /// Some events.
    Frame(Frame),
    /// The end of the stream.
    End,
}

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The kernel took all bytes.
    All,
    /// The socket is full; an event will show when it can take more.
    Full,
    /// The stream is over.
    Over,
}

/// The result of reading from a socket that is readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerInput {
    /// Nothing that matters: a stream is one request.
    Nothing,
    /// The client closed its sending side. It may have left, or may still listen.
    Closed,
    /// More than a client may send, or the socket failed.
    TooMuch,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, taken: UpgradedStream, open: Open) -> Self {
        Self {
            socket,
            framing: taken.framing,
            listed: false,
            full: false,
            fresh: true,
            ending: false,
            coding: taken.coding,
            subscriber: taken.subscriber,
            due: Uptime(u64::MAX),
            cold: Box::new(ColdFields {
                head: Some(taken.head),
                rest: Vec::new(),
                stalled: Uptime(0),
                name: 0,
                is_half_closed: false,
                _open: open,
            }),
        }
    }

    /// Distinguishes it from earlier connections in the same slot.
    pub(super) fn name(&self) -> u64 {
        self.cold.name
    }

    pub(super) fn set_name(&mut self, name: u64) {
        self.cold.name = name;
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Returns true if the socket has not taken all bytes.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Time at which the socket last took a byte; valid only while it is full.
    pub(super) fn stalled(&self) -> Uptime {
        self.cold.stalled
    }

    /// Takes the response's head, if it is not written yet.
    pub(super) fn take_head(&mut self) -> Option<Bytes> {
        if !std::mem::take(&mut self.fresh) {
            return None;
        }
        self.cold.head.take()
    }

    /// Writes a frame, which is nearly always the only piece.
    pub(super) fn write_frame(&mut self, frame: &Frame) -> Written {
        let bytes = self.coding.frame(frame, self.framing);
        // Calls `send(2)` directly: glibc's `write` toggles thread cancellation in multi-threaded programs.
        match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(len) if len == bytes.len() => Written::All,
            Ok(len) => self.write(&[bytes.slice(len..)]),
            // `write` finds out which error it was.
            Err(_) => self.write(std::slice::from_ref(bytes)),
        }
    }

    /// Encodes a piece of the stream for this subscriber. Call it in the order of the pieces.
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

    /// Writes these pieces, and keeps the bytes that the socket does not take.
    pub(super) fn write(&mut self, pieces: &[Bytes]) -> Written {
        let mut left = pieces;
        // Number of bytes of the first remaining piece that are written.
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
                    self.cold.rest = left.to_vec();
                    self.cold.rest[0].advance(begun);
                    self.cold.stalled = clock::now().up;
                    return Written::Full;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Written::Over,
            }
        }
        if self.ending { Written::Over } else { Written::All }
    }

    /// Writes the bytes that were kept.
    pub(super) fn write_rest(&mut self) -> Written {
        self.full = false;
        let rest = std::mem::take(&mut self.cold.rest);
        let stalled = self.cold.stalled;
        let written = self.write(&rest);
        let len = |pieces: &[Bytes]| pieces.iter().map(Bytes::len).sum::<usize>();
        if written == Written::Full && len(&self.cold.rest) == len(&rest) {
            self.cold.stalled = stalled;
        }
        written
    }

    /// Reads and discards the bytes from the client.
    pub(super) fn read_peer(&mut self) -> PeerInput {
        if self.cold.is_half_closed {
            return PeerInput::Nothing;
        }
        let mut scratch = [0; 4_096];
        let mut read = 0;
        while read < CHATTER {
            match self.socket.read(&mut scratch) {
                Ok(0) => {
                    self.cold.is_half_closed = true;
                    return PeerInput::Closed;
                }
                Ok(len) => read += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return PeerInput::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return PeerInput::TooMuch,
            }
        }
        PeerInput::TooMuch
    }

    /// Sends a comment, which `EventSource` ignores, to a client that has closed its sending side. This shows if it
    /// still listens: if it has left, its system answers with a reset.
    pub(super) fn probe(&mut self) -> Written {
        // The remaining bytes do the same.
        if self.full || self.fresh { Written::Full } else { self.write_frame(&Frame::new(":\n\n")) }
    }
}
