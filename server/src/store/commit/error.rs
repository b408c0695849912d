//! The reasons why the store refuses a push or another operation. `http/problem/conversions` turns them
//! into the errors of the API.

use std::time::Duration;

use rusqlite::ErrorCode;
use shared::SeriesName;
use shared::point::Kind;

use crate::limits::Limit;

/// The longest time that a job waits for the writer thread before it is withdrawn.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Seconds after which a sender may try again to start new series: an operator must raise the flag first.
const MORE_SERIES_AFTER_SECONDS: u32 = 60;

/// The reason why a push was refused. Nothing of it was stored, unless the error is [`CommitError::LeftOut`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The push has points of another kind than their series holds.
    #[error("{} of its points are not of the kind that their series holds", .0.count())]
    OtherKind(Unfit),
    /// The push has points of days whose finest buckets are deleted, so the points could not be added.
    #[error(
        "{} of its points are of days that are kept only as coarser buckets by now; what is there of such a day cannot be added to: delete the series first, or import to another one",
        .0.count()
    )]
    Compacted(Unfit),
    /// The push was [partial](crate::log::Atomicity::Partial) and has points that cannot be added to their series.
    /// They were left out; the other points are stored.
    #[error("{} of its points cannot be added to their series; the others are stored", .0.count())]
    LeftOut(Unfit),
    /// The idempotency key belongs to another push.
    #[error("its idempotency key belongs to another push of the last 24 hours")]
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
    /// The shared log cannot be reached, or refuses what is appended.
    #[error("{0}")]
    LogAway(String),
    /// The shared log was lost while the push was appended, or this node cannot apply it now. It may be stored.
    #[error("{0}")]
    InDoubt(String),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
}

/// The points of a push that cannot be added to their series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfit {
    /// The first of these points.
    pub listed: Vec<UnfitPoint>,
    /// The places of all others in the push, counted from 1, or their lines.
    pub others: Vec<usize>,
}

/// A point that cannot be added to its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitPoint {
    /// The place of the point in the push, counted from 1, or its line.
    pub at: usize,
    /// The reason.
    pub why: UnfitReason,
}

/// The reason why a point cannot be added to its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnfitReason {
    /// The series holds values of another kind.
    OtherKind {
        /// The series.
        series: SeriesName,
        /// The kind that it holds.
        holds: Kind,
    },
    /// The finest buckets of the point's day are deleted.
    Compacted,
}

impl Unfit {
    /// The most points that are listed.
    const MAX_LISTED: usize = 1_000;

    /// Returns the number of such points.
    #[must_use]
    pub fn count(&self) -> usize {
        self.listed.len() + self.others.len()
    }

    /// Adds a point that comes after all others in the push. `why` is called only if the point is listed.
    pub(super) fn add(&mut self, at: usize, why: impl FnOnce() -> UnfitReason) {
        if self.listed.len() < Self::MAX_LISTED {
            self.listed.push(UnfitPoint { at, why: why() });
        } else {
            self.others.push(at);
        }
    }

    /// Adds the points of `other`.
    pub(super) fn extend(&mut self, other: Self) {
        self.listed.extend(other.listed);
        self.listed.sort_unstable_by_key(|point| point.at);
        let beyond = self.listed.len().min(Self::MAX_LISTED);
        self.others.extend(self.listed.drain(beyond..).map(|point| point.at));
        self.others.extend(other.others);
        self.others.sort_unstable();
    }

    /// Returns the result of a partial push that was stored without these points.
    pub(super) fn into_result(self) -> Result<(), CommitError> {
        if self.count() == 0 { Ok(()) } else { Err(CommitError::LeftOut(self)) }
    }
}

impl CommitError {
    /// Replaces the places of points by their lines. `lines` holds the line of each point of the push.
    #[must_use]
    pub fn at_lines(mut self, lines: &[u32]) -> Self {
        let line = |at: usize| at.checked_sub(1).and_then(|at| lines.get(at)).map_or(at, |&line| line as usize);
        if let Self::OtherKind(unfit) | Self::Compacted(unfit) | Self::LeftOut(unfit) = &mut self {
            let listed = unfit.listed.iter_mut().map(|point| &mut point.at);
            listed.chain(&mut unfit.others).for_each(|at| *at = line(*at));
        }
        self
    }
}

impl CommitError {
    /// Returns true if only this node refuses the entry: others that apply the same entry do not.
    pub(in crate::store) fn is_of_this_node(&self) -> bool {
        match self {
            Self::DiskFull | Self::Damaged(_) | Self::Locked | Self::Database(_) | Self::Lost(_) => true,
            Self::LimitReached { limit, .. } => matches!(limit, Limit::Data | Limit::Disk),
            _ => false,
        }
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
