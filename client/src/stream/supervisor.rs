//! Decides when to open, close and open again, and what to say about it.
//!
//! It has no I/O and no clock: whoever drives it says what happened and when (milliseconds of any one clock), and
//! does what it answers.

use super::backoff;
use super::refusal::Advice;
pub use super::standing::{Standing, State};
use super::watchdog::Watchdog;

/// How long a lost line may stay unmentioned on the tiles, in milliseconds, where two heartbeats are longer. The
/// badge says at once that it is reconnecting; the values stay undimmed this long, since most losses are over sooner.
pub const GRACE_MS: u64 = 5_000;

/// A tick that comes this much after the last, in milliseconds, tells that the machine slept, or the page did.
const LATE_MS: u64 = 5_000;

/// How long a probe may take, in milliseconds.
const PROBE_MS: u64 = 10_000;

/// A line that held this long, in milliseconds, was a good one: the next loss starts with a short wait again.
const GOOD_LINE_MS: u64 = 5_000;

/// What happened to the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// The server introduced itself, which says nothing of the picture: what was missed, or a heartbeat where nothing was,
    /// is still to come.
    Hello {
        /// How often it beats.
        heartbeat_ms: u64,
    },
    /// An event was applied: the picture is true as of now.
    Applied,
    /// An event came that says nothing of the picture.
    Heard,
    /// The server told that the picture cannot be continued; a snapshot follows.
    Gap,
    /// The browser lost the line and is trying again by itself.
    BrowserRetries,
    /// The browser lost the line and gave up: something else than a stream answered.
    GaveUp,
    /// The probe came back: with advice where the server refused, with none where all is well or nobody answered.
    Probed(Option<Advice>),
    /// The tab that holds the stream was refused.
    Refused(Advice),
    /// What came cannot be read, or does not continue the picture.
    Broken,
    /// The server took its leave, and said when to come back.
    Bye {
        /// In milliseconds from now.
        retry_ms: u64,
    },
    /// The stream is this tab's from now on.
    Elected,
    /// What the stream has to hold changed.
    Reopen,
    /// The browser says that there is no network.
    Offline,
    /// The browser says that there is a network again.
    Online,
    /// Someone looks at the page again.
    Nudge,
    /// The page is about to be frozen, or nobody looks at it and its stream is dear.
    Rest,
    /// Time passed.
    Tick,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing.
    Nothing,
    /// Close the line.
    Close,
    /// Close the line and find out by one request what is wrong, for [`Input::Probed`].
    Probe,
    /// Close the line if there is one and open a new one, from the picture's cursor if it has one.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// An EventSource exists: it is open, or the browser is at it.
    Up,
    /// There is none until then, or until someone looks.
    Down { until: u64 },
    /// There is none until then: the server said so.
    Told { until: u64 },
    /// There is none until someone looks.
    Stopped,
    /// There is none; a probe is out, for so long at most.
    Probing { until: u64 },
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Supervisor {
    line: Line,
    watchdog: Watchdog,
    /// Since when the picture follows the server, if it does.
    live_since: Option<u64>,
    /// When the picture was last true; nothing before the first snapshot.
    true_at: Option<u64>,
    /// When all began.
    started: u64,
    /// Attempts since the last good line.
    attempt: u32,
    /// The browser says that there is no network.
    offline: bool,
    /// When time was last told.
    ticked_at: u64,
}

impl Supervisor {
    /// A supervisor whose first line is being opened now.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self {
            line: Line::Up,
            watchdog: Watchdog::new(now),
            live_since: None,
            true_at: None,
            started: now,
            attempt: 0,
            offline: false,
            ticked_at: now,
        }
    }

    /// Takes in what happened. `random`, from `0.0..1.0`, spreads the waits.
    pub fn step(&mut self, now: u64, input: Input, random: f64) -> Command {
        match input {
            Input::Hello { heartbeat_ms } => {
                self.watchdog.expect_every(heartbeat_ms);
                self.heard(now);
                Command::Nothing
            }
            Input::Applied => {
                self.heard(now);
                self.is_true(now);
                Command::Nothing
            }
            Input::Heard => {
                self.heard(now);
                // The picture of a live line stays true while anything at all is heard.
                if self.live_since.is_some() {
                    self.true_at = Some(now);
                }
                Command::Nothing
            }
            Input::Gap => {
                self.heard(now);
                self.lost(now);
                Command::Nothing
            }
            Input::BrowserRetries => {
                self.lost(now);
                Command::Nothing
            }
            Input::Broken => self.wait(now, random),
            Input::GaveUp => {
                self.lost(now);
                self.line = Line::Probing { until: now.saturating_add(PROBE_MS) };
                Command::Probe
            }
            Input::Probed(advice) => match (self.line, advice) {
                (Line::Probing { .. }, Some(advice)) => self.refused(now, advice, random),
                (Line::Probing { .. }, None) => self.wait(now, random),
                // It came too late to matter.
                _ => Command::Nothing,
            },
            Input::Refused(advice) => self.refused(now, advice, random),
            Input::Bye { retry_ms } => {
                self.lost(now);
                self.line = Line::Down { until: now.saturating_add(retry_ms) };
                Command::Close
            }
            Input::Elected | Input::Reopen => match self.line {
                Line::Up => self.open(now),
                // The next one will have it. What the server said to the tab before holds for this one too.
                _ => Command::Nothing,
            },
            Input::Offline => {
                self.offline = true;
                Command::Nothing
            }
            Input::Online => match (std::mem::take(&mut self.offline), self.line) {
                // The line was made over a network that may be gone, which it would take two heartbeats to notice.
                (true, Line::Up) => self.open(now),
                _ => self.nudge(now),
            },
            Input::Nudge => self.nudge(now),
            Input::Rest => {
                self.lost(now);
                self.line = Line::Stopped;
                Command::Close
            }
            Input::Tick => {
                let slept = now.saturating_sub(std::mem::replace(&mut self.ticked_at, now)) > LATE_MS;
                match self.line {
                    Line::Down { until } | Line::Told { until } | Line::Probing { until } if now >= until => {
                        self.open(now)
                    }
                    Line::Up if slept && self.watchdog.is_overdue(now) => self.nudge(now),
                    Line::Up if self.watchdog.is_overdue(now) => self.wait(now, random),
                    _ => Command::Nothing,
                }
            }
        }
    }

    /// Whether a probe is out.
    #[must_use]
    pub fn probes(&self) -> bool {
        matches!(self.line, Line::Probing { .. })
    }

    /// Whether there is no stream, nor will be one until someone looks.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.line == Line::Stopped
    }

    /// In how many seconds the next try is, where one is known to come.
    #[must_use]
    pub fn next_in(&self, now: u64) -> Option<u64> {
        match self.line {
            Line::Down { until } | Line::Told { until } => Some(until.saturating_sub(now).div_ceil(1_000)),
            Line::Up | Line::Stopped | Line::Probing { .. } => None,
        }
    }

    /// What to say at `now`.
    #[must_use]
    pub fn standing(&self, now: u64) -> Standing {
        let overdue = self.watchdog.is_overdue(now);
        match (self.live_since, self.true_at) {
            // While something comes there is a network, whatever the browser says of it.
            (Some(since), _) if !overdue => Standing { state: State::Live, since },
            (_, true_at) if self.offline => Standing { state: State::Offline, since: true_at.unwrap_or(self.started) },
            (_, Some(true_at)) => {
                let grace = GRACE_MS.min(self.watchdog.patience_ms());
                let old = overdue || now.saturating_sub(true_at) > grace;
                Standing { state: if old { State::Stale } else { State::Reconnecting }, since: true_at }
            }
            (_, None) => {
                let early = self.attempt == 0 && now.saturating_sub(self.started) <= GRACE_MS;
                let state = if early { State::Connecting } else { State::Reconnecting };
                Standing { state, since: self.started }
            }
        }
    }

    fn is_true(&mut self, now: u64) {
        self.true_at = Some(now);
        self.live_since.get_or_insert(now);
    }

    fn heard(&mut self, now: u64) {
        self.watchdog.heard(now);
        // Another tab's line is up before this tab asks again.
        self.line = Line::Up;
    }

    fn nudge(&mut self, now: u64) -> Command {
        match self.line {
            Line::Down { .. } | Line::Stopped => self.open(now),
            Line::Up if self.watchdog.is_overdue(now) => {
                self.lost(now);
                self.open(now)
            }
            Line::Up | Line::Told { .. } | Line::Probing { .. } => Command::Nothing,
        }
    }

    fn refused(&mut self, now: u64, advice: Advice, random: f64) -> Command {
        match advice {
            Advice::BackOff => return self.wait(now, random),
            Advice::Wait(ms) => self.line = Line::Told { until: now.saturating_add(ms) },
            Advice::Stop => self.line = Line::Stopped,
        }
        self.lost(now);
        self.attempt = self.attempt.saturating_add(1);
        Command::Close
    }

    fn lost(&mut self, now: u64) {
        if let Some(since) = self.live_since.take()
            && now.saturating_sub(since) >= GOOD_LINE_MS
        {
            self.attempt = 0;
        }
    }

    fn wait(&mut self, now: u64, random: f64) -> Command {
        self.lost(now);
        self.line = Line::Down { until: now.saturating_add(backoff::delay_ms(self.attempt, random)) };
        self.attempt = self.attempt.saturating_add(1);
        Command::Close
    }

    fn open(&mut self, now: u64) -> Command {
        self.line = Line::Up;
        self.watchdog.heard(now);
        Command::Open
    }
}

#[cfg(test)]
mod tests;
