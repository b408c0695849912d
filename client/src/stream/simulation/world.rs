//! The simulated browser, with its tabs, lock and channel, and the network.

use std::collections::VecDeque;

use leptos::prelude::Owner;
use shared::{Event, GapReason, Millis, Seq};

use super::server::{Answer, Server, Stream, connect, push};
use super::{BOARDS, Step, TABS};
use crate::live::Live;
use crate::stream::lifecycle::LifecycleEvent;
use crate::stream::refusal::Refusal;
use crate::stream::share::interest::Interest;
use crate::stream::share::lock::{LockMode, LockOutcome};
use crate::stream::share::message::{TabId, TabMessage};
use crate::stream::share::team::TeamEvent;
use crate::stream::source::SourceEvent;
use crate::stream::supervisor::ConnectionState;
use crate::stream::tab::{Sharing, Tab, TabAction, TabEvent};

const HEARTBEAT_MS: u64 = 3_000;

struct Place {
    tab: Tab,
    live: Live,
    interest: Interest,
    owner: Owner,
    stream: Option<Stream>,
    inbox: VecDeque<TabEvent>,
    /// True if the tab runs; otherwise it is frozen, and its events wait.
    runs: bool,
    joined: bool,
    probing: bool,
    checking: bool,
}

pub(super) struct World {
    now: u64,
    pub(super) server: Server,
    places: Vec<Option<Place>>,
    /// Tabs that request the lock, in order; the first one holds it.
    lock: VecDeque<usize>,
    company: Sharing,
    requests: u64,
}

impl World {
    pub(super) fn new(company: Sharing) -> Self {
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
        let (tab, actions) = Tab::new(self.now, name, interest.clone(), live, self.company);
        let inbox = VecDeque::new();
        self.places[at] = Some(Place {
            tab,
            live,
            interest,
            owner,
            stream: None,
            inbox,
            runs: true,
            joined: false,
            probing: false,
            checking: false,
        });
        if self.company == Sharing::Team {
            self.join(at);
        }
        actions.into_iter().for_each(|action| self.action(at, action));
    }

    fn show(&mut self, at: usize, board: usize) {
        let now = self.now;
        let Some(place) = self.places[at].as_mut().filter(|place| place.runs) else { return };
        place.interest = of_board(board);
        let actions = place.tab.show(now, 0.5, place.interest.clone());
        actions.into_iter().for_each(|action| self.action(at, action));
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
            place.inbox.retain(|event| !matches!(event, TabEvent::Team(_)));
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
        let granted = TabEvent::Team(TeamEvent::Lock(LockOutcome::Granted));
        let place = self.place(first);
        if !place.tab.leads() && !place.inbox.contains(&granted) {
            place.inbox.push_back(granted);
        }
    }

    fn place(&mut self, at: usize) -> &mut Place {
        self.places[at].as_mut().expect("there is a tab")
    }

    fn action(&mut self, at: usize, action: TabAction) {
        match action {
            TabAction::Close => self.place(at).stream = None,
            TabAction::Open(address) => {
                self.requests += 1;
                let stream = connect(&address);
                self.place(at).stream = Some(stream);
            }
            TabAction::Probe(_) => {
                self.requests += 1;
                self.place(at).probing = true;
            }
            TabAction::Check => {
                self.requests += 1;
                self.place(at).checking = true;
            }
            TabAction::Say(message) => {
                if self.place(at).joined {
                    self.say(at, &message);
                }
            }
            TabAction::Ask(manner) => {
                // A released lock reports nothing more.
                self.place(at).inbox.retain(|event| !matches!(event, TabEvent::Team(TeamEvent::Lock(_))));
                self.release(at);
                match manner {
                    LockMode::Queue => self.lock.push_back(at),
                    LockMode::Steal => {
                        if let Some(robbed) = self.lock.pop_front() {
                            self.place(robbed).inbox.push_back(TabEvent::Team(TeamEvent::Lock(LockOutcome::Stolen)));
                        }
                        self.lock.push_front(at);
                    }
                }
                self.grant();
            }
            TabAction::Leave => self.leave(at),
            TabAction::Join => self.join(at),
            TabAction::Contract(_) | TabAction::Boards(_) | TabAction::Warnings(_) | TabAction::Paint(_) => {}
        }
    }

    fn say(&mut self, from: usize, message: &TabMessage) {
        for (at, place) in self.places.iter_mut().enumerate() {
            if let Some(place) = place.as_mut().filter(|place| at != from && place.joined) {
                place.inbox.push_back(TabEvent::Team(TeamEvent::Message(message.clone())));
            }
        }
    }

    fn turn(&mut self, at: usize, event: TabEvent) {
        let now = self.now;
        let Some(place) = &mut self.places[at] else { return };
        let actions = place.tab.step(now, 0.5, event);
        actions.into_iter().for_each(|action| self.action(at, action));
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
        let from_stream = |place: &mut Place| place.stream.as_mut()?.queue.pop_front().map(TabEvent::Source);
        let next = place.inbox.pop_front().or_else(|| from_stream(place));
        let Some(event) = next else { return false };
        self.turn(at, event);
        true
    }

    /// Lets the network and the server work on the stream of one tab.
    fn write(&mut self, at: usize) -> bool {
        let (now, head, answer, epoch) = (self.now, self.server.head(), self.server.answer, self.server.epoch);
        let Some(place) = &mut self.places[at] else { return false };
        if std::mem::take(&mut place.probing) {
            let refusal =
                (answer == Answer::Full).then_some(Refusal { status: 503, wait_ms: 1_500, detail: String::new() });
            place.inbox.push_back(TabEvent::Probed(refusal));
            return true;
        }
        if answer != Answer::Nothing && std::mem::take(&mut place.checking) {
            place.inbox.push_back(TabEvent::Checked(true));
            return true;
        }
        let Some(stream) = &mut place.stream else { return false };
        let mut told = Vec::new();
        let Some(after) = stream.at else {
            // Not connected: the browser tries, and gives up if the answer is not a stream.
            match answer {
                Answer::Nothing => {}
                Answer::Full => stream.queue.push_back(SourceEvent::Failed { gave_up: true }),
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
            stream.queue.push_back(SourceEvent::Failed { gave_up });
        }
    }

    pub(super) fn vital(&mut self, at: usize, vital: LifecycleEvent) {
        if self.places[at].as_ref().is_some_and(|place| place.runs) {
            self.turn(at, TabEvent::LifecycleEvent(vital));
        }
    }

    fn close(&mut self, at: usize) {
        self.vital(at, LifecycleEvent::Asleep);
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
                self.turn(at, TabEvent::Tick);
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
            Step::Sleep { tab } => self.vital(tab, LifecycleEvent::Asleep),
            Step::Wake { tab } => self.vital(tab, LifecycleEvent::Awake),
            Step::Look { tab } => self.vital(tab, LifecycleEvent::Shown),
            Step::Push { board, series } => self.server.push(board, series),
            Step::Hear { tab } => _ = self.hear(tab),
            Step::Write { tab } => _ = self.write(tab),
            Step::Lose { tab } => {
                if let Some(place) = &mut self.places[tab]
                    && let Some(TabEvent::Team(TeamEvent::Message(_))) = place.inbox.front()
                {
                    place.inbox.pop_front();
                }
            }
            Step::Settle { ms } => self.settle(ms),
            Step::Cut { tab } => self.cut(tab, false),
            Step::Break { tab } => self.cut(tab, true),
            Step::Bye(reason) => {
                for place in self.places.iter_mut().flatten() {
                    let Some(stream) = place.stream.as_mut() else { continue };
                    let Some(seq) = stream.at else { continue };
                    let bye = Event::Bye { reason, retry_ms: 700 };
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
            assert_eq!(place.tab.status(self.now).state, ConnectionState::Live, "tab {at}");
        }
        // A frozen tab may have lost the lock and not know it yet.
        if self.company == Sharing::Team && self.places.iter().flatten().all(|place| place.runs) {
            assert!(streams <= 1, "{streams} streams");
        }
    }
}

fn of_board(board: usize) -> Interest {
    Interest::of_board(BOARDS[board].parse().unwrap(), [format!("{}/**", BOARDS[board]).parse().unwrap()])
}
