//! The simulated browser, with its tabs, lock and channel, and the network.

use std::collections::VecDeque;

use leptos::prelude::Owner;
use shared::{ByeReason, Event, GapReason, Millis, Seq};

use super::server::{Answer, Server, Stream, connect, push};
use super::{BOARDS, Step, TABS};
use crate::live::Live;
use crate::stream::refusal::Refusal;
use crate::stream::share::interest::Interest;
use crate::stream::share::lock::{Manner, Turn};
use crate::stream::share::message::{Said, TabId};
use crate::stream::share::team::Heard;
use crate::stream::source::Happened;
use crate::stream::supervisor::State;
use crate::stream::tab::{Act, Company, Tab, Turned};
use crate::stream::vitals::Vital;

const HEARTBEAT_MS: u64 = 3_000;

struct Place {
    tab: Tab,
    live: Live,
    interest: Interest,
    owner: Owner,
    stream: Option<Stream>,
    inbox: VecDeque<Turned>,
    /// True if the tab runs; otherwise it is frozen, and its events wait.
    runs: bool,
    joined: bool,
    probing: bool,
}

pub(super) struct World {
    now: u64,
    pub(super) server: Server,
    places: Vec<Option<Place>>,
    /// Tabs that request the lock, in order; the first one holds it.
    lock: VecDeque<usize>,
    company: Company,
    requests: u64,
}

impl World {
    pub(super) fn new(company: Company) -> Self {
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
            // Messages of a channel that is closed are not delivered.
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

    /// Grants the lock to the first tab in the queue.
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
                // A released lock reports nothing more.
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

    /// Checks the law: the picture of a tab equals the server's state at the tab's cursor.
    fn check(&mut self, at: usize) {
        let Some(place) = &mut self.places[at] else { return };
        let Some(cursor) = place.live.cursor() else { return };
        let (picture, interest) = (place.live.picture().expect("it has a cursor"), place.interest.clone());
        assert_eq!(*picture.series(), self.server.at(cursor, &interest), "tab {at} at {cursor}");
    }

    fn hear(&mut self, at: usize) -> bool {
        let Some(place) = self.places[at].as_mut().filter(|place| place.runs) else { return false };
        // Both queues keep their own order; the inbox is emptied before the stream.
        let from_stream = |place: &mut Place| place.stream.as_mut()?.queue.pop_front().map(Turned::Source);
        let next = place.inbox.pop_front().or_else(|| from_stream(place));
        let Some(turned) = next else { return false };
        self.turn(at, turned);
        true
    }

    /// Lets the network and the server work on the stream of one tab.
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
            // Not connected: the browser tries, and gives up if the answer is not a stream.
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

    pub(super) fn vital(&mut self, at: usize, vital: Vital) {
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
        // A long time is a sleep of the machine: there is one late tick.
        self.now += ms;
        for at in 0..TABS {
            if self.places[at].as_ref().is_some_and(|place| place.runs) {
                self.turn(at, Turned::Tick);
            }
        }
    }

    pub(super) fn take(&mut self, step: Step) {
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

    pub(super) fn thaw(&mut self, at: usize) {
        if let Some(place) = &mut self.places[at] {
            place.runs = true;
        }
    }

    /// Lets everything go well for this long, in milliseconds.
    pub(super) fn settle(&mut self, ms: u64) {
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

    /// Checks that running tabs are live and show the server's state, with as few streams as possible.
    pub(super) fn all_is_well(&mut self) {
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
        // A frozen tab may have lost the lock and not know it yet.
        if self.company == Company::Team && self.places.iter().flatten().all(|place| place.runs) {
            assert!(streams <= 1, "{streams} streams");
        }
    }
}

fn of_board(board: usize) -> Interest {
    Interest::of_board(BOARDS[board].parse().unwrap(), [format!("{}/**", BOARDS[board]).parse().unwrap()])
}
