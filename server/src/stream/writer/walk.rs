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

use super::line::{Line, Piece, Said, Written};
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
pub(super) struct Walk {
    poll: Poll,
    mailbox: Arc<Mailbox>,
    hub: HubHandle,
    /// Maximum time for which a socket may take no byte.
    patience: Duration,
    lines: Slab<Line>,
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
    line: usize,
    pieces: Range<usize>,
    /// It got its share, and has more to receive.
    more: bool,
}

impl Walk {
    pub(super) fn new(poll: Poll, mailbox: Arc<Mailbox>, hub: HubHandle, patience: Duration) -> Self {
        Self {
            poll,
            mailbox,
            hub,
            patience,
            lines: Slab::new(),
            by_topic: HashMap::new(),
            dues: BinaryHeap::new(),
            next_name: 0,
            listed: Vec::new(),
            pieces: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// Runs until the mailbox says stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout();
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                // Its streams would hang, and new ones would still be handed to it.
                panic!("a writer thread cannot wait for its sockets: {error}");
            }
            for event in events.iter().filter(|event| event.token() != WAKE) {
                let Token(line) = event.token();
                let broken = event.is_error() || event.is_write_closed();
                self.socket_says(line, broken, event.is_readable() || event.is_read_closed(), event.is_writable());
            }
            let mail = self.mailbox.collect();
            if mail.stop {
                return;
            }
            self.read(mail);
            self.list_due();
            self.walk();
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
        let Some(line) = self.lines.get_mut(at) else { return };
        let said = if readable { line.listen() } else { Said::Nothing };
        let mut written = match said {
            _ if broken => Written::Over,
            Said::TooMuch => Written::Over,
            Said::All => line.sound_out(),
            Said::Nothing => Written::All,
        };
        if writable && line.is_full() && written != Written::Over {
            written = line.write_rest();
            match written {
                Written::All => self.list(at),
                Written::Full => self.bound_stall(at),
                Written::Over => {}
            }
        }
        if written == Written::Over {
            self.drop_line(at);
        }
    }

    fn read(&mut self, mail: Mail) {
        for mut line in mail.lines {
            line.set_name(self.next_name);
            self.next_name += 1;
            let topic = line.subscription.topic();
            let entry = self.lines.vacant_entry();
            let at = entry.key();
            if let Err(error) = line.register(self.poll.registry(), Token(at)) {
                tracing::warn!(%error, "cannot watch a socket");
                continue;
            }
            entry.insert(*line);
            self.by_topic.entry(topic).or_default().push(at);
            self.list(at);
        }
        if mail.closing {
            let all: Vec<usize> = self.lines.iter().map(|(at, _)| at).collect();
            all.into_iter().for_each(|at| self.list(at));
        }
        for topic in mail.topics {
            let Some(readers) = self.by_topic.get(&topic) else { continue };
            for &at in readers {
                list(&mut self.lines, &mut self.listed, at);
            }
        }
    }

    fn list_due(&mut self) {
        let now = clock::now().up;
        while let Some(&Reverse((due, at, name))) = self.dues.peek()
            && due <= now
        {
            self.dues.pop();
            let Some(line) = self.lines.get_mut(at).filter(|line| line.name() == name) else { continue };
            if line.due <= now && line.is_full() {
                if after(line.stalled(), self.patience) <= now {
                    self.drop_line(at);
                } else {
                    line.due = Uptime(u64::MAX);
                    self.bound_stall(at);
                }
            } else if line.due <= now {
                // Its next step sets the next time.
                line.due = Uptime(u64::MAX);
                self.list(at);
            } else if line.due < Uptime(u64::MAX) {
                self.dues.push(Reverse((line.due, at, name)));
            }
        }
    }

    /// Schedules the check that drops a full socket if it still takes nothing when its time is over.
    fn bound_stall(&mut self, at: usize) {
        let Some(line) = self.lines.get_mut(at) else { return };
        let due = after(line.stalled(), self.patience);
        if line.due == Uptime(u64::MAX) || due < line.due {
            self.dues.push(Reverse((due, at, line.name())));
        }
        line.due = due;
    }

    fn list(&mut self, at: usize) {
        list(&mut self.lines, &mut self.listed, at);
    }

    /// Steps all listed connections and writes their pieces. A connection that had its share is listed again. So are
    /// connections that start or return, once enough of them had their turn: the others do not wait until all their
    /// frames are encoded.
    fn walk(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let mut caught_up = 0;
        for batch in listed.chunks(STEPS) {
            for Stepped { line: at, pieces, more } in self.step(batch, &mut caught_up) {
                let Some(line) = self.lines.get_mut(at) else { continue };
                // Frames are encoded and compressed while the hub is free. The first subscriber of a frame does it for
                // all.
                let written = match &self.pieces[pieces] {
                    [Piece::Frame(frame)] => line.write_frame(frame),
                    several => {
                        self.encoded.extend(several.iter().map(|piece| line.encode(piece)));
                        let written = line.write(&self.encoded);
                        self.encoded.clear();
                        written
                    }
                };
                match written {
                    Written::All if more => self.list(at),
                    Written::All => {}
                    Written::Full => self.bound_stall(at),
                    Written::Over => self.drop_line(at),
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
        let Self { lines, listed, pieces, dues, hub, by_topic, .. } = self;
        hub.stepping(|hub| {
            let mut steps = Vec::with_capacity(batch.len());
            for &at in batch {
                let Some(line) = lines.get_mut(at) else { continue };
                line.listed = false;
                if line.is_full() {
                    continue;
                }
                let topic = line.subscription.topic();
                let from = pieces.len();
                pieces.extend(line.take_head().map(Piece::Head));
                let mut share = 0;
                let more = loop {
                    if *caught_up + hub.looked_at() >= CATCH_UP && hub.is_costly(&line.subscription) {
                        break true;
                    }
                    match hub.step(&mut line.subscription) {
                        Step::Send(frame) => {
                            share += frame.size();
                            pieces.push(Piece::Frame(frame));
                            if share >= SHARE {
                                break true;
                            }
                        }
                        Step::Wait(due) => {
                            if line.due == Uptime(u64::MAX) || due < line.due {
                                dues.push(Reverse((due, at, line.name())));
                            }
                            line.due = due;
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
                if line.subscription.topic() != topic {
                    remove(by_topic, topic, at);
                    by_topic.entry(line.subscription.topic()).or_default().push(at);
                }
                if pieces.len() > from {
                    steps.push(Stepped { line: at, pieces: from..pieces.len(), more });
                } else if more {
                    line.listed = true;
                    listed.push(at);
                }
            }
            *caught_up += hub.looked_at();
            steps
        })
    }

    fn drop_line(&mut self, at: usize) {
        let Some(line) = self.lines.try_remove(at) else { return };
        if line.listed {
            // Its slot may be reused before the list is stepped.
            self.listed.retain(|&listed| listed != at);
        }
        remove(&mut self.by_topic, line.subscription.topic(), at);
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
fn list(lines: &mut Slab<Line>, listed: &mut Vec<usize>, at: usize) {
    if let Some(line) = lines.get_mut(at)
        && !line.listed
    {
        line.listed = true;
        listed.push(at);
    }
}
