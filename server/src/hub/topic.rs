//! A topic: the frames that all subscribers with the same selection share.

use std::collections::{HashSet, VecDeque};

use foldhash::fast::RandomState;
use shared::{Event, Millis, Seq};

use super::frame::Frame;
use super::selection::{Rate, Selection};
use crate::clock::{Now, Uptime};
use crate::rollup::{Rollup, SeriesIndex};

/// Maximum number of frames that a topic keeps for subscribers that are behind. At 20 per second, more than six
/// seconds.
const RING_FRAMES: usize = 128;

/// The same for `hz=0`, where every change has a frame of its own, so that a large push makes many frames at once.
const RING_CHANGES: usize = 8_192;

/// Maximum number of bytes of frames that a topic keeps, so that wide selections do not fill the memory.
const RING_BYTES: usize = 4 << 20;

/// The identifier of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(u64);

impl TopicId {
    /// The next identifier.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The changes within `(from, to]`. It holds the changed buckets as they are at `to`, so it also serves a subscriber
/// that has some of them already.
#[derive(Clone, Debug)]
struct Stretch {
    from: Seq,
    to: Seq,
    frame: Frame,
}

/// The next frame for a subscriber at some position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A snapshot: its picture may have a series that was removed.
    Snapshot,
    /// This frame, after which it is at `to`.
    Frame {
        /// The position after the frame.
        to: Seq,
        /// The frame.
        frame: Frame,
    },
    /// None: it has everything.
    UpToDate,
    /// The frames that it would need are no longer kept.
    TooOld,
}

/// A selection that has subscribers, with its frames.
#[derive(Debug)]
pub struct Topic {
    selection: Selection,
    /// The number of its subscribers; without any, the topic is removed.
    pub readers: usize,
    /// The series that the selection matches.
    members: Vec<SeriesIndex>,
    /// The members that changed after `head`, or after the draft that is being encoded.
    dirty: HashSet<SeriesIndex, RandomState>,
    /// The time of the first of those changes. Frames carry it as `pushed`, so that clients can see how long the change
    /// waited.
    dirty_since: Millis,
    /// The position after the newest frame.
    head: Seq,
    /// True while a drafted frame is being encoded.
    drafted: bool,
    /// The seq of the last removal of a member, or of any series before the topic began. Subscribers whose position is
    /// not beyond it begin anew.
    restarted: Seq,
    /// The topic was dissolved for lack of memory.
    dissolved: bool,
    /// The earliest time of the next frame: one interval after the last.
    free_at: Uptime,
    /// The newest frames. Each begins where the one before ends.
    ring: VecDeque<Stretch>,
    ring_bytes: usize,
    /// The last snapshot: many subscribers that come at once (after a restart) share it.
    snapshot: Option<(Seq, Frame)>,
    /// The last frame for a subscriber that returned, kept for the same reason.
    missed: Option<Missed>,
}

/// A frame with all changes within `(after, upto]`.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The cursor of the subscriber that it was made for.
    pub after: Seq,
    /// The cursor after it.
    pub upto: Seq,
    /// The frame.
    pub frame: Frame,
}

impl Topic {
    /// Makes a topic without frames; its first frame will begin at `head`. `removed` is the seq of the last removal of
    /// a series.
    #[must_use]
    pub fn new(selection: Selection, members: Vec<SeriesIndex>, head: Seq, removed: Seq) -> Self {
        Self {
            selection,
            readers: 0,
            members,
            dirty: HashSet::default(),
            dirty_since: Millis::default(),
            head,
            drafted: false,
            restarted: removed,
            dissolved: false,
            free_at: Uptime::default(),
            ring: VecDeque::new(),
            ring_bytes: 0,
            snapshot: None,
            missed: None,
        }
    }

    /// The selection of its subscribers.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The rate of its subscribers.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.selection.rate
    }

    /// The series that the selection matches.
    #[must_use]
    pub fn members(&self) -> &[SeriesIndex] {
        &self.members
    }

    /// Adds a series that has just begun.
    pub fn admit(&mut self, index: SeriesIndex) {
        self.members.push(index);
    }

    /// Removes a series whose removal has the seq `at`: all its subscribers begin anew.
    pub fn expel(&mut self, index: SeriesIndex, at: Seq) {
        self.members.retain(|&member| member != index);
        self.dirty.remove(&index);
        (self.head, self.restarted) = (at, at);
        self.forget_frames();
    }

    /// The seq up to which subscribers must begin anew.
    #[must_use]
    pub fn restarted(&self) -> Seq {
        self.restarted
    }

    /// Marks a member as changed. Returns true if it is the first since the last draft.
    pub fn touch(&mut self, index: SeriesIndex, now: Now) -> bool {
        let is_first = self.dirty.is_empty();
        if is_first {
            self.dirty_since = now.wall;
            // These contain the state before this change.
            (self.snapshot, self.missed) = (None, None);
        }
        self.dirty.insert(index);
        is_first
    }

    /// The time at which to draft its next frame; `None` if nothing changed, or while a draft is being encoded.
    #[must_use]
    pub fn due(&self) -> Option<Uptime> {
        (!self.dirty.is_empty() && !self.drafted).then_some(self.free_at)
    }

    /// Drafts a frame of all changes since the last one, and returns it with the seq that it reaches; `None` if nothing
    /// changed. The caller encodes the frame and then [puts](Topic::put) it in.
    pub fn draft(&mut self, rollup: &Rollup, now: Now) -> Option<(Seq, Event)> {
        let mut dirty: Vec<SeriesIndex> = self.dirty.drain().collect();
        dirty.sort_unstable();
        let series: Vec<_> = dirty.into_iter().filter_map(|index| rollup.since(index, self.head)).collect();
        if series.is_empty() {
            return None;
        }
        self.drafted = true;
        self.free_at = now.up.plus(self.rate().interval_ms());
        Some((rollup.head(), Event::Update { now: now.wall, pushed: self.dirty_since, series }))
    }

    /// Adds a frame of all changes after the last one, up to `to`.
    pub fn put(&mut self, to: Seq, frame: Frame) {
        if to <= self.restarted {
            // It was drafted before a removal, and may have the removed series. The subscribers begin anew.
            self.drafted = false;
            return;
        }
        let from = std::mem::replace(&mut self.head, to);
        self.drafted = false;
        self.ring_bytes += frame.cost();
        self.ring.push_back(Stretch { from, to, frame });
        // The newest frame stays, however large: all subscribers that keep up need it.
        let most = if self.rate() == Rate::EveryChange { RING_CHANGES } else { RING_FRAMES };
        while self.ring.len() > most || (self.ring_bytes > RING_BYTES && self.ring.len() > 1) {
            if let Some(oldest) = self.ring.pop_front() {
                self.ring_bytes -= oldest.frame.cost();
            }
        }
    }

    /// The earliest time of its next frame. The more recent its last frame, the later this is.
    #[must_use]
    pub fn free_at(&self) -> Uptime {
        self.free_at
    }

    /// Bytes that [`Topic::forget_frames`] would free.
    #[must_use]
    pub fn spare(&self) -> usize {
        let snapshot = self.snapshot.as_ref().map_or(0, |(_, frame)| frame.cost());
        self.ring_bytes + snapshot + self.missed.as_ref().map_or(0, |missed| missed.frame.cost())
    }

    /// Frees all but the newest frame.
    pub fn keep_newest(&mut self) {
        (self.snapshot, self.missed) = (None, None);
        self.ring.drain(..self.ring.len().saturating_sub(1));
        self.ring.shrink_to(4);
        self.ring_bytes = self.ring.iter().map(|stretch| stretch.frame.cost()).sum();
    }

    /// Frees all frames and the snapshot: subscribers that are behind get a `gap`.
    pub fn forget_frames(&mut self) {
        (self.snapshot, self.missed) = (None, None);
        self.ring = VecDeque::new();
        self.ring_bytes = 0;
    }

    /// Frees everything. Its subscribers must leave.
    pub fn dissolve(&mut self) {
        self.forget_frames();
        self.members = Vec::new();
        self.dirty = HashSet::default();
        self.dissolved = true;
    }

    /// Returns true if it was dissolved, so that its subscribers must leave.
    #[must_use]
    pub fn is_dissolved(&self) -> bool {
        self.dissolved
    }

    /// Moves the head to `to` without a frame: subscribers that are behind get a `gap`.
    pub fn skip(&mut self, to: Seq) {
        self.head = to;
        self.forget_frames();
    }

    /// Returns the next frame for a subscriber that has everything up to `seq`.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Next {
        if seq < self.restarted {
            return Next::Snapshot;
        }
        // The common cases: nearly all subscribers miss only the newest frame, or nothing.
        if seq >= self.head {
            return Next::UpToDate;
        }
        if let Some(newest) = self.ring.back().filter(|newest| newest.from <= seq) {
            return Next::Frame { to: newest.to, frame: newest.frame.clone() };
        }
        let at = self.ring.partition_point(|stretch| stretch.to <= seq);
        match self.ring.get(at) {
            Some(stretch) if stretch.from <= seq => Next::Frame { to: stretch.to, frame: stretch.frame.clone() },
            Some(_) | None => Next::TooOld,
        }
    }

    /// Returns the snapshot made at `seq`, if the last one was made there.
    #[must_use]
    pub fn snapshot_at(&self, seq: Seq) -> Option<Frame> {
        self.snapshot.as_ref().filter(|(made_at, _)| *made_at == seq).map(|(_, frame)| frame.clone())
    }

    /// Returns a frame that brings a subscriber from `seq` to `head`, if there is one. It may repeat some changes that
    /// the subscriber has: of at most as many points before `seq` as after it.
    #[must_use]
    pub fn missed_at(&self, head: Seq, seq: Seq) -> Option<Frame> {
        let missed = self.missed.as_ref()?;
        let repeated = seq.0.checked_sub(missed.after.0)?;
        (missed.upto == head && repeated <= head.0 - seq.0).then(|| missed.frame.clone())
    }

    /// Keeps a catch-up frame for other subscribers that return before the next change.
    pub fn keep_missed(&mut self, missed: Missed) {
        self.missed = Some(missed);
    }

    /// Keeps a snapshot for other subscribers that come before the next change.
    pub fn keep_snapshot(&mut self, seq: Seq, frame: Frame) {
        self.snapshot = Some((seq, frame));
    }
}
