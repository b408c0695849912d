//! Durations as users write them: `250ms`, `60s`, `48h`, `7d`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Every unit that is read, in milliseconds.
const UNITS: [(&str, u64); 7] =
    [("y", 365 * DAY), ("w", 7 * DAY), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)];

/// The units that are written, the longest first: those that every reader of durations knows.
const WRITTEN: [(&str, u64); 4] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];

/// A duration in whole milliseconds. As text: a whole number and one of the units y (365 days), w, d, h, m, s and ms.
///
/// Unlike [`std::time::Duration`], it can be read from the text of a flag, a query or a document, and be written as
/// such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Duration(u64);

/// The text is not a [`Duration`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a length of time; write a whole number and one of y, w, d, h, m, s and ms, like 48h")]
pub struct DurationError(String);

impl Duration {
    /// One hour.
    pub const HOUR: Self = Self(HOUR);

    /// Makes a duration of `ms` milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Makes a duration of `seconds` seconds; of the most milliseconds that a `u64` holds if there are too many.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Returns the duration in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the duration in seconds, without the rest.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / SECOND
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let error = || DurationError(text.chars().take(40).collect());
        let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(unit);
        let (_, ms) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(ms)).map(Self).ok_or_else(error)
    }
}

impl TryFrom<String> for Duration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

/// Uses the longest unit of days, hours, minutes and seconds that divides the duration exactly; else milliseconds.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = WRITTEN.into_iter().find(|&(_, ms)| self.0 > 0 && self.0.is_multiple_of(ms));
        let (name, ms) = exact.unwrap_or(("ms", 1));
        write!(f, "{}{name}", self.0 / ms)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn duration_is_a_whole_number_and_a_unit() {
        for (text, ms) in [("48h", 172_800_000), ("7d", 604_800_000), ("0s", 0), ("250ms", 250), ("1y", 31_536_000_000)]
        {
            assert_eq!(text.parse(), Ok(Duration(ms)), "{text}");
        }
        for text in ["", "48", "h", "-1h", "1.5h", "1 h", "1month", "99999999999999999999h", "9999999999999999y"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn duration_is_written_in_its_longest_exact_unit() {
        for (ms, text) in [(172_800_000, "2d"), (129_600_000, "36h"), (90_000, "90s"), (0, "0ms"), (604_800_000, "7d")]
        {
            assert_eq!(Duration(ms).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn duration_survives_being_written_and_read(ms: u64) {
            prop_assert_eq!(Duration(ms).to_string().parse(), Ok(Duration(ms)));
        }
    }
}
