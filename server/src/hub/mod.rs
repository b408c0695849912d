//! The hub: it decides what which reader has to hear.
//!
//! [`Hub`] and [`reader::Reader`] are a state machine without I/O, clock or threads; [`driver`] gives them those.
//! Readers with the same [`Selection`] share a [`topic`], and a frame of a topic is encoded once for all of them.

pub mod admission;
pub mod boards;
mod catching_up;
pub mod driver;
pub mod frame;
mod memory;
pub mod packed;
pub mod publishing;
pub mod reader;
pub mod selecting;
pub mod selection;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
pub mod topic;
mod view;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use foldhash::fast::RandomState;
use shared::{BoardId, ByeReason, Declared, Seq, SeriesName, Track};

pub use admission::{Lacking, Match, Refused};
pub use boards::{Boards, Interest, Shown};
use memory::{Memory, cost_of_member};
pub use reader::{Reader, Resume, Step};
pub use selection::{Rate, Selection};
use topic::{Topic, TopicId};
use view::View;

use crate::clock::{Now, Uptime};
use crate::names::Names;
use crate::names::listeners::Listeners;
use crate::rollup::{Rollup, SeriesIndex};
use crate::store::SeriesId;

/// Delay after which the readers of a dissolved topic reconnect, in milliseconds.
const RETURN_MS: u32 = 5_000;

/// All series, and all topics that somebody reads.
#[derive(Debug)]
pub struct Hub {
    rollup: Rollup,
    boards: Boards,
    topics: HashMap<TopicId, Topic, RandomState>,
    /// So that a reader finds the topic of those who want the same.
    by_selection: HashMap<Selection, TopicId>,
    /// So that a series that begins finds the topics that select it.
    listeners: Listeners<TopicId>,
    /// For each series the topics that it belongs to, so that a push costs what it has readers, not what there is.
    listening: HashMap<SeriesIndex, Vec<TopicId>, RandomState>,
    /// When which topic gets its next frame, so that a tick costs what is due, not what there is. A topic that has gone
    /// stays in it until its time.
    waiting: BTreeSet<(Uptime, TopicId)>,
    next_topic: TopicId,
    /// How long a silent stream stays silent.
    heartbeat: Duration,
    frames: u64,
    /// The sum over all topics, kept because each new reader is counted against a limit.
    readers: usize,
    /// How many readers each board has.
    followers: HashMap<BoardId, usize>,
    /// The number of the last removal of a series: a cursor before it may be of a picture with that series.
    removed: Seq,
    /// Memory that all topics take, and its bound.
    memory: Memory,
    /// Most work in one hold of the lock; see [`publishing`].
    work: usize,
    /// Series that were looked at for snapshots and for returning readers, since the start.
    looked_at: usize,
}

impl Hub {
    /// A hub over what the store holds. `heartbeat` is how long a silent stream stays silent.
    #[must_use]
    pub fn new(rollup: Rollup, boards: Boards, heartbeat: Duration) -> Self {
        Self {
            rollup,
            boards,
            topics: HashMap::default(),
            by_selection: HashMap::new(),
            listeners: Listeners::default(),
            listening: HashMap::default(),
            waiting: BTreeSet::new(),
            next_topic: TopicId::default(),
            heartbeat,
            frames: 0,
            readers: 0,
            followers: HashMap::new(),
            removed: Seq::ZERO,
            memory: Memory::new(usize::MAX),
            work: publishing::WORK,
            looked_at: 0,
        }
    }

    /// Replaces a board. Its readers hear of it with their next step: returns the topics that they may be in, which are
    /// all if the board has readers. `head` is the number of the change. Call it in the order of the numbers, as
    /// [`Hub::publish`].
    pub fn set_board(&mut self, id: BoardId, shown: Shown, head: Seq) -> Vec<TopicId> {
        self.rollup.reach(head);
        let has_readers = self.followers.contains_key(&id);
        self.boards.set(id, shown);
        if has_readers { self.topics.keys().copied().collect() } else { Vec::new() }
    }

    /// Forgets a board that was deleted; see [`Boards::forget`].
    pub fn forget_board(&mut self, id: &BoardId, since: Seq) {
        self.boards.forget(Some(id), since);
    }

    /// Removes a series; `at` is the number of its removal. Call it in the order of the numbers, as [`Hub::publish`].
    ///
    /// An update cannot take a series out of a picture. So the readers of its topics begin anew with a snapshot, and so does
    /// a reader that comes back with a cursor from before. Returns the topics whose readers must be woken.
    pub fn remove(&mut self, series: SeriesId, at: Seq) -> Vec<TopicId> {
        self.rollup.reach(at);
        self.removed = at;
        let Some(index) = self.rollup.remove(series) else { return Vec::new() };
        let ids = self.listening.remove(&index).unwrap_or_default();
        for id in &ids {
            if let Some(topic) = self.topics.get_mut(id) {
                let before = topic.spare();
                topic.expel(index, at);
                self.memory.spare_changed(before, topic.spare());
            }
        }
        self.memory.remove_fixed(ids.len() * cost_of_member());
        ids
    }

    /// Notes the number of the last removal of an earlier run.
    #[must_use]
    pub fn with_removed(mut self, at: Seq) -> Self {
        self.removed = at;
        self
    }

    /// Replaces the server's warnings. Returns the topics whose readers must be woken: all, or none if nothing changed.
    pub fn warn(&mut self, warnings: Vec<String>) -> Vec<TopicId> {
        if self.boards.warn(warnings) { self.topics.keys().copied().collect() } else { Vec::new() }
    }

    /// The index of the names of all series, which has a lock of its own.
    #[must_use]
    pub fn names(&self) -> &Names {
        self.rollup.names()
    }

    /// Whether all of a series' track is in memory.
    #[must_use]
    pub fn is_whole(&self, series: SeriesId) -> bool {
        self.rollup.is_whole(series)
    }

    /// Puts in the track of a series as the store has it, where it is not all in memory; nothing where the store
    /// cannot tell it. To be called between two pushes, as [`Hub::set_board`] is.
    pub fn recall(&mut self, series: SeriesId, track: Option<Track>) {
        self.rollup.recall(series, track);
    }

    /// Tells whether further tracks may be [recalled](Hub::recall) for a reader.
    #[must_use]
    pub fn has_room_for_tracks(&self) -> bool {
        self.memory.has_room_beside(self.rollup.whole_bytes())
    }

    /// How many readers there are.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.readers
    }

    /// What `reader` of topic `id` has to do now. Where a board of it selects other series than before, it is in
    /// another topic afterwards.
    pub fn next(&mut self, id: &mut TopicId, reader: &mut Reader, now: Now) -> Step {
        self.follow(id, reader);
        let Some(topic) = self.topics.get_mut(id) else { return Step::End };
        if topic.is_dissolved() {
            reader.leave(ByeReason::Moved, RETURN_MS);
        }
        let before = topic.spare();
        let (rollup, looked_at) = (&mut self.rollup, &mut self.looked_at);
        let step = reader.next(&mut View { rollup, topic, looked_at, now }, now);
        let after = topic.spare();
        if after != before {
            self.memory.spare_changed(before, after);
            self.shed();
        }
        step
    }

    /// Tells whether the next step of a reader collects tracks for a frame that its topic does not have yet.
    #[must_use]
    pub fn is_costly(&self, id: TopicId, reader: &Reader) -> bool {
        let (Some(topic), head) = (self.topics.get(&id), self.rollup.head()) else { return false };
        reader.catches_up_from().is_some_and(|after| match after {
            Seq::ZERO => topic.snapshot_at(head).is_none(),
            after => topic.missed_at(head, after).is_none(),
        })
    }

    /// How many series were looked at for snapshots and for returning readers, since the start: the work that
    /// [`Hub::next`] does beside handing out frames.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// Indexes from `from` on, each with the name of its series, or nothing where that was removed.
    pub fn names_from(&self, from: usize) -> impl Iterator<Item = (SeriesIndex, Option<&SeriesName>)> {
        self.rollup.names_from(from)
    }

    /// Name, declared properties and at least the newest entry of a series; nothing where it was removed.
    #[must_use]
    pub fn newest(&self, index: SeriesIndex) -> Option<(&SeriesName, Option<Declared>, Cow<'_, Track>)> {
        self.rollup.newest(index)
    }

    /// Bounds the memory of all topics together, and that of the tracks of selected series, in bytes.
    #[must_use]
    pub fn with_memory(mut self, topics: usize, tracks: usize) -> Self {
        self.memory = Memory::new(topics).with_tracks(tracks);
        self
    }

    /// Takes the next step of packing what does not change, and of forgetting what nobody reads: [`Rollup::rest`].
    pub fn rest(&mut self, most: usize) {
        self.rollup.rest(most, |index| self.listening.contains_key(&index));
    }

    /// How many series, readers and topics there are, and how many frames were ever encoded for topics.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            series: self.rollup.live(),
            readers: self.readers,
            topics: self.topics.len(),
            frames: self.frames,
            topic_bytes: self.memory.used(),
        }
    }
}

/// How much of everything there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Series that have at least one point.
    pub series: usize,
    /// Open streams.
    pub readers: usize,
    /// Selections that somebody reads.
    pub topics: usize,
    /// Frames encoded for topics since the start.
    pub frames: u64,
    /// Bytes that the topics take, as the hub estimates them.
    pub topic_bytes: usize,
}

/// What there is under the name of a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Series.
    pub series: usize,
    /// Those of them that hold texts.
    pub texts: usize,
}
