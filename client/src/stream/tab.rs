//! Decides all that concerns a tab's connection to the server: a state machine without I/O and clock.
//!
//! The caller passes events with their times, and carries out the actions that it returns.

use shared::{BoardEdition, Event};

use super::clock::ServerClock;
use super::latency::Arrival;
use super::refusal::Refusal;
use super::share::interest::Interest;
use super::share::lock::{Manner, Turn};
use super::share::member::{Effect, Member};
use super::share::message::{Need, Said, TabId};
use super::share::team::Heard;
use super::source::Happened;
use super::supervisor::{Command, Input, Standing, Supervisor};
use super::vitals::Vital;
use crate::live::Live;

/// Time for which a stream that is not shared stays open on a hidden page, in milliseconds: a browser whose tabs
/// cannot share allows only six connections for all of them.
const UNSEEN_MS: u64 = 10_000;

/// An event of a tab.
#[derive(Clone, Debug, PartialEq)]
pub enum Turned {
    /// An event of its EventSource.
    Source(Happened),
    /// An event of the other tabs.
    Team(Heard),
    /// The probe has ended: with the refusal, if there was one.
    Probed(Option<Refusal>),
    /// The page's lifecycle has changed.
    Vital(Vital),
    /// Time passed.
    Tick,
}

/// An action to carry out, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Close the EventSource, if there is one.
    Close,
    /// Close the EventSource, if there is one, and open another at this address.
    Open(String),
    /// Send one request to this address, for [`Turned::Probed`].
    Probe(String),
    /// Send a message to the other tabs.
    Say(Said),
    /// Request the lock in another manner.
    Ask(Manner),
    /// Leave the other tabs.
    Leave,
    /// Join the other tabs.
    Join,
    /// Compare the contract of the server, given by its hash.
    Contract(String),
    /// Take the editions of boards on the server.
    Boards(Vec<BoardEdition>),
    /// Take the present warnings of the server.
    Warnings(Vec<String>),
    /// Measure the paint of an update.
    Paint(Arrival),
}

/// The ability of the browser's tabs to share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// One stream for all tabs.
    Team,
    /// A stream for each tab.
    Alone,
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    member: Member,
    supervisor: Supervisor,
    live: Live,
    clock: ServerClock,
    company: Company,
    /// The last refusal, until the server sends `hello`.
    refusal: Option<Refusal>,
    /// Time since which the page is hidden.
    hidden_since: Option<u64>,
    /// True after it left the other tabs because the browser is about to freeze it.
    asleep: bool,
    acts: Vec<Act>,
}

impl Tab {
    /// Makes a tab that shows `interest` in `live` from `now` on. Returns its first actions too.
    #[must_use]
    pub fn new(now: u64, me: TabId, interest: Interest, live: Live, company: Company) -> (Self, Vec<Act>) {
        let mut tab = Self {
            member: Member::new(me, interest),
            supervisor: Supervisor::new(now),
            live,
            clock: ServerClock::default(),
            company,
            refusal: None,
            hidden_since: None,
            asleep: false,
            acts: Vec::new(),
        };
        match company {
            Company::Team => tab.ask(now),
            Company::Alone => {
                _ = tab.member.elected(now, None);
                tab.open();
            }
        }
        let acts = std::mem::take(&mut tab.acts);
        (tab, acts)
    }

    /// Handles an event. `random` is in `0.0..1.0` and spreads the waits.
    pub fn step(&mut self, now: u64, random: f64, turned: Turned) -> Vec<Act> {
        match turned {
            Turned::Source(happened) => self.source(now, random, happened),
            Turned::Team(heard) => self.team(now, random, heard),
            Turned::Probed(None) => self.input(now, random, Input::Probed(None)),
            Turned::Probed(Some(refusal)) if self.member.leads() && self.supervisor.probes() => {
                self.refused(now, random, refusal);
            }
            // The probe came too late.
            Turned::Probed(Some(_)) => {}
            Turned::Vital(vital) => self.vital(now, random, vital),
            Turned::Tick => {
                let unseen = self.hidden_since.is_some_and(|since| now.saturating_sub(since) >= UNSEEN_MS);
                if self.company == Company::Alone && unseen && !self.supervisor.rests() {
                    self.input(now, random, Input::Rest);
                }
                self.input(now, random, Input::Tick);
                let effects = self.member.tick(now);
                self.effects(now, random, effects);
            }
        }
        std::mem::take(&mut self.acts)
    }

    /// Changes the interest at `now`. The old picture is shown until there is one of the new interest.
    pub fn show(&mut self, now: u64, random: f64, interest: Interest) -> Vec<Act> {
        if !self.member.shows(&interest) {
            self.live.forget();
            let effect = self.member.show(now, interest);
            self.effects(now, random, [effect]);
        }
        std::mem::take(&mut self.acts)
    }

    /// Returns the state of the connection at `now`.
    #[must_use]
    pub fn standing(&self, now: u64) -> Standing {
        self.supervisor.standing(now)
    }

    /// Returns the reason for which there is no stream, if the server refused it.
    #[must_use]
    pub fn reason(&self, now: u64) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        Some(refusal.sentence(self.supervisor.next_in(now)))
    }

    /// Returns the estimate of the server's clock.
    #[must_use]
    pub fn clock(&self) -> ServerClock {
        self.clock
    }

    /// True if this tab holds the stream.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.member.leads()
    }

    fn source(&mut self, now: u64, random: f64, happened: Happened) {
        if !self.member.leads() {
            return;
        }
        match happened {
            // Only `hello` shows that the answer is from our server.
            Happened::Opened => {}
            Happened::Failed { gave_up } => {
                self.lost(None);
                self.input(now, random, if gave_up { Input::GaveUp } else { Input::BrowserRetries });
            }
            Happened::Message { id, data } => match self.member.frame(id, data) {
                Ok(effects) => self.effects(now, random, effects),
                Err(_) => self.broken(now, random),
            },
        }
    }

    fn team(&mut self, now: u64, random: f64, heard: Heard) {
        match heard {
            // The event was on its way when this tab left.
            _ if self.asleep => {}
            Heard::Said(said) => {
                let effects = self.member.heard(now, said, self.live.cursor());
                self.effects(now, random, effects);
            }
            Heard::Lock(Turn::Granted) => {
                let call = self.member.elected(now, self.live.cursor());
                self.effects(now, random, [call]);
                self.input(now, random, Input::Elected);
            }
            Heard::Lock(Turn::Stolen) => {
                self.member.depose();
                self.acts.extend([Act::Close, Act::Ask(Manner::Queue)]);
                self.ask(now);
            }
        }
    }

    fn vital(&mut self, now: u64, random: f64, vital: Vital) {
        match vital {
            Vital::Hidden => self.hidden_since = Some(now),
            Vital::Shown => {
                self.hidden_since = None;
                self.nudge(now, random, Input::Nudge);
            }
            Vital::Online => self.nudge(now, random, Input::Online),
            Vital::Offline => self.input(now, random, Input::Offline),
            Vital::Asleep if !self.asleep => {
                self.asleep = true;
                self.input(now, random, Input::Rest);
                if self.company == Company::Team {
                    let gone = self.member.retire();
                    self.effects(now, random, [gone]);
                    self.acts.push(Act::Leave);
                }
            }
            Vital::Awake if self.asleep => {
                self.asleep = false;
                if self.company == Company::Team {
                    self.acts.push(Act::Join);
                }
                self.input(now, random, Input::Nudge);
            }
            Vital::Asleep | Vital::Awake => {}
        }
    }

    /// Handles a page that is visible again, or a network that may be back. A follower asks the leader to reconnect,
    /// and checks that there is one.
    fn nudge(&mut self, now: u64, random: f64, input: Input) {
        if !self.member.leads() {
            self.acts.push(Act::Say(Said::Nudge));
            self.ask(now);
        }
        self.input(now, random, input);
    }

    fn effects(&mut self, now: u64, random: f64, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            match effect {
                Effect::Say(said) => self.acts.push(Act::Say(said)),
                Effect::Deliver { id, event } => self.deliver(now, random, &id, event),
                Effect::InStep => self.input(now, random, Input::Applied),
                Effect::Reopen => self.input(now, random, Input::Reopen),
                Effect::Trouble(Some(refusal)) => self.refused(now, random, refusal),
                // This tab asks again after a wait: it may be the visible one while the leader is hidden.
                Effect::Trouble(None) => self.input(now, random, Input::Broken),
                Effect::Nudge => self.input(now, random, Input::Nudge),
                Effect::Look => self.input(now, random, Input::Tick),
                Effect::Steal => self.acts.push(Act::Ask(Manner::Steal)),
            }
        }
    }

    fn deliver(&mut self, now: u64, random: f64, id: &str, event: Event) {
        match self.take(now, id, event) {
            Some(input) => self.input(now, random, input),
            None => self.broken(now, random),
        }
    }

    /// Applies an event and returns the supervisor's input. Returns `None` where it does not continue the picture.
    fn take(&mut self, now: u64, id: &str, event: Event) -> Option<Input> {
        if let Some(written) = written_at(&event) {
            self.clock.observe(written, now);
        }
        let input = match &event {
            Event::Hello { contract, heartbeat_ms, boards, .. } => {
                self.refusal = None;
                // The server sends its present warnings again after `hello`.
                self.acts.push(Act::Warnings(Vec::new()));
                self.live.apply(id.parse().ok()?, event.clone()).ok()?;
                self.acts.push(Act::Contract(contract.clone()));
                if !boards.is_empty() {
                    self.acts.push(Act::Boards(boards.clone()));
                }
                return Some(Input::Hello { heartbeat_ms: *heartbeat_ms });
            }
            Event::Bye { retry_ms, .. } => return Some(Input::Bye { retry_ms: *retry_ms }),
            Event::Gap { .. } => {
                self.live.forget();
                return Some(Input::Gap);
            }
            Event::Board(edition) => {
                self.acts.push(Act::Boards(vec![edition.clone()]));
                return Some(Input::Heard);
            }
            Event::Warnings { warnings } => {
                self.acts.push(Act::Warnings(warnings.clone()));
                return Some(Input::Heard);
            }
            Event::Unknown => return Some(Input::Heard),
            Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. } => Input::Applied,
        };
        if let Event::Update { now: written, pushed, .. } = &event {
            let (pushed, written) = (pushed.0, written.0);
            self.acts.push(Act::Paint(Arrival { pushed, written, arrived: now, ahead_ms: self.clock.ahead_ms() }));
        }
        self.live.apply(id.parse().ok()?, event).ok()?;
        Some(input)
    }

    fn broken(&mut self, now: u64, random: f64) {
        self.live.forget();
        self.member.start_over();
        self.lost(None);
        self.input(now, random, Input::Broken);
    }

    fn refused(&mut self, now: u64, random: f64, refusal: Refusal) {
        let advice = refusal.advice();
        let input = if self.member.leads() { Input::Probed(Some(advice)) } else { Input::Refused(advice) };
        self.refusal = Some(refusal.clone());
        self.lost(Some(refusal));
        self.input(now, random, input);
    }

    /// Notifies the other tabs that the connection is lost.
    fn lost(&mut self, refusal: Option<Refusal>) {
        if let Some(Effect::Say(said)) = self.member.lost(refusal) {
            self.acts.push(Act::Say(said));
        }
    }

    fn input(&mut self, now: u64, random: f64, input: Input) {
        match self.supervisor.step(now, input, random) {
            Command::Nothing => {}
            Command::Close => self.acts.push(Act::Close),
            Command::Probe => {
                let address = self.member.opening().address();
                self.acts.extend([Act::Close, Act::Probe(address)]);
            }
            Command::Open if self.member.leads() => self.open(),
            Command::Open => self.ask(now),
        }
    }

    fn open(&mut self) {
        let address = self.member.opening().address();
        self.acts.push(Act::Open(address));
    }

    fn ask(&mut self, now: u64) {
        // A tab with a picture may be up to date, so it only needs a sign.
        let needs = if self.live.cursor().is_some() { Need::Sign } else { Need::Snapshot };
        if let Effect::Say(said) = self.member.ask(now, needs) {
            self.acts.push(Act::Say(said));
        }
    }
}

/// Returns the server's time at which it wrote an event, in milliseconds.
fn written_at(event: &Event) -> Option<u64> {
    match event {
        Event::Hello { now, .. }
        | Event::Snapshot { now, .. }
        | Event::Update { now, .. }
        | Event::Heartbeat { now } => Some(now.0),
        Event::Board(_) | Event::Warnings { .. } | Event::Gap { .. } | Event::Bye { .. } | Event::Unknown => None,
    }
}
