//! Turns committed points into frames, in steps that hold the hub's lock for a bounded amount of work.
//!
//! [`Hub::draft`] applies some points and drafts the frames that are due. The drafts are encoded without the lock, and
//! [`Hub::finish`] adds the encoded frames to their topics. While a draft of a topic is being encoded, the topic
//! collects further changes for its next frame. A single draft is not split: its time grows with the number of changed
//! series of its topic.
//!
//! Subscribers to every change (`hz=0`) share one frame for each point, even if their selections differ. Such a topic
//! gets at most [`CHANGES_OF_A_TOPIC`] frames of one group of points, since it could not keep more. A larger group is a
//! `gap` and a snapshot for its subscribers, as after a long absence. The changes are counted first, so that no frame
//! is made in vain.

use std::borrow::Cow;
use std::collections::HashMap;
use std::slice;

use shared::{Cursor, Epoch, Event, Seq, sse};

use super::Hub;
use super::frame::Frame;
use super::selection::Rate;
use super::topic::{Topic, TopicId};
use crate::clock::{Now, Uptime};
use crate::log::Committed;
use crate::rollup::{PointEffect, SeriesIndex};

/// Maximum number of frames of single changes that a topic gets out of one group of points: as many as it keeps.
const CHANGES_OF_A_TOPIC: usize = 8_192;

/// Maximum number of such frames of one group over all topics.
const CHANGES_OF_A_GROUP: usize = 65_536;

/// Maximum number of series that are drafted before a push is answered. The pacer drafts the rest.
const AT_ONCE: usize = 4_096;

/// Points that were committed together, while they are published.
#[derive(Debug)]
pub struct Group<'a> {
    points: slice::Iter<'a, Committed>,
    /// Counts the changes of a large group; `None` once all are counted.
    counting: Option<Counting>,
    /// Topics that have changed, for which a frame may be due.
    touched: Vec<TopicId>,
    /// For each topic of every change, its frames of this group.
    changes: HashMap<TopicId, Changes>,
    all_changes: usize,
    /// Number of series that were written into frames.
    written: usize,
}

/// The changes of a group for each topic of every change (`hz=0`), as far as they are counted.
#[derive(Debug, Default)]
struct Counting {
    /// Number of points that are counted.
    points: usize,
    changes: HashMap<TopicId, usize>,
}

/// The frames of a group for one topic of every change (`hz=0`).
#[derive(Debug, Default)]
struct Changes {
    count: usize,
    /// The last change for which there is no frame.
    skipped: Option<Seq>,
}

impl<'a> Group<'a> {
    /// Begins to publish points, which are in the order of their seqs.
    #[must_use]
    pub fn new(points: &'a [Committed]) -> Self {
        let counting = (points.len() > CHANGES_OF_A_TOPIC).then(Counting::default);
        let (points, touched) = (points.iter(), Vec::new());
        Self { points, counting, touched, changes: HashMap::new(), all_changes: 0, written: 0 }
    }

    /// Returns true if all points are published.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.points.len() == 0 && self.touched.is_empty() && self.changes.is_empty()
    }
}

/// Frames that are not encoded yet.
#[derive(Debug)]
pub struct Drafts {
    epoch: Epoch,
    drafts: Vec<Draft<Event>>,
    /// Dissolved topics, whose subscribers must be woken.
    woken: Vec<TopicId>,
}

/// Encoded frames, on their way to their topics.
#[derive(Debug)]
pub struct Encoded {
    drafts: Vec<Draft<Frame>>,
    woken: Vec<TopicId>,
}

/// A frame up to the point `to`, before it is encoded or after.
#[derive(Debug)]
enum Draft<T> {
    /// One change, for all topics of every change that have its series.
    Change { topics: Vec<TopicId>, to: Seq, content: T },
    /// All changes of a topic since its last frame.
    Update { topic: TopicId, to: Seq, content: T },
    /// Changes up to `to` that get no frames.
    Skip { topic: TopicId, to: Seq },
}

impl Drafts {
    /// Returns true if there is nothing to encode and no subscriber to wake.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.woken.is_empty()
    }

    /// Encodes the frames. Does not need the hub.
    #[must_use]
    pub fn encode(self) -> Encoded {
        let Self { epoch, drafts, woken } = self;
        let frame = |to, event: &Event| Frame::new(&sse::frame(Cursor { epoch, seq: to }, event));
        let encode = |draft| match draft {
            Draft::Change { topics, to, content } => Draft::Change { topics, to, content: frame(to, &content) },
            Draft::Update { topic, to, content } => Draft::Update { topic, to, content: frame(to, &content) },
            Draft::Skip { topic, to } => Draft::Skip { topic, to },
        };
        Encoded { drafts: drafts.into_iter().map(encode).collect(), woken }
    }
}

impl Hub {
    /// Applies committed points, in the order of their seqs, and returns the topics that have a new frame. Other
    /// changed topics get theirs later; see [`Hub::due`].
    pub fn publish(&mut self, points: Vec<Committed>, now: Now) -> Vec<TopicId> {
        let mut group = Group::new(&points);
        let mut flushed = Vec::new();
        while !group.is_done() {
            let drafts = self.draft(&mut group, now);
            flushed.extend(self.finish(drafts.encode()));
        }
        drop(points);
        distinct(&mut flushed);
        flushed
    }

    /// Adds all frames that are due, and returns their topics.
    pub fn tick(&mut self, now: Now) -> Vec<TopicId> {
        let mut flushed = Vec::new();
        while self.due().is_some_and(|due| due <= now.up) {
            let drafts = self.draft_due(now);
            flushed.extend(self.finish(drafts.encode()));
        }
        distinct(&mut flushed);
        flushed
    }

    /// The time at which the next frame is due, if any.
    #[must_use]
    pub fn due(&self) -> Option<Uptime> {
        self.waiting.first().map(|&(due, _)| due)
    }

    /// Applies the next points of a group, or, once there are none left, drafts frames that are due. Call it until the
    /// group [is done](Group::is_done), from one thread at a time, and [finish](Hub::finish) the drafts of each call
    /// before the next one.
    #[must_use]
    pub fn draft(&mut self, group: &mut Group<'_>, now: Now) -> Drafts {
        let mut drafts = Vec::new();
        let mut work = 0;
        self.rollup.set_now(now.wall);
        if !self.count_changes(group) {
            return self.drafts(drafts);
        }
        let before = self.rollup.head();
        while work < self.work
            && let Some(point) = group.points.next()
        {
            let to = point.at.seq;
            let (index, is_first) = match self.rollup.push(point) {
                None => continue,
                Some(PointEffect::Continued(index, last)) => (index, last <= before),
                Some(PointEffect::Begun(index)) => {
                    self.introduce(index);
                    (index, true)
                }
            };
            work += 1 + self.spread(group, &mut drafts, index, to, is_first, now);
        }
        if group.points.len() == 0 {
            for (topic, changes) in std::mem::take(&mut group.changes) {
                drafts.extend(changes.skipped.map(|to| Draft::Skip { topic, to }));
            }
            while work < self.work
                && let Some(id) = group.touched.pop()
            {
                work += 1;
                if group.written < AT_ONCE {
                    let series = self.draft_if_due(id, now, &mut drafts);
                    group.written += series;
                    work += series;
                } else {
                    self.waiting.insert((now.up, id));
                }
            }
        }
        self.drafts(drafts)
    }

    /// Drafts frames that are due. Call it again while [`Hub::due`] is not in the future.
    #[must_use]
    pub fn draft_due(&mut self, now: Now) -> Drafts {
        let mut drafts = Vec::new();
        let mut work = 0;
        while work < self.work
            && let Some(&(due, id)) = self.waiting.first()
            && due <= now.up
        {
            self.waiting.pop_first();
            work += 1 + self.draft_if_due(id, now, &mut drafts);
        }
        self.drafts(drafts)
    }

    /// Adds encoded frames to their topics, and returns the topics whose subscribers must be woken.
    pub fn finish(&mut self, encoded: Encoded) -> Vec<TopicId> {
        let Encoded { drafts, woken: mut flushed } = encoded;
        for draft in drafts {
            match draft {
                Draft::Change { topics, to, content } => {
                    self.frames += 1;
                    for id in topics {
                        self.put(id, to, content.clone());
                        flushed.push(id);
                    }
                }
                Draft::Update { topic: id, to, content } => {
                    self.frames += 1;
                    self.put(id, to, content);
                    self.waiting.extend(self.topics.get(&id).and_then(Topic::due).map(|due| (due, id)));
                    flushed.push(id);
                }
                Draft::Skip { topic: id, to } => {
                    if let Some(topic) = self.topics.get_mut(&id) {
                        let before = topic.spare();
                        topic.skip(to);
                        self.memory.spare_changed(before, topic.spare());
                        flushed.push(id);
                    }
                }
            }
        }
        self.shed();
        distinct(&mut flushed);
        flushed
    }

    fn put(&mut self, id: TopicId, to: Seq, frame: Frame) {
        if let Some(topic) = self.topics.get_mut(&id).filter(|topic| !topic.is_dissolved()) {
            let before = topic.spare();
            topic.put(to, frame);
            self.memory.spare_changed(before, topic.spare());
        }
    }

    /// Counts the changes of a large group for each topic of every change, to skip all frames of a topic that would get
    /// too many. Returns true if all are counted.
    fn count_changes(&self, group: &mut Group<'_>) -> bool {
        let Some(counting) = &mut group.counting else { return true };
        let points = group.points.as_slice();
        let is_every_change = |id: &TopicId| {
            let topic = self.topics.get(id);
            topic.is_some_and(|topic| topic.rate() == Rate::EveryChange)
        };
        if counting.points == 0 && !self.topics.keys().any(is_every_change) {
            group.counting = None;
            return true;
        }
        let mut work = 0;
        while work < self.work
            && let Some(point) = points.get(counting.points)
        {
            counting.points += 1;
            let ids = match (self.rollup.index(point.series), &point.begins) {
                (Some(index), _) => Cow::Borrowed(self.listening.get(&index).map_or(&[][..], Vec::as_slice)),
                (None, Some(name)) => Cow::Owned(self.listeners.of(name)),
                // The series begins with an earlier point of the group. Its changes are counted when they are drafted.
                (None, None) => Cow::Borrowed(&[][..]),
            };
            work += 1 + ids.len();
            for id in ids.iter().filter(|id| is_every_change(id)) {
                *counting.changes.entry(*id).or_default() += 1;
            }
        }
        if counting.points < points.len() {
            return false;
        }
        let first = points.first().map(|point| point.at.seq);
        for (&id, _) in counting.changes.iter().filter(|&(_, &count)| count > CHANGES_OF_A_TOPIC) {
            group.changes.insert(id, Changes { count: 0, skipped: first });
        }
        group.counting = None;
        true
    }

    /// Marks a series as changed by the point `to` in each of its topics. Returns the work that this took.
    fn spread(
        &mut self,
        group: &mut Group<'_>,
        drafts: &mut Vec<Draft<Event>>,
        index: SeriesIndex,
        to: Seq,
        is_first: bool,
        now: Now,
    ) -> usize {
        let Some(ids) = self.listening.get(&index) else { return 0 };
        let mut each = Vec::new();
        for &id in ids {
            let Some(topic) = self.topics.get_mut(&id) else { continue };
            if topic.rate() == Rate::EveryChange {
                let changes = group.changes.entry(id).or_default();
                let full = changes.count >= CHANGES_OF_A_TOPIC || group.all_changes >= CHANGES_OF_A_GROUP;
                if full || changes.skipped.is_some() {
                    changes.skipped = Some(to);
                } else {
                    changes.count += 1;
                    each.push(id);
                }
            } else if is_first {
                let before = topic.spare();
                if topic.touch(index, now) {
                    self.memory.spare_changed(before, topic.spare());
                    group.touched.push(id);
                }
            }
        }
        let work = ids.len();
        if !each.is_empty()
            && let Some(part) = self.rollup.since(index, Seq(to.0 - 1))
        {
            group.all_changes += 1;
            let content = Event::Update { now: now.wall, pushed: now.wall, series: vec![part] };
            drafts.push(Draft::Change { topics: each, to, content });
        }
        work
    }

    /// Drafts the next frame of a topic if it is due, else schedules it. Returns the number of series in the draft.
    fn draft_if_due(&mut self, id: TopicId, now: Now, drafts: &mut Vec<Draft<Event>>) -> usize {
        let Some(topic) = self.topics.get_mut(&id) else { return 0 };
        let Some(due) = topic.due() else { return 0 };
        if due > now.up {
            self.waiting.insert((due, id));
            return 0;
        }
        let Some((to, content)) = topic.draft(&self.rollup, now) else { return 0 };
        let series = if let Event::Update { series, .. } = &content { series.len() } else { 0 };
        drafts.push(Draft::Update { topic: id, to, content });
        series
    }

    fn drafts(&mut self, drafts: Vec<Draft<Event>>) -> Drafts {
        Drafts { epoch: self.rollup.epoch(), drafts, woken: self.dissolve() }
    }
}

fn distinct(ids: &mut Vec<TopicId>) {
    ids.sort_unstable();
    ids.dedup();
}
