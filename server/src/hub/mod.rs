//! The hub: it decides what which reader has to hear.
//!
//! [`Hub`] and [`reader::Reader`] are a state machine without I/O, clock or threads; [`driver`] gives them those.
//! Readers with the same [`Selection`] share a [`topic`], and a frame of a topic is encoded once for all of them.

pub mod boards;
pub mod driver;
pub mod frame;
pub mod packed;
pub mod reader;
pub mod selection;
#[cfg(test)]
mod simulation;
mod stems;
pub mod topic;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use foldhash::fast::RandomState;
use shared::point::Kind;
use shared::{BoardId, ByeReason, Cursor, Declared, Event, Selector, Seq, SeriesName, SeriesPart, Track, sse};

pub use boards::{Boards, Interest, Shown};
use frame::Frame;
use reader::Follow;
pub use reader::{Reader, Resume, Step};
pub use selection::{Rate, Selection};
use stems::Stems;
use topic::{Topic, TopicId};

use crate::clock::{Now, Uptime};
use crate::rollup::{Absent, Pushed, Rollup, SeriesIndex};
use crate::store::SeriesId;
use crate::store::commit::Committed;

/// All series, and all topics that somebody reads.
#[derive(Debug)]
pub struct Hub {
    rollup: Rollup,
    boards: Boards,
    topics: HashMap<TopicId, Topic, RandomState>,
    /// So that a reader finds the topic of those who want the same.
    by_selection: HashMap<Selection, TopicId>,
    /// So that a series that begins finds the topics that select it.
    stems: Stems,
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
}

/// A selection has series that are not all in memory. They are to be [recalled](Hub::recall) first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking(pub Vec<Absent>);

impl Hub {
    /// A hub over what the store holds. `heartbeat` is how long a silent stream stays silent.
    #[must_use]
    pub fn new(rollup: Rollup, boards: Boards, heartbeat: Duration) -> Self {
        Self {
            rollup,
            boards,
            topics: HashMap::default(),
            by_selection: HashMap::new(),
            stems: Stems::default(),
            listening: HashMap::default(),
            waiting: BTreeSet::new(),
            next_topic: TopicId::default(),
            heartbeat,
            frames: 0,
            readers: 0,
            followers: HashMap::new(),
        }
    }

    /// Takes in committed points, in the order of their numbers. Gives the topics that have a new frame; others that
    /// changed get theirs when [`Hub::due`] says.
    pub fn publish(&mut self, points: Vec<Committed>, now: Now) -> Vec<TopicId> {
        let mut flushed = Vec::new();
        let mut touched = Vec::new();
        let before = self.rollup.head();
        for point in points {
            let (index, is_first) = match self.rollup.push(point) {
                None => continue,
                Some(Pushed::Continued(index, last)) => (index, last <= before),
                Some(Pushed::Begun(index)) => {
                    self.introduce(index);
                    (index, true)
                }
            };
            if self.listening.is_empty() {
                continue;
            }
            for &id in self.listening.get(&index).into_iter().flatten() {
                let Some(topic) = self.topics.get_mut(&id) else { continue };
                // Every change by itself means a frame for each point, also for those of one batch.
                if topic.rate() == Rate::EveryChange {
                    topic.touch(index, now);
                    self.frames += u64::from(topic.flush(&self.rollup, now));
                    flushed.push(id);
                } else if is_first {
                    topic.touch(index, now);
                    touched.push(id);
                }
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            flushed.extend(self.flush_if_due(id, now));
        }
        flushed.sort_unstable();
        flushed.dedup();
        flushed
    }

    /// Writes the frames whose time has come, and gives their topics.
    pub fn tick(&mut self, now: Now) -> Vec<TopicId> {
        let mut flushed = Vec::new();
        while let Some(&(due, id)) = self.waiting.first()
            && due <= now.up
        {
            self.waiting.pop_first();
            flushed.extend(self.flush_if_due(id, now));
        }
        flushed
    }

    /// When [`Hub::tick`] has something to do next, if ever.
    #[must_use]
    pub fn due(&self) -> Option<Uptime> {
        self.waiting.first().map(|&(due, _)| due)
    }

    /// From now on the board is this. Its readers hear of it with their next step: gives the topics that they may be
    /// in, which are all, since boards change rarely. To be called before any point after [`Shown::since`] is published.
    pub fn set_board(&mut self, id: BoardId, shown: Shown) -> Vec<TopicId> {
        self.boards.set(id, shown);
        self.topics.keys().copied().collect()
    }

    /// A reader that just came, and the topic that it reads.
    ///
    /// # Errors
    /// [`Lacking`]; then it is as if it had not come.
    pub fn subscribe(&mut self, interest: Interest, resume: Resume, now: Now) -> Result<(TopicId, Reader), Lacking> {
        let id = self.join(self.boards.selection(&interest))?;
        self.readers += 1;
        for board in &interest.boards {
            *self.followers.entry(board.clone()).or_default() += 1;
        }
        Ok((id, Reader::new(interest, &self.boards, resume, self.heartbeat, now.up)))
    }

    /// A reader of `id` has gone. The last one takes the topic along.
    pub fn unsubscribe(&mut self, id: TopicId, reader: &Reader) {
        if !self.topics.contains_key(&id) {
            return;
        }
        self.readers -= 1;
        for board in &reader.interest().boards {
            if let Some(followers) = self.followers.get_mut(board) {
                *followers -= 1;
                if *followers == 0 {
                    self.followers.remove(board);
                }
            }
        }
        self.leave(id);
    }

    /// What readers of a board would lack that selects these from now on; nothing where it has no readers.
    pub fn lacking(&mut self, board: &BoardId, selectors: &[Selector]) -> Lacking {
        if !self.followers.contains_key(board) {
            return Lacking(Vec::new());
        }
        let members = self.rollup.select(selectors);
        Lacking(self.rollup.lacking(&members))
    }

    /// Whether there is a series that a selector matches.
    #[must_use]
    pub fn has(&self, selector: &Selector) -> bool {
        self.rollup.has(selector)
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

    fn join(&mut self, selection: Selection) -> Result<TopicId, Lacking> {
        let id = if let Some(&id) = self.by_selection.get(&selection) {
            id
        } else {
            let members = self.rollup.select(&selection.selectors);
            let lacking = self.rollup.lacking(&members);
            if !lacking.is_empty() {
                return Err(Lacking(lacking));
            }
            let id = self.next_topic;
            self.next_topic = id.next();
            for &index in &members {
                self.listening.entry(index).or_default().push(id);
            }
            self.stems.add(&selection, id);
            self.by_selection.insert(selection.clone(), id);
            self.topics.insert(id, Topic::new(selection, members, self.rollup.head()));
            id
        };
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.readers += 1;
        }
        Ok(id)
    }

    fn leave(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        topic.readers -= 1;
        if topic.readers > 0 {
            return;
        }
        if let Some(topic) = self.topics.remove(&id) {
            for index in topic.members() {
                if let Some(ids) = self.listening.get_mut(index) {
                    ids.retain(|&other| other != id);
                    if ids.is_empty() {
                        self.listening.remove(index);
                    }
                }
            }
            self.stems.remove(topic.selection(), id);
            self.by_selection.remove(topic.selection());
        }
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
        reader.next(&mut View { rollup: &self.rollup, topic, now }, now)
    }

    /// Takes the reader along to where its boards have gone.
    fn follow(&mut self, id: &mut TopicId, reader: &mut Reader) {
        if reader.is_abreast_of(&self.boards) {
            return;
        }
        if reader.interest().boards.is_empty() {
            reader.follow(&self.boards, Follow::SameSeries);
            return;
        }
        let selection = self.boards.selection(reader.interest());
        if self.topics.get(id).is_none_or(|topic| *topic.selection() == selection) {
            reader.follow(&self.boards, Follow::SameSeries);
            return;
        }
        match self.join(selection) {
            Ok(joined) => {
                reader.follow(&self.boards, Follow::OtherSeries);
                self.leave(*id);
                *id = joined;
            }
            // One that was so slow that what was recalled for it is gone again. It comes back by the door.
            Err(Lacking(_)) => reader.leave(ByeReason::Moved, 0),
        }
    }

    /// Every series with its newest entry at least, in no particular order.
    pub fn series(&self) -> impl Iterator<Item = (&SeriesName, Option<Declared>, Cow<'_, Track>)> {
        self.rollup.newest()
    }

    /// What there is under the name of a board.
    pub fn tally(&mut self, board: &BoardId) -> Tally {
        let found = self.rollup.select(&[board.selector()]);
        let texts = found.iter().filter(|&&index| self.rollup.kind(index) == Kind::Text).count();
        Tally { series: found.len(), texts }
    }

    /// Takes the next step of packing what does not change, and of forgetting what nobody reads: [`Rollup::rest`].
    pub fn rest(&mut self, most: usize) {
        self.rollup.rest(most, |index| self.listening.contains_key(&index));
    }

    /// How many series, readers and topics there are, and how many frames were ever encoded for topics.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { series: self.rollup.len(), readers: self.readers, topics: self.topics.len(), frames: self.frames }
    }

    fn flush_if_due(&mut self, id: TopicId, now: Now) -> Option<TopicId> {
        let topic = self.topics.get_mut(&id)?;
        let due = topic.due()?;
        if due > now.up {
            self.waiting.insert((due, id));
            return None;
        }
        self.frames += u64::from(topic.flush(&self.rollup, now));
        Some(id)
    }

    /// A series has begun: the topics that select it take it in.
    fn introduce(&mut self, index: SeriesIndex) {
        let name = self.rollup.name(index);
        let mut ids = self.stems.candidates(name);
        ids.retain(|id| self.topics.get(id).is_some_and(|topic| topic.selection().matches(name)));
        for id in &ids {
            if let Some(topic) = self.topics.get_mut(id) {
                topic.admit(index);
            }
        }
        if !ids.is_empty() {
            self.rollup.hold(index);
            self.listening.insert(index, ids);
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
}

/// What there is under the name of a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Series.
    pub series: usize,
    /// Those of them that hold texts.
    pub texts: usize,
}

/// What a reader can see of the hub.
struct View<'a> {
    rollup: &'a Rollup,
    topic: &'a mut Topic,
    now: Now,
}

impl View<'_> {
    fn parts(&self, after: Seq) -> Vec<SeriesPart> {
        self.topic.members().iter().filter_map(|&index| self.rollup.since(index, after)).collect()
    }

    fn frame(&self, seq: Seq, event: &Event) -> Frame {
        Frame::new(&sse::frame(Cursor { epoch: self.rollup.epoch(), seq }, event))
    }
}

impl reader::Source for View<'_> {
    fn epoch(&self) -> shared::Epoch {
        self.rollup.epoch()
    }

    fn head(&self) -> Seq {
        self.rollup.head()
    }

    fn rate(&self) -> Rate {
        self.topic.rate()
    }

    fn snapshot(&mut self) -> Frame {
        let head = self.rollup.head();
        if let Some(made) = self.topic.snapshot_at(head) {
            return made;
        }
        let event = Event::Snapshot { now: self.now.wall, series: self.parts(Seq::ZERO) };
        let frame = self.frame(head, &event);
        self.topic.keep_snapshot(head, frame.clone());
        frame
    }

    fn since(&self, seq: Seq) -> Option<Frame> {
        let series = self.parts(seq);
        if series.is_empty() {
            return None;
        }
        let now = self.now.wall;
        Some(self.frame(self.head(), &Event::Update { now, pushed: now, series }))
    }

    fn after(&self, seq: Seq) -> topic::Next {
        self.topic.after(seq)
    }
}
