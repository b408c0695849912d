//! The hub as one reader sees it.

use shared::{Cursor, Event, GapReason, Seq, SeriesPart, sse};

use super::frame::Frame;
use super::reader;
use super::selection::Rate;
use super::topic::{self, Topic};
use crate::clock::Now;
use crate::rollup::Rollup;

/// The source of frames for a reader of `topic`.
pub(super) struct View<'a> {
    pub(super) rollup: &'a Rollup,
    pub(super) topic: &'a mut Topic,
    pub(super) now: Now,
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

    fn check(&self, cursor: Cursor) -> Result<(), GapReason> {
        self.rollup.check(cursor)
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

    fn restarted(&self) -> Seq {
        self.topic.restarted()
    }

    fn after(&self, seq: Seq) -> topic::Next {
        self.topic.after(seq)
    }
}
