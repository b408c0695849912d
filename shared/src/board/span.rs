//! Durations as a document writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The longest duration: ten years of 365 days, in seconds.
const LONGEST: u64 = 10 * 365 * DAY;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration of whole seconds, from one second to ten years: `60s`, `5m`, `1h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// The text is not a [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// The text is not a number followed by a unit.
    #[error("write a whole number and s, m, h or d, like 60s, 5m, 1h or 7d")]
    Malformed,
    /// The duration is zero, or over ten years.
    #[error("it must be from 1s to 3650d")]
    OutOfRange,
}

impl Span {
    /// An hour: the default range of a board.
    pub const HOUR: Self = Self(HOUR);

    /// Returns `None` if `seconds` is 0 or over ten years.
    #[must_use]
    pub const fn of_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > LONGEST { None } else { Some(Self(seconds)) }
    }

    /// The duration in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The duration in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 * 1_000
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let mut digits = text.chars();
        let unit = match digits.next_back() {
            Some('s') => 1,
            Some('m') => MINUTE,
            Some('h') => HOUR,
            Some('d') => DAY,
            _ => return Err(SpanError::Malformed),
        };
        let digits = digits.as_str();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SpanError::Malformed);
        }
        let seconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
        seconds.and_then(Self::of_seconds).ok_or(SpanError::OutOfRange)
    }
}

/// Uses the largest unit that divides the duration exactly.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds % DAY == 0 => write!(f, "{}d", seconds / DAY),
            seconds if seconds % HOUR == 0 => write!(f, "{}h", seconds / HOUR),
            seconds if seconds % MINUTE == 0 => write!(f, "{}m", seconds / MINUTE),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds, written) in
            [("60s", 60, "1m"), ("5m", 300, "5m"), ("1h", 3_600, "1h"), ("7d", 604_800, "7d"), ("90s", 90, "90s")]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.seconds(), span.millis(), span.to_string().as_str()), (seconds, seconds * 1_000, written));
        }
    }

    #[test]
    fn what_is_no_span_says_what_to_write() {
        for text in ["", "s", "60", "1.5h", "-1s", "+1s", "1 h", "1w", "60ſ"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError::Malformed), "{text}");
        }
        for text in ["0s", "3651d", "99999999999999999999d", "18446744073709551615d"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError::OutOfRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_span_survives_being_written_and_read(seconds in 1..=LONGEST) {
            let span = Span::of_seconds(seconds).unwrap();
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
