//! The hub: decides which frame each subscriber receives next.
//!
//! [`Hub`] and [`reader::Reader`] are a state machine without I/O, clock or threads; [`driver`] adds those. Subscribers
//! with the same [`Selection`] share a [`topic`], and a frame of a topic is encoded once for all of them.
//!
//! - [`admission`] adds, moves and removes subscribers; [`selecting`] matches their selectors beforehand, without the
//!   hub's lock.
//! - [`publishing`] turns committed points into frames; [`frame`] and [`packed`] are a frame as text and compressed, in [`chunk`]s.
//! - [`boards`] are the selectors of each board, and the point since which they apply.
//! - `catching_up` makes the frames of subscribers that start or return.
//! - `memory` counts the memory of all topics; `shedding` frees some of it when it is over its bound.

pub mod admission;
mod applied;
pub mod boards;
mod catching_up;
pub mod chunk;
pub mod driver;
pub mod frame;
mod memory;
pub mod packed;
pub mod publishing;
pub mod reader;
pub mod selecting;
pub mod selection;
mod shedding;
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
use shared::board::Etag;
use shared::{BoardId, ByeReason, Declared, Seq, SeriesName, Track};

pub use admission::{Match, Refused};
pub use boards::{BoardRecord, Boards, Subscription};
use memory::{Memory, cost_of_member};
pub use reader::{Reader, Resume, Step};
pub use selection::{Rate, Selection};
use topic::{Topic, TopicId};
use view::View;

use crate::clock::{Now, Uptime};
use crate::log::SeriesId;
use crate::names::Names;
use crate::names::listeners::Listeners;
use crate::rollup::{Rollup, SeriesIndex};

/// Delay after which the subscribers of a dissolved topic reconnect, in milliseconds.
const RETURN_MS: u32 = 5_000;

/// Work after which the lock is released, about a millisecond: points, topics of each point, and series of drafts.
const WORK: usize = 1_024;

/// All series, and the topics that have subscribers.
#[derive(Debug)]
pub struct Hub {
    rollup: Rollup,
    boards: Boards,
    topics: HashMap<TopicId, Topic, RandomState>,
    /// Finds the topic of a selection, so that subscribers with the same selection share it.
    by_selection: HashMap<Selection, TopicId>,
    /// Finds the topics that select a new series.
    listeners: Listeners<TopicId>,
    /// The topics of each series, so that the cost of a push depends on its subscribers, not on the number of topics.
    listening: HashMap<SeriesIndex, Vec<TopicId>, RandomState>,
    /// The times at which topics get their next frame, so that the cost of a tick depends on the frames that are due,
    /// not on the number of topics. A topic that was removed stays in it until its time.
    waiting: BTreeSet<(Uptime, TopicId)>,
    next_topic: TopicId,
    /// A stream that was silent for this long gets a heartbeat.
    heartbeat: Duration,
    frames: u64,
    /// The sum over all topics, stored because each new subscriber is checked against a limit.
    readers: usize,
    /// The number of subscribers of each board.
    followers: HashMap<BoardId, usize>,
    /// The seq of the last removal of a series: a cursor before it may belong to a picture with that series.
    removed: Seq,
    /// The memory of all topics, and its bound.
    memory: Memory,
    /// Maximum amount of work in one hold of the lock; see [`publishing`].
    work: usize,
    /// Number of series that were visited for snapshots and returning subscribers, since the start.
    looked_at: usize,
}

impl Hub {
    /// Makes a hub over the contents of the store. A stream that was silent for `heartbeat` gets a heartbeat.
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
            work: WORK,
            looked_at: 0,
        }
    }

    /// Replaces a board. Its subscribers get the change with their next step. Returns the topics that they may be in:
    /// all topics if the board has subscribers. `head` is the seq of the change. Call it in the order of the seqs, like
    /// [`Hub::publish`].
    pub fn set_board(&mut self, id: BoardId, record: BoardRecord, head: Seq) -> Vec<TopicId> {
        self.rollup.reach(head);
        let has_readers = self.followers.contains_key(&id);
        self.boards.set(id, record);
        if has_readers { self.topics.keys().copied().collect() } else { Vec::new() }
    }

    /// Returns the tag of the document of a board; `None` if it has none.
    #[must_use]
    pub fn etag(&self, board: &BoardId) -> Option<Etag> {
        self.boards.etag(board)
    }

    /// Forgets a board that was deleted; see [`Boards::forget`].
    pub fn forget_board(&mut self, id: &BoardId, since: Seq) {
        self.boards.forget(Some(id), since);
    }

    /// Removes a series; `at` is the seq of its removal. Call it in the order of the seqs, like [`Hub::publish`].
    ///
    /// An update cannot take a series out of a picture. So the subscribers of its topics begin anew with a snapshot,
    /// and so does a subscriber that comes back with a cursor from before. Returns the topics whose subscribers must be
    /// woken.
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

    /// Sets the seq of the last removal in an earlier run.
    #[must_use]
    pub fn with_removed(mut self, at: Seq) -> Self {
        self.removed = at;
        self
    }

    /// Replaces the server's warnings. Returns the topics whose subscribers must be woken: all, or none if nothing
    /// changed.
    pub fn warn(&mut self, warnings: Vec<String>) -> Vec<TopicId> {
        if self.boards.warn(warnings) { self.topics.keys().copied().collect() } else { Vec::new() }
    }

    /// Ends the streams whose leases are over. Returns the topics whose subscribers must be woken: all.
    pub fn access_changed(&mut self) -> Vec<TopicId> {
        self.boards.access_changed();
        self.topics.keys().copied().collect()
    }

    /// The index of the names of all series, which has a lock of its own.
    #[must_use]
    pub fn names(&self) -> &Names {
        self.rollup.names()
    }

    /// Returns true if the whole track of a series is in memory.
    #[must_use]
    pub fn is_hot(&self, series: SeriesId) -> bool {
        self.rollup.is_hot(series)
    }

    /// Rehydrates the track of a series from the store, if it is not fully in memory. `track` is `None` if the store
    /// cannot read it. Call it between two pushes, like [`Hub::set_board`].
    pub fn rehydrate(&mut self, series: SeriesId, track: Option<Track>) {
        self.rollup.rehydrate(series, track);
    }

    /// Returns true if further tracks may be [rehydrated](Hub::rehydrate) for a subscriber.
    #[must_use]
    pub fn has_room_for_tracks(&self) -> bool {
        self.memory.has_room_beside(self.rollup.hot_bytes())
    }

    /// Returns the number of subscribers.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.readers
    }

    /// Returns the next step of `reader`, which is in topic `id`. It is in another topic afterwards if one of its
    /// boards selects other series than before.
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

    /// Returns true if the next step of a subscriber collects tracks for a frame that its topic does not have yet.
    #[must_use]
    pub fn is_costly(&self, id: TopicId, reader: &Reader) -> bool {
        let (Some(topic), head) = (self.topics.get(&id), self.rollup.head()) else { return false };
        reader.catches_up_from().is_some_and(|after| match after {
            Seq::ZERO => topic.snapshot_at(head).is_none(),
            after => topic.missed_at(head, after).is_none(),
        })
    }

    /// Returns the number of series that were visited for snapshots and returning subscribers, since the start: the
    /// work that [`Hub::next`] does in addition to handing out frames.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// Iterates over the indexes from `from` on, each with the name of its series, or `None` where it was removed.
    pub fn names_from(&self, from: usize) -> impl Iterator<Item = (SeriesIndex, Option<&SeriesName>)> {
        self.rollup.names_from(from)
    }

    /// Returns name, declared properties and at least the newest entry of a series; `None` where it was removed.
    #[must_use]
    pub fn newest(&self, index: SeriesIndex) -> Option<(&SeriesName, Option<Declared>, Cow<'_, Track>)> {
        self.rollup.newest(index)
    }

    /// Returns the declared metric type and the track of a series; see [`Rollup::track`].
    #[must_use]
    pub fn track(&self, index: SeriesIndex) -> Option<(Option<Declared>, Cow<'_, Track>)> {
        self.rollup.track(index)
    }

    /// Sets the bounds for the memory of all topics together and for the tracks of selected series, in bytes.
    #[must_use]
    pub fn with_memory(mut self, topics: usize, tracks: usize) -> Self {
        self.memory = Memory::new(topics).with_tracks(tracks);
        self
    }

    /// Runs the next step of packing tracks that do not change, and of evicting tracks that have no subscribers:
    /// [`Rollup::evict_idle`].
    pub fn evict_idle(&mut self, most: usize) {
        self.rollup.evict_idle(most, |index| self.listening.contains_key(&index));
    }

    /// Returns the hub's counters.
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

/// Counters of the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Series that have at least one point.
    pub series: usize,
    /// Open streams.
    pub readers: usize,
    /// Selections that have subscribers.
    pub topics: usize,
    /// Frames encoded for topics since the start.
    pub frames: u64,
    /// Bytes that the topics take, as the hub estimates them.
    pub topic_bytes: usize,
}
