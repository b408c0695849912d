//! Decides all that concerns a tab's connection to the server: a state machine without I/O and clock.
//!
//! The caller passes events with their times, and carries out the actions that it returns.

use shared::{BoardEdition, ByeReason, Event};

use super::clock::ServerClock;
use super::latency::Arrival;
use super::lifecycle::LifecycleEvent;
use super::refusal::Refusal;
use super::share::interest::Interest;
use super::share::lock::{LockMode, LockOutcome};
use super::share::member::{Member, MemberEffect};
use super::share::message::{Need, TabId, TabMessage};
use super::share::team::TeamEvent;
use super::source::SourceEvent;
use super::supervisor::{ConnectionCommand, ConnectionEvent, ConnectionStatus, Supervisor};
use crate::live::Live;

/// Time for which a stream that is not shared stays open on a hidden page, in milliseconds: a browser whose tabs
/// cannot share allows only six connections for all of them.
const UNSEEN_MS: u64 = 10_000;

/// An event of a tab.
#[derive(Clone, Debug, PartialEq)]
pub enum TabEvent {
    /// An event of its EventSource.
    Source(SourceEvent),
    /// An event of the other tabs.
    Team(TeamEvent),
    /// The probe has ended: with the refusal, if there was one.
    Probed(Option<Refusal>),
    /// The check has ended. True if the server answered.
    Checked(bool),
    /// The page's lifecycle has changed.
    LifecycleEvent(LifecycleEvent),
    /// Time passed.
    Tick,
}

/// An action to carry out, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum TabAction {
    /// Close the EventSource, if there is one.
    Close,
    /// Close the EventSource, if there is one, and open another at this address.
    Open(String),
    /// Send one request to this address, for [`TabEvent::Probed`].
    Probe(String),
    /// Send one request to the server, for [`TabEvent::Checked`].
    Check,
    /// Send a message to the other tabs.
    Say(TabMessage),
    /// Request the lock in another manner.
    Ask(LockMode),
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
pub enum Sharing {
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
    company: Sharing,
    /// The last refusal, until the server sends `hello`.
    refusal: Option<Refusal>,
    /// Time since which the page is hidden.
    hidden_since: Option<u64>,
    /// True after it left the other tabs because the browser is about to freeze it.
    asleep: bool,
    actions: Vec<TabAction>,
}

impl Tab {
    /// Makes a tab that shows `interest` in `live` from `now` on. Returns its first actions too.
    #[must_use]
    pub fn new(now: u64, me: TabId, interest: Interest, live: Live, company: Sharing) -> (Self, Vec<TabAction>) {
        let mut tab = Self {
            member: Member::new(me, interest),
            supervisor: Supervisor::new(now),
            live,
            clock: ServerClock::default(),
            company,
            refusal: None,
            hidden_since: None,
            asleep: false,
            actions: Vec::new(),
        };
        match company {
            Sharing::Team => tab.ask(now),
            Sharing::Alone => {
                _ = tab.member.elected(now, None);
                tab.open();
            }
        }
        let actions = std::mem::take(&mut tab.actions);
        (tab, actions)
    }

    /// Handles an event. `random` is in `0.0..1.0` and spreads the waits.
    pub fn step(&mut self, now: u64, random: f64, event: TabEvent) -> Vec<TabAction> {
        match event {
            TabEvent::Source(source_event) => self.source(now, random, source_event),
            TabEvent::Team(heard) => self.team(now, random, heard),
            TabEvent::Probed(None) => self.input(now, random, ConnectionEvent::Probed(None)),
            TabEvent::Probed(Some(refusal)) if self.member.leads() && self.supervisor.probes() => {
                self.refused(now, random, refusal);
            }
            // The probe came too late.
            TabEvent::Probed(Some(_)) => {}
            TabEvent::Checked(answered) => self.input(now, random, ConnectionEvent::Checked(answered)),
            TabEvent::LifecycleEvent(vital) => self.vital(now, random, vital),
            TabEvent::Tick => {
                let unseen = self.hidden_since.is_some_and(|since| now.saturating_sub(since) >= UNSEEN_MS);
                if self.company == Sharing::Alone && unseen && !self.supervisor.rests() {
                    self.input(now, random, ConnectionEvent::Rest);
                }
                self.input(now, random, ConnectionEvent::Tick);
                let effects = self.member.tick(now);
                self.effects(now, random, effects);
            }
        }
        std::mem::take(&mut self.actions)
    }

    /// Changes the interest at `now`. The old picture is shown until there is one of the new interest.
    pub fn show(&mut self, now: u64, random: f64, interest: Interest) -> Vec<TabAction> {
        if !self.member.shows(&interest) {
            self.live.forget();
            let effect = self.member.show(now, interest);
            self.effects(now, random, [effect]);
        }
        std::mem::take(&mut self.actions)
    }

    /// Returns the state of the connection at `now`.
    #[must_use]
    pub fn status(&self, now: u64) -> ConnectionStatus {
        self.supervisor.status(now)
    }

    /// Returns the reason for which there is no stream, if the server refused it.
    #[must_use]
    pub fn reason(&self, now: u64) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        Some(refusal.sentence(self.supervisor.next_in(now)))
    }

    /// Returns true if the server refused the stream and a sign-in may help.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        self.refusal.as_ref().is_some_and(Refusal::needs_sign_in)
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

    fn source(&mut self, now: u64, random: f64, source_event: SourceEvent) {
        if !self.member.leads() {
            return;
        }
        match source_event {
            // Only `hello` shows that the answer is from our server.
            SourceEvent::Opened => {}
            SourceEvent::Failed { gave_up } => {
                self.lost(None);
                self.input(
                    now,
                    random,
                    if gave_up { ConnectionEvent::GaveUp } else { ConnectionEvent::BrowserRetries },
                );
            }
            SourceEvent::Message { id, data } => match self.member.frame(id, data) {
                Ok(effects) => self.effects(now, random, effects),
                Err(_) => self.broken(now, random),
            },
        }
    }

    fn team(&mut self, now: u64, random: f64, heard: TeamEvent) {
        match heard {
            // The event was on its way when this tab left.
            _ if self.asleep => {}
            TeamEvent::Message(message) => {
                let effects = self.member.receive(now, message, self.live.cursor());
                self.effects(now, random, effects);
            }
            TeamEvent::Lock(LockOutcome::Granted) => {
                let call = self.member.elected(now, self.live.cursor());
                self.effects(now, random, [call]);
                self.input(now, random, ConnectionEvent::Elected);
            }
            TeamEvent::Lock(LockOutcome::Stolen) => {
                self.member.depose();
                self.actions.extend([TabAction::Close, TabAction::Ask(LockMode::Queue)]);
                self.ask(now);
            }
        }
    }

    fn vital(&mut self, now: u64, random: f64, vital: LifecycleEvent) {
        match vital {
            LifecycleEvent::Hidden => self.hidden_since = Some(now),
            LifecycleEvent::Shown => {
                self.hidden_since = None;
                self.nudge(now, random, ConnectionEvent::Nudge);
            }
            LifecycleEvent::Online => self.nudge(now, random, ConnectionEvent::Online),
            LifecycleEvent::Offline => self.input(now, random, ConnectionEvent::Offline),
            LifecycleEvent::Asleep if !self.asleep => {
                self.asleep = true;
                self.input(now, random, ConnectionEvent::Rest);
                if self.company == Sharing::Team {
                    let gone = self.member.retire();
                    self.effects(now, random, [gone]);
                    self.actions.push(TabAction::Leave);
                }
            }
            LifecycleEvent::Awake if self.asleep => {
                self.asleep = false;
                if self.company == Sharing::Team {
                    self.actions.push(TabAction::Join);
                }
                self.input(now, random, ConnectionEvent::Nudge);
            }
            LifecycleEvent::Asleep | LifecycleEvent::Awake => {}
        }
    }

    /// Handles a page that is visible again, or a network that may be back. A follower asks the leader to reconnect,
    /// and checks that there is one.
    fn nudge(&mut self, now: u64, random: f64, input: ConnectionEvent) {
        if !self.member.leads() {
            self.actions.push(TabAction::Say(TabMessage::Nudge));
            self.ask(now);
        }
        self.input(now, random, input);
    }

    fn effects(&mut self, now: u64, random: f64, effects: impl IntoIterator<Item = MemberEffect>) {
        for effect in effects {
            match effect {
                MemberEffect::Say(message) => self.actions.push(TabAction::Say(message)),
                MemberEffect::Deliver { id, event } => self.deliver(now, random, &id, event),
                MemberEffect::InStep => self.input(now, random, ConnectionEvent::Applied),
                MemberEffect::Reopen => self.input(now, random, ConnectionEvent::Reopen),
                MemberEffect::Trouble(Some(refusal)) => self.refused(now, random, refusal),
                // This tab asks again after a wait: it may be the visible one while the leader is hidden.
                MemberEffect::Trouble(None) => self.input(now, random, ConnectionEvent::Broken),
                MemberEffect::Nudge => self.input(now, random, ConnectionEvent::Nudge),
                MemberEffect::Look => self.input(now, random, ConnectionEvent::Tick),
                MemberEffect::Steal => self.actions.push(TabAction::Ask(LockMode::Steal)),
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
    fn take(&mut self, now: u64, id: &str, event: Event) -> Option<ConnectionEvent> {
        if let Some(written) = written_at(&event) {
            self.clock.observe(written, now);
        }
        let input = match &event {
            Event::Hello { contract, heartbeat_ms, boards, .. } => {
                self.refusal = None;
                // The server sends its present warnings again after `hello`.
                self.actions.push(TabAction::Warnings(Vec::new()));
                self.live.apply(id.parse().ok()?, event.clone()).ok()?;
                self.actions.push(TabAction::Contract(contract.clone()));
                if !boards.is_empty() {
                    self.actions.push(TabAction::Boards(boards.clone()));
                }
                return Some(ConnectionEvent::Hello { heartbeat_ms: *heartbeat_ms });
            }
            // The probe finds out if the user may still read, and what to do.
            Event::Bye { reason: ByeReason::Denied, .. } => return Some(ConnectionEvent::GaveUp),
            Event::Bye { retry_ms, .. } => return Some(ConnectionEvent::Bye { retry_ms: *retry_ms }),
            Event::Gap { .. } => {
                self.live.forget();
                return Some(ConnectionEvent::Gap);
            }
            Event::Board(edition) => {
                self.actions.push(TabAction::Boards(vec![edition.clone()]));
                return Some(ConnectionEvent::Heard);
            }
            Event::Warnings { warnings } => {
                self.actions.push(TabAction::Warnings(warnings.clone()));
                return Some(ConnectionEvent::Heard);
            }
            Event::Unknown => return Some(ConnectionEvent::Heard),
            Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. } => ConnectionEvent::Applied,
        };
        if let Event::Update { now: written, pushed, .. } = &event {
            let (pushed, written) = (pushed.0, written.0);
            self.actions.push(TabAction::Paint(Arrival {
                pushed,
                written,
                arrived: now,
                ahead_ms: self.clock.ahead_ms(),
            }));
        }
        self.live.apply(id.parse().ok()?, event).ok()?;
        Some(input)
    }

    fn broken(&mut self, now: u64, random: f64) {
        self.live.forget();
        self.member.start_over();
        self.lost(None);
        self.input(now, random, ConnectionEvent::Broken);
    }

    fn refused(&mut self, now: u64, random: f64, refusal: Refusal) {
        let advice = refusal.advice();
        let input =
            if self.member.leads() { ConnectionEvent::Probed(Some(advice)) } else { ConnectionEvent::Refused(advice) };
        self.refusal = Some(refusal.clone());
        self.lost(Some(refusal));
        self.input(now, random, input);
    }

    /// Notifies the other tabs that the connection is lost.
    fn lost(&mut self, refusal: Option<Refusal>) {
        if let Some(MemberEffect::Say(message)) = self.member.lost(refusal) {
            self.actions.push(TabAction::Say(message));
        }
    }

    fn input(&mut self, now: u64, random: f64, input: ConnectionEvent) {
        match self.supervisor.step(now, input, random) {
            ConnectionCommand::Nothing => {}
            ConnectionCommand::Close => self.actions.push(TabAction::Close),
            ConnectionCommand::Probe => {
                let address = self.member.opening().address();
                self.actions.extend([TabAction::Close, TabAction::Probe(address)]);
            }
            ConnectionCommand::Check => self.actions.push(TabAction::Check),
            ConnectionCommand::Open if self.member.leads() => self.open(),
            ConnectionCommand::Open => self.ask(now),
        }
    }

    fn open(&mut self) {
        let address = self.member.opening().address();
        self.actions.push(TabAction::Open(address));
    }

    fn ask(&mut self, now: u64) {
        // A tab with a picture may be up to date, so it only needs a sign.
        let needs = if self.live.cursor().is_some() { Need::Sign } else { Need::Snapshot };
        if let MemberEffect::Say(message) = self.member.ask(now, needs) {
            self.actions.push(TabAction::Say(message));
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
