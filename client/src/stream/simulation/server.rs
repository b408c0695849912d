//! The simulated server: its data, and the streams that it writes.

use std::collections::{BTreeMap, VecDeque};

use shared::{Cursor, Epoch, Event, Millis, Number, Seq, SeriesName, SeriesPart, Stamp, Track, Value};

use super::BOARDS;
use crate::stream::share::interest::Interest;
use crate::stream::source::SourceEvent;

const EPOCH: Epoch = Epoch(0x0bad_cafe);

/// All tracks, and every earlier state.
pub(super) struct Server {
    tracks: BTreeMap<SeriesName, Track>,
    pub(super) past: Past,
    pub(super) epoch: Epoch,
    /// Last seq of each earlier epoch of this past.
    pub(super) ended: BTreeMap<u32, Seq>,
    /// The past of each epoch, including lost ones.
    pasts: BTreeMap<u32, Past>,
    pub(super) copy: Option<Copied>,
    pub(super) answer: Answer,
}

/// The state after each point.
type Past = Vec<BTreeMap<SeriesName, Track>>;

/// A copy of the server's data.
type Copied = (Past, Epoch, BTreeMap<u32, Seq>);

impl Default for Server {
    fn default() -> Self {
        let pasts = BTreeMap::from([(EPOCH.0, Vec::new())]);
        let (tracks, past, ended) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { tracks, past, epoch: EPOCH, ended, pasts, copy: None, answer: Answer::Stream }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Answer {
    #[default]
    Stream,
    Nothing,
    Full,
}

impl Server {
    pub(super) fn push(&mut self, board: usize, series: u8) {
        let name: SeriesName = format!("{}/{series}", BOARDS[board]).parse().unwrap();
        let seq = self.past.len() as u64 + 1;
        let at = Stamp { ts: Millis(seq * 700), seq: Seq(seq) };
        let value = Value::Number(Number::new(f64::from(series) + seq as f64 / 3.0).unwrap());
        match self.tracks.get_mut(&name) {
            Some(track) => track.push(at, value),
            None => _ = self.tracks.insert(name, Track::of(at, value)),
        }
        self.past.push(self.tracks.clone());
        self.pasts.entry(self.epoch.0).or_default().push(self.tracks.clone());
    }

    /// Starts another epoch.
    pub(super) fn restart(&mut self) {
        self.ended.insert(self.epoch.0, self.head().seq);
        self.epoch = Epoch(EPOCH.0 + u32::try_from(self.pasts.len()).unwrap());
        self.pasts.insert(self.epoch.0, self.past.clone());
        self.tracks = self.past.last().cloned().unwrap_or_default();
    }

    pub(super) fn restore(&mut self) {
        if let Some(copied) = self.copy.clone() {
            (self.past, self.epoch, self.ended) = copied;
        }
        self.restart();
    }

    /// Returns true if a picture at the cursor can be continued.
    pub(super) fn continues(&self, cursor: Cursor) -> bool {
        let last =
            if cursor.epoch == self.epoch { Some(self.head().seq) } else { self.ended.get(&cursor.epoch.0).copied() };
        last.is_some_and(|last| cursor.seq <= last)
    }

    pub(super) fn head(&self) -> Cursor {
        Cursor { epoch: self.epoch, seq: Seq(self.past.len() as u64) }
    }

    /// Returns the tracks of an interest at a cursor.
    pub(super) fn at(&self, cursor: Cursor, interest: &Interest) -> BTreeMap<SeriesName, Track> {
        let past = &self.pasts[&cursor.epoch.0];
        let all = cursor.seq.0.checked_sub(1).map(|i| past[i as usize].clone()).unwrap_or_default();
        all.into_iter().filter(|(name, _)| interest.includes(name)).collect()
    }

    pub(super) fn parts(&self, interest: &Interest, after: Seq) -> Vec<SeriesPart> {
        let own = self.tracks.iter().filter(|(name, _)| interest.includes(name));
        own.filter_map(|(name, track)| {
            Some(SeriesPart { name: name.clone(), track: track.since(after)?, declared: None, revised: None })
        })
        .collect()
    }
}

/// An EventSource, and the server's subscriber behind it.
pub(super) struct Stream {
    pub(super) interest: Interest,
    /// Position of the server in it; `None` where it is not connected.
    pub(super) at: Option<Seq>,
    pub(super) last_id: Option<Cursor>,
    pub(super) started: bool,
    pub(super) spoke_at: u64,
    /// Events on their way to the tab.
    pub(super) queue: VecDeque<SourceEvent>,
}

pub(super) fn connect(address: &str) -> Stream {
    let query = address.strip_prefix("sse?").unwrap();
    let (mut interest, mut last_id) = (Interest::default(), None);
    for parameter in query.split('&') {
        match parameter.split_once('=').unwrap() {
            ("series", selector) => interest.add(&Interest::of(selector.parse().unwrap())),
            ("board", board) => interest.add(&Interest::of_board(board.parse().unwrap(), [])),
            ("last_event_id", id) => last_id = Some(id.parse().unwrap()),
            other => panic!("{other:?}"),
        }
    }
    Stream { interest, at: None, last_id, started: false, spoke_at: 0, queue: VecDeque::new() }
}

pub(super) fn push(stream: &mut Stream, epoch: Epoch, now: u64, told: Vec<(Seq, Event)>) {
    for (seq, event) in told {
        let id = Cursor { epoch, seq };
        stream.spoke_at = now;
        stream.last_id = Some(id);
        let data = serde_json::to_string(&event).unwrap();
        stream.queue.push_back(SourceEvent::Message { id: id.to_string(), data });
    }
}
