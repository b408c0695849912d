//! Reads one answer to a history request, in steps.
//!
//! A step reads and encodes some 64 KiB of the answer. Between two steps the job holds no connection, no transaction
//! and no thread, only its position. So a client that reads slowly, or not at all, costs little memory, does not block
//! other requests, and does not prevent SQLite from truncating its write-ahead log.
//!
//! The price: an answer does not show one single moment. Each bucket and each line is as it was when its step was read;
//! a step reads a time range of one series in one transaction. Points that arrive later in a range that was already
//! read are missing. That is enough for the page: it gets the last minutes from the stream.

use std::vec;

use rusqlite::Connection;
use shared::point::Kind;
use shared::{Millis, TimeRange};

use super::answer::{Encoder, TextLine};
use super::cancel::Cancel;
use super::error::HistoryError;
use super::past::{self, PastError};
use super::plan::Plan;
use super::query::HistoryQuery;
use crate::http::format::AnswerFormat;
use crate::log::SeriesId;
use crate::names::Named;
use crate::store::Retention;
use crate::store::damage::Damage;
use crate::store::memtable::Memtable;
use shared::reading::Detail;

/// Bytes after which a step ends.
const PIECE: usize = 64 << 10;

/// Maximum number of series in one answer.
const MAX_SERIES: usize = 1_000;

/// Maximum number of buckets in one answer, over all its series: some 40 MB of JSON.
const MAX_BUCKETS: u64 = 200_000;

/// Maximum number of buckets that are in memory at once, each with its sketch.
const MAX_AT_ONCE: u64 = 256;

/// Number of buckets in the first read of a series with sketches, whose size is not known yet.
const FIRST_WITH_BINS: u64 = 16;

/// The sources of an answer besides the database.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Blocks that are not in the tables yet.
    pub memtable: &'a Memtable,
    /// Records rows that cannot be read, which are skipped.
    pub damage: &'a Damage,
    /// The retention of each tier.
    pub retention: &'a Retention,
}

/// The result of a step.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The next bytes of the answer.
    pub bytes: Vec<u8>,
    /// True if they are the last.
    pub last: bool,
}

/// An answer in progress.
#[derive(Debug)]
pub struct Job {
    asked: HistoryQuery,
    now: Millis,
    encoder: Encoder,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is read yet of these series.
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
        /// The start of the next range to read.
        next: Millis,
        /// The number of buckets to read at a time.
        at_once: u64,
    },
    Texts {
        series: SeriesId,
        /// The first line that was not read, and its number.
        next: (Millis, i64),
        to: Millis,
        /// The number of lines that may still follow.
        left: u64,
        before: Option<TextLine>,
        more: bool,
    },
}

impl Job {
    /// Prepares the answer to `asked`, which selects the series `selected`, at the time `now`.
    ///
    /// # Errors
    /// [`HistoryError::TooMuch`] if it asks for too many series or buckets.
    pub fn new(
        asked: HistoryQuery,
        mut selected: Vec<Named>,
        form: AnswerFormat,
        now: Millis,
    ) -> Result<Self, HistoryError> {
        Self::check_size(&asked, selected.len())?;
        selected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { asked, now, encoder: Encoder::new(form), state: State::New(selected) })
    }

    /// Checks that `asked` may select this number of series.
    ///
    /// # Errors
    /// [`HistoryError::TooMuch`] if it asks for too many series or buckets.
    pub fn check_size(asked: &HistoryQuery, series: usize) -> Result<(), HistoryError> {
        if series > MAX_SERIES || (series as u64).saturating_mul(asked.points + asked.before) > MAX_BUCKETS {
            return Err(too_much(series, asked));
        }
        Ok(())
    }

    /// Reads the next piece of the answer. Blocks on the disk.
    ///
    /// # Errors
    /// [`PastError`]; the job cannot be continued after that.
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
                        let present = self.begin(conn, stored, &named)?;
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
        stored: Stored<'_>,
        &Named { ref name, series, kind }: &Named,
    ) -> rusqlite::Result<Present> {
        let HistoryQuery { span, points, before, detail, .. } = self.asked;
        match kind {
            Kind::Number => {
                let plan = Plan::new(span, points, stored.retention, self.now);
                self.encoder.begin_numbers(name);
                if before > 0 {
                    let before = usize::try_from(before).unwrap_or(usize::MAX);
                    let start = plan.span.from;
                    let newest = past::newest_before(conn, stored.memtable, stored.damage, series, start, before)?;
                    self.encoder.before(&newest, detail);
                }
                self.encoder.begin_buckets(plan.width_ms);
                let at_once = if detail == Detail::Bins { FIRST_WITH_BINS } else { MAX_AT_ONCE };
                Ok(Present::Numbers { series, plan, next: plan.span.from, at_once })
            }
            Kind::Text => {
                let texts = past::texts(conn, stored.damage, series, span, points)?;
                self.encoder.begin_texts(name);
                let before = texts.before.map(|(ts, text)| TextLine { ts, text });
                let (next, more) = (texts.first, texts.more);
                Ok(Present::Texts { series, next, to: span.to, left: points, before, more })
            }
        }
    }

    /// Reads the next part of the present series. Returns the rest of it; `None` at its end.
    fn read(&mut self, conn: &Connection, stored: Stored<'_>, present: Present) -> rusqlite::Result<Option<Present>> {
        match present {
            Present::Numbers { series, plan, next, at_once } => {
                // Several buckets of the tier may be merged into one of the answer.
                let together = (plan.width_ms / plan.tier.width_ms()).max(1);
                let count = (at_once / together).max(1);
                let to = next.plus(count.saturating_mul(plan.width_ms)).min(plan.span.to);
                let part = Plan { span: TimeRange { from: next, to }, ..plan };
                let before = self.encoder.len();
                let buckets = past::numbers(conn, stored.memtable, stored.damage, series, &part)?;
                let mut written = 0;
                for bucket in &buckets {
                    self.encoder.bucket(bucket, self.asked.detail);
                    written += 1;
                    if self.encoder.len() >= PIECE {
                        break;
                    }
                }
                let resume = match buckets.get(written) {
                    Some(bucket) => bucket.bucket.start,
                    None => to,
                };
                if resume >= plan.span.to {
                    self.encoder.end_numbers();
                    return Ok(None);
                }
                let at_once = pace(at_once, written, self.encoder.len() - before);
                Ok(Some(Present::Numbers { series, plan, next: resume, at_once }))
            }
            Present::Texts { series, next, to, mut left, before, more } => {
                let mut resume = None;
                let encoder = &mut self.encoder;
                past::each_line(conn, stored.damage, series, next, to, |(ts, seq, text)| {
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

/// Returns the number of buckets to read at a time, so that they fill about one piece. The last `written` buckets took
/// `bytes` bytes.
fn pace(at_once: u64, written: usize, bytes: usize) -> u64 {
    match bytes.checked_div(written) {
        // The range was empty, so the next one is longer.
        None => at_once.saturating_mul(2).min(MAX_AT_ONCE),
        Some(each) => (PIECE / each.max(1)).clamp(1, 256) as u64,
    }
}

fn too_much(series: usize, asked: &HistoryQuery) -> HistoryError {
    let most = MAX_SERIES.min(usize::try_from(MAX_BUCKETS / (asked.points + asked.before)).unwrap_or(usize::MAX));
    HistoryError::TooMuch { series, most, points: asked.points }
}
