//! One reader: where it is, and what it has to hear next. A state machine without I/O: it is told the time and shown
//! the frames, and answers what to do.

use std::sync::Arc;
use std::time::Duration;

use shared::cursor::CursorError;
use shared::{BoardEdition, ByeReason, Cursor, Epoch, Event, GapReason, Seq, contract, sse};

use super::boards::{Boards, Interest};
use super::frame::Frame;
use super::selection::Rate;
use super::topic::Next;
use crate::clock::{Now, Uptime};

/// How long a browser waits before it connects again by itself, in milliseconds, unless `bye` says otherwise.
const RETRY_MS: u64 = 1_000;

/// What a reader brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Nothing: it starts afresh.
    Fresh,
    /// A cursor: it wants what it missed.
    From(Cursor),
    /// Something that is no cursor; kept as it was written, to be named in `gap`.
    Malformed(String),
}

impl Resume {
    /// Reads what came as Last-Event-ID. Nothing, or an empty one, is a fresh start (WHATWG HTML 9.2.3).
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

/// What a reader has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this, and ask again.
    Send(Frame),
    /// Ask again when its topic has a new frame, or at this time.
    Wait(Uptime),
    /// Close the stream.
    End,
}

/// What a reader sees of the hub.
pub trait Source {
    /// The epoch of the cursors that are given out.
    fn epoch(&self) -> Epoch;
    /// The last point there is.
    fn head(&self) -> Seq;
    /// Checks that a picture at `cursor` can be continued; the error is the reason why not.
    fn check(&self, cursor: Cursor) -> Result<(), GapReason>;
    /// How often the reader wants to hear.
    fn rate(&self) -> Rate;
    /// All of the selection at [`Source::head`].
    fn snapshot(&mut self) -> Frame;
    /// All changes after `seq` in one frame to [`Source::head`]; `None` if there are none.
    fn missed(&mut self, seq: Seq) -> Option<Frame>;
    /// Tells whether there are changes after `seq`.
    fn has_missed(&self, seq: Seq) -> bool;
    /// A picture that is not beyond this point may have a series that was removed.
    fn restarted(&self) -> Seq;
    /// The frame after `seq`.
    fn after(&self, seq: Seq) -> Next;
}

/// What a change of a board means for a reader of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It goes on: the same series are selected as before.
    SameSeries,
    /// It begins anew, with a snapshot.
    OtherSeries,
}

/// One reader. Here is only what each frame has to do with: whoever walks thousands of them waits for memory more than
/// for anything else.
#[derive(Debug)]
pub struct Reader {
    stage: Stage,
    /// It has all up to and with this point.
    at: Seq,
    /// When it will have heard nothing for as long as a heartbeat is due.
    heartbeat_at: Uptime,
    heartbeat_ms: u32,
    /// There is [`Aside::news`].
    has_news: bool,
    /// [`Aside::warnings`] are not sent yet.
    has_warnings: bool,
    /// The boards as it last looked at them, by [`Boards::changes`].
    board_changes: u64,
    aside: Box<Aside>,
}

/// What of a reader is seldom looked at.
#[derive(Debug)]
struct Aside {
    interest: Interest,
    /// The edition of each of its boards that it was told, or is about to be.
    editions: Vec<BoardEdition>,
    /// Of those, what it is about to be told by itself, since `hello` is over.
    news: Vec<BoardEdition>,
    /// The server's warnings.
    warnings: Arc<[String]>,
    /// A cursor up to this one may be of another selection; see [`super::boards`].
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
    /// A reader that has heard nothing yet.
    #[must_use]
    pub fn new(interest: Interest, boards: &Boards, resume: Resume, heartbeat: Duration, now: Uptime) -> Self {
        let heartbeat_ms = u32::try_from(heartbeat.as_millis()).unwrap_or(u32::MAX);
        let (editions, since, warnings) = (boards.editions(&interest), boards.since(&interest), boards.warnings());
        Self {
            stage: Stage::Greeting(Box::new(resume)),
            at: Seq::ZERO,
            heartbeat_at: now.plus(heartbeat_ms.into()),
            heartbeat_ms,
            has_news: false,
            has_warnings: !warnings.is_empty(),
            board_changes: boards.changes(),
            aside: Box::new(Aside { interest, editions, news: Vec::new(), warnings, since }),
        }
    }

    /// What it asked for.
    #[must_use]
    pub fn interest(&self) -> &Interest {
        &self.aside.interest
    }

    /// Tells whether neither its boards nor the warnings have changed since it last looked.
    pub fn is_abreast_of(&mut self, boards: &Boards) -> bool {
        if self.board_changes == boards.changes() {
            return true;
        }
        if boards.concern(&self.aside.interest, self.board_changes) {
            return false;
        }
        self.board_changes = boards.changes();
        true
    }

    /// Looks at the boards again. It will tell which of its own changed.
    pub fn follow(&mut self, boards: &Boards, follow: Follow) {
        self.board_changes = boards.changes();
        let aside = &mut *self.aside;
        aside.since = boards.since(&aside.interest);
        let warnings = boards.warnings();
        self.has_warnings |= warnings != aside.warnings;
        aside.warnings = warnings;
        let before = std::mem::replace(&mut aside.editions, boards.editions(&aside.interest));
        if matches!(self.stage, Stage::Greeting(_)) {
            // `hello` will say which editions there are, and look at the cursor.
            return;
        }
        aside.news.extend(aside.editions.iter().filter(|edition| !before.contains(edition)).cloned());
        self.has_news = !aside.news.is_empty();
        // A selection that changed and changed back counts as well: the frames in between have cursors that, in a copy of the
        // store from in between, belong to the other selection.
        let is_behind = aside.since > self.at;
        if (follow == Follow::OtherSeries || is_behind) && matches!(self.stage, Stage::Resuming | Stage::Live) {
            self.stage = Stage::Starting;
        }
    }

    /// The stream is to end: the next step says `bye`, and the one after closes.
    pub fn leave(&mut self, reason: ByeReason, retry_ms: u32) {
        if !matches!(self.stage, Stage::Gone) {
            self.stage = Stage::Leaving { reason, retry_ms };
        }
    }

    /// Tells whether its next step may be a large frame made for it: a snapshot, or all that it missed while it was away.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.catches_up_from().is_some()
    }

    /// The cursor after which the next step has all changes; zero for a snapshot. `None` if the reader is not catching up.
    #[must_use]
    pub fn catches_up_from(&self) -> Option<Seq> {
        match self.stage {
            Stage::Starting => Some(Seq::ZERO),
            Stage::Resuming => Some(self.at),
            _ => None,
        }
    }

    /// What to do now.
    pub fn next(&mut self, source: &mut impl Source, now: Now) -> Step {
        let step = self.decide(source, now);
        if matches!(step, Step::Send(_)) {
            self.heartbeat_at = now.up.plus(self.heartbeat_ms.into());
        }
        step
    }

    fn decide(&mut self, source: &mut impl Source, now: Now) -> Step {
        // Under the cursor that the reader has: if the line is cut before the snapshot, it comes back for it.
        if self.has_news && matches!(self.stage, Stage::Resuming | Stage::Starting | Stage::Live) {
            let news = std::mem::take(&mut self.aside.news);
            self.has_news = false;
            let frame = |edition| sse::frame(id(source, self.at), &Event::Board(edition));
            return Step::Send(Frame::new(&news.into_iter().map(frame).collect::<String>()));
        }
        if self.has_warnings && matches!(self.stage, Stage::Live) {
            self.has_warnings = false;
            let warnings = self.aside.warnings.to_vec();
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

    /// `hello` carries the cursor that the reader has, not the newest: a line cut right after it loses nothing.
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
            // Before all points there is no picture to continue, nor is there where its boards selected others.
            Resume::From(cursor) if gap.is_none() && cursor.seq > self.aside.since => Stage::Resuming,
            _ => Stage::Starting,
        };
        let hello = Event::Hello {
            contract: contract::hash(),
            epoch: source.epoch(),
            heartbeat_ms: self.heartbeat_ms.into(),
            now: now.wall,
            boards: self.aside.editions.clone(),
        };
        let mut frames = format!("retry: {RETRY_MS}\n{}", sse::frame(id(source, self.at), &hello));
        if let Some((from, reason)) = gap {
            frames.push_str(&self.gap(source, from, reason));
        }
        Step::Send(Frame::new(&frames))
    }

    /// A reader that came back hears all that it missed in one update; where it wants every change by itself, the
    /// frames must still be there.
    fn resume(&mut self, source: &mut impl Source, now: Now) -> Step {
        if self.at < source.restarted() || (source.rate() == Rate::EveryChange && source.has_missed(self.at)) {
            return self.go_on(source, now);
        }
        let missed = source.missed(self.at);
        self.at = source.head();
        // Hello alone says nothing of the picture: one that missed nothing hears just that, so that it knows.
        Step::Send(missed.unwrap_or_else(|| self.heartbeat(source, now)))
    }

    fn go_on(&mut self, source: &mut impl Source, now: Now) -> Step {
        match source.after(self.at) {
            Next::Anew => {
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

    /// Nothing changed up to where the reader is.
    fn heartbeat(&self, source: &impl Source, now: Now) -> Frame {
        Frame::new(&sse::frame(id(source, self.at), &Event::Heartbeat { now: now.wall }))
    }

    /// A gap takes the reader back to before all points: if the line is cut before the snapshot, it starts afresh.
    fn gap(&mut self, source: &impl Source, from: String, reason: GapReason) -> String {
        self.at = Seq::ZERO;
        let to = id(source, source.head()).to_string();
        sse::frame(id(source, Seq::ZERO), &Event::Gap { from, to, reason })
    }
}

fn id(source: &impl Source, seq: Seq) -> Cursor {
    Cursor { epoch: source.epoch(), seq }
}
