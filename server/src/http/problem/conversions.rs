//! Conversions of the errors of all layers below the HTTP edge into [`ApiError`].

use shared::point::Kind;
use shared::problem::FieldError;

use super::ApiError;
use crate::board::document::DocumentError;
use crate::board::parsing::Stopping;
use crate::board::refusal::Refusal;
use crate::board::registry::BoardError;
use crate::history::error::HistoryError;
use crate::hub::boards::MAX_SELECTORS;
use crate::hub::selecting::FindError;
use crate::limits::Limit;
use crate::limits::push_memory::Exhausted;
use crate::names::SelectError;
use crate::rehydrate::SubscribeError;
use crate::store::CommitError;
use crate::store::commit::{Unfit, UnfitPoint, UnfitReason};

/// Seconds after which a client may retry a push for which there was no memory: most pushes are answered within
/// milliseconds.
const MEMORY_RETRY_SECONDS: u32 = 1;

/// Seconds after which a client may retry if its address has too many long matches.
const MATCH_RETRY_SECONDS: u32 = 1;

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let detail = error.to_string();
        match error {
            CommitError::OtherKind(unfit) | CommitError::Compacted(unfit) => invalid(unfit, &detail),
            CommitError::LeftOut(unfit) => {
                Self::PartialWrite { detail, errors: unfit.listed.into_iter().map(FieldError::from).collect() }
            }
            CommitError::LimitReached { limit, detail, retry_after } => {
                Self::LimitReached { limit, detail, retry_after }
            }
            CommitError::KeyReused => Self::KeyReused,
            CommitError::InDoubt(_) => Self::InDoubt(detail),
            CommitError::Busy | CommitError::Overdue => Self::Overloaded(detail),
            _ => Self::Unavailable(detail),
        }
    }
}

/// Describes the refusal of a push as a whole.
fn invalid(unfit: Unfit, detail: &str) -> ApiError {
    let mut detail = format!("{detail}; nothing was stored");
    if !unfit.others.is_empty() {
        detail = format!("{detail}; the first {} are listed", unfit.listed.len());
    }
    ApiError::Invalid { detail, errors: unfit.listed.into_iter().map(FieldError::from).collect() }
}

impl From<UnfitPoint> for FieldError {
    fn from(point: UnfitPoint) -> Self {
        let (field, expected, got) = match point.why {
            UnfitReason::OtherKind { series, holds } => {
                let (field, expected, got) = match holds {
                    Kind::Number => ("text", "a number", "a text"),
                    Kind::Text => ("value", "a text", "a number"),
                };
                (field, format!("{expected}, which is what {series} holds since its first point"), got)
            }
            UnfitReason::Compacted => {
                ("ts", "a time of a day that can still be added to".to_owned(), "one of a compacted day")
            }
        };
        FieldError { line: Some(point.at), field: field.to_owned(), expected, got: got.to_owned() }
    }
}

impl From<Exhausted> for ApiError {
    fn from(error: Exhausted) -> Self {
        let (what_to_do, retry_after) = if error.for_ever {
            ("this push alone needs more: send it in several pushes", None)
        } else {
            ("other pushes use it now: send it again in a second", Some(MEMORY_RETRY_SECONDS))
        };
        Self::LimitReached {
            limit: Limit::Queue,
            detail: format!("{error}; {what_to_do}; nothing of this was stored"),
            retry_after,
        }
    }
}

impl From<FindError> for ApiError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::TooMuch(error) => error.into(),
            FindError::TooMany => Self::LimitReached {
                limit: Limit::MatchesPerAddress,
                detail: format!("{error}; try again in {MATCH_RETRY_SECONDS} s, or name series instead of wildcards"),
                retry_after: Some(MATCH_RETRY_SECONDS),
            },
            FindError::Stopped => Self::Unreadable(error.to_string()),
        }
    }
}

impl From<SubscribeError> for ApiError {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Full { readers, retry_after } => Self::Full { readers, retry_after },
            SubscribeError::Denied => Self::Unauthorized,
            SubscribeError::TooManySelectors(count) => too_many_selectors(count),
            SubscribeError::NoRoom { retry_after } => no_room(retry_after),
            SubscribeError::Select(error) => error.into(),
            SubscribeError::Find(error) => error.into(),
            SubscribeError::Store(error) => error.into(),
            SubscribeError::Unreadable(error) => Self::Unreadable(error.to_string()),
        }
    }
}

fn no_room(retry_after: u32) -> ApiError {
    let detail = format!(
        "the selections, tracks and unsent frames of all readers use all the memory that they may have; try again in \
         {retry_after} s, subscribe to a selection that other readers have, or raise --max-topic-memory of the server"
    );
    ApiError::LimitReached { limit: Limit::TopicMemory, detail, retry_after: Some(retry_after) }
}

fn too_many_selectors(count: usize) -> ApiError {
    let detail = format!(
        "the series and boards of this stream have {count} selectors together; at most {MAX_SELECTORS} are allowed: \
         name fewer series or boards in one stream"
    );
    ApiError::LimitReached { limit: Limit::Selectors, detail, retry_after: None }
}

impl From<SelectError> for ApiError {
    fn from(error: SelectError) -> Self {
        let (limit, flag) = match error {
            SelectError::TooManySteps { .. } => (Limit::MatchSteps, "max-match-steps"),
            SelectError::TooManySeries { .. } => (Limit::Selected, "max-selected"),
        };
        let detail =
            format!("{error}; use fewer selectors, name more of their first segments, or raise --{flag} of the server");
        Self::LimitReached { limit, detail, retry_after: None }
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::TooLarge => Refusal::TooLarge.into(),
            DocumentError::Broken(message) => Self::Malformed(message),
            DocumentError::Mistakes(errors) => {
                let detail = format!("the document has {} mistakes, so nothing was stored", errors.len());
                Self::Invalid { detail, errors }
            }
        }
    }
}

impl From<Stopping> for ApiError {
    fn from(error: Stopping) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<BoardError> for ApiError {
    fn from(error: BoardError) -> Self {
        let detail = error.to_string();
        match error {
            BoardError::Refused(refusal) => refusal.into(),
            BoardError::TooManyBytes { .. } => Self::LimitReached { limit: Limit::Boards, detail, retry_after: None },
            BoardError::Store(error) => error.into(),
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        if let Some(limit) = error.limit() {
            return Self::LimitReached { limit, detail: error.to_string(), retry_after: error.retry_after() };
        }
        match error {
            HistoryError::TooMuch { series, most, points } => {
                let expected = format!(
                    "selectors of at most {most} series with points={points}; narrow them, or ask for fewer points"
                );
                Self::field("series", expected, format!("{series} series"))
            }
            error => Self::Unreadable(error.to_string()),
        }
    }
}
