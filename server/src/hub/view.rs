//! The hub as one subscriber sees it.

use shared::{Cursor, GapReason, Seq};

use super::frame::Frame;
use super::selection::Rate;
use super::topic::{self, Missed, Topic};
use super::{catching_up, reader};
use crate::clock::Now;
use crate::rollup::{BorrowedPart, Rollup};

/// The source of frames for a subscriber of `topic`.
pub(super) struct View<'a> {
    pub(super) rollup: &'a mut Rollup,
    pub(super) topic: &'a mut Topic,
    /// Counts the series that were visited, so that the lock is not held for too many.
    pub(super) looked_at: &'a mut usize,
    pub(super) now: Now,
}

impl View<'_> {
    /// Collects the changes after a cursor, for a frame that is encoded later.
    fn lend(&mut self, after: Seq) -> Vec<BorrowedPart> {
        let Self { rollup, topic, looked_at, .. } = self;
        **looked_at += topic.members().len();
        topic.members().iter().filter_map(|&index| rollup.lend(index, after)).collect()
    }

    fn cursor(&self) -> Cursor {
        Cursor { epoch: self.rollup.epoch(), seq: self.rollup.head() }
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
        let cursor = self.cursor();
        if let Some(made) = self.topic.snapshot_at(cursor.seq) {
            return made;
        }
        let frame = catching_up::snapshot(cursor, self.now.wall, self.lend(Seq::ZERO));
        self.topic.keep_snapshot(cursor.seq, frame.clone());
        frame
    }

    fn missed(&mut self, seq: Seq) -> Option<Frame> {
        let cursor = self.cursor();
        if let Some(made) = self.topic.missed_at(cursor.seq, seq) {
            let has_changed = self.topic.members().iter().any(|&index| self.rollup.has_changed(index, seq));
            return has_changed.then_some(made);
        }
        let parts = self.lend(seq);
        if parts.is_empty() {
            return None;
        }
        let frame = catching_up::missed(cursor, self.now.wall, parts);
        self.topic.keep_missed(Missed { after: seq, upto: cursor.seq, frame: frame.clone() });
        Some(frame)
    }

    fn has_missed(&self, seq: Seq) -> bool {
        self.topic.members().iter().any(|&index| self.rollup.since(index, seq).is_some())
    }

    fn restarted(&self) -> Seq {
        self.topic.restarted()
    }

    fn after(&self, seq: Seq) -> topic::Next {
        self.topic.after(seq)
    }
}
