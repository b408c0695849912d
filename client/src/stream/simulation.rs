//! Tabs of one browser, a server and a network, by chance: the law, over random schedules.
//!
//! What decides in a tab is the real thing ([`Tab`] with its [`Live`]); made up are the browser (its locks, its
//! channel, its EventSource) and the server, in as few lines as they take.

use std::collections::{BTreeMap, VecDeque};

use leptos::prelude::Owner;
use proptest::prelude::*;
use shared::{
    ByeReason, Cursor, Epoch, Event, GapReason, Millis, Number, Seq, SeriesName, SeriesPart, Stamp, Track, Value,
};

use super::refusal::Refusal;
use super::share::interest::Interest;
use super::share::lock::{Manner, Turn};
use super::share::message::{Said, TabId};
use super::share::team::Heard;
use super::source::Happened;
use super::supervisor::State;
use super::tab::{Act, Company, Tab, Turned};
use super::vitals::Vital;
use crate::live::Live;

const EPOCH: Epoch = Epoch(0x0bad_cafe);
const TABS: usize = 5;
const BOARDS: [&str; 3] = ["ops", "dev", "hall"];
const HEARTBEAT_MS: u64 = 3_000;

/// All tracks, and every state that there ever was.
struct Server {
    tracks: BTreeMap<SeriesName, Track>,
    past: Past,
    epoch: Epoch,
    /// The last number of each earlier epoch of this past.
    ended: BTreeMap<u32, Seq>,
    /// The past of each epoch, including lost ones.
    pasts: BTreeMap<u32, Past>,
    copy: Option<Copied>,
    answer: Answer,
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
enum Answer {
    #[default]
    Stream,
    Nothing,
    Full,
}

impl Server {
    fn push(&mut self, board: usize, series: u8) {
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
    fn restart(&mut self) {
        self.ended.insert(self.epoch.0, self.head().seq);
        self.epoch = Epoch(EPOCH.0 + u32::try_from(self.pasts.len()).unwrap());
        self.pasts.insert(self.epoch.0, self.past.clone());
        self.tracks = self.past.last().cloned().unwrap_or_default();
    }

    fn restore(&mut self) {
        if let Some(copied) = self.copy.clone() {
            (self.past, self.epoch, self.ended) = copied;
        }
        self.restart();
    }

    /// Returns true if a picture at the cursor can be continued.
    fn continues(&self, cursor: Cursor) -> bool {
        let last =
            if cursor.epoch == self.epoch { Some(self.head().seq) } else { self.ended.get(&cursor.epoch.0).copied() };
        last.is_some_and(|last| cursor.seq <= last)
    }

    fn head(&self) -> Cursor {
        Cursor { epoch: self.epoch, seq: Seq(self.past.len() as u64) }
    }

    /// What there was of an interest at a cursor.
    fn at(&self, cursor: Cursor, interest: &Interest) -> BTreeMap<SeriesName, Track> {
        let past = &self.pasts[&cursor.epoch.0];
        let all = cursor.seq.0.checked_sub(1).map(|i| past[i as usize].clone()).unwrap_or_default();
        all.into_iter().filter(|(name, _)| interest.includes(name)).collect()
    }

    fn parts(&self, interest: &Interest, after: Seq) -> Vec<SeriesPart> {
        let own = self.tracks.iter().filter(|(name, _)| interest.includes(name));
        own.filter_map(|(name, track)| {
            Some(SeriesPart { name: name.clone(), track: track.since(after)?, declared: None, revised: None })
        })
        .collect()
    }
}

/// An EventSource, and the reader behind it.
struct Stream {
    interest: Interest,
    /// Where the server is with it; nothing where it is not connected.
    at: Option<Seq>,
    last_id: Option<Cursor>,
    started: bool,
    spoke_at: u64,
    /// On its way to the tab.
    queue: VecDeque<Happened>,
}

struct Place {
    tab: Tab,
    live: Live,
    interest: Interest,
    owner: Owner,
    stream: Option<Stream>,
    inbox: VecDeque<Turned>,
    /// It runs; else it is frozen, and all that comes waits.
    runs: bool,
    joined: bool,
    probing: bool,
}

struct World {
    now: u64,
    server: Server,
    places: Vec<Option<Place>>,
    /// Who has the lock, and who waits for it, first to last.
    lock: VecDeque<usize>,
    company: Company,
    requests: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Open {
        tab: usize,
        board: usize,
    },
    /// It shows another board, as one whose document changed.
    Show {
        tab: usize,
        board: usize,
    },
    Close {
        tab: usize,
    },
    /// The browser kills it: it has no time to say goodbye.
    Crash {
        tab: usize,
    },
    /// Without a word, as a debugger or a busy loop does.
    Freeze {
        tab: usize,
    },
    Thaw {
        tab: usize,
    },
    /// With the browser's events.
    Sleep {
        tab: usize,
    },
    Wake {
        tab: usize,
    },
    Look {
        tab: usize,
    },
    Push {
        board: usize,
        series: u8,
    },
    /// Of what is on its way to a tab, the next is heard.
    Hear {
        tab: usize,
    },
    /// The server writes to a stream.
    Write {
        tab: usize,
    },
    /// What is said next to a tab gets lost: no browser does so, but the law does not lean on that.
    Lose {
        tab: usize,
    },
    Cut {
        tab: usize,
    },
    /// The connection breaks so that the browser gives up.
    Break {
        tab: usize,
    },
    Bye,
    /// The server is restarted: all lines are cut.
    Restart,
    /// Its data is copied.
    Copy,
    /// It is restarted from the last copy.
    Restore,
    Answer(Answer),
    Pass {
        ms: u64,
    },
    /// All goes well for so long.
    Settle {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let tab = || 0..TABS;
    prop_oneof![
        3 => (tab(), 0..BOARDS.len()).prop_map(|(tab, board)| Step::Open { tab, board }),
        1 => (tab(), 0..BOARDS.len()).prop_map(|(tab, board)| Step::Show { tab, board }),
        1 => tab().prop_map(|tab| Step::Close { tab }),
        1 => tab().prop_map(|tab| Step::Crash { tab }),
        1 => tab().prop_map(|tab| Step::Freeze { tab }),
        2 => tab().prop_map(|tab| Step::Thaw { tab }),
        1 => tab().prop_map(|tab| Step::Sleep { tab }),
        2 => tab().prop_map(|tab| Step::Wake { tab }),
        1 => tab().prop_map(|tab| Step::Look { tab }),
        10 => (0..BOARDS.len(), 0..3u8).prop_map(|(board, series)| Step::Push { board, series }),
        30 => tab().prop_map(|tab| Step::Hear { tab }),
        15 => tab().prop_map(|tab| Step::Write { tab }),
        2 => tab().prop_map(|tab| Step::Lose { tab }),
        6 => prop_oneof![Just(250), Just(1_000), Just(4_000)].prop_map(|ms| Step::Settle { ms }),
        1 => tab().prop_map(|tab| Step::Cut { tab }),
        1 => tab().prop_map(|tab| Step::Break { tab }),
        1 => Just(Step::Bye),
        1 => Just(Step::Restart),
        1 => Just(Step::Copy),
        1 => Just(Step::Restore),
        1 => prop_oneof![3 => Just(Answer::Stream), 1 => Just(Answer::Nothing), 1 => Just(Answer::Full)].prop_map(Step::Answer),
        8 => prop_oneof![4 => 1..400u64, 2 => 400..4_000u64, 1 => 4_000..60_000u64].prop_map(|ms| Step::Pass { ms }),
    ]
}

impl World {
    fn new(company: Company) -> Self {
        let places = (0..TABS).map(|_| None).collect();
        Self { now: 1_000_000, server: Server::default(), places, lock: VecDeque::new(), company, requests: 0 }
    }

    fn open(&mut self, at: usize, board: usize) {
        if self.places[at].is_some() {
            return;
        }
        let interest = of_board(board);
        let owner = Owner::new();
        let live = owner.with(Live::new);
        let name = TabId(format!("{at} since {}", self.now));
        let (tab, acts) = Tab::new(self.now, name, interest.clone(), live, self.company);
        let inbox = VecDeque::new();
        self.places[at] =
            Some(Place { tab, live, interest, owner, stream: None, inbox, runs: true, joined: false, probing: false });
        if self.company == Company::Team {
            self.join(at);
        }
        acts.into_iter().for_each(|act| self.act(at, act));
    }

    fn show(&mut self, at: usize, board: usize) {
        let now = self.now;
        let Some(place) = self.places[at].as_mut().filter(|place| place.runs) else { return };
        place.interest = of_board(board);
        let acts = place.tab.show(now, 0.5, place.interest.clone());
        acts.into_iter().for_each(|act| self.act(at, act));
        self.check(at);
    }

    fn join(&mut self, at: usize) {
        self.place(at).joined = true;
        self.lock.push_back(at);
        self.grant();
    }

    fn leave(&mut self, at: usize) {
        if let Some(place) = &mut self.places[at] {
            place.joined = false;
            // What was said to a channel that is closed is not heard.
            place.inbox.retain(|turned| !matches!(turned, Turned::Team(_)));
        }
        self.release(at);
    }

    fn release(&mut self, at: usize) {
        let had = self.lock.front() == Some(&at);
        self.lock.retain(|waits| *waits != at);
        if had {
            self.grant();
        }
    }

    /// The first in the line has the lock.
    fn grant(&mut self) {
        let Some(&first) = self.lock.front() else { return };
        let granted = Turned::Team(Heard::Lock(Turn::Granted));
        let place = self.place(first);
        if !place.tab.leads() && !place.inbox.contains(&granted) {
            place.inbox.push_back(granted);
        }
    }

    fn place(&mut self, at: usize) -> &mut Place {
        self.places[at].as_mut().expect("there is a tab")
    }

    fn act(&mut self, at: usize, act: Act) {
        match act {
            Act::Close => self.place(at).stream = None,
            Act::Open(address) => {
                self.requests += 1;
                let stream = connect(&address);
                self.place(at).stream = Some(stream);
            }
            Act::Probe(_) => {
                self.requests += 1;
                self.place(at).probing = true;
            }
            Act::Say(said) => {
                if self.place(at).joined {
                    self.say(at, &said);
                }
            }
            Act::Ask(manner) => {
                // Of a lock that was let go, nothing is told any more.
                self.place(at).inbox.retain(|turned| !matches!(turned, Turned::Team(Heard::Lock(_))));
                self.release(at);
                match manner {
                    Manner::Queue => self.lock.push_back(at),
                    Manner::Steal => {
                        if let Some(robbed) = self.lock.pop_front() {
                            self.place(robbed).inbox.push_back(Turned::Team(Heard::Lock(Turn::Stolen)));
                        }
                        self.lock.push_front(at);
                    }
                }
                self.grant();
            }
            Act::Leave => self.leave(at),
            Act::Join => self.join(at),
            Act::Contract(_) | Act::Boards(_) | Act::Warnings(_) | Act::Paint(_) => {}
        }
    }

    fn say(&mut self, from: usize, said: &Said) {
        for (at, place) in self.places.iter_mut().enumerate() {
            if let Some(place) = place.as_mut().filter(|place| at != from && place.joined) {
                place.inbox.push_back(Turned::Team(Heard::Said(said.clone())));
            }
        }
    }

    fn turn(&mut self, at: usize, turned: Turned) {
        let now = self.now;
        let Some(place) = &mut self.places[at] else { return };
        let acts = place.tab.step(now, 0.5, turned);
        acts.into_iter().for_each(|act| self.act(at, act));
        self.check(at);
    }

    /// The law: whatever a tab shows is what the server had of it at the tab's cursor.
    fn check(&mut self, at: usize) {
        let Some(place) = &mut self.places[at] else { return };
        let Some(cursor) = place.live.cursor() else { return };
        let (picture, interest) = (place.live.picture().expect("it has a cursor"), place.interest.clone());
        assert_eq!(*picture.series(), self.server.at(cursor, &interest), "tab {at} at {cursor}");
    }

    fn hear(&mut self, at: usize) -> bool {
        let Some(place) = self.places[at].as_mut().filter(|place| place.runs) else { return false };
        // Messages of the two come in an order of their own, each by itself in its own.
        let from_stream = |place: &mut Place| place.stream.as_mut()?.queue.pop_front().map(Turned::Source);
        let next = place.inbox.pop_front().or_else(|| from_stream(place));
        let Some(turned) = next else { return false };
        self.turn(at, turned);
        true
    }

    /// The network and the server do what is theirs for one stream.
    fn write(&mut self, at: usize) -> bool {
        let (now, head, answer, epoch) = (self.now, self.server.head(), self.server.answer, self.server.epoch);
        let Some(place) = &mut self.places[at] else { return false };
        if std::mem::take(&mut place.probing) {
            let refusal =
                (answer == Answer::Full).then_some(Refusal { status: 503, wait_ms: 1_500, detail: String::new() });
            place.inbox.push_back(Turned::Probed(refusal));
            return true;
        }
        let Some(stream) = &mut place.stream else { return false };
        let mut told = Vec::new();
        let Some(after) = stream.at else {
            // Not connected: the browser tries, and gives up where it gets an answer that is no stream.
            match answer {
                Answer::Nothing => {}
                Answer::Full => stream.queue.push_back(Happened::Failed { gave_up: true }),
                Answer::Stream => {
                    let known = stream.last_id.filter(|id| self.server.continues(*id));
                    let after = known.map_or(Seq::ZERO, |id| id.seq);
                    stream.at = Some(after);
                    stream.started = after > Seq::ZERO;
                    let hello = Event::Hello {
                        contract: String::new(),
                        epoch,
                        heartbeat_ms: HEARTBEAT_MS,
                        now: Millis(now),
                        boards: Vec::new(),
                    };
                    told.push((after, hello));
                    if let Some(lost) = stream.last_id.filter(|_| known.is_none()) {
                        let (from, to) = (lost.to_string(), head.to_string());
                        told.push((Seq::ZERO, Event::Gap { from, to, reason: GapReason::Ahead }));
                    }
                }
            }
            let told_any = !told.is_empty();
            push(stream, epoch, now, told);
            return told_any;
        };
        let series = self.server.parts(&stream.interest, if stream.started { after } else { Seq::ZERO });
        if !std::mem::replace(&mut stream.started, true) {
            told.push((head.seq, Event::Snapshot { now: Millis(now), series }));
        } else if !series.is_empty() {
            told.push((head.seq, Event::Update { now: Millis(now), pushed: Millis(now), series }));
        } else if now >= stream.spoke_at + HEARTBEAT_MS {
            told.push((head.seq, Event::Heartbeat { now: Millis(now) }));
        }
        if !told.is_empty() {
            stream.at = Some(head.seq);
        }
        let told_any = !told.is_empty();
        push(stream, epoch, now, told);
        told_any
    }

    fn cut(&mut self, at: usize, gave_up: bool) {
        let Some(stream) = self.places[at].as_mut().and_then(|place| place.stream.as_mut()) else { return };
        if stream.at.take().is_some() || gave_up {
            stream.queue.push_back(Happened::Failed { gave_up });
        }
    }

    fn vital(&mut self, at: usize, vital: Vital) {
        if self.places[at].as_ref().is_some_and(|place| place.runs) {
            self.turn(at, Turned::Vital(vital));
        }
    }

    fn close(&mut self, at: usize) {
        self.vital(at, Vital::Asleep);
        self.crash(at);
    }

    fn crash(&mut self, at: usize) {
        self.leave(at);
        if let Some(place) = self.places[at].take() {
            drop(place.owner);
        }
    }

    fn pass(&mut self, ms: u64) {
        // A long while is a sleep of the machine: one late tick.
        self.now += ms;
        for at in 0..TABS {
            if self.places[at].as_ref().is_some_and(|place| place.runs) {
                self.turn(at, Turned::Tick);
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open { tab, board } => self.open(tab, board),
            Step::Show { tab, board } => self.show(tab, board),
            Step::Close { tab } => self.close(tab),
            Step::Crash { tab } => self.crash(tab),
            Step::Freeze { tab } => {
                if let Some(place) = &mut self.places[tab] {
                    place.runs = false;
                }
            }
            Step::Thaw { tab } => self.thaw(tab),
            Step::Sleep { tab } => self.vital(tab, Vital::Asleep),
            Step::Wake { tab } => self.vital(tab, Vital::Awake),
            Step::Look { tab } => self.vital(tab, Vital::Shown),
            Step::Push { board, series } => self.server.push(board, series),
            Step::Hear { tab } => _ = self.hear(tab),
            Step::Write { tab } => _ = self.write(tab),
            Step::Lose { tab } => {
                if let Some(place) = &mut self.places[tab]
                    && let Some(Turned::Team(Heard::Said(_))) = place.inbox.front()
                {
                    place.inbox.pop_front();
                }
            }
            Step::Settle { ms } => self.settle(ms),
            Step::Cut { tab } => self.cut(tab, false),
            Step::Break { tab } => self.cut(tab, true),
            Step::Bye => {
                for place in self.places.iter_mut().flatten() {
                    let Some(stream) = place.stream.as_mut() else { continue };
                    let Some(seq) = stream.at else { continue };
                    let bye = Event::Bye { reason: ByeReason::Shutdown, retry_ms: 700 };
                    push(stream, self.server.epoch, self.now, vec![(seq, bye)]);
                    stream.at = None;
                }
            }
            Step::Restart => {
                (0..TABS).for_each(|at| self.cut(at, false));
                self.server.restart();
            }
            Step::Copy => {
                self.server.copy = Some((self.server.past.clone(), self.server.epoch, self.server.ended.clone()));
            }
            Step::Restore => {
                (0..TABS).for_each(|at| self.cut(at, false));
                self.server.restore();
            }
            Step::Answer(answer) => self.server.answer = answer,
            Step::Pass { ms } => self.pass(ms),
        }
    }

    fn thaw(&mut self, at: usize) {
        if let Some(place) = &mut self.places[at] {
            place.runs = true;
        }
    }

    /// All goes well for so long.
    fn settle(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.pass(250);
            for _ in 0..20 {
                let busy = (0..TABS).map(|at| u8::from(self.write(at)) + u8::from(self.hear(at))).sum::<u8>();
                if busy == 0 {
                    break;
                }
            }
        }
    }

    /// Tabs that run are live and show what the server has, over as few streams as there may be.
    fn all_is_well(&mut self) {
        let head = self.server.head();
        let mut streams = 0;
        for at in 0..TABS {
            let Some(place) = self.places[at].as_ref() else { continue };
            streams += usize::from(place.stream.is_some());
            if !place.runs {
                continue;
            }
            let cursor = place.live.cursor().unwrap_or_else(|| panic!("tab {at} has a picture"));
            let picture = place.live.picture().unwrap();
            assert_eq!(*picture.series(), self.server.at(head, &place.interest), "tab {at} at {cursor} of {head}");
            assert_eq!(place.tab.standing(self.now).state, State::Live, "tab {at}");
        }
        // One that is frozen has lost the lock and does not know it yet.
        if self.company == Company::Team && self.places.iter().flatten().all(|place| place.runs) {
            assert!(streams <= 1, "{streams} streams");
        }
    }
}

fn of_board(board: usize) -> Interest {
    Interest::of_board(BOARDS[board].parse().unwrap(), [format!("{}/**", BOARDS[board]).parse().unwrap()])
}

fn connect(address: &str) -> Stream {
    let query = address.strip_prefix("/sse?").unwrap();
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

fn push(stream: &mut Stream, epoch: Epoch, now: u64, told: Vec<(Seq, Event)>) {
    for (seq, event) in told {
        let id = Cursor { epoch, seq };
        stream.spoke_at = now;
        stream.last_id = Some(id);
        let data = serde_json::to_string(&event).unwrap();
        stream.queue.push_back(Happened::Message { id: id.to_string(), data });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn each_tab_shows_what_the_server_has_whatever_happens_to_the_others(
        steps in prop::collection::vec(step(), 1..250),
        alone in prop::bool::weighted(0.1),
    ) {
        let mut world = World::new(if alone { Company::Alone } else { Company::Team });
        steps.into_iter().for_each(|step| world.take(step));
        // What stands still may stand still: those that run go on without it.
        world.server.answer = Answer::Stream;
        (0..TABS).for_each(|at| world.vital(at, Vital::Awake));
        world.settle(60_000);
        world.server.push(0, 0);
        world.server.push(1, 0);
        world.settle(1_000);
        world.all_is_well();
        // And then all of them wake.
        (0..TABS).for_each(|at| world.thaw(at));
        (0..TABS).for_each(|at| world.vital(at, Vital::Awake));
        world.settle(60_000);
        world.server.push(2, 0);
        world.settle(1_000);
        world.all_is_well();
    }
}
