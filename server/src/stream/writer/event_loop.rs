//! The event loop of a writing thread: steps its subscribers in batches under one lock of the hub, and writes their
//! frames.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mio::{Events, Poll, Token};
use slab::Slab;

use super::connection::{Connection, PeerInput, Piece, Written};
use super::mailbox::{Mail, Mailbox, WAKE};
use crate::clock::{self, Uptime};
use crate::hub::Step;
use crate::hub::driver::HubHandle;
use crate::hub::topic::TopicId;

/// Maximum number of kernel events that are handled before the mailbox is checked.
const EVENTS: usize = 1_024;

/// Number of subscribers that are stepped under one lock of the hub: publishing waits that long at most.
const STEPS: usize = 128;

/// Number of series that are collected for snapshots and returning subscribers before the others get their turn.
/// Encoding them takes some 20 ms if all have a whole track. A single subscriber may have more.
const CATCH_UP: usize = 512;

/// Maximum number of bytes that a subscriber gets at once, so that one with much to catch up on does not delay the
/// others.
const SHARE: usize = 256 << 10;

/// The event loop of one thread, with its connections.
pub(super) struct EventLoop {
    poll: Poll,
    mailbox: Arc<Mailbox>,
    hub: HubHandle,
    /// Maximum time for which a socket may take no byte.
    patience: Duration,
    connections: Slab<Connection>,
    /// The connections of each topic, so that the cost of a new frame depends on the topic's subscribers only.
    by_topic: HashMap<TopicId, Vec<usize>>,
    /// The times at which connections must be stepped even if nothing happens. Each connection has one or two entries.
    /// Only its own `due` is decisive: it moves later with each frame, without an update here.
    dues: BinaryHeap<Reverse<(Uptime, usize, u64)>>,
    /// The name of the next connection, since slots are reused.
    next_name: u64,
    /// The connections to step now, in the order in which they were listed.
    listed: Vec<usize>,
    /// The pieces of a batch, to be written once the hub is free again. Kept to reuse the allocation.
    pieces: Vec<Piece>,
    /// The pieces of one subscriber, encoded.
    encoded: Vec<Bytes>,
}

/// The result of stepping a connection.
struct Stepped {
    connection: usize,
    pieces: Range<usize>,
    /// It got its share, and has more to receive.
    more: bool,
}

impl EventLoop {
    pub(super) fn new(poll: Poll, mailbox: Arc<Mailbox>, hub: HubHandle, patience: Duration) -> Self {
        Self {
            poll,
            mailbox,
            hub,
            patience,
            connections: Slab::new(),
            by_topic: HashMap::new(),
            dues: BinaryHeap::new(),
            next_name: 0,
            listed: Vec::new(),
            pieces: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// Runs until the mailbox says stop.
    ///
    /// # Panics
    /// If the thread cannot wait for its sockets. The process ends then ([`crate::panics`]).
    pub(super) fn run(self) {
        self.run_with(Events::with_capacity(EVENTS));
    }

    fn run_with(mut self, mut events: Events) {
        loop {
            let timeout = self.timeout();
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                // Its streams would hang, and new ones would still be handed to it.
                panic!("a writer thread cannot wait for its sockets: {error}");
            }
            for event in events.iter().filter(|event| event.token() != WAKE) {
                let Token(connection) = event.token();
                let broken = event.is_error() || event.is_write_closed();
                self.socket_says(
                    connection,
                    broken,
                    event.is_readable() || event.is_read_closed(),
                    event.is_writable(),
                );
            }
            let mail = self.mailbox.collect();
            if mail.stop {
                return;
            }
            self.read(mail);
            self.list_due();
            self.step_listed();
        }
    }

    /// Returns the time until the next scheduled step; `None` if there is none.
    fn timeout(&self) -> Option<Duration> {
        if !self.listed.is_empty() {
            return Some(Duration::ZERO);
        }
        let Reverse((due, ..)) = self.dues.peek()?;
        Some(Duration::from_millis(due.0.saturating_sub(clock::now().up.0)))
    }

    fn socket_says(&mut self, at: usize, broken: bool, readable: bool, writable: bool) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        let input = if readable { connection.read_peer() } else { PeerInput::Nothing };
        let mut written = match input {
            _ if broken => Written::Over,
            PeerInput::TooMuch => Written::Over,
            PeerInput::Closed => connection.probe(),
            PeerInput::Nothing => Written::All,
        };
        if writable && connection.is_full() && written != Written::Over {
            written = connection.write_rest();
            match written {
                Written::All => self.list(at),
                Written::Full => self.bound_stall(at),
                Written::Over => {}
            }
        }
        if written == Written::Over {
            self.drop_connection(at);
        }
    }

    fn read(&mut self, mail: Mail) {
        for mut connection in mail.connections {
            connection.set_name(self.next_name);
            self.next_name += 1;
            let topic = connection.subscriber.topic();
            let entry = self.connections.vacant_entry();
            let at = entry.key();
            if let Err(error) = connection.register(self.poll.registry(), Token(at)) {
                tracing::warn!(%error, "cannot watch a socket");
                continue;
            }
            entry.insert(*connection);
            self.by_topic.entry(topic).or_default().push(at);
            self.list(at);
        }
        if mail.closing {
            let all: Vec<usize> = self.connections.iter().map(|(at, _)| at).collect();
            all.into_iter().for_each(|at| self.list(at));
        }
        for topic in mail.topics {
            let Some(readers) = self.by_topic.get(&topic) else { continue };
            for &at in readers {
                list(&mut self.connections, &mut self.listed, at);
            }
        }
    }

    fn list_due(&mut self) {
        let now = clock::now().up;
        while let Some(&Reverse((due, at, name))) = self.dues.peek()
            && due <= now
        {
            self.dues.pop();
            let Some(connection) = self.connections.get_mut(at).filter(|connection| connection.name() == name) else {
                continue;
            };
            if connection.due <= now && connection.is_full() {
                if after(connection.stalled(), self.patience) <= now {
                    self.drop_connection(at);
                } else {
                    connection.due = Uptime(u64::MAX);
                    self.bound_stall(at);
                }
            } else if connection.due <= now {
                // Its next step sets the next time.
                connection.due = Uptime(u64::MAX);
                self.list(at);
            } else if connection.due < Uptime(u64::MAX) {
                self.dues.push(Reverse((connection.due, at, name)));
            }
        }
    }

    /// Schedules the check that drops a full socket if it still takes nothing when its time is over.
    fn bound_stall(&mut self, at: usize) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        let due = after(connection.stalled(), self.patience);
        if connection.due == Uptime(u64::MAX) || due < connection.due {
            self.dues.push(Reverse((due, at, connection.name())));
        }
        connection.due = due;
    }

    fn list(&mut self, at: usize) {
        list(&mut self.connections, &mut self.listed, at);
    }

    /// Steps all listed connections and writes their pieces. A connection that had its share is listed again. So are
    /// connections that start or return, once enough of them had their turn: the others do not wait until all their
    /// frames are encoded.
    fn step_listed(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let mut caught_up = 0;
        for batch in listed.chunks(STEPS) {
            for Stepped { connection: at, pieces, more } in self.step(batch, &mut caught_up) {
                let Some(connection) = self.connections.get_mut(at) else { continue };
                // Frames are encoded and compressed while the hub is free. The first subscriber of a frame does it for
                // all.
                let written = match &self.pieces[pieces] {
                    [Piece::Frame(frame)] => connection.write_frame(frame),
                    several => {
                        self.encoded.extend(several.iter().map(|piece| connection.encode(piece)));
                        let written = connection.write(&self.encoded);
                        self.encoded.clear();
                        written
                    }
                };
                match written {
                    Written::All if more => self.list(at),
                    Written::All => {}
                    Written::Full => self.bound_stall(at),
                    Written::Over => self.drop_connection(at),
                }
            }
            self.pieces.clear();
        }
        if self.listed.is_empty() {
            self.listed = listed;
            self.listed.clear();
        }
    }

    /// Steps a batch under one lock. `caught_up` counts the series that were collected for subscribers that start or
    /// return.
    fn step(&mut self, batch: &[usize], caught_up: &mut usize) -> Vec<Stepped> {
        let Self { connections, listed, pieces, dues, hub, by_topic, .. } = self;
        hub.stepping(|hub| {
            let mut steps = Vec::with_capacity(batch.len());
            for &at in batch {
                let Some(connection) = connections.get_mut(at) else { continue };
                connection.listed = false;
                if connection.is_full() {
                    continue;
                }
                let topic = connection.subscriber.topic();
                let from = pieces.len();
                pieces.extend(connection.take_head().map(Piece::Head));
                let mut share = 0;
                let more = loop {
                    if *caught_up + hub.looked_at() >= CATCH_UP && hub.is_costly(&connection.subscriber) {
                        break true;
                    }
                    match hub.step(&mut connection.subscriber) {
                        Step::Send(frame) => {
                            share += frame.size();
                            pieces.push(Piece::Frame(frame));
                            if share >= SHARE {
                                break true;
                            }
                        }
                        Step::Wait(due) => {
                            if connection.due == Uptime(u64::MAX) || due < connection.due {
                                dues.push(Reverse((due, at, connection.name())));
                            }
                            connection.due = due;
                            break false;
                        }
                        Step::End => {
                            pieces.push(Piece::End);
                            break false;
                        }
                    }
                };
                // One of its boards changed. A frame of the new topic that comes now is in the mailbox, which is read
                // later.
                if connection.subscriber.topic() != topic {
                    remove(by_topic, topic, at);
                    by_topic.entry(connection.subscriber.topic()).or_default().push(at);
                }
                if pieces.len() > from {
                    steps.push(Stepped { connection: at, pieces: from..pieces.len(), more });
                } else if more {
                    connection.listed = true;
                    listed.push(at);
                }
            }
            *caught_up += hub.looked_at();
            steps
        })
    }

    fn drop_connection(&mut self, at: usize) {
        let Some(connection) = self.connections.try_remove(at) else { return };
        if connection.listed {
            // Its slot may be reused before the list is stepped.
            self.listed.retain(|&listed| listed != at);
        }
        remove(&mut self.by_topic, connection.subscriber.topic(), at);
    }
}

fn after(since: Uptime, patience: Duration) -> Uptime {
    since.plus(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX))
}

/// Removes a connection from a topic that it no longer reads.
fn remove(by_topic: &mut HashMap<TopicId, Vec<usize>>, topic: TopicId, at: usize) {
    if let Some(readers) = by_topic.get_mut(&topic) {
        if let Some(found) = readers.iter().position(|&reader| reader == at) {
            readers.swap_remove(found);
        }
        if readers.is_empty() {
            by_topic.remove(&topic);
        }
    }
}

/// Puts a connection on the list, once.
fn list(connections: &mut Slab<Connection>, listed: &mut Vec<usize>, at: usize) {
    if let Some(connection) = connections.get_mut(at)
        && !connection.listed
    {
        connection.listed = true;
        listed.push(at);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
