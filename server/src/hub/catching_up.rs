//! Frames for subscribers that start or return: a snapshot, or everything that a subscriber missed.
//!
//! They can be large. So their tracks are collected under the hub's lock, and encoded when the frame is first sent.

use serde::{Serialize, Serializer};
use shared::{Cursor, Event, Millis, sse};

use super::frame::Frame;
use crate::rollup::BorrowedPart;

/// Makes the frame of a snapshot, which has all of the selected tracks.
pub(super) fn snapshot(cursor: Cursor, now: Millis, parts: Vec<BorrowedPart>) -> Frame {
    Frame::later(size(&parts), move || sse::frame_of(cursor, &BorrowedEvent::Snapshot { now, series: Parts(&parts) }))
}

/// Makes the frame of all changes that a subscriber missed.
pub(super) fn missed(cursor: Cursor, now: Millis, parts: Vec<BorrowedPart>) -> Frame {
    Frame::later(size(&parts), move || {
        if parts.iter().all(|part| part.part().is_none()) {
            // Late points changed only buckets that no track holds any more.
            return sse::frame(cursor, &Event::Heartbeat { now });
        }
        sse::frame_of(cursor, &BorrowedEvent::Update { now, pushed: now, series: Parts(&parts) })
    })
}

fn size(parts: &[BorrowedPart]) -> usize {
    parts.iter().map(BorrowedPart::frame_bytes).sum()
}

/// Events with the same serialization as [`Event`]; their parts are cut out of the tracks one after the other.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BorrowedEvent<'a> {
    Snapshot { now: Millis, series: Parts<'a> },
    Update { now: Millis, pushed: Millis, series: Parts<'a> },
}

struct Parts<'a>(&'a [BorrowedPart]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().filter_map(BorrowedPart::part))
    }
}

#[cfg(test)]
mod tests {
    use shared::{Epoch, Number, Seq, Stamp, Value};

    use super::*;
    use crate::log::{Committed, SeriesId};
    use crate::rollup::{Rollup, SeriesIndex};

    #[test]
    fn frames_have_the_text_of_the_events_that_they_stand_for() {
        let mut rollup = Rollup::new(Epoch(1), Seq::ZERO);
        for seq in 1..=4_u64 {
            let at = Stamp { ts: Millis(seq * 1_000), seq: Seq(seq) };
            let value = Value::Number(Number::new(1.5).unwrap());
            let row = u32::try_from(seq % 2).unwrap();
            let begins = format!("s/{row}").parse().ok();
            rollup.push(Committed { at, series: SeriesId(row + 1), value, begins, declares: None });
        }
        let series = [SeriesIndex(0), SeriesIndex(1)];
        series.iter().for_each(|&index| rollup.mark_hot(index));
        let (cursor, now) = (Cursor { epoch: Epoch(1), seq: Seq(4) }, Millis(9_000));
        for (after, make) in [(0, snapshot as fn(_, _, _) -> _), (2, missed), (3, missed)] {
            let lent = series.iter().filter_map(|&index| rollup.lend(index, Seq(after))).collect();
            let parts = series.iter().filter_map(|&index| rollup.since(index, Seq(after))).collect();
            let event = match after {
                0 => Event::Snapshot { now, series: parts },
                _ => Event::Update { now, pushed: now, series: parts },
            };
            assert_eq!(make(cursor, now, lent).text().content(), sse::frame(cursor, &event).as_bytes());
        }
        let heartbeat = sse::frame(cursor, &Event::Heartbeat { now });
        assert_eq!(missed(cursor, now, Vec::new()).text().content(), heartbeat.as_bytes());
    }
}
