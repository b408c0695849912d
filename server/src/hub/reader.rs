//! One subscriber: its position, and the next frame that it receives. A state machine without I/O: it gets the time and
//! a view of the hub, and returns the next step.

use std::sync::Arc;
use std::time::Duration;

use shared::cursor::CursorError;
use shared::{BoardEdition, ByeReason, Cursor, Epoch, Event, GapReason, Seq, contract, sse};

use super::boards::{Boards, Subscription};
use super::frame::Frame;
use super::selection::Rate;
use super::topic::Next;
use crate::clock::{Now, Uptime};

/// Delay before a browser reconnects, in milliseconds, unless `bye` says otherwise.
const RETRY_MS: u64 = 1_000;

/// The position at which a client wants to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// None: it starts afresh.
    Fresh,
    /// A cursor: it wants everything after it.
    From(Cursor),
    /// A text that is not a cursor; kept as it was written, to be named in `gap`.
    Malformed(String),
}

impl Resume {
    /// Parses Last-Event-ID. An absent or empty one is a fresh start (WHATWG HTML 9.2.3).
    #[must_use]
    pub fn parse(last_event_id: Option<&str>) -> Self {
        match last_event_id {
            None | Some("") => Self::Fresh,
            Some(text) => match text.parse() {
                Ok(cursor) => Self::From(cursor),
                Err(CursorError) => Self::Malformed(text.chars().take(80).collect()),
            },
        }
    }
}

/// The next step of a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this frame, and step again.
    Send(Frame),
    /// Step again when its topic has a new frame, or at this time.
    Wait(Uptime),
    /// Close the stream.
    End,
}

/// A subscriber's view of the hub.
pub trait Source {
    /// The epoch of new cursors.
    fn epoch(&self) -> Epoch;
    /// The last committed point.
    fn head(&self) -> Seq;
    /// Checks that a picture at `cursor` can be continued; the error is the reason why not.
    fn check(&self, cursor: Cursor) -> Result<(), GapReason>;
    /// The maximum rate of frames that the subscriber asked for.
    fn rate(&self) -> Rate;
    /// A frame with the whole selection at [`Source::head`].
    fn snapshot(&mut self) -> Frame;
    /// All changes after `seq` in one frame to [`Source::head`]; `None` if there are none.
    fn missed(&mut self, seq: Seq) -> Option<Frame>;
    /// Returns true if there are changes after `seq`.
    fn has_missed(&self, seq: Seq) -> bool;
    /// The highest seq at which a picture may contain a series that was removed.
    fn restarted(&self) -> Seq;
    /// The frame after `seq`.
    fn after(&self, seq: Seq) -> Next;
}

/// The effect of a board's change on one of its subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It continues: the same series are selected as before.
    SameSeries,
    /// It begins anew, with a snapshot.
    OtherSeries,
}

/// One subscriber. The fields are only those that each frame needs: a thread that steps thousands of subscribers spends
/// most of its time waiting for memory.
#[derive(Debug)]
pub struct Reader {
    stage: Stage,
    /// The subscriber has everything up to and including this point.
    at: Seq,
    /// The time at which a heartbeat is due, if nothing is sent before.
    heartbeat_at: Uptime,
    heartbeat_ms: u32,
    /// [`ColdFields::news`] is not empty.
    has_news: bool,
    /// [`ColdFields::warnings`] are not sent yet.
    has_warnings: bool,
    /// The value of [`Boards::changes`] when it last looked at the boards.
    board_changes: u64,
    cold: Box<ColdFields>,
}

/// The fields of a subscriber that are seldom used.
#[derive(Debug)]
struct ColdFields {
    subscription: Subscription,
    /// The edition of each of its boards that was sent, or will be sent next.
    editions: Vec<BoardEdition>,
    /// Those of `editions` that must be sent as separate events, since `hello` was sent already.
    news: Vec<BoardEdition>,
    /// The server's warnings.
    warnings: Arc<[String]>,
    /// A cursor up to this one may belong to another selection; see [`super::boards`].
    since: Seq,
}

#[derive(Debug)]
enum Stage {
    Greeting(Box<Resume>),
    Resuming,
    Starting,
    Live,
    Leaving { reason: ByeReason, retry_ms: u32 },
    Gone,
}

impl Reader {
    /// Makes a subscriber that has received nothing yet.
    #[must_use]
    pub fn new(subscription: Subscription, boards: &Boards, resume: Resume, heartbeat: Duration, now: Uptime) -> Self {
        let heartbeat_ms = u32::try_from(heartbeat.as_millis()).unwrap_or(u32::MAX);
        let (editions, since, warnings) =
            (boards.editions(&subscription), boards.since(&subscription), boards.warnings());
        Self {
            stage: Stage::Greeting(Box::new(resume)),
            at: Seq::ZERO,
            heartbeat_at: now.plus(heartbeat_ms.into()),
            heartbeat_ms,
            has_news: false,
            has_warnings: !warnings.is_empty(),
            board_changes: boards.changes(),
            cold: Box::new(ColdFields { subscription, editions, news: Vec::new(), warnings, since }),
        }
    }

    /// The subscription that the client asked for.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.cold.subscription
    }

    /// Returns true if neither its boards nor the warnings have changed since it last looked.
    pub fn is_abreast_of(&mut self, boards: &Boards) -> bool {
        if self.board_changes == boards.changes() {
            return true;
        }
        if boards.concern(&self.cold.subscription, self.board_changes) {
            return false;
        }
        self.board_changes = boards.changes();
        true
    }

    /// Looks at the boards again, and queues an event for each of its boards that changed.
    pub fn follow(&mut self, boards: &Boards, follow: Follow) {
        self.board_changes = boards.changes();
        let cold = &mut *self.cold;
        cold.since = boards.since(&cold.subscription);
        let warnings = boards.warnings();
        self.has_warnings |= warnings != cold.warnings;
        cold.warnings = warnings;
        let before = std::mem::replace(&mut cold.editions, boards.editions(&cold.subscription));
        if matches!(self.stage, Stage::Greeting(_)) {
            // `hello` will send the editions, and check the cursor.
            return;
        }
        cold.news.extend(cold.editions.iter().filter(|edition| !before.contains(edition)).cloned());
        self.has_news = !cold.news.is_empty();
        // A selection that changed and changed back counts as well: the frames in between have cursors that, in a copy
        // of the store from in between, belong to the other selection.
        let is_behind = cold.since > self.at;
        if (follow == Follow::OtherSeries || is_behind) && matches!(self.stage, Stage::Resuming | Stage::Live) {
            self.stage = Stage::Starting;
        }
    }

    /// Ends the stream: the next step sends `bye`, and the one after closes.
    pub fn leave(&mut self, reason: ByeReason, retry_ms: u32) {
        if !matches!(self.stage, Stage::Gone) {
            self.stage = Stage::Leaving { reason, retry_ms };
        }
    }

    /// Returns true if its next step may be a large frame made for it: a snapshot, or everything that it missed.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.catches_up_from().is_some()
    }

    /// The cursor after which the next step sends all changes; zero for a snapshot. `None` if the subscriber is not
    /// catching up.
    #[must_use]
    pub fn catches_up_from(&self) -> Option<Seq> {
        match self.stage {
            Stage::Starting => Some(Seq::ZERO),
            Stage::Resuming => Some(self.at),
            _ => None,
        }
    }

    /// Returns the next step.
    pub fn next(&mut self, source: &mut impl Source, now: Now) -> Step {
        let step = self.decide(source, now);
        if matches!(step, Step::Send(_)) {
            self.heartbeat_at = now.up.plus(self.heartbeat_ms.into());
        }
        step
    }

    fn decide(&mut self, source: &mut impl Source, now: Now) -> Step {
        // Sent with the cursor that the subscriber has: if the connection breaks before the snapshot, the client comes
        // back for it.
        if self.has_news && matches!(self.stage, Stage::Resuming | Stage::Starting | Stage::Live) {
            let news = std::mem::take(&mut self.cold.news);
            self.has_news = false;
            let frame = |edition| sse::frame(id(source, self.at), &Event::Board(edition));
            return Step::Send(Frame::new(&news.into_iter().map(frame).collect::<String>()));
        }
        if self.has_warnings && matches!(self.stage, Stage::Live) {
            self.has_warnings = false;
            let warnings = self.cold.warnings.to_vec();
            return Step::Send(Frame::new(&sse::frame(id(source, self.at), &Event::Warnings { warnings })));
        }
        match std::mem::replace(&mut self.stage, Stage::Live) {
            Stage::Greeting(resume) => self.greet(source, &resume, now),
            Stage::Resuming => self.resume(source, now),
            Stage::Starting => {
                self.at = source.head();
                Step::Send(source.snapshot())
            }
            Stage::Live => self.go_on(source, now),
            Stage::Leaving { reason, retry_ms } => {
                self.stage = Stage::Gone;
                let bye = sse::frame(id(source, self.at), &Event::Bye { reason, retry_ms: retry_ms.into() });
                Step::Send(Frame::new(&format!("retry: {retry_ms}\n{bye}")))
            }
            Stage::Gone => {
                self.stage = Stage::Gone;
                Step::End
            }
        }
    }

    /// Sends `hello` with the cursor that the subscriber has, not the newest: a connection that breaks right after it
    /// loses nothing.
    fn greet(&mut self, source: &impl Source, resume: &Resume, now: Now) -> Step {
        let gap = match resume {
            Resume::Fresh => None,
            Resume::Malformed(text) => Some((text.clone(), GapReason::Malformed)),
            Resume::From(cursor) => match source.check(*cursor) {
                Err(reason) => Some((cursor.to_string(), reason)),
                Ok(()) => {
                    self.at = cursor.seq;
                    None
                }
            },
        };
        self.stage = match resume {
            // At seq zero there is no picture to continue, nor is there one if its boards selected other series then.
            Resume::From(cursor) if gap.is_none() && cursor.seq > self.cold.since => Stage::Resuming,
            _ => Stage::Starting,
        };
        let hello = Event::Hello {
            contract: contract::hash(),
            epoch: source.epoch(),
            heartbeat_ms: self.heartbeat_ms.into(),
            now: now.wall,
            boards: self.cold.editions.clone(),
        };
        let mut frames = format!("retry: {RETRY_MS}\n{}", sse::frame(id(source, self.at), &hello));
        if let Some((from, reason)) = gap {
            frames.push_str(&self.gap(source, from, reason));
        }
        Step::Send(Frame::new(&frames))
    }

    /// Sends a returning subscriber everything that it missed, in one update. With `hz=0` it wants every change
    /// separately, so the frames must still be there.
    fn resume(&mut self, source: &mut impl Source, now: Now) -> Step {
        if self.at < source.restarted() || (source.rate() == Rate::EveryChange && source.has_missed(self.at)) {
            return self.go_on(source, now);
        }
        let missed = source.missed(self.at);
        self.at = source.head();
        // `hello` alone does not confirm the picture. A subscriber that missed nothing gets a heartbeat with its
        // cursor, so that it knows.
        Step::Send(missed.unwrap_or_else(|| self.heartbeat(source, now)))
    }

    fn go_on(&mut self, source: &mut impl Source, now: Now) -> Step {
        match source.after(self.at) {
            Next::Snapshot => {
                self.at = source.head();
                Step::Send(source.snapshot())
            }
            Next::Frame { to, frame } => {
                self.at = to;
                Step::Send(frame)
            }
            Next::TooOld => {
                self.stage = Stage::Starting;
                let from = id(source, self.at).to_string();
                Step::Send(Frame::new(&self.gap(source, from, GapReason::TooOld)))
            }
            Next::UpToDate if now.up >= self.heartbeat_at => Step::Send(self.heartbeat(source, now)),
            Next::UpToDate => Step::Wait(self.heartbeat_at),
        }
    }

    /// Makes a heartbeat: nothing changed up to the subscriber's position.
    fn heartbeat(&self, source: &impl Source, now: Now) -> Frame {
        Frame::new(&sse::frame(id(source, self.at), &Event::Heartbeat { now: now.wall }))
    }

    /// Makes a `gap`. It sets the position to seq zero: if the connection breaks before the snapshot, the client starts
    /// afresh.
    fn gap(&mut self, source: &impl Source, from: String, reason: GapReason) -> String {
        self.at = Seq::ZERO;
        let to = id(source, source.head()).to_string();
        sse::frame(id(source, Seq::ZERO), &Event::Gap { from, to, reason })
    }
}

fn id(source: &impl Source, seq: Seq) -> Cursor {
    Cursor { epoch: source.epoch(), seq }
}
