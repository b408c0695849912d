//! The reasons why a push is refused, and the API errors that they become.

use rusqlite::ErrorCode;
use shared::SeriesName;
use shared::point::Kind;
use shared::problem::FieldError;

use crate::limits::Limit;
use crate::problem::ApiError;
use crate::store::claim::LONGEST_WAIT;

/// Seconds after which a sender may try again to start new series: an operator must raise the flag first.
const MORE_SERIES_AFTER_SECONDS: u32 = 60;

/// The reason why a push was refused. Nothing of it was stored, unless the error is [`CommitError::LeftOut`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The push has points of another kind than their series holds.
    #[error("{} of its points are not of the kind that their series holds", .0.count())]
    OtherKind(Mismatches),
    /// The push was [partial](crate::store::Atomicity::Partial) and has points of another kind than their series
    /// holds. They were left out; the other points are stored.
    #[error("{} of its points are not of the kind that their series holds; the others are stored", .0.count())]
    LeftOut(Mismatches),
    /// The push has points of days whose finest buckets are deleted, so the points could not be added.
    #[error(
        "{count} of its points are of days that are kept only as coarser buckets by now; what is there of such a day cannot be added to: delete the series first, or import to another one"
    )]
    Compacted {
        /// The number of such points.
        count: usize,
        /// The places of the first of them in the push, counted from 1, or their lines.
        listed: Vec<usize>,
    },
    /// The idempotency key belongs to another push.
    #[error(
        "the Idempotency-Key belongs to another push, with another address or body, of the last 24 hours; give each push a key of its own, and repeat a push unchanged"
    )]
    KeyReused,
    /// A bound is reached.
    #[error("{detail}")]
    LimitReached {
        /// The bound.
        limit: Limit,
        /// A sentence that names the flag, its value and what to do.
        detail: String,
        /// Seconds after which the same push may be stored; `None` if it never will be.
        retry_after: Option<u32>,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The row of this series in the database is damaged.
    #[error("the row of the series {0} in the database is damaged; push to another series, or repair the database")]
    Damaged(SeriesName),
    /// A series of the push was removed since the push was parsed.
    #[error("a series of this push was deleted in the same moment")]
    Removed,
    /// Another program has held the database for longer than a second.
    #[error("the database is locked by another program")]
    Locked,
    /// The database cannot be written.
    #[error("the database cannot be written: {0}")]
    Database(String),
    /// The writer thread did not take the job within [`LONGEST_WAIT`].
    #[error("the store was too busy to take it within {} s", LONGEST_WAIT.as_secs())]
    Overdue,
    /// Too many requests wait for the store.
    #[error("too many requests wait for the store")]
    Busy,
    /// The file is no longer the one that was opened.
    #[error("{0}")]
    Lost(String),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
}

/// The points of a push that are of the wrong kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatches {
    /// The first of these points.
    pub listed: Vec<Mismatch>,
    /// The places of all others in the push, counted from 1, or their lines.
    pub others: Vec<usize>,
}

/// A point of the wrong kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The place of the point in the push, counted from 1, or its line.
    pub at: usize,
    /// The series of the point.
    pub series: SeriesName,
    /// The kind that the series holds.
    pub holds: Kind,
}

impl Mismatches {
    /// Returns the places of all these points, in ascending order.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.listed.iter().map(|mismatch| mismatch.at).chain(self.others.iter().copied())
    }

    /// Returns the number of such points.
    #[must_use]
    pub fn count(&self) -> usize {
        self.listed.len() + self.others.len()
    }

    /// Returns the result of a partial push that was stored without these points.
    pub(super) fn into_result(self) -> Result<(), CommitError> {
        if self.count() == 0 { Ok(()) } else { Err(CommitError::LeftOut(self)) }
    }
}

impl Mismatch {
    /// Returns the error as clients receive it.
    #[must_use]
    pub fn into_error(self) -> FieldError {
        let Self { at, series, holds } = self;
        let (field, expected, got) = match holds {
            Kind::Number => ("text", "a number", "a text"),
            Kind::Text => ("value", "a text", "a number"),
        };
        let expected = format!("{expected}, which is what {series} holds since its first point");
        FieldError { line: Some(at), field: field.to_owned(), expected, got: got.to_owned() }
    }
}

impl CommitError {
    /// Replaces the places of points by their lines. `lines` holds the line of each point of the push.
    #[must_use]
    pub fn at_lines(mut self, lines: &[u32]) -> Self {
        let line = |at: usize| at.checked_sub(1).and_then(|at| lines.get(at)).map_or(at, |&line| line as usize);
        match &mut self {
            Self::OtherKind(wrong) | Self::LeftOut(wrong) => {
                let listed = wrong.listed.iter_mut().map(|mismatch| &mut mismatch.at);
                listed.chain(&mut wrong.others).for_each(|at| *at = line(*at));
            }
            Self::Compacted { listed, .. } => {
                listed.iter_mut().for_each(|at| *at = line(*at));
                listed.dedup();
            }
            _ => {}
        }
        self
    }
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let detail = error.to_string();
        let Mismatches { listed, others } = match error {
            CommitError::OtherKind(wrong) => wrong,
            CommitError::LeftOut(wrong) => {
                let errors = wrong.listed.into_iter().map(Mismatch::into_error).collect();
                return Self::PartialWrite { detail, errors };
            }
            CommitError::Compacted { listed, .. } => {
                let error = |line| FieldError {
                    line: Some(line),
                    field: "ts".to_owned(),
                    expected: "a time of a day that can still be added to".to_owned(),
                    got: "one of a compacted day".to_owned(),
                };
                let errors = listed.into_iter().map(error).collect();
                return Self::Invalid { detail: format!("{detail}; nothing was stored"), errors };
            }
            CommitError::LimitReached { limit, detail, retry_after } => {
                return Self::LimitReached { limit, detail, retry_after };
            }
            CommitError::KeyReused => return Self::KeyReused(detail),
            CommitError::Busy | CommitError::Overdue => return Self::Overloaded(detail),
            _ => return Self::Unavailable(detail),
        };
        let mut detail = format!("{detail}, so nothing was stored");
        if !others.is_empty() {
            detail = format!("{detail}; the first {} are listed", listed.len());
        }
        Self::Invalid { detail, errors: listed.into_iter().map(Mismatch::into_error).collect() }
    }
}

/// Refuses a push that would start `begun` series when the store has `there` series and may have `most`.
pub(super) fn too_many_series(there: usize, begun: usize, most: usize) -> CommitError {
    CommitError::LimitReached {
        limit: Limit::Series,
        detail: format!(
            "there are {there} series and the push would start {begun} more; the store may hold at most {most} (--max-series); push to existing series, or raise --max-series; nothing of this was stored"
        ),
        retry_after: Some(MORE_SERIES_AFTER_SECONDS),
    }
}
