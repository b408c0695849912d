//! Decides when to open, close and open again, and what to say about it.
//!
//! It has no I/O and no clock: whoever drives it says what happened and when (milliseconds of any one clock), and
//! does what it answers.

use super::backoff;
use super::watchdog::Watchdog;

/// How long a lost line may stay unmentioned on the tiles, in milliseconds, where two heartbeats are longer. The
/// badge says at once that it is reconnecting; the values stay undimmed this long, since most losses are over sooner.
pub const GRACE_MS: u64 = 5_000;

/// A line that held this long, in milliseconds, was a good one: the next loss starts with a short wait again.
const GOOD_LINE_MS: u64 = 5_000;

/// What the page says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The first connection is being made; there is nothing to show yet.
    Connecting,
    /// What is shown is what the server has.
    Live,
    /// The line is lost, only just; what is shown was true a moment ago.
    Reconnecting,
    /// What is shown is old.
    Stale,
}

impl State {
    /// The state as a word, for the page and for its `data-state`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stale => "stale",
        }
    }
}

/// A state, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub state: State,
    /// Since when: where not live, the moment that the picture was last known to be true.
    pub since: u64,
}

/// What happened to the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// The server introduced itself.
    Hello {
        /// How often it beats.
        heartbeat_ms: u64,
        /// Whether the picture that is there can be continued, so that it is true as of now.
        continues: bool,
    },
    /// An event was applied: the picture is true as of now.
    Applied,
    /// An event came that says nothing of the picture.
    Heard,
    /// The browser lost the line and is trying again by itself.
    BrowserRetries,
    /// The browser lost the line and gave up.
    GaveUp,
    /// What came cannot be read, or does not continue the picture.
    Broken,
    /// The server took its leave, and said when to come back.
    Bye {
        /// In milliseconds from now.
        retry_ms: u64,
    },
    /// There may be a network again, or someone looks at the page again.
    Nudge,
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
    /// Close the line if there is one and open a new one, from the picture's cursor if it has one.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// An EventSource exists: it is open, or the browser is at it.
    Up,
    /// There is none until then.
    Down { until: u64 },
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
}

impl Supervisor {
    /// A supervisor whose first line is being opened now.
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self { line: Line::Up, watchdog: Watchdog::new(now), live_since: None, true_at: None, started: now, attempt: 0 }
    }

    /// Takes in what happened. `random`, from `0.0..1.0`, spreads the waits.
    pub fn step(&mut self, now: u64, input: Input, random: f64) -> Command {
        match input {
            Input::Hello { heartbeat_ms, continues } => {
                self.watchdog.expect_every(heartbeat_ms);
                self.watchdog.heard(now);
                if continues {
                    self.is_true(now);
                }
                Command::Nothing
            }
            Input::Applied => {
                self.watchdog.heard(now);
                self.is_true(now);
                Command::Nothing
            }
            Input::Heard => {
                self.watchdog.heard(now);
                // The picture of a live line stays true while anything at all is heard.
                if self.live_since.is_some() {
                    self.true_at = Some(now);
                }
                Command::Nothing
            }
            Input::BrowserRetries => {
                self.lost(now);
                Command::Nothing
            }
            Input::GaveUp | Input::Broken => self.wait(now, random),
            Input::Bye { retry_ms } => {
                self.lost(now);
                self.line = Line::Down { until: now.saturating_add(retry_ms) };
                Command::Close
            }
            Input::Nudge => match self.line {
                Line::Down { .. } => self.open(now),
                Line::Up => self.step(now, Input::Tick, random),
            },
            Input::Tick => match self.line {
                Line::Down { until } if now >= until => self.open(now),
                Line::Up if self.watchdog.is_overdue(now) => self.wait(now, random),
                Line::Up | Line::Down { .. } => Command::Nothing,
            },
        }
    }

    /// What to say at `now`.
    #[must_use]
    pub fn standing(&self, now: u64) -> Standing {
        let overdue = self.watchdog.is_overdue(now);
        match (self.live_since, self.true_at) {
            (Some(since), _) if !overdue => Standing { state: State::Live, since },
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
mod tests {
    use super::*;

    const HELLO: Input = Input::Hello { heartbeat_ms: 1_000, continues: false };
    const HELLO_AGAIN: Input = Input::Hello { heartbeat_ms: 1_000, continues: true };

    /// A supervisor that has been live from 0 to 10 000.
    fn live() -> Supervisor {
        let mut supervisor = Supervisor::new(0);
        supervisor.step(0, HELLO, 0.5);
        supervisor.step(0, Input::Applied, 0.5);
        supervisor.step(10_000, Input::Heard, 0.5);
        assert_eq!(supervisor.standing(10_000), Standing { state: State::Live, since: 0 });
        supervisor
    }

    #[test]
    fn it_is_live_only_once_there_is_a_picture() {
        let mut supervisor = Supervisor::new(0);
        assert_eq!(supervisor.standing(1).state, State::Connecting);
        assert_eq!(supervisor.step(10, HELLO, 0.5), Command::Nothing);
        assert_eq!(supervisor.standing(11).state, State::Connecting);
        supervisor.step(12, Input::Applied, 0.5);
        assert_eq!(supervisor.standing(13), Standing { state: State::Live, since: 12 });
    }

    #[test]
    fn a_first_connection_that_fails_is_said_to_be_tried_again() {
        let mut supervisor = Supervisor::new(0);
        assert_eq!(supervisor.step(5, Input::GaveUp, 0.5), Command::Close);
        assert_eq!(supervisor.standing(6).state, State::Reconnecting);
        assert_eq!(supervisor.step(254, Input::Tick, 0.5), Command::Nothing);
        assert_eq!(supervisor.step(255, Input::Tick, 0.5), Command::Open);
    }

    #[test]
    fn a_lost_line_is_reconnecting_and_soon_stale_since_it_was_last_true() {
        let mut supervisor = live();
        assert_eq!(supervisor.step(10_100, Input::BrowserRetries, 0.5), Command::Nothing);
        assert_eq!(supervisor.standing(10_101), Standing { state: State::Reconnecting, since: 10_000 });
        assert_eq!(supervisor.standing(12_001), Standing { state: State::Stale, since: 10_000 });
        supervisor.step(13_000, HELLO_AGAIN, 0.5);
        assert_eq!(supervisor.standing(13_000), Standing { state: State::Live, since: 13_000 });
    }

    #[test]
    fn a_hello_that_does_not_continue_the_picture_does_not_make_it_live() {
        let mut supervisor = live();
        supervisor.step(10_100, Input::BrowserRetries, 0.5);
        supervisor.step(10_200, HELLO, 0.5);
        assert_eq!(supervisor.standing(10_200).state, State::Reconnecting);
        supervisor.step(10_300, Input::Applied, 0.5);
        assert_eq!(supervisor.standing(10_300).state, State::Live);
    }

    #[test]
    fn a_silent_line_is_stale_and_opened_anew() {
        let mut supervisor = live();
        assert_eq!(supervisor.step(12_000, Input::Tick, 0.5), Command::Nothing);
        assert_eq!(supervisor.standing(12_001).state, State::Stale, "even before anyone acts on it");
        assert_eq!(supervisor.step(12_001, Input::Tick, 0.5), Command::Close);
        assert_eq!(supervisor.step(12_251, Input::Tick, 0.5), Command::Open);
        assert_eq!(supervisor.standing(12_251).state, State::Stale);
        assert_eq!(supervisor.step(14_000, Input::Tick, 0.5), Command::Nothing, "the new line has its own patience");
    }

    #[test]
    fn a_bye_is_calm_until_it_lasts() {
        let mut supervisor = live();
        assert_eq!(supervisor.step(10_000, Input::Bye { retry_ms: 1_500 }, 0.5), Command::Close);
        assert_eq!(supervisor.standing(11_000).state, State::Reconnecting);
        assert_eq!(supervisor.step(11_499, Input::Tick, 0.5), Command::Nothing);
        assert_eq!(supervisor.step(11_500, Input::Tick, 0.5), Command::Open);
        assert_eq!(supervisor.standing(12_500).state, State::Stale);
    }

    #[test]
    fn waits_grow_while_nothing_holds_and_start_over_after_a_good_line() {
        let mut supervisor = Supervisor::new(0);
        for (at, wait) in [(0, 500), (1_000, 1_000), (3_000, 2_000)] {
            assert_eq!(supervisor.step(at, Input::Broken, 1.0), Command::Close);
            assert_eq!(supervisor.step(at + wait - 1, Input::Tick, 1.0), Command::Nothing);
            assert_eq!(supervisor.step(at + wait, Input::Tick, 1.0), Command::Open);
        }
        supervisor.step(6_000, Input::Applied, 1.0);
        supervisor.step(6_100, Input::Broken, 1.0);
        assert_eq!(
            supervisor.step(10_099, Input::Tick, 1.0),
            Command::Nothing,
            "a line that held a moment is no good one"
        );
        assert_eq!(supervisor.step(10_100, Input::Tick, 1.0), Command::Open);
        supervisor.step(11_000, Input::Applied, 1.0);
        supervisor.step(16_000, Input::GaveUp, 1.0);
        assert_eq!(supervisor.step(16_500, Input::Tick, 1.0), Command::Open);
    }

    #[test]
    fn a_nudge_ends_the_wait() {
        let mut supervisor = Supervisor::new(0);
        supervisor.step(0, Input::GaveUp, 1.0);
        assert_eq!(supervisor.step(1, Input::Nudge, 1.0), Command::Open);
        assert_eq!(supervisor.step(2, Input::Nudge, 1.0), Command::Nothing);
    }
}
