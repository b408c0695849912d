//! One page's line to the server: what the [`Supervisor`] decides, done in the browser.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use shared::{Cursor, Event};

use super::clock::ServerClock;
use super::latency::{Arrival, Latency};
use super::source::{Happened, Source};
use super::supervisor::{Command, Input, Standing, Supervisor};
use crate::live::Live;
use crate::{browser, reload};

/// How often time is told to the supervisor.
const TICK: Duration = Duration::from_millis(250);

/// A line to the server. It is closed with the reactive owner that it was opened under.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    core: StoredValue<Core, LocalStorage>,
    live: Live,
    /// What to say of the connection.
    pub standing: RwSignal<Standing>,
    /// The server's time in milliseconds; changes once a second.
    pub server_now: RwSignal<u64>,
    /// The server's clock, for who needs it finer.
    pub clock: RwSignal<ServerClock>,
    /// From push to paint, the median of the last updates.
    pub latency_ms: RwSignal<Option<u64>>,
    /// Whether the server speaks another version of the contract, and reloading did not help.
    pub outdated: RwSignal<bool>,
}

#[derive(Debug)]
struct Core {
    /// Address of the stream, with a query.
    url: String,
    source: Option<Source>,
    supervisor: Supervisor,
    clock: ServerClock,
    latency: Latency,
    /// A sample waits for its paint; one at a time is enough.
    sampling: bool,
}

impl Subscription {
    /// Opens the stream at `url`, which has a query already, and keeps `live` up to date from it.
    #[must_use]
    pub fn open(url: String, live: Live) -> Self {
        let now = browser::now();
        let supervisor = Supervisor::new(now);
        let standing = RwSignal::new(supervisor.standing(now));
        let (clock, latency) = (ServerClock::default(), Latency::default());
        let core = Core { url, source: None, supervisor, clock, latency, sampling: false };
        let this = Self {
            core: StoredValue::new_local(core),
            live,
            standing,
            server_now: RwSignal::new(now),
            clock: RwSignal::new(ServerClock::default()),
            latency_ms: RwSignal::new(None),
            outdated: RwSignal::new(false),
        };
        this.connect();

        let ticking = set_interval_with_handle(move || this.step(Input::Tick), TICK);
        let online = window_event_listener(ev::online, move |_| this.step(Input::Nudge));
        let seen = window_event_listener(ev::visibilitychange, move |_| this.step(Input::Nudge));
        on_cleanup(move || {
            if let Ok(ticking) = ticking {
                ticking.clear();
            }
            online.remove();
            seen.remove();
            // The EventSource closes with the core, which goes with the owner.
        });
        this
    }

    fn connect(self) {
        // The browser's own reconnects send the last id as a header; an EventSource that we make cannot, hence the query.
        let Some(mut url) = self.core.try_with_value(|core| core.url.clone()) else { return };
        if let Some(cursor) = self.live.cursor() {
            url.push_str(&format!("&last_event_id={cursor}"));
        }
        // The old one first: a browser allows few connections to a server.
        self.core.try_update_value(|core| core.source = None);
        let source = Source::open(&url, move |happened| self.happened(happened));
        if source.is_err() {
            self.step(Input::GaveUp);
        }
        self.core.try_update_value(|core| core.source = source.ok());
    }

    fn happened(self, happened: Happened) {
        let input = match happened {
            // Only a hello says that it is our server that answers.
            Happened::Opened => return,
            Happened::Failed { gave_up: true } => Input::GaveUp,
            Happened::Failed { gave_up: false } => Input::BrowserRetries,
            Happened::Message { id, data } => self.message(&id, &data).unwrap_or_else(|| {
                self.live.forget();
                Input::Broken
            }),
        };
        self.step(input);
    }

    /// What a message means, or nothing where it cannot be read or does not continue the picture.
    fn message(self, id: &str, data: &str) -> Option<Input> {
        let event: Event = serde_json::from_str(data).ok()?;
        let arrived = browser::now();
        if let Some(now) = written_at(&event) {
            self.core.try_update_value(|core| core.clock.observe(now, arrived));
        }
        let input = match &event {
            Event::Hello { contract, epoch, heartbeat_ms, .. } => {
                if reload::is_due(contract) {
                    self.outdated.try_set(true);
                }
                let continues = self.live.cursor().is_some_and(|cursor| cursor.epoch == *epoch);
                return Some(Input::Hello { heartbeat_ms: *heartbeat_ms, continues });
            }
            Event::Bye { retry_ms, .. } => return Some(Input::Bye { retry_ms: *retry_ms }),
            Event::Gap { .. } => {
                self.live.forget();
                return Some(Input::Heard);
            }
            Event::Unknown => return Some(Input::Heard),
            Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. } => Input::Applied,
        };
        let id: Cursor = id.parse().ok()?;
        if let Event::Update { now, pushed, .. } = &event {
            self.sample(now.0, pushed.0, arrived);
        }
        self.live.apply(id, event).ok()?;
        Some(input)
    }

    fn step(self, input: Input) {
        let now = browser::now();
        let command = self.core.try_update_value(|core| core.supervisor.step(now, input, browser::random()));
        match command {
            Some(Command::Open) => self.connect(),
            Some(Command::Close) => {
                // Not dropped under our feet: this may well be one of its callbacks.
                let old = self.core.try_update_value(|core| core.source.take());
                queue_microtask(move || drop(old));
            }
            Some(Command::Nothing) | None => {}
        }
        let told = self.core.try_with_value(|core| (core.supervisor.standing(now), core.clock));
        let Some((standing, clock)) = told else { return };
        if self.clock.try_get_untracked() != Some(clock) {
            self.clock.try_set(clock);
        }
        let server_now = clock.server_now(now);
        if self.standing.try_get_untracked() != Some(standing) {
            self.standing.try_set(standing);
        }
        let second = |ms: u64| ms / 1_000;
        if self.server_now.try_get_untracked().map(second) != Some(second(server_now)) {
            self.server_now.try_set(server_now);
        }
    }

    /// Takes the time until the coming paint is done.
    fn sample(self, written: u64, pushed: u64, arrived: u64) {
        // A hidden page paints nothing, so there is nothing to measure.
        if browser::is_hidden() {
            return;
        }
        let ahead_ms = self
            .core
            .try_update_value(|core| (!std::mem::replace(&mut core.sampling, true)).then(|| core.clock.ahead_ms()));
        let Some(Some(ahead_ms)) = ahead_ms else { return };
        let arrival = Arrival { pushed, written, arrived, ahead_ms };
        // A frame's callback runs before its paint, and a task that it puts in the queue runs after.
        request_animation_frame(move || {
            set_timeout(
                move || {
                    let p50 = self.core.try_update_value(|core| {
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

/// When the server wrote an event, by its own clock.
fn written_at(event: &Event) -> Option<u64> {
    match event {
        Event::Hello { now, .. }
        | Event::Snapshot { now, .. }
        | Event::Update { now, .. }
        | Event::Heartbeat { now } => Some(now.0),
        Event::Gap { .. } | Event::Bye { .. } | Event::Unknown => None,
    }
}
