//! Decides when to open, close and reopen the connection, and which state to show.
//!
//! Has no I/O and no clock: the caller passes events with their times (milliseconds of any one clock), and carries
//! out the commands.

use super::backoff;
use super::refusal::Advice;
pub use super::status::{ConnectionState, ConnectionStatus};
use super::watchdog::Watchdog;

/// Longest time after a loss in which the tiles are not shown as stale, in milliseconds. It is two heartbeats where
/// these are shorter. The badge says at once that the page is reconnecting, but most losses end sooner than this.
pub const GRACE_MS: u64 = 5_000;

/// Delay of a tick, in milliseconds, that shows that the machine or the page was asleep.
const LATE_MS: u64 = 5_000;

/// Longest wait for a probe, in milliseconds.
const PROBE_MS: u64 = 10_000;

/// Time for which a suspect silence may be checked before the page shows it, in milliseconds: most checks are answered
/// sooner, and the badge would only flicker.
const CHECK_MS: u64 = 500;

/// Time after which a connection counts as good, in milliseconds: the next loss then starts with a short wait again.
const GOOD_LINE_MS: u64 = 5_000;

/// An event of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConnectionEvent {
    /// The server sent `hello`. The picture is not up to date yet: missed changes, or a heartbeat if there were none,
    /// follow.
    Hello {
        /// Interval of heartbeats, in milliseconds.
        heartbeat_ms: u64,
    },
    /// An event was applied: the picture is up to date now.
    Applied,
    /// An event arrived that does not concern the picture.
    Heard,
    /// The server said that the picture cannot be continued; a snapshot follows.
    Gap,
    /// The browser lost the connection and reconnects.
    BrowserRetries,
    /// The browser lost the connection and gave up: the answer was not a stream.
    GaveUp,
    /// The probe has ended: with advice if the server refused, with `None` if it did not or there was no answer.
    Probed(Option<Advice>),
    /// The check of a suspect silence has ended. True if the server answered.
    Checked(bool),
    /// The leader's stream was refused.
    Refused(Advice),
    /// A frame cannot be read or does not continue the picture.
    Broken,
    /// The server closed the stream, and said when to come back.
    Bye {
        /// Wait before coming back, in milliseconds.
        retry_ms: u64,
    },
    /// This tab has become the leader.
    Elected,
    /// The interest of the stream has changed.
    Reopen,
    /// The browser reports that there is no network.
    Offline,
    /// The browser reports that there is a network again.
    Online,
    /// The user looks at the page again.
    Nudge,
    /// The page is about to be frozen, or it is hidden and has a stream of its own, which uses up a connection.
    Rest,
    /// Time passed.
    Tick,
}

/// The command that follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionCommand {
    /// Do nothing.
    Nothing,
    /// Close the connection.
    Close,
    /// Close the connection and send one request to find out what is wrong, for [`ConnectionEvent::Probed`].
    Probe,
    /// Keep the connection, and send one request to find out if the server answers, for
    /// [`ConnectionEvent::Checked`].
    Check,
    /// Close the connection if there is one and open a new one, from the picture's cursor if it has one.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// An EventSource exists: it is open, or the browser connects.
    Up,
    /// Closed until then, or until the user looks at the page.
    Down { until: u64 },
    /// Closed until then, as the server asked; the user's look does not change that.
    Told { until: u64 },
    /// Closed until the user looks at the page.
    Stopped,
    /// Closed while a probe is under way, until then at most.
    Probing { until: u64 },
}

/// The check of a silence that is suspect ([`Watchdog::suspect_for`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// There was none in this silence.
    None,
    /// A request is under way.
    UnderWay,
    /// The server answered, so there was nothing to send.
    Passed,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Supervisor {
    link: Link,
    /// The check of the present silence.
    check: Check,
    watchdog: Watchdog,
    /// Time since which the picture follows the server; `None` while it does not.
    live_since: Option<u64>,
    /// Last moment at which the picture was up to date; `None` before the first snapshot.
    true_at: Option<u64>,
    /// Time at which the supervisor was made.
    started: u64,
    /// Number of attempts since the last good connection.
    attempt: u32,
    /// True if the browser reports that there is no network.
    offline: bool,
    /// Time of the last tick.
    ticked_at: u64,
}

impl Supervisor {
    /// Makes a supervisor whose first connection is being opened now.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self {
            link: Link::Up,
            check: Check::None,
            watchdog: Watchdog::new(now),
            live_since: None,
            true_at: None,
            started: now,
            attempt: 0,
            offline: false,
            ticked_at: now,
        }
    }

    /// Handles an event at `now`. `random` is in `0.0..1.0` and spreads the waits.
    pub fn step(&mut self, now: u64, input: ConnectionEvent, random: f64) -> ConnectionCommand {
        match input {
            ConnectionEvent::Hello { heartbeat_ms } => {
                self.watchdog.expect_every(heartbeat_ms);
                self.received(now);
                ConnectionCommand::Nothing
            }
            ConnectionEvent::Applied => {
                self.received(now);
                self.is_true(now);
                ConnectionCommand::Nothing
            }
            ConnectionEvent::Heard => {
                self.received(now);
                // A live picture stays up to date while any event arrives.
                if self.live_since.is_some() {
                    self.true_at = Some(now);
                }
                ConnectionCommand::Nothing
            }
            ConnectionEvent::Gap => {
                self.received(now);
                self.lost(now);
                ConnectionCommand::Nothing
            }
            ConnectionEvent::BrowserRetries => {
                self.lost(now);
                ConnectionCommand::Nothing
            }
            ConnectionEvent::Broken => self.wait(now, random),
            ConnectionEvent::GaveUp => {
                self.lost(now);
                self.link = Link::Probing { until: now.saturating_add(PROBE_MS) };
                ConnectionCommand::Probe
            }
            ConnectionEvent::Probed(advice) => match (self.link, advice) {
                (Link::Probing { .. }, Some(advice)) => self.refused(now, advice, random),
                (Link::Probing { .. }, None) => self.wait(now, random),
                // The probe came too late.
                _ => ConnectionCommand::Nothing,
            },
            ConnectionEvent::Checked(answered) => match (self.check, answered) {
                (Check::UnderWay, true) => {
                    self.check = Check::Passed;
                    ConnectionCommand::Nothing
                }
                (Check::UnderWay, false) if self.link == Link::Up => self.wait(now, random),
                // An event was faster.
                _ => ConnectionCommand::Nothing,
            },
            ConnectionEvent::Refused(advice) => self.refused(now, advice, random),
            ConnectionEvent::Bye { retry_ms } => {
                self.lost(now);
                self.link = Link::Down { until: now.saturating_add(retry_ms) };
                ConnectionCommand::Close
            }
            ConnectionEvent::Elected | ConnectionEvent::Reopen => match self.link {
                Link::Up => self.open(now),
                // The next connection will have the new interest. A wait that the server asked for holds for this tab
                // too.
                _ => ConnectionCommand::Nothing,
            },
            ConnectionEvent::Offline => {
                self.offline = true;
                ConnectionCommand::Nothing
            }
            ConnectionEvent::Online => match (std::mem::take(&mut self.offline), self.link) {
                // The connection was made over a network that may be gone, which would take two heartbeats to notice.
                (true, Link::Up) => self.open(now),
                _ => self.nudge(now),
            },
            ConnectionEvent::Nudge => self.nudge(now),
            ConnectionEvent::Rest => {
                self.lost(now);
                self.link = Link::Stopped;
                ConnectionCommand::Close
            }
            ConnectionEvent::Tick => {
                let slept = now.saturating_sub(std::mem::replace(&mut self.ticked_at, now)) > LATE_MS;
                match self.link {
                    Link::Down { until } | Link::Told { until } | Link::Probing { until } if now >= until => {
                        self.open(now)
                    }
                    Link::Up if slept && self.watchdog.is_overdue(now) => self.nudge(now),
                    Link::Up if self.watchdog.is_overdue(now) => self.wait(now, random),
                    Link::Up if self.check == Check::None && self.watchdog.suspect_for(now).is_some() => {
                        self.check = Check::UnderWay;
                        ConnectionCommand::Check
                    }
                    _ => ConnectionCommand::Nothing,
                }
            }
        }
    }

    /// True while a probe is under way.
    #[must_use]
    pub fn probes(&self) -> bool {
        matches!(self.link, Link::Probing { .. })
    }

    /// True if there is no stream until the user looks at the page.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.link == Link::Stopped
    }

    /// Time until the next attempt, in seconds; `None` where none is scheduled.
    #[must_use]
    pub fn next_in(&self, now: u64) -> Option<u64> {
        match self.link {
            Link::Down { until } | Link::Told { until } => Some(until.saturating_sub(now).div_ceil(1_000)),
            Link::Up | Link::Stopped | Link::Probing { .. } => None,
        }
    }

    /// Returns the state to show at `now`.
    #[must_use]
    pub fn status(&self, now: u64) -> ConnectionStatus {
        // The watchdog measures the present connection. If that was opened in the place of a silent one, nothing has
        // come of it yet.
        let silent = self.true_at.is_some_and(|true_at| now.saturating_sub(true_at) > self.watchdog.patience_ms());
        let overdue = silent || self.watchdog.is_overdue(now);
        let suspect = self.check != Check::Passed && self.watchdog.suspect_for(now).is_some_and(|ms| ms > CHECK_MS);
        match (self.live_since, self.true_at) {
            // While frames arrive there is a network, whatever the browser reports.
            (Some(since), _) if !overdue && !suspect => ConnectionStatus { state: ConnectionState::Live, since },
            (_, true_at) if self.offline => {
                ConnectionStatus { state: ConnectionState::Offline, since: true_at.unwrap_or(self.started) }
            }
            (_, Some(true_at)) => {
                let grace = GRACE_MS.min(self.watchdog.patience_ms());
                let old = overdue || now.saturating_sub(true_at) > grace;
                ConnectionStatus {
                    state: if old { ConnectionState::Stale } else { ConnectionState::Reconnecting },
                    since: true_at,
                }
            }
            (_, None) => {
                let early = self.attempt == 0 && now.saturating_sub(self.started) <= GRACE_MS;
                let state = if early { ConnectionState::Connecting } else { ConnectionState::Reconnecting };
                ConnectionStatus { state, since: self.started }
            }
        }
    }

    fn is_true(&mut self, now: u64) {
        self.true_at = Some(now);
        self.live_since.get_or_insert(now);
    }

    fn received(&mut self, now: u64) {
        self.watchdog.received(now);
        self.check = Check::None;
        // A leader's stream may come back before this tab asks again.
        self.link = Link::Up;
    }

    fn nudge(&mut self, now: u64) -> ConnectionCommand {
        match self.link {
            Link::Down { .. } | Link::Stopped => self.open(now),
            Link::Up if self.watchdog.is_overdue(now) => {
                self.lost(now);
                self.open(now)
            }
            Link::Up | Link::Told { .. } | Link::Probing { .. } => ConnectionCommand::Nothing,
        }
    }

    fn refused(&mut self, now: u64, advice: Advice, random: f64) -> ConnectionCommand {
        match advice {
            Advice::BackOff => return self.wait(now, random),
            Advice::Wait(ms) => self.link = Link::Told { until: now.saturating_add(ms) },
            Advice::Stop => self.link = Link::Stopped,
        }
        self.lost(now);
        self.attempt = self.attempt.saturating_add(1);
        ConnectionCommand::Close
    }

    fn lost(&mut self, now: u64) {
        if let Some(since) = self.live_since.take()
            && now.saturating_sub(since) >= GOOD_LINE_MS
        {
            self.attempt = 0;
        }
    }

    fn wait(&mut self, now: u64, random: f64) -> ConnectionCommand {
        self.lost(now);
        self.link = Link::Down { until: now.saturating_add(backoff::delay_ms(self.attempt, random)) };
        self.attempt = self.attempt.saturating_add(1);
        ConnectionCommand::Close
    }

    fn open(&mut self, now: u64) -> ConnectionCommand {
        self.link = Link::Up;
        self.check = Check::None;
        self.watchdog.opened(now);
        ConnectionCommand::Open
    }
}

#[cfg(test)]
mod tests;
