//! The subscription of one page: carries out in the browser what the [`Tab`] decides.

use leptos::task::spawn_local;
use std::time::Duration;

use leptos::prelude::*;
use shared::board::Etag;
use shared::{BoardId, Selector};

use super::clock::ServerClock;
use super::latency::{Arrival, Latency};
use super::lifecycle;
use super::listener::Listener;
use super::probe::probe;
use super::refusal::Refusal;
use super::share::interest::Interest;
use super::share::message::TabId;
use super::share::team::Team;
use super::source::Source;
use super::supervisor::{ConnectionStatus, Supervisor};
use super::tab::{Sharing, Tab, TabAction, TabEvent};
use crate::live::Live;
use crate::{browser, reload};

/// Interval of ticks to the tab.
const TICK: Duration = Duration::from_millis(250);

/// Address that a server which runs answers at once.
const HEALTH: &str = "healthz";

/// A subscription to the server's stream. It is closed together with its reactive owner.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// `None` only while it is being made.
    core: StoredValue<Option<Core>, LocalStorage>,
    /// State of the connection.
    pub status: RwSignal<ConnectionStatus>,
    /// Reason for which there is no stream, if the server refused it.
    pub reason: RwSignal<Option<String>>,
    /// True if there is no stream and a sign-in may help.
    pub needs_sign_in: RwSignal<bool>,
    /// The server's time in milliseconds; updated once a second.
    pub server_now: RwSignal<u64>,
    /// The server's clock, for a finer time.
    pub clock: RwSignal<ServerClock>,
    /// Median time from push to paint over the last updates, in milliseconds.
    pub latency_ms: RwSignal<Option<u64>>,
    /// Edition of the board on the server: `Some(None)` for a board that is not stored, `None` before the first
    /// message about it.
    pub edition: RwSignal<Option<Option<Etag>>>,
    /// Present warnings of the server.
    pub warnings: RwSignal<Vec<String>>,
    /// True if the server has another version of the contract, and reloading did not help.
    pub outdated: RwSignal<bool>,
}

#[derive(Debug)]
struct Core {
    board: BoardId,
    tab: Tab,
    source: Option<Source>,
    team: Option<Team>,
    latency: Latency,
    /// True while a sample waits for its paint; one at a time is enough.
    sampling: bool,
    /// Listeners for the page's lifecycle.
    _vitals: Vec<Listener>,
}

impl Subscription {
    /// Keeps `live` up to date with all series under the board's name, until [`Subscription::show`] names others.
    #[must_use]
    pub fn open(board: BoardId, live: Live) -> Self {
        let now = browser::now();
        let this = Self {
            core: StoredValue::new_local(None),
            status: RwSignal::new(Supervisor::new(now).status(now)),
            reason: RwSignal::new(None),
            needs_sign_in: RwSignal::new(false),
            server_now: RwSignal::new(now),
            clock: RwSignal::new(ServerClock::default()),
            latency_ms: RwSignal::new(None),
            edition: RwSignal::new(None),
            warnings: RwSignal::new(Vec::new()),
            outdated: RwSignal::new(false),
        };
        let team = this.join();
        let company = if team.is_some() { Sharing::Team } else { Sharing::Alone };
        let interest = Interest::of_board(board.clone(), [board.selector()]);
        let (tab, actions) = Tab::new(now, TabId(browser::random_name()), interest, live, company);
        let lifecycle = lifecycle::listen(move |vital| this.step(TabEvent::LifecycleEvent(vital)));
        let core =
            Core { board, tab, source: None, team, latency: Latency::default(), sampling: false, _vitals: lifecycle };
        this.core.set_value(Some(core));
        actions.into_iter().for_each(|action| this.action(action));
        this.step(TabEvent::LifecycleEvent(lifecycle::seen()));

        let ticking = set_interval_with_handle(move || this.step(TabEvent::Tick), TICK);
        on_cleanup(move || {
            if let Ok(ticking) = ticking {
                ticking.clear();
            }
            // Everything else is dropped with the core, when the owner ends.
        });
        this
    }

    /// Keeps the picture up to date with these selectors instead of the earlier ones.
    pub fn show(self, selectors: Vec<Selector>) {
        let now = browser::now();
        let actions = self.with(|core| {
            let interest = Interest::of_board(core.board.clone(), selectors);
            core.tab.show(now, browser::random(), interest)
        });
        actions.into_iter().flatten().for_each(|action| self.action(action));
        self.publish_status(now);
    }

    /// Joins the other tabs, where the browser supports it. Tabs with another version of the contract are in another
    /// group, and so are tabs of another server below another path of the same host.
    fn join(self) -> Option<Team> {
        let name = format!("pulseboard {} {}", shared::contract::hash(), browser::root());
        Team::join(&name, move |event| self.step(TabEvent::Team(event)))
    }

    fn with<T>(self, look: impl FnOnce(&mut Core) -> T) -> Option<T> {
        self.core.try_update_value(|core| core.as_mut().map(look)).flatten()
    }

    fn step(self, event: TabEvent) {
        let now = browser::now();
        let actions = self.with(|core| core.tab.step(now, browser::random(), event));
        actions.into_iter().flatten().for_each(|action| self.action(action));
        self.publish_status(now);
    }

    fn action(self, action: TabAction) {
        match action {
            TabAction::Close => self.replace(None),
            TabAction::Open(address) => {
                // Closes the old one first: a browser allows few connections to a server.
                self.replace(None);
                // Fails only for an invalid address.
                let address = browser::address(&address);
                self.replace(
                    Source::open(&address, move |source_event| self.step(TabEvent::Source(source_event))).ok(),
                );
            }
            TabAction::Probe(address) => spawn_local(async move {
                let refusal = Refusal::of(probe(&browser::address(&address)).await, browser::random());
                self.step(TabEvent::Probed(refusal));
            }),
            TabAction::Check => spawn_local(async move {
                // A proxy answers with a 5xx if the server does not.
                let answered = probe(&browser::address(HEALTH)).await.is_some_and(|answer| answer.status < 500);
                self.step(TabEvent::Checked(answered));
            }),
            TabAction::Say(message) => {
                self.with(|core| core.team.as_ref().map(|team| team.say(&message)));
            }
            TabAction::Ask(manner) => {
                self.with(|core| core.team.as_mut().map(|team| team.ask(manner)));
            }
            TabAction::Leave => {
                self.with(|core| core.team = None);
            }
            TabAction::Join => {
                let team = self.join();
                self.with(|core| core.team = team);
            }
            TabAction::Contract(contract) => {
                if reload::is_due(&contract) {
                    self.outdated.try_set(true);
                }
            }
            TabAction::Boards(editions) => {
                let mine = self.with(|core| editions.into_iter().find(|edition| edition.id == core.board)).flatten();
                if let Some(edition) = mine {
                    set_if_changed(self.edition, Some(edition.etag));
                }
            }
            TabAction::Warnings(warnings) => set_if_changed(self.warnings, warnings),
            TabAction::Paint(arrival) => self.sample(arrival),
        }
    }

    fn replace(self, source: Option<Source>) {
        let old = self.with(|core| std::mem::replace(&mut core.source, source)).flatten();
        if let Some(old) = old {
            old.close();
            // Dropped later, since this may run in one of its callbacks.
            queue_microtask(move || drop(old));
        }
    }

    fn publish_status(self, now: u64) {
        let status =
            self.with(|core| (core.tab.status(now), core.tab.reason(now), core.tab.needs_sign_in(), core.tab.clock()));
        let Some((status, reason, needs_sign_in, clock)) = status else { return };
        set_if_changed(self.clock, clock);
        set_if_changed(self.status, status);
        set_if_changed(self.reason, reason);
        set_if_changed(self.needs_sign_in, needs_sign_in);
        let server_now = clock.server_now(now);
        let second = |ms: u64| ms / 1_000;
        if self.server_now.try_get_untracked().map(second) != Some(second(server_now)) {
            self.server_now.try_set(server_now);
        }
    }

    /// Measures the time until the next paint is done.
    fn sample(self, arrival: Arrival) {
        // A hidden page does not paint.
        if browser::is_hidden() || self.with(|core| std::mem::replace(&mut core.sampling, true)) != Some(false) {
            return;
        }
        // The callback of a frame runs before its paint, and a task that it queues runs after.
        request_animation_frame(move || {
            set_timeout(
                move || {
                    let p50 = self.with(|core| {
                        core.sampling = false;
                        core.latency.painted(arrival, browser::now());
                        core.latency.p50_ms()
                    });
                    if let Some(p50) = p50 {
                        self.latency_ms.try_set(p50);
                    }
                },
                Duration::ZERO,
            );
        });
    }
}

fn set_if_changed<T: Clone + PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|old| *old != value) == Some(true) {
        signal.set(value);
    }
}
