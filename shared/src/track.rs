//! Tracks: the recent past of one series, which a snapshot holds and an update changes.

use std::collections::VecDeque;

use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::bucket::SECOND;
use crate::point::Kind;
use crate::{Bucket, Declared, Millis, Seq, SeriesName, Stamp, TimeRange, Value};

/// The number of buckets in a track of numbers: five minutes of a series that changes every second, most of a year of
/// a series that reports daily.
pub const WINDOW: usize = 300;

/// The number of lines in a track of texts.
pub const LOG: usize = 100;

/// A text and its stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The stamp, which orders it among all points.
    pub at: Stamp,
    /// The pushed text.
    pub text: String,
}

/// The recent past of one series: its newest [`WINDOW`] non-empty one-second buckets, or its newest [`LOG`] lines,
/// the oldest first. Never empty.
///
/// Its content depends on the points alone, not on a clock nor on the order in which late points came. This makes a
/// resume exact: a reader with any cursor that receives all changes after it arrives at the same track (see the
/// property tests below).
#[derive(Clone, Debug, PartialEq)]
pub enum Track {
    /// The track of a series of numbers.
    Numbers(VecDeque<Bucket>),
    /// The track of a series of texts.
    Texts(TextLog),
}

/// The newest lines of a series of texts, and the number of lines that it ever had. A reader that compares two states
/// knows how many lines were skipped in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLog {
    /// The newest lines, the oldest first.
    pub lines: VecDeque<LogLine>,
    /// The number of lines that the series ever had.
    pub total: u64,
    /// The greatest number of all lines. It may be of a line that is not kept: a late line that is older than all
    /// lines of a full log still counts.
    pub changed: Seq,
}

/// The present value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latest<'a> {
    /// The value of a series of numbers.
    Number(f64),
    /// The value of a series of texts.
    Text(&'a str),
}

impl Track {
    /// Makes the track of a series with a single point.
    #[must_use]
    pub fn of(at: Stamp, value: Value) -> Self {
        match value {
            Value::Number(number) => Self::Numbers([Bucket::of(at, number, SECOND)].into()),
            Value::Text(text) => {
                let lines = [LogLine { at, text: text.into() }].into();
                Self::Texts(TextLog { lines, total: 1, changed: at.seq })
            }
        }
    }

    /// The kind of the series.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Numbers(_) => Kind::Number,
            Self::Texts(_) => Kind::Text,
        }
    }

    /// Adds a point. Ignores a point of the other [`Kind`], which the store refuses earlier.
    pub fn push(&mut self, at: Stamp, value: Value) {
        match (self, value) {
            (Self::Numbers(buckets), Value::Number(number)) => {
                let start = at.ts.floor(SECOND);
                if let Some(newest) = buckets.back_mut().filter(|newest| newest.start == start) {
                    return newest.push(at, number);
                }
                let new = Bucket::of(at, number, SECOND);
                put(buckets, WINDOW, new, |b| b.start, |old, _| old.push(at, number));
            }
            (Self::Texts(log), Value::Text(text)) => {
                let new = LogLine { at, text: text.into() };
                put(&mut log.lines, LOG, new, |l| l.at, |old, new| *old = new);
                log.total = log.total.saturating_add(1);
                log.changed = log.changed.max(at.seq);
            }
            (Self::Numbers(_), Value::Text(_)) | (Self::Texts(_), Value::Number(_)) => {}
        }
    }

    /// Returns the entries that changed after `seq` in their present state, and always the newest entry, so that the
    /// latest value is included. `None` if nothing changed.
    #[must_use]
    pub fn since(&self, seq: Seq) -> Option<Self> {
        if self.changed() <= seq {
            return None;
        }
        Some(match self {
            Self::Numbers(buckets) => Self::Numbers(changed_or_newest(buckets, |b| b.changed > seq)),
            Self::Texts(log) => {
                Self::Texts(TextLog { lines: changed_or_newest(&log.lines, |l| l.at.seq > seq), ..*log })
            }
        })
    }

    /// Returns the same as [`Track::since`], if no point after `seq` came late (into a bucket before the newest one).
    /// The changed buckets are then the newest few, and only those are examined.
    #[must_use]
    pub fn since_in_order(&self, seq: Seq) -> Option<Self> {
        let Self::Numbers(buckets) = self else { return self.since(seq) };
        let changed = buckets.iter().rev().take_while(|bucket| bucket.changed > seq).count();
        let first = buckets.len() - changed;
        (changed > 0).then(|| Self::Numbers(buckets.range(first..).cloned().collect()))
    }

    /// Returns the newest entry alone: the smallest possible part.
    #[must_use]
    pub fn newest(&self) -> Self {
        match self {
            Self::Numbers(buckets) => Self::Numbers(changed_or_newest(buckets, |_| false)),
            Self::Texts(log) => Self::Texts(TextLog { lines: changed_or_newest(&log.lines, |_| false), ..*log }),
        }
    }

    /// Drops all entries except the newest, and frees their memory.
    pub fn keep_newest(&mut self) {
        match self {
            Self::Numbers(buckets) => keep_last(buckets),
            Self::Texts(log) => keep_last(&mut log.lines),
        }
    }

    /// Merges a part that [`Track::since`] returned into this track.
    pub fn absorb(&mut self, part: Self) {
        match (self, part) {
            (Self::Numbers(buckets), Self::Numbers(part)) => {
                for bucket in part {
                    put(buckets, WINDOW, bucket, |b| b.start, |old, new| *old = new);
                }
            }
            (Self::Texts(log), Self::Texts(part)) => {
                for line in part.lines {
                    put(&mut log.lines, LOG, line, |l| l.at, |old, new| *old = new);
                }
                (log.total, log.changed) = (part.total, part.changed);
            }
            (whole, part) => *whole = part,
        }
    }

    /// The stamp of the newest point.
    #[must_use]
    pub fn latest_at(&self) -> Stamp {
        let none = Stamp { ts: Millis(0), seq: Seq::ZERO };
        match self {
            Self::Numbers(buckets) => buckets.back().map_or(none, |b| b.last.at),
            Self::Texts(log) => log.lines.back().map_or(none, |l| l.at),
        }
    }

    /// The value of the newest point.
    #[must_use]
    pub fn latest(&self) -> Latest<'_> {
        match self {
            Self::Numbers(buckets) => Latest::Number(buckets.back().map_or(0.0, |b| b.last.value)),
            Self::Texts(log) => Latest::Text(log.lines.back().map_or("", |l| &l.text)),
        }
    }

    /// The greatest number of its points.
    #[must_use]
    pub fn changed(&self) -> Seq {
        match self {
            Self::Numbers(buckets) => buckets.iter().map(|b| b.changed).max().unwrap_or_default(),
            Self::Texts(log) => log.changed,
        }
    }
}

/// Inserts `new` into `kept`, which is sorted by key, or `join`s it with the entry of the same key. Then drops the
/// oldest entries beyond `most`.
fn put<T, K: Ord>(kept: &mut VecDeque<T>, most: usize, new: T, key: impl Fn(&T) -> K, join: impl Fn(&mut T, T)) {
    let wanted = key(&new);
    // Nearly every point belongs at the end.
    let at = match kept.back().map(|newest| key(newest).cmp(&wanted)) {
        None | Some(std::cmp::Ordering::Less) => Err(kept.len()),
        Some(std::cmp::Ordering::Equal) => Ok(kept.len() - 1),
        Some(std::cmp::Ordering::Greater) => kept.binary_search_by(|old| key(old).cmp(&wanted)),
    };
    match at {
        Ok(at) => join(&mut kept[at], new),
        // Older than all entries of a full track: it was dropped before, or would be dropped at once.
        Err(0) if kept.len() >= most => {}
        Err(at) if kept.len() >= most => {
            kept.pop_front();
            kept.insert(at - 1, new);
        }
        Err(at) => {
            if kept.len() == kept.capacity() {
                // Grows by half instead of doubling: there are many series, and most are short.
                kept.reserve_exact((kept.len() / 2).clamp(1, most - kept.len()));
            }
            kept.insert(at, new);
        }
    }
}

fn keep_last<T>(kept: &mut VecDeque<T>) {
    kept.drain(..kept.len().saturating_sub(1));
    // A series that continues briefly has the last and the next entry.
    kept.shrink_to(2);
}

fn changed_or_newest<T: Clone>(kept: &VecDeque<T>, changed: impl Fn(&T) -> bool) -> VecDeque<T> {
    let newest = kept.len().saturating_sub(1);
    kept.iter()
        .enumerate()
        .filter(|&(i, entry)| i == newest || changed(entry))
        .map(|(_, entry)| entry.clone())
        .collect()
}

/// The part of a series in a frame: the whole track in a snapshot, the changed entries in an update.
///
/// As JSON: `{"name", "value", "ts", "buckets"}`, or `{"name", "text", "ts", "lines", "total", "changed"}`. For
/// simple readers, `value`, `text` and `ts` repeat the newest point. A line is `[ts, seq, text]`. The newest line is
/// `[ts, seq]`, since its text is in `text`. `kind` is present if it was declared, `revised` if history has changed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "WirePart")]
pub struct SeriesPart {
    /// The name of the series.
    pub name: SeriesName,
    /// The track, or its changed entries.
    pub track: Track,
    /// The metric type that a push last declared; `None` if no push did. Every part has it. Since the declaration is
    /// made by a point, a reader that lacks the declaration also lacks that point.
    pub declared: Option<Declared>,
    /// The stretch of history to fetch again. Only in an update, and not part of the picture: points came so late
    /// ([`revises`]) that they may be older than the whole track. The stretch may be longer than the actual change.
    pub revised: Option<TimeRange>,
}

/// Returns the stretch of history that a number of time `ts` changes beyond the reach of the track, for a series
/// whose newest point is at `newest`. `None` unless the point is later than the shortest possible length of a full
/// track.
#[must_use]
pub fn revises(ts: Millis, newest: Millis) -> Option<TimeRange> {
    let from = ts.floor(SECOND);
    (from.plus(WINDOW as u64 * SECOND) <= newest).then(|| TimeRange { from, to: from.plus(SECOND) })
}

impl Serialize for SeriesPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("SeriesPart", 8)?;
        object.serialize_field("name", self.name.as_str())?;
        if let Some(declared) = self.declared {
            object.serialize_field("kind", declared.word())?;
        }
        match self.track.latest() {
            Latest::Number(value) => object.serialize_field("value", &value)?,
            Latest::Text(text) => object.serialize_field("text", text)?,
        }
        object.serialize_field("ts", &self.track.latest_at().ts)?;
        match &self.track {
            Track::Numbers(buckets) => object.serialize_field("buckets", buckets)?,
            Track::Texts(log) => {
                object.serialize_field("lines", &WireLines(&log.lines))?;
                object.serialize_field("total", &log.total)?;
                object.serialize_field("changed", &log.changed)?;
            }
        }
        if let Some(revised) = &self.revised {
            object.serialize_field("revised", revised)?;
        }
        object.end()
    }
}

/// Serialises lines for a part.
struct WireLines<'a>(&'a VecDeque<LogLine>);

impl Serialize for WireLines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(Some(self.0.len()))?;
        let mut rest = self.0.iter().peekable();
        while let Some(LogLine { at, text }) = rest.next() {
            match rest.peek() {
                Some(_) => lines.serialize_element(&(at.ts, at.seq, text))?,
                None => lines.serialize_element(&(at.ts, at.seq))?,
            }
        }
        lines.end()
    }
}

/// A line in the wire format of a part.
#[derive(Deserialize)]
struct WireLine(Millis, Seq, #[serde(default)] Option<String>);

#[derive(Deserialize)]
struct WirePart {
    name: SeriesName,
    #[serde(default)]
    text: String,
    #[serde(default)]
    buckets: VecDeque<Bucket>,
    #[serde(default)]
    lines: VecDeque<WireLine>,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    changed: Seq,
    revised: Option<TimeRange>,
    /// An unknown keyword of a later version counts as absent.
    kind: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("series {0} has neither buckets nor lines, or both")]
struct BadPart(SeriesName);

impl TryFrom<WirePart> for SeriesPart {
    type Error = BadPart;

    fn try_from(wire: WirePart) -> Result<Self, BadPart> {
        let track = match (wire.buckets.is_empty(), wire.lines.is_empty()) {
            (false, true) => Track::Numbers(wire.buckets),
            (true, false) => {
                let mut newest = Some(wire.text);
                let line = |WireLine(ts, seq, text): WireLine| {
                    let text = text.or_else(|| newest.take()).unwrap_or_default();
                    LogLine { at: Stamp { ts, seq }, text }
                };
                let lines = wire.lines.into_iter().map(line).collect();
                Track::Texts(TextLog { lines, total: wire.total, changed: wire.changed })
            }
            _ => return Err(BadPart(wire.name)),
        };
        let declared = wire.kind.as_deref().and_then(Declared::of);
        Ok(Self { name: wire.name, track, declared, revised: wire.revised })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Number, Text};
    use proptest::prelude::*;

    fn at(ts: u64, seq: u64) -> Stamp {
        Stamp { ts: Millis(ts), seq: Seq(seq) }
    }

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    fn text(value: &str) -> Value {
        Value::Text(Text::new(value.to_owned()).unwrap())
    }

    /// Generates times that often come late, and that spread over more seconds than a track holds.
    fn times() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0..1_000_000_u64, 990_000..1_000_000_u64], 1..900)
    }

    fn push_all(times: &[u64], value: impl Fn(u64) -> Value) -> Vec<Track> {
        let mut states: Vec<Track> = Vec::new();
        for (seq, &ts) in (1..).zip(times) {
            let next = states.last().cloned().map_or_else(
                || Track::of(at(ts, seq), value(seq)),
                |mut track| {
                    track.push(at(ts, seq), value(seq));
                    track
                },
            );
            states.push(next);
        }
        states
    }

    #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
    fn as_number(seq: u64) -> Value {
        number(seq as f64 / 7.0)
    }

    proptest! {
        #[test]
        fn what_changed_since_any_cursor_leads_to_the_same_track(times in times(), from: prop::sample::Index, to: prop::sample::Index) {
            for states in [push_all(&times, as_number), push_all(&times, |seq| text(&seq.to_string()))] {
                let (a, b) = (from.index(states.len()), to.index(states.len()));
                let (a, b) = (a.min(b), a.max(b));
                let mut reader = states[a].clone();
                if let Some(part) = states[b].since(Seq(a as u64 + 1)) {
                    let part = SeriesPart { name: "ops/a".parse().unwrap(), track: part, declared: None, revised: None };
                    let json = serde_json::to_string(&part).unwrap();
                    reader.absorb(serde_json::from_str::<SeriesPart>(&json).unwrap().track);
                }
                prop_assert_eq!(&reader, &states[b]);
            }
        }

        #[test]
        fn where_nothing_came_late_only_the_newest_need_be_looked_at(
            steps in prop::collection::vec(0..1_500_u64, 1..700), late in 0..20_usize, from: prop::sample::Index
        ) {
            // The first few come in any order, each later one in the newest bucket or in one after it.
            let mut newest = 5_000;
            let times: Vec<u64> = (0..).zip(&steps).map(|(n, step)| {
                if n < late {
                    return step * 3;
                }
                newest += step;
                newest
            }).collect();
            let states = push_all(&times, as_number);
            let whole = states.last().unwrap();
            let seq = Seq((late + from.index(states.len())) as u64);
            prop_assert_eq!(whole.since_in_order(seq), whole.since(seq));
        }

        #[test]
        fn a_part_always_tells_the_latest_value(times in times(), from: prop::sample::Index) {
            let states = push_all(&times, as_number);
            let whole = states.last().unwrap();
            if let Some(part) = whole.since(Seq(from.index(states.len()) as u64)) {
                prop_assert_eq!(part.latest(), whole.latest());
                prop_assert_eq!(part.latest_at(), whole.latest_at());
            }
        }
    }

    #[test]
    fn a_track_keeps_the_newest_and_takes_late_points_in() {
        let mut track = Track::of(at(0, 1), number(0.0));
        for seq in 2..=WINDOW as u64 + 10 {
            track.push(at(seq * SECOND, seq), number(1.0));
        }
        let late = 200 * SECOND + 999;
        track.push(at(late, 9_999), number(7.0));
        let Track::Numbers(buckets) = &track else { panic!("it holds numbers") };
        assert_eq!(buckets.len(), WINDOW);
        assert_eq!(buckets.front().unwrap().start, Millis(11 * SECOND));
        let corrected = buckets.iter().find(|b| b.start == Millis(200 * SECOND)).unwrap();
        assert_eq!((corrected.count, corrected.last.value, corrected.changed), (2, 7.0, Seq(9_999)));
        assert_eq!(track.latest(), Latest::Number(1.0));
    }

    #[test]
    fn a_log_tells_how_many_lines_were_skipped() {
        let mut track = Track::of(at(1, 1), text("first"));
        let mut reader = track.clone();
        for seq in 2..=351 {
            track.push(at(seq, seq), text("more"));
        }
        reader.absorb(track.since(Seq(1)).unwrap());
        let Track::Texts(log) = &reader else { panic!("it holds texts") };
        assert_eq!((log.lines.len(), log.total), (LOG, 351));
        track.push(at(2, 352), text("older than all that is kept"));
        reader.absorb(track.since(Seq(351)).unwrap());
        assert_eq!(reader, track);
    }

    #[test]
    fn a_series_on_the_wire_tells_its_newest_point_to_simple_readers() {
        let mut track = Track::of(at(1_000_250, 7), number(42.5));
        track.push(at(1_000_750, 9), number(40.0));
        track.push(at(1_002_000, 12), number(41.25));
        let part = SeriesPart { name: "ops/temp".parse().unwrap(), track, declared: None, revised: None };
        assert_eq!(
            serde_json::to_string(&part).unwrap(),
            r#"{"name":"ops/temp","value":41.25,"ts":1002000,"buckets":[[1000000,2,82.5,40.0,42.5,250,7,42.5,750,9,40.0,9],[1002000,0,12,41.25]]}"#
        );
        let part = SeriesPart {
            name: "ops/deploy".parse().unwrap(),
            track: Track::of(at(5, 1), text("up")),
            declared: None,
            revised: None,
        };
        assert_eq!(
            serde_json::to_string(&part).unwrap(),
            r#"{"name":"ops/deploy","text":"up","ts":5,"lines":[[5,1]],"total":1,"changed":1}"#
        );
        assert!(serde_json::from_str::<SeriesPart>(r#"{"name":"ops/temp"}"#).is_err());
    }
}
