//! The law, over schedules drawn by chance: whatever happens between the hub and its readers, a picture at cursor *n*
//! equals the server's state at *n*.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::board::Etag;
use shared::{
    Applied, BoardEdition, ByeReason, Declared, Epoch, Event, Millis, Number, Picture, Selector, Seq, SeriesName, Text,
    Track, Value, sse,
};

use super::publishing::Group;
use super::*;
use crate::clock::Uptime;
use crate::rollup::Absent;
use crate::store::SeriesId;
use crate::store::commit::Committed;
use crate::store::epochs::Epochs;

pub(super) const EPOCH: Epoch = Epoch(0x0bad_cafe);
const HEARTBEAT: Duration = Duration::from_secs(15);
const READERS: usize = 5;

/// Memory for the topics of all readers, and hardly any for frames, in bytes.
const SCARCE: usize = 72_000;

/// What the document of the board `s` can select; as long as nobody has made it, that is `s/**`.
const SELECTIONS: [&[&str]; 5] = [&["s/**"], &["s/1"], &["s/0", "s/1"], &["s/2", "s/3"], &[]];

#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Points are committed, and published together.
    Push { series: u8, count: u8, late_ms: u16 },
    /// The same, a point at a time; a reader reads and reconnects in between.
    PushSlowly { series: u8, count: u8, late_ms: u16, reader: usize },
    /// The board `s` has a new document, which selects this one of [`SELECTIONS`]. What its readers will need is recalled
    /// before, or is gone again by the time.
    Edit { selection: usize, recalled: bool },
    /// It is deleted.
    Delete,
    /// A series is removed with all its points; perhaps while frames are being encoded.
    Remove { series: u8, drafting: bool },
    /// Time goes by.
    Pass { ms: u16 },
    /// A reader reads up to so many frames.
    Read { reader: usize, frames: u8 },
    /// The line is cut, and the reader comes back with the last id that it saw.
    Cut { reader: usize },
    /// The server is restarted from what it stored; all lines are cut.
    Restart,
    /// The server's data is copied.
    Copy,
    /// The server is stopped, its data is replaced by the last copy, and it is started again.
    Restore,
    /// A page is loaded anew.
    Reload { reader: usize, hz: u32 },
}

/// How many schedules are drawn: `SIMULATED_SCHEDULES`, or twenty thousand. A schedule that fails is printed, cut down to
/// what is needed, and kept by proptest to be run first the next time.
fn schedules() -> u32 {
    std::env::var("SIMULATED_SCHEDULES").map_or(20_000, |text| text.parse().expect("SIMULATED_SCHEDULES is a number"))
}

fn happening() -> impl Strategy<Value = Happening> {
    let reader = 0..READERS;
    prop_oneof![
        8 => (0..5u8, 1..4u8, prop_oneof![Just(0), 0..60_000u16])
            .prop_map(|(series, count, late_ms)| Happening::Push { series, count, late_ms }),
        2 => (0..5u8, 1..6u8, prop_oneof![Just(0), 0..60_000u16], reader.clone())
            .prop_map(|(series, count, late_ms, reader)| Happening::PushSlowly { series, count, late_ms, reader }),
        4 => prop_oneof![1..100u16, 0..40_000u16].prop_map(|ms| Happening::Pass { ms }),
        8 => (reader.clone(), 1..8u8).prop_map(|(reader, frames)| Happening::Read { reader, frames }),
        2 => reader.clone().prop_map(|reader| Happening::Cut { reader }),
        1 => (0..5u8, any::<bool>()).prop_map(|(series, drafting)| Happening::Remove { series, drafting }),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Copy),
        1 => Just(Happening::Restore),
        1 => (0..SELECTIONS.len(), any::<bool>())
            .prop_map(|(selection, recalled)| Happening::Edit { selection, recalled }),
        1 => Just(Happening::Delete),
        1 => (reader, prop_oneof![Just(0), Just(1), Just(20)]).prop_map(|(reader, hz)| Happening::Reload { reader, hz }),
    ]
}

/// A browser: it keeps the last id that the stream gave, as EventSource does, and the picture.
#[derive(Debug)]
struct Browser {
    interest: Interest,
    /// What its picture is of.
    selection: Selection,
    /// The edition of the board `s` that it was told last.
    told: Option<Etag>,
    topic: TopicId,
    reader: Reader,
    parser: sse::Parser,
    last_id: String,
    picture: Picture,
    /// A gap was told, so a snapshot must come next.
    gapped: bool,
    /// It was told to come back.
    dismissed: bool,
}

/// Each series, and what was declared of it.
type State = BTreeMap<SeriesName, (Track, Option<Declared>)>;

/// What a picture should be by a state, as far as it is selected.
fn as_told(picture: &Picture) -> State {
    let declared = |name| picture.declared(name);
    picture.series().iter().map(|(name, track)| (name.clone(), (track.clone(), declared(name)))).collect()
}

struct World {
    now: Now,
    /// Memory bound of all topics, in bytes.
    memory: usize,
    hub: Hub,
    stored: Stored,
    /// The last copy of `stored`.
    copy: Stored,
    /// Number of epochs drawn so far, lost ones included.
    drawn: u32,
    browsers: Vec<Browser>,
    /// What each edition of it selects; the tag of an edition is its place here.
    editions: Editions,
}

/// The state that a store would keep.
#[derive(Clone)]
struct Stored {
    epochs: Epochs,
    points: Vec<Committed>,
    /// The state of the server after each sequence number; the first is empty.
    states: Vec<State>,
    /// The board `s`.
    board: Option<Shown>,
    /// How often each series was removed.
    removals: [u32; 5],
    /// The number of the last removal.
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

#[derive(Default)]
struct Editions(Vec<Vec<Selector>>);

impl Editions {
    /// What a reader selects where the board is of this edition.
    fn selection(&self, interest: &Interest, etag: Option<Etag>) -> Selection {
        let mut selectors = interest.series.clone();
        if !interest.boards.is_empty() {
            let edition =
                etag.map(|etag| (0..).zip(&self.0).find(|&(n, _)| Etag::stored(n) == etag).unwrap().1.clone());
            selectors.extend(edition.unwrap_or_else(|| vec!["s/**".parse().unwrap()]));
        }
        Selection::new(selectors, interest.rate)
    }
}

pub(super) fn series(hz: u32, selector: &str) -> Interest {
    Interest { series: vec![selector.parse().unwrap()], boards: Vec::new(), rate: Rate::of_hz(hz).unwrap() }
}

fn board(hz: u32) -> Interest {
    Interest { series: Vec::new(), boards: vec!["s".parse().unwrap()], rate: Rate::of_hz(hz).unwrap() }
}

pub(super) fn hub_of(rollup: Rollup) -> Hub {
    Hub::new(rollup, Boards::default(), HEARTBEAT)
}

impl World {
    fn new() -> Self {
        Self::with_memory(usize::MAX)
    }

    fn with_memory(memory: usize) -> Self {
        let now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };
        let mut hub = hub_of(Rollup::new(EPOCH, Seq::ZERO)).with_memory(memory);
        let interests = [series(20, "s/**"), series(0, "s/**"), series(1, "s/1"), board(20), board(0)];
        let browsers = interests.into_iter().map(|interest| Browser::open(&mut hub, &[], interest, now)).collect();
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

    fn push(&mut self, series: u8, count: u8, late_ms: u16) {
        let committed = self.commit(series, count, late_ms);
        self.stored.points.extend(committed.iter().cloned());
        self.hub.publish(committed, self.now);
    }

    /// Pushes points; a reader reads and reconnects whenever the hub's lock is free in between.
    fn push_slowly(&mut self, series: u8, count: u8, late_ms: u16, reader: usize) -> Result<(), TestCaseError> {
        let committed = self.commit(series, count, late_ms);
        self.stored.points.extend(committed.iter().cloned());
        self.hub.work = 1;
        let mut group = Group::new(committed);
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

    /// Reconnects a reader if all series that it selects are in memory: none is recalled while points are published.
    fn come_back(&mut self, reader: usize) {
        let browser = &mut self.browsers[reader];
        let resume = Resume::parse(Some(&browser.last_id));
        if let Ok(taken_in) = self.hub.subscribe(&browser.interest, &resume, self.now) {
            self.hub.unsubscribe(browser.topic, &browser.reader);
            browser.begin(taken_in);
        }
    }

    /// Points, as the store commits them.
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
            // Now and then one says what it is, and later something else.
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

    /// Removes a series, if it has a point. If `drafting`, frames are drafted before and put in their topics afterwards.
    fn remove(&mut self, series: u8, drafting: bool) {
        let name: SeriesName = format!("s/{series}").parse().unwrap();
        let mut state = self.stored.states.last().unwrap().clone();
        if state.remove(&name).is_none() {
            return;
        }
        let drafts = drafting.then(|| self.hub.draft_due(self.now));
        let row = self.stored.row(series);
        // The removal takes a number of its own.
        self.stored.states.push(state);
        self.stored.points.retain(|point| point.series != row);
        self.stored.removals[usize::from(series)] += 1;
        self.stored.removed = self.stored.head();
        self.hub.remove(row, self.stored.head());
        if let Some(drafts) = drafts {
            self.hub.finish(drafts.encode());
        }
    }

    fn pass(&mut self, ms: u16) {
        self.now = Now { wall: self.now.wall.plus(ms.into()), up: self.now.up.plus(ms.into()) };
        self.hub.tick(self.now);
        self.hub.rest(3);
    }

    fn restart(&mut self) {
        self.drawn += 1;
        let head = self.stored.head();
        self.stored.epochs = self.stored.epochs.clone().followed_by(Epoch(self.drawn), head);
        let mut rollup = Rollup::new(self.stored.epochs.clone(), Seq::ZERO);
        for point in self.stored.points.iter().cloned() {
            rollup.push(point);
        }
        rollup.reach(head);
        self.hub = hub_of(rollup).with_memory(self.memory).with_removed(self.stored.removed);
        if let Some(shown) = self.stored.board.clone() {
            self.hub.set_board("s".parse().unwrap(), shown, head);
        }
        for browser in &mut self.browsers {
            browser.connect(&mut self.hub, &self.stored.points, self.now);
        }
    }

    fn restore(&mut self) {
        self.stored = self.copy.clone();
        self.restart();
    }

    /// The board has another document from now on, or none.
    fn edit(&mut self, selection: Option<usize>, recalled: bool) {
        let (selectors, etag) = match selection {
            None => (vec!["s/**".parse().unwrap()], None),
            Some(selection) => {
                let selectors: Vec<Selector> = SELECTIONS[selection].iter().map(|text| text.parse().unwrap()).collect();
                self.editions.0.push(selectors.clone());
                (selectors, Some(Etag::stored(self.editions.0.len() as u128 - 1)))
            }
        };
        let before = self.stored.board.take().unwrap_or_else(|| Shown {
            selectors: vec!["s/**".parse().unwrap()],
            etag: None,
            since: Seq::ZERO,
        });
        let since = if before.selectors == selectors { before.since } else { self.stored.head() };
        if self.stored.head() == since {
            // The change takes a number of its own.
            let state = self.stored.states.last().unwrap().clone();
            self.stored.states.push(state);
        }
        let shown = Shown { selectors, etag, since };
        self.stored.board = Some(shown.clone());
        let id = "s".parse().unwrap();
        if recalled {
            let lacking = self.hub.lacking(&id, &shown.selectors);
            recall(&mut self.hub, &self.stored.points, lacking);
        }
        self.hub.set_board(id, shown, self.stored.head());
    }

    fn cut(&mut self, reader: usize) {
        let browser = &mut self.browsers[reader];
        self.hub.unsubscribe(browser.topic, &browser.reader);
        browser.connect(&mut self.hub, &self.stored.points, self.now);
    }

    fn reload(&mut self, reader: usize, hz: u32) {
        let browser = &mut self.browsers[reader];
        self.hub.unsubscribe(browser.topic, &browser.reader);
        let interest = Interest { rate: Rate::of_hz(hz).unwrap(), ..browser.interest.clone() };
        *browser = Browser::open(&mut self.hub, &self.stored.points, interest, self.now);
    }

    /// Reads, and holds the picture against the server's state at its cursor after every frame. Whether it was the
    /// reader who stopped, not the hub.
    fn read(&mut self, reader: usize, frames: usize) -> Result<bool, TestCaseError> {
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
        }
        Ok(true)
    }
}

/// Takes a reader in, once all that it selects is in memory.
pub(super) fn subscribe(
    hub: &mut Hub,
    points: &[Committed],
    interest: &Interest,
    resume: &Resume,
    now: Now,
) -> (TopicId, Reader) {
    loop {
        match hub.subscribe(interest, resume, now) {
            Ok(taken_in) => return taken_in,
            Err(lacking) => recall(hub, points, lacking),
        }
    }
}

/// What the store would do.
fn recall(hub: &mut Hub, points: &[Committed], Lacking(absent): Lacking) {
    for Absent { series, .. } in absent {
        let mut track: Option<Track> = None;
        let head = hub.rollup.head();
        let published = points.iter().filter(|point| point.series == series && point.at.seq <= head);
        for Committed { at, value, .. } in published.cloned() {
            match &mut track {
                Some(track) => track.push(at, value),
                None => track = Some(Track::of(at, value)),
            }
        }
        hub.recall(series, track);
    }
}

impl Browser {
    fn open(hub: &mut Hub, points: &[Committed], interest: Interest, now: Now) -> Self {
        let (topic, reader) = subscribe(hub, points, &interest, &Resume::Fresh, now);
        let (parser, picture) = (sse::Parser::default(), Picture::default());
        let selection = Selection::new(Vec::new(), interest.rate);
        let (told, last_id, gapped, dismissed) = (None, String::new(), false, false);
        Self { interest, selection, told, topic, reader, parser, last_id, picture, gapped, dismissed }
    }

    fn connect(&mut self, hub: &mut Hub, points: &[Committed], now: Now) {
        let resume = Resume::parse(Some(&self.last_id));
        self.begin(subscribe(hub, points, &self.interest, &resume, now));
    }

    fn begin(&mut self, taken_in: (TopicId, Reader)) {
        (self.topic, self.reader) = taken_in;
        self.parser = sse::Parser::default();
        self.gapped = false;
        self.dismissed = false;
    }

    fn take(&mut self, message: &sse::Message, editions: &Editions) -> Result<(), TestCaseError> {
        self.last_id.clone_from(&message.id);
        let event: Event = serde_json::from_str(&message.data).unwrap();
        let now_selected = |told| editions.selection(&self.interest, told);
        match &event {
            Event::Hello { boards, .. } => self.told = boards.first().and_then(|edition| edition.etag),
            Event::Board(BoardEdition { etag, .. }) => {
                prop_assert_ne!(self.told, *etag, "an edition that it knows");
                self.told = *etag;
            }
            Event::Bye { reason, .. } => {
                prop_assert_eq!(*reason, ByeReason::Moved);
                self.dismissed = true;
            }
            Event::Snapshot { .. } => self.selection = now_selected(self.told),
            Event::Update { .. } | Event::Heartbeat { .. } => {
                prop_assert_eq!(now_selected(self.told), self.selection.clone(), "it goes on with other series");
            }
            _ => {}
        }
        let gap = matches!(event, Event::Gap { .. });
        let passing = matches!(event, Event::Board(_) | Event::Bye { .. });
        prop_assert!(
            !self.gapped || passing || matches!(event, Event::Snapshot { .. }),
            "after a gap came {:?}",
            event
        );
        self.gapped = gap || (self.gapped && passing);
        let cursor = message.id.parse().unwrap();
        let update = matches!(event, Event::Update { .. });
        let applied = self.picture.apply(cursor, event).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(!update || matches!(applied, Applied::Changed(_)), "an update that told nothing new");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    #[test]
    fn whatever_happens_a_picture_equals_the_server_at_its_cursor(
        happenings in prop::collection::vec(happening(), 1..120),
        memory in prop_oneof![Just(usize::MAX), Just(SCARCE)],
    ) {
        let mut world = World::with_memory(memory);
        for happening in happenings {
            match happening {
                Happening::Push { series, count, late_ms } => world.push(series, count, late_ms),
                Happening::PushSlowly { series, count, late_ms, reader } => {
                    world.push_slowly(series, count, late_ms, reader)?;
                }
                Happening::Remove { series, drafting } => world.remove(series, drafting),
                Happening::Pass { ms } => world.pass(ms),
                Happening::Read { reader, frames } => {
                    world.read(reader, frames.into())?;
                }
                Happening::Edit { selection, recalled } => world.edit(Some(selection), recalled),
                Happening::Delete => world.edit(None, false),
                Happening::Cut { reader } => world.cut(reader),
                Happening::Restart => world.restart(),
                Happening::Copy => world.copy = world.stored.clone(),
                Happening::Restore => world.restore(),
                Happening::Reload { reader, hz } => world.reload(reader, hz),
            }
        }
        // In the end all is read, and nobody is left behind.
        world.pass(1_000);
        for reader in 0..READERS {
            prop_assert!(!world.read(reader, 1_000)?, "the hub never stops sending");
            let browser = &world.browsers[reader];
            let etag = world.stored.board.as_ref().and_then(|board| board.etag).filter(|_| !browser.interest.boards.is_empty());
            prop_assert_eq!(browser.told, etag, "it knows the edition");
            let selection = world.editions.selection(&browser.interest, etag);
            let mut wanted = world.stored.states.last().unwrap().clone();
            wanted.retain(|name, _| selection.matches(name));
            prop_assert_eq!(as_told(&browser.picture), wanted);
        }
    }
}

/// What a reader hears, by type.
fn hear(world: &mut World, reader: usize) -> Vec<Event> {
    let browser = &mut world.browsers[reader];
    let mut events = Vec::new();
    while let Step::Send(frame) = world.hub.next(&mut browser.topic, &mut browser.reader, world.now) {
        for message in browser.parser.feed(frame.text().content()) {
            browser.last_id.clone_from(&message.id);
            events.push(serde_json::from_str(&message.data).unwrap());
        }
    }
    events
}

#[test]
fn the_first_change_after_a_quiet_time_goes_out_at_once_and_the_next_at_the_rate() {
    let mut world = World::new();
    hear(&mut world, 0);
    world.pass(1_000);
    world.push(1, 1, 0);
    assert_eq!(hear(&mut world, 0).len(), 1, "at once");
    world.push(1, 2, 0);
    world.pass(20);
    world.push(2, 1, 0);
    assert_eq!(hear(&mut world, 0).len(), 0, "not before 50 ms have gone by");
    world.pass(30);
    let events = hear(&mut world, 0);
    let [Event::Update { series, now, pushed }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 2, "all that changed meanwhile");
    assert_eq!(now.since(*pushed), 50, "and how long the oldest of it waited");
}

#[test]
fn with_hz_0_each_point_of_a_batch_has_a_frame_of_its_own() {
    let mut world = World::new();
    hear(&mut world, 1);
    world.push(1, 3, 0);
    assert_eq!(hear(&mut world, 1).len(), 3);
}

#[test]
fn a_silent_stream_has_a_heartbeat_and_a_lively_one_has_none() {
    let mut world = World::new();
    hear(&mut world, 0);
    world.pass(14_999);
    assert_eq!(hear(&mut world, 0), []);
    world.pass(1);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Heartbeat { .. }]));
    world.pass(10_000);
    world.push(1, 1, 0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Update { .. }]));
    world.pass(10_000);
    assert_eq!(hear(&mut world, 0), []);
}

#[test]
fn a_reader_that_never_reads_costs_bounded_memory_and_then_skips_ahead_with_a_gap() {
    let mut world = World::new();
    hear(&mut world, 0);
    for _ in 0..500 {
        world.push(1, 1, 0);
        world.pass(50);
    }
    let events = hear(&mut world, 0);
    assert!(matches!(events[..], [Event::Gap { .. }, Event::Snapshot { .. }]), "{} events", events.len());
    assert_eq!(world.browsers[0].last_id, format!("{EPOCH}-500"));
}

#[test]
fn a_reader_that_comes_back_hears_what_it_missed_in_one_update_and_no_snapshot() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 0);
    world.push(1, 2, 0);
    world.push(3, 1, 0);
    world.restart();
    let events = hear(&mut world, 0);
    let [Event::Hello { .. }, Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 2);
    world.cut(0);
    let events = hear(&mut world, 0);
    assert!(
        matches!(events[..], [Event::Hello { .. }, Event::Heartbeat { .. }]),
        "nothing was missed, and it is told so"
    );
}

#[test]
fn readers_of_a_removed_series_begin_anew_and_others_go_on() {
    let mut world = World::new();
    world.push(1, 1, 0);
    world.push(2, 1, 0);
    world.push(0, 1, 0);
    (0..READERS).for_each(|reader| _ = hear(&mut world, reader));
    world.remove(2, false);
    for reader in [0, 1, 3, 4] {
        let events = hear(&mut world, reader);
        let [Event::Snapshot { series, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(series.len(), 2, "without the removed one");
        assert_eq!(world.browsers[reader].last_id, format!("{EPOCH}-4"));
    }
    assert_eq!(hear(&mut world, 2), [], "it does not read the series");
    // Whoever was away with a cursor from before begins anew, also after a restart.
    for restart in [false, true] {
        if restart {
            world.restart();
        }
        world.browsers[0].last_id = format!("{EPOCH}-3");
        world.cut(0);
        assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Snapshot { .. }]));
        world.cut(0);
        assert!(
            matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Heartbeat { .. }]),
            "nothing was missed"
        );
    }
    world.push(2, 1, 0);
    world.pass(100);
    let events = hear(&mut world, 0);
    let [Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series[0].name.as_str(), "s/2", "the name begins a new series");
    assert_eq!(world.hub.counts().series, 3);
}

#[test]
fn warnings_are_sent_when_they_change_and_to_new_readers_after_the_snapshot() {
    let mut world = World::new();
    hear(&mut world, 0);
    let clock = || vec!["the clock jumped".to_owned()];
    assert_eq!(world.hub.warn(clock()).len(), world.hub.counts().topics);
    assert_eq!(world.hub.warn(clock()), [], "no news");
    assert_eq!(hear(&mut world, 0), [Event::Warnings { warnings: clock() }]);
    assert_eq!(hear(&mut world, 0), []);
    world.cut(0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Snapshot { .. }, Event::Warnings { .. }]));
    world.hub.warn(Vec::new());
    assert_eq!(hear(&mut world, 0), [Event::Warnings { warnings: Vec::new() }]);
}

#[test]
fn reader_with_a_cursor_from_a_lost_future_gets_a_gap_and_others_resume() {
    let mut world = World::new();
    world.push(1, 1, 0);
    (0..3).for_each(|reader| _ = hear(&mut world, reader));
    let known = world.browsers[0].last_id.clone();
    world.copy = world.stored.clone();
    world.push(1, 1, 0);
    world.restart();
    world.push(1, 2, 0);
    hear(&mut world, 0);
    let lost = world.browsers[0].last_id.clone();
    world.restore();
    // As many numbers as before, and more, but of other points.
    world.push(2, 5, 0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Gap { .. }, Event::Snapshot { .. }]));
    for (id, is_lost) in [(known, false), (lost, true), (format!("{EPOCH}-2"), true), (format!("{EPOCH}-1"), false)] {
        world.browsers[0].last_id = id.clone();
        world.restart();
        let events = hear(&mut world, 0);
        assert_eq!(events.iter().any(|event| matches!(event, Event::Gap { .. })), is_lost, "{id}: {events:?}");
    }
}

#[test]
fn reader_that_saw_a_lost_edit_of_its_board_gets_a_gap() {
    let mut world = World::new();
    world.push(1, 1, 0);
    world.push(2, 1, 0);
    hear(&mut world, 3);
    world.copy = world.stored.clone();
    world.edit(Some(1), true);
    hear(&mut world, 3);
    world.restore();
    let events = hear(&mut world, 3);
    let [Event::Hello { .. }, Event::Gap { .. }, Event::Snapshot { series, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(series.len(), 2, "of what is selected again");
}

#[test]
fn reader_that_missed_two_changes_of_its_board_resumes_right_in_a_copy_from_in_between() {
    let mut world = World::new();
    world.read(4, 2).unwrap();
    world.edit(Some(1), false);
    world.push(0, 1, 0);
    world.copy = world.stored.clone();
    world.edit(None, false);
    world.read(4, 1).unwrap();
    world.restore();
    assert!(!world.read(4, 10).unwrap());
    assert_eq!(as_told(&world.browsers[4].picture), BTreeMap::new(), "the text is not on the board");
}

#[test]
fn a_cursor_that_is_of_no_use_is_a_gap_and_a_snapshot() {
    for (id, wanted) in [
        ("nonsense", shared::GapReason::Malformed),
        ("0000beef-1", shared::GapReason::OtherEpoch),
        ("0badcafe-99", shared::GapReason::Ahead),
    ] {
        let mut world = World::new();
        world.push(1, 1, 0);
        world.browsers[0].last_id = id.to_owned();
        world.cut(0);
        let events = hear(&mut world, 0);
        let [Event::Hello { .. }, Event::Gap { from, reason, to }, Event::Snapshot { .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!((from.as_str(), *reason, to.as_str()), (id, wanted, "0badcafe-1"));
    }
}

#[test]
fn a_reader_of_a_board_hears_of_its_edits_and_gets_a_snapshot_only_where_other_series_are_selected() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 3);
    world.edit(Some(0), true);
    let events = hear(&mut world, 3);
    let [Event::Board(BoardEdition { etag: Some(_), .. })] = &events[..] else { panic!("the same series: {events:?}") };
    world.push(2, 1, 0);
    world.edit(Some(1), true);
    let events = hear(&mut world, 3);
    let [Event::Board(_), Event::Snapshot { series, .. }] = &events[..] else { panic!("others: {events:?}") };
    assert_eq!(series.len(), 1);
    world.edit(None, true);
    let events = hear(&mut world, 3);
    let [Event::Board(BoardEdition { etag: None, .. }), Event::Snapshot { .. }] = &events[..] else {
        panic!("none any more: {events:?}")
    };
    assert_eq!(world.hub.counts().readers, READERS);
}

#[test]
fn a_reader_that_was_away_while_its_board_changed_begins_with_a_snapshot_and_knows_the_edition() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 3);
    world.edit(Some(2), true);
    world.push(0, 1, 0);
    world.restart();
    let events = hear(&mut world, 3);
    let [Event::Hello { boards, .. }, Event::Snapshot { .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(boards[0].etag, Some(Etag::stored(0)));
    world.push(1, 1, 0);
    world.restart();
    let events = hear(&mut world, 3);
    assert!(matches!(events[..], [Event::Hello { .. }, Event::Update { .. }]), "nothing changed: {events:?}");
}
