//! One answer, read in steps.
//!
//! A step reads and writes down some 64 KiB of the answer. Between two steps the job holds no connection, no transaction and
//! no thread, only where it is. So a reader that takes its answer slowly, or not at all, costs little memory, keeps
//! nobody from reading, and does not keep SQLite from shortening its write-ahead log.
//!
//! The price: an answer is not of one moment. Each bucket, and each line, is as it was when its step was read; a step reads a
//! stretch of one series in one transaction. Points that come meanwhile into stretches that were read already are not in
//! the answer. The page does not depend on more: what it shows of the last minutes comes from the stream.

use std::vec;

use rusqlite::Connection;
use shared::point::Kind;
use shared::{Millis, Stretch};

use super::answer::{Encoder, Form, TextLine};
use super::cancel::Cancel;
use super::past::{self, PastError};
use super::plan::Plan;
use super::query::{Asked, Detail};
use crate::names::Named;
use crate::problem::ApiError;
use crate::store::damage::Damage;
use crate::store::fresh::Fresh;
use crate::store::{Retention, SeriesId};

/// Bytes of the answer that end a step.
const PIECE: usize = 64 << 10;

/// Most series in one answer.
const MAX_SERIES: usize = 1_000;

/// Most buckets of one answer, over all its series: some 40 MB of JSON.
const MAX_BUCKETS: u64 = 200_000;

/// Most buckets that are in memory at once, each with its sketch.
const MAX_AT_ONCE: u64 = 256;

/// Buckets that are read first of a series whose sketches are told: nothing is known of their size yet.
const FIRST_WITH_BINS: u64 = 16;

/// What the answer is read from, beside the database.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// What is not in the tables yet.
    pub fresh: &'a Fresh,
    /// Rows that cannot be read, which are left out.
    pub damage: &'a Damage,
    /// How long what is kept.
    pub retention: &'a Retention,
}

/// What a step gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The next bytes of the answer.
    pub bytes: Vec<u8>,
    /// Whether they are the last.
    pub last: bool,
}

/// An answer under way.
#[derive(Debug)]
pub struct Job {
    asked: Asked,
    now: Millis,
    encoder: Encoder,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was read of these series.
    New(Vec<Named>),
    /// These series are still to be read, after the present one.
    Reading(vec::IntoIter<Named>, Option<Present>),
    /// All was read.
    Done,
}

/// The series that is being read.
#[derive(Debug)]
enum Present {
    Numbers {
        series: SeriesId,
        plan: Plan,
        /// Where the next stretch begins.
        next: Millis,
        /// How many buckets to read at once.
        at_once: u64,
    },
    Texts {
        series: SeriesId,
        /// The first line that was not read, and its number.
        next: (Millis, i64),
        to: Millis,
        /// How many lines may come at most.
        left: u64,
        before: Option<TextLine>,
        more: bool,
    },
}

impl Job {
    /// The answer to `asked` by the clock `now`, of the series that it selects.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where it is about too much.
    pub fn new(asked: Asked, mut selected: Vec<Named>, form: Form, now: Millis) -> Result<Self, ApiError> {
        if selected.len() > MAX_SERIES || selected.len() as u64 * asked.points > MAX_BUCKETS {
            return Err(too_much(selected.len(), &asked));
        }
        selected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { asked, now, encoder: Encoder::new(form), state: State::New(selected) })
    }

    /// Reads the next piece of the answer. Takes as long as the disk does.
    ///
    /// # Errors
    /// [`PastError`]; the job is of no use after that.
    pub fn step(&mut self, conn: &Connection, stored: Stored<'_>, cancel: &Cancel) -> Result<Piece, PastError> {
        while self.encoder.len() < PIECE && !matches!(self.state, State::Done) {
            cancel.check()?;
            self.state = match std::mem::replace(&mut self.state, State::Done) {
                State::New(selected) => {
                    self.encoder.begin();
                    State::Reading(selected.into_iter(), None)
                }
                State::Reading(rest, Some(present)) => State::Reading(rest, self.read(conn, stored, present)?),
                State::Reading(mut rest, None) => match rest.next() {
                    Some(named) => {
                        let present = self.begin(conn, stored.retention, &named)?;
                        State::Reading(rest, Some(present))
                    }
                    None => {
                        self.encoder.end();
                        State::Done
                    }
                },
                State::Done => State::Done,
            };
        }
        Ok(Piece { bytes: self.encoder.take(), last: matches!(self.state, State::Done) })
    }

    fn begin(
        &mut self,
        conn: &Connection,
        retention: &Retention,
        &Named { ref name, series, kind }: &Named,
    ) -> rusqlite::Result<Present> {
        let Asked { span, points, detail, .. } = self.asked;
        match kind {
            Kind::Number => {
                let plan = Plan::new(span, points, retention, self.now);
                self.encoder.begin_numbers(name, plan.width_ms);
                let at_once = if detail == Detail::Bins { FIRST_WITH_BINS } else { MAX_AT_ONCE };
                Ok(Present::Numbers { series, plan, next: plan.span.from, at_once })
            }
            Kind::Text => {
                let texts = past::texts(conn, series, span, points)?;
                self.encoder.begin_texts(name);
                let before = texts.before.map(|(ts, text)| TextLine { ts, text });
                let (next, more) = (texts.first, texts.more);
                Ok(Present::Texts { series, next, to: span.to, left: points, before, more })
            }
        }
    }

    /// Reads on in the present series. Gives what is left of it.
    fn read(&mut self, conn: &Connection, stored: Stored<'_>, present: Present) -> rusqlite::Result<Option<Present>> {
        match present {
            Present::Numbers { series, plan, next, at_once } => {
                // Several buckets of the tier may be told as one.
                let together = (plan.width_ms / plan.tier.width_ms()).max(1);
                let count = (at_once / together).max(1);
                let to = next.plus(count.saturating_mul(plan.width_ms)).min(plan.span.to);
                let part = Plan { span: Stretch { from: next, to }, ..plan };
                let before = self.encoder.len();
                let buckets = past::numbers(conn, stored.fresh, stored.damage, series, &part)?;
                let mut told = 0;
                for bucket in &buckets {
                    self.encoder.bucket(bucket, self.asked.detail);
                    told += 1;
                    if self.encoder.len() >= PIECE {
                        break;
                    }
                }
                let resume = match buckets.get(told) {
                    Some(bucket) => bucket.bucket.start,
                    None => to,
                };
                if resume >= plan.span.to {
                    self.encoder.end_numbers();
                    return Ok(None);
                }
                let at_once = pace(at_once, told, self.encoder.len() - before);
                Ok(Some(Present::Numbers { series, plan, next: resume, at_once }))
            }
            Present::Texts { series, next, to, mut left, before, more } => {
                let mut resume = None;
                let encoder = &mut self.encoder;
                past::each_line(conn, series, next, to, |(ts, seq, text)| {
                    if left == 0 {
                        return false;
                    }
                    encoder.line(&TextLine { ts, text });
                    left -= 1;
                    resume = (encoder.len() >= PIECE).then_some((ts, seq.saturating_add(1)));
                    resume.is_none()
                })?;
                match resume.filter(|_| left > 0) {
                    Some(next) => Ok(Some(Present::Texts { series, next, to, left, before, more })),
                    None => {
                        self.encoder.end_texts(before.as_ref(), more);
                        Ok(None)
                    }
                }
            }
        }
    }
}

/// How many buckets to read at once, after `told` of them took so many bytes: about as many as fill a piece.
fn pace(at_once: u64, told: usize, bytes: usize) -> u64 {
    match bytes.checked_div(told) {
        // Nothing was there, so what follows is read in longer stretches.
        None => at_once.saturating_mul(2).min(MAX_AT_ONCE),
        Some(each) => (PIECE / each.max(1)).clamp(1, 256) as u64,
    }
}

fn too_much(series: usize, asked: &Asked) -> ApiError {
    let most = MAX_SERIES.min(usize::try_from(MAX_BUCKETS / asked.points).unwrap_or(usize::MAX));
    let expected = format!(
        "selectors of at most {most} series with points={}; narrow them, or ask for fewer points",
        asked.points
    );
    ApiError::field("series", expected, format!("{series} series"))
}
