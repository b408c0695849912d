//! What to do where the browser gave up on the stream, by what one probing request was answered.

use serde::{Deserialize, Serialize};
use shared::Problem;

/// What the probe came back with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, as it was written.
    pub retry_after: Option<String>,
    /// The body, where it is a [`Problem`].
    pub problem: Option<Problem>,
}

/// Why there is no stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 401: one has to sign in.
    SignIn,
    /// 403: not for this reader.
    Forbidden,
    /// 404: something else is at the address.
    Missing,
    /// 422 and other faults of the request: asking again would not help.
    Wrong(String),
    /// 429: too many requests.
    TooMany {
        /// When to come back, in milliseconds.
        wait_ms: u64,
    },
    /// 503 and the like: later.
    Full {
        /// When to come back, in milliseconds.
        wait_ms: u64,
    },
    /// Something failed behind the address.
    Failed(u16),
}

/// Where a server says that it is full and not for how long, in seconds.
const DEFAULT_RETRY_SECONDS: u64 = 5;

/// Longest wait that is believed, in seconds: a board on a wall has nobody to wake it.
const MAX_RETRY_SECONDS: u64 = 600;

impl Refusal {
    /// What an answer means; nothing where all is well now, or nobody answered. `random`, from `0.0..1.0`, spreads
    /// the readers that were told to come back at the same time over half as long again.
    #[must_use]
    pub fn of(answer: Option<Answer>, random: f64) -> Option<Self> {
        let Answer { status, retry_after, problem } = answer?;
        let wait_ms = || {
            // A date is also allowed there; nobody whom we know sends one.
            let seconds = retry_after.and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT_RETRY_SECONDS);
            let ms = seconds.clamp(1, MAX_RETRY_SECONDS) * 1_000;
            ms + spread(ms / 2, random)
        };
        match status {
            200..=299 => None,
            401 => Some(Self::SignIn),
            403 => Some(Self::Forbidden),
            404 => Some(Self::Missing),
            429 => Some(Self::TooMany { wait_ms: wait_ms() }),
            503 => Some(Self::Full { wait_ms: wait_ms() }),
            400..=499 => {
                let detail = problem.map(|problem| problem.detail);
                Some(Self::Wrong(detail.unwrap_or_else(|| format!("status {status}"))))
            }
            _ => Some(Self::Failed(status)),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::SignIn | Self::Forbidden | Self::Missing | Self::Wrong(_) => Advice::Stop,
            Self::TooMany { wait_ms } | Self::Full { wait_ms } => Advice::Wait(*wait_ms),
            Self::Failed(_) => Advice::BackOff,
        }
    }

    /// It in a sentence, where the next try is in so many seconds, if there is one.
    #[must_use]
    pub fn sentence(&self, next_in: Option<u64>) -> String {
        let why = match self {
            Self::SignIn => "The server wants you to sign in first",
            Self::Forbidden => "The server does not let you read this board",
            Self::Missing => "There is no stream at this address: something else answers here",
            Self::Wrong(detail) => return format!("The server refuses the request: {}.", detail.trim_end_matches('.')),
            Self::TooMany { .. } => "The server had too many requests",
            Self::Full { .. } => "The server is full",
            Self::Failed(status) => return after(&format!("The server answered with status {status}"), next_in),
        };
        after(why, next_in)
    }
}

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Wait longer each time.
    BackOff,
    /// Wait so many milliseconds, no matter what.
    Wait(u64),
    /// Wait until somebody looks again.
    Stop,
}

fn after(why: &str, next_in: Option<u64>) -> String {
    match next_in {
        Some(seconds) => format!("{why}; next try in {seconds} s."),
        None => format!("{why}."),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and five minutes"
)]
fn spread(most: u64, random: f64) -> u64 {
    (random.clamp(0.0, 1.0) * most as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, retry_after: Option<&str>) -> Option<Refusal> {
        Refusal::of(Some(Answer { status, retry_after: retry_after.map(str::to_owned), problem: None }), 0.5)
    }

    #[test]
    fn each_status_has_its_own_advice() {
        assert_eq!(refusal(200, None), None);
        assert_eq!(Refusal::of(None, 0.5), None, "nobody answered: that is the backoff's matter");
        for status in [401, 403, 404, 400, 422] {
            assert_eq!(refusal(status, None).unwrap().advice(), Advice::Stop, "{status}");
        }
        assert_eq!(refusal(503, Some("2")).unwrap().advice(), Advice::Wait(2_500));
        assert_eq!(refusal(429, Some("2")).unwrap().advice(), Advice::Wait(2_500));
        assert_eq!(refusal(503, None).unwrap().advice(), Advice::Wait(6_250));
        assert_eq!(refusal(503, Some("0")).unwrap().advice(), Advice::Wait(1_250), "never at once");
        assert_eq!(refusal(503, Some("999999999")).unwrap().advice(), Advice::Wait(750_000));
        assert_eq!(refusal(502, None).unwrap().advice(), Advice::BackOff);
    }

    #[test]
    fn the_reader_is_told_in_a_sentence() {
        assert_eq!(refusal(503, Some("2")).unwrap().sentence(Some(3)), "The server is full; next try in 3 s.");
        let problem: Problem = serde_json::from_str(
            r#"{"type":"/problems/invalid","title":"The content is wrong","status":422,"detail":"hz: expected a number"}"#,
        )
        .unwrap();
        let wrong = Refusal::of(Some(Answer { status: 422, retry_after: None, problem: Some(problem) }), 0.0);
        assert_eq!(wrong.unwrap().sentence(None), "The server refuses the request: hz: expected a number.");
    }
}
