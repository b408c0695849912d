//! The simulated server, its store and its subscribers.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use shared::board::Etag;
use shared::{Declared, Epoch, Millis, Number, Selector, Seq, SeriesName, Text, Track, Value};

use super::admission::{Editions, rehydrate};
use super::browser::{Browser, State, as_told};
use crate::access::ReadScope;
use crate::clock::{Now, Uptime};
use crate::hub::frame::Frame;
use crate::hub::publishing::Group;
use crate::hub::{BoardRecord, Boards, Hub, Rate, Resume, Step, Subscription};
use crate::log::{Committed, Epochs, SeriesId};
use crate::rollup::Rollup;

pub(in crate::hub) const EPOCH: Epoch = Epoch(0x0bad_cafe);
const HEARTBEAT: Duration = Duration::from_secs(15);
pub(super) const READERS: usize = 5;

/// Enough memory for the topics of all subscribers, and hardly any for frames, in bytes.
pub(super) const SCARCE: usize = 72_000;

/// Selections of the document of the board `s`. Without a document, the board selects `s/**`.
pub(super) const SELECTIONS: [&[&str]; 5] = [&["s/**"], &["s/1"], &["s/0", "s/1"], &["s/2", "s/3"], &[]];

pub(super) struct World {
    pub(super) now: Now,
    /// Memory bound of all topics, in bytes.
    memory: usize,
    pub(super) hub: Hub,
    pub(super) stored: Stored,
    /// The last copy of `stored`.
    pub(super) copy: Stored,
    /// Number of epochs drawn so far, including lost ones.
    drawn: u32,
    pub(super) browsers: Vec<Browser>,
    /// The selection of each edition; the tag of an edition is its index here.
    editions: Editions,
}

/// The contents of the store.
#[derive(Clone)]
pub(super) struct Stored {
    epochs: Epochs,
    points: Vec<Committed>,
    /// The state of the server after each sequence number; the first is empty.
    states: Vec<State>,
    /// The board `s`.
    board: Option<BoardRecord>,
    /// The number of removals of each series.
    removals: [u32; 5],
    /// The seq of the last removal.
    removed: Seq,
}

impl Stored {
    fn head(&self) -> Seq {
        Seq(self.states.len() as u64 - 1)
    }

    /// The row of a series: a new one after each removal.
    fn row(&self, series: u8) -> SeriesId {
        SeriesId(u32::from(series) + 5 * self.removals[usize::from(series)])
    }
}

pub(in crate::hub) fn series(hz: u32, selector: &str) -> Subscription {
    Subscription {
        series: vec![selector.parse().unwrap()],
        boards: Vec::new(),
        rate: Rate::of_hz(hz).unwrap(),
        scope: ReadScope::everything(),
    }
}

fn board(hz: u32) -> Subscription {
    Subscription {
        series: Vec::new(),
        boards: vec!["s".parse().unwrap()],
        rate: Rate::of_hz(hz).unwrap(),
        scope: ReadScope::everything(),
    }
}

pub(in crate::hub) fn hub_of(rollup: Rollup) -> Hub {
    Hub::new(rollup, Boards::default(), HEARTBEAT)
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_memory(usize::MAX)
    }

    pub(super) fn with_memory(memory: usize) -> Self {
        let now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };
        let mut hub = hub_of(Rollup::new(EPOCH, Seq::ZERO)).with_memory(memory, usize::MAX);
        let subscriptions = [series(20, "s/**"), series(0, "s/**"), series(1, "s/1"), board(20), board(0)];
        let browsers =
            subscriptions.into_iter().map(|subscription| Browser::open(&mut hub, &[], subscription, now)).collect();
        let stored = Stored {
            epochs: EPOCH.into(),
            points: Vec::new(),
            states: vec![BTreeMap::new()],
            board: None,
            removals: [0; 5],
            removed: Seq::ZERO,
        };
        Self { now, memory, hub, copy: stored.clone(), stored, drawn: 0, browsers, editions: Editions::default() }
    }

    pub(super) fn push(&mut self, series: u8, count: u8, late_ms: u16) {
        let committed = self.commit(series, count, late_ms);
        self.stored.points.extend(committed.iter().cloned());
        self.hub.publish(committed, self.now);
    }

    /// Pushes points; a subscriber reads and reconnects whenever the hub's lock is free in between.
    pub(super) fn push_slowly(
        &mut self,
        series: u8,
        count: u8,
        late_ms: u16,
        reader: usize,
    ) -> Result<(), TestCaseError> {
        let committed = self.commit(series, count, late_ms);
        self.stored.points.extend(committed.iter().cloned());
        self.hub.work = 1;
        let mut group = Group::new(&committed);
        while !group.is_done() {
            let drafts = self.hub.draft(&mut group, self.now);
            self.read(reader, 2)?;
            self.come_back(reader);
            let encoded = drafts.encode();
            self.read(reader, 1)?;
            self.hub.finish(encoded);
            self.read(reader, 1)?;
        }
        Ok(())
    }

    /// Reconnects a subscriber if all series that it selects are in memory: none is rehydrated while points are
    /// published.
    fn come_back(&mut self, reader: usize) {
        let browser = &mut self.browsers[reader];
        let resume = Resume::parse(Some(&browser.last_id));
        if let Ok(taken_in) = self.hub.subscribe(&browser.subscription, &resume, self.now) {
            self.hub.unsubscribe(browser.topic, &browser.reader);
            browser.begin(taken_in);
        }
    }

    /// Makes points as the store commits them.
    fn commit(&mut self, series: u8, count: u8, late_ms: u16) -> Vec<Committed> {
        let name: SeriesName = format!("s/{series}").parse().unwrap();
        let mut committed = Vec::new();
        for _ in 0..count {
            let seq = self.stored.head().next();
            let value = match series {
                0 => Value::Text(Text::new(format!("line {seq}")).unwrap()),
                #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
                _ => Value::Number(Number::new(seq.0 as f64 / 7.0).unwrap()),
            };
            let ts = Millis(self.now.wall.0 - u64::from(late_ms));
            let mut state = self.stored.states.last().unwrap().clone();
            let at = shared::Stamp { ts, seq };
            // Some points declare their type, and later points a different one.
            let declares = match (series, seq.0 % 9) {
                (0, _) => None,
                (_, 0) => Some(Declared::Counter),
                (_, 4) => Some(Declared::Gauge),
                _ => None,
            };
            match state.get_mut(&name) {
                Some((track, declared)) => {
                    track.push(at, value.clone());
                    *declared = declares.or(*declared);
                }
                None => {
                    state.insert(name.clone(), (Track::of(at, value.clone()), declares));
                }
            }
            self.stored.states.push(state);
            committed.push(Committed {
                at,
                series: self.stored.row(series),
                value,
                begins: Some(name.clone()),
                declares,
            });
        }
        committed
    }

    /// Removes a series, if it has a point. If `drafting`, frames are drafted before and put into their topics
    /// afterwards.
    pub(super) fn remove(&mut self, series: u8, drafting: bool) {
        let name: SeriesName = format!("s/{series}").parse().unwrap();
        let mut state = self.stored.states.last().unwrap().clone();
        if state.remove(&name).is_none() {
            return;
        }
        let drafts = drafting.then(|| self.hub.draft_due(self.now));
        let row = self.stored.row(series);
        // The removal takes a seq of its own.
        self.stored.states.push(state);
        self.stored.points.retain(|point| point.series != row);
        self.stored.removals[usize::from(series)] += 1;
        self.stored.removed = self.stored.head();
        self.hub.remove(row, self.stored.head());
        if let Some(drafts) = drafts {
            self.hub.finish(drafts.encode());
        }
    }

    pub(super) fn pass(&mut self, ms: u16) {
        self.now = Now { wall: self.now.wall.plus(ms.into()), up: self.now.up.plus(ms.into()) };
        self.hub.tick(self.now);
        self.hub.evict_idle(3);
    }

    pub(super) fn restart(&mut self) {
        self.drawn += 1;
        let head = self.stored.head();
        self.stored.epochs = self.stored.epochs.clone().followed_by(Epoch(self.drawn), head);
        let mut rollup = Rollup::new(self.stored.epochs.clone(), Seq::ZERO);
        for point in self.stored.points.iter().cloned() {
            rollup.push(point);
        }
        rollup.reach(head);
        self.hub = hub_of(rollup).with_memory(self.memory, usize::MAX).with_removed(self.stored.removed);
        if let Some(record) = self.stored.board.clone() {
            self.hub.set_board("s".parse().unwrap(), record, head);
        }
        for browser in &mut self.browsers {
            browser.connect(&mut self.hub, &self.stored.points, self.now);
        }
    }

    pub(super) fn restore(&mut self) {
        self.stored = self.copy.clone();
        self.restart();
    }

    /// Replaces or deletes the board's document.
    pub(super) fn edit(&mut self, selection: Option<usize>, rehydrated: bool) {
        let (selectors, etag) = match selection {
            None => (vec!["s/**".parse().unwrap()], None),
            Some(selection) => {
                let selectors: Vec<Selector> = SELECTIONS[selection].iter().map(|text| text.parse().unwrap()).collect();
                self.editions.0.push(selectors.clone());
                (selectors, Some(Etag::stored(self.editions.0.len() as u128 - 1)))
            }
        };
        let before = self.stored.board.take().unwrap_or_else(|| BoardRecord {
            selectors: vec!["s/**".parse().unwrap()],
            etag: None,
            since: Seq::ZERO,
        });
        let since = if before.selectors == selectors { before.since } else { self.stored.head() };
        if self.stored.head() == since {
            // The change takes a seq of its own.
            let state = self.stored.states.last().unwrap().clone();
            self.stored.states.push(state);
        }
        let record = BoardRecord { selectors, etag, since };
        self.stored.board = Some(record.clone());
        let id = "s".parse().unwrap();
        if rehydrated {
            let missing = self.hub.warm_series(&id, &record.selectors);
            rehydrate(&mut self.hub, &self.stored.points, missing);
        }
        self.hub.set_board(id, record, self.stored.head());
    }

    pub(super) fn cut(&mut self, reader: usize) {
        let browser = &mut self.browsers[reader];
        self.hub.unsubscribe(browser.topic, &browser.reader);
        browser.connect(&mut self.hub, &self.stored.points, self.now);
    }

    pub(super) fn reload(&mut self, reader: usize, hz: u32) {
        let browser = &mut self.browsers[reader];
        self.hub.unsubscribe(browser.topic, &browser.reader);
        let subscription = Subscription { rate: Rate::of_hz(hz).unwrap(), ..browser.subscription.clone() };
        *browser = Browser::open(&mut self.hub, &self.stored.points, subscription, self.now);
    }

    /// Reads frames, and checks the picture after each. Returns true if the limit stopped it, false if the hub had no
    /// more frames.
    pub(super) fn read(&mut self, reader: usize, frames: usize) -> Result<bool, TestCaseError> {
        for _ in 0..frames {
            let browser = &mut self.browsers[reader];
            let frame = match self.hub.next(&mut browser.topic, &mut browser.reader, self.now) {
                Step::Send(frame) => frame,
                Step::Wait(_) => return Ok(false),
                Step::End if browser.dismissed => {
                    self.cut(reader);
                    continue;
                }
                Step::End => return Err(TestCaseError::fail("the stream ended")),
            };
            self.hear(reader, &frame)?;
        }
        Ok(true)
    }

    /// Takes frames for a subscriber, and pushes points after each; only then are the frames encoded and read.
    pub(super) fn read_late(&mut self, reader: usize, frames: u8, series: u8) -> Result<(), TestCaseError> {
        let mut taken = Vec::new();
        for _ in 0..frames {
            let browser = &mut self.browsers[reader];
            let Step::Send(frame) = self.hub.next(&mut browser.topic, &mut browser.reader, self.now) else { break };
            taken.push(frame);
            self.push(series, 2, 0);
            self.pass(30);
        }
        taken.iter().try_for_each(|frame| self.hear(reader, frame))
    }

    /// Applies a frame, and compares the picture with the server's state at its cursor.
    fn hear(&mut self, reader: usize, frame: &Frame) -> Result<(), TestCaseError> {
        let browser = &mut self.browsers[reader];
        for message in browser.parser.feed(frame.text().content()) {
            browser.take(&message, &self.editions)?;
            let Some(cursor) = browser.picture.cursor() else { continue };
            // A picture of an earlier epoch waits for its snapshot; the end of the test checks that it came.
            if cursor.epoch != self.stored.epochs.current() {
                continue;
            }
            let at = usize::try_from(cursor.seq.0).unwrap();
            let mut wanted = self.stored.states[at].clone();
            wanted.retain(|name, _| browser.selection.matches(name));
            prop_assert_eq!(as_told(&browser.picture), wanted, "at {}", cursor);
        }
        Ok(())
    }

    /// Reads to the end, and checks that the picture is complete.
    pub(super) fn end(&mut self, reader: usize) -> Result<(), TestCaseError> {
        prop_assert!(!self.read(reader, 1_000)?, "the hub never stops sending");
        let browser = &self.browsers[reader];
        let board = self.stored.board.as_ref().filter(|_| !browser.subscription.boards.is_empty());
        let etag = board.and_then(|board| board.etag);
        prop_assert_eq!(browser.etag, etag, "it knows the edition");
        let selection = self.editions.selection(&browser.subscription, etag);
        let mut wanted = self.stored.states.last().unwrap().clone();
        wanted.retain(|name, _| selection.matches(name));
        prop_assert_eq!(as_told(&browser.picture), wanted);
        Ok(())
    }
}
