//! Reasons why a question about the past is not answered.

use std::fmt;

use bytesize::ByteSize;

use super::cancel::Stopped;
use super::past::PastError;
use crate::limits::Limit;

/// Seconds after which a client may retry if the maximum number of answers is in progress.
const RETRY_AFTER: u32 = 2;

/// Seconds after which a client may retry if a step took too long.
const SLOW_RETRY_AFTER: u32 = 5;

/// The longest step that reads the past, in seconds.
pub(super) const LONGEST_STEP_SECONDS: u64 = 10;

/// Reason why a question about the past is not answered; each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The question is about more series than an answer may have.
    #[error("{series} series; at most {most} are allowed with points={points}")]
    TooMuch {
        /// The series that the selectors match.
        series: usize,
        /// The most series of an answer with this number of points.
        most: usize,
        /// The number of points of each series.
        points: u64,
    },
    /// The maximum number of answers is in progress.
    #[error("{most} answers of /api/history{of} (--max-history); try again in {RETRY_AFTER} s, or raise --max-history")]
    Full {
        /// The maximum.
        most: usize,
        /// The answers that are counted.
        of: Of,
    },
    /// The answer has more bytes than this.
    #[error("the answer has over {} (--max-history-bytes); ask for less at a time", ByteSize::b(*.0))]
    TooLong(u64),
    /// The answer took more seconds than this.
    #[error("the answer took over {0} s; ask for less at a time")]
    TooSlow(u64),
    /// One step took too long.
    #[error("reading the past took over {LONGEST_STEP_SECONDS} s; ask for less at a time, or try again later")]
    StepTooSlow,
    /// The store cannot be read now.
    #[error("{0}")]
    Unreadable(String),
}

/// The answers that are counted against a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All answers.
    All,
    /// The answers to one address.
    Client,
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => " are in progress, the most at a time",
            Self::Client => " to your address are in progress, half of the most at a time",
        })
    }
}

impl HistoryError {
    /// Returns the bound that was reached, if that is the reason.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Full { .. } => Some(Limit::History),
            Self::TooLong(_) => Some(Limit::HistoryBytes),
            Self::TooSlow(_) | Self::StepTooSlow => Some(Limit::HistoryTime),
            Self::TooMuch { .. } | Self::Unreadable(_) => None,
        }
    }

    /// Returns the seconds after which the same request may succeed; `None` if it never will.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Full { .. } => Some(RETRY_AFTER),
            Self::StepTooSlow => Some(SLOW_RETRY_AFTER),
            _ => None,
        }
    }
}

impl From<PastError> for HistoryError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Stopped(Stopped::TooLong) => Self::StepTooSlow,
            PastError::Stopped(Stopped::Unwanted) => Self::Unreadable(Stopped::Unwanted.to_string()),
            PastError::Database(error) => Self::Unreadable(error.to_string()),
            PastError::Lost(why) => Self::Unreadable(why),
        }
    }
}
