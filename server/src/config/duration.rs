//! Durations as people write them: `48h`, `7d`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Each unit in milliseconds, the longest first.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A duration: a whole number and a unit, one of y (365 days), w, d, h, m, s and ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Length(u64);

impl Length {
    /// A duration of `ms` milliseconds.
    #[must_use]
    pub fn of_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// The duration in milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        self.0
    }
}

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a length of time; write a whole number and one of y, w, d, h, m, s and ms, like 48h")]
pub struct LengthError(String);

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        let error = || LengthError(text.chars().take(40).collect());
        let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(unit);
        let (_, ms) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(ms)).map(Self).ok_or_else(error)
    }
}

impl TryFrom<String> for Length {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Self, LengthError> {
        text.parse()
    }
}

impl fmt::Display for Length {
    /// Writes it in the longest unit that divides it, except weeks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            UNITS.into_iter().filter(|(name, _)| *name != "w").find(|&(_, ms)| self.0.is_multiple_of(ms) && self.0 > 0);
        let (name, ms) = unit.unwrap_or(("ms", 1));
        write!(f, "{}{name}", self.0 / ms)
    }
}

/// A retention time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Keep {
    /// This long.
    For(Length),
    /// `forever`.
    Forever,
}

impl Keep {
    /// The time in milliseconds; `None` for [`Keep::Forever`].
    #[must_use]
    pub fn ms(self) -> Option<u64> {
        match self {
            Self::For(length) => Some(length.ms()),
            Self::Forever => None,
        }
    }
}

impl FromStr for Keep {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        if text == "forever" { Ok(Self::Forever) } else { text.parse().map(Self::For) }
    }
}

impl TryFrom<String> for Keep {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Self, LengthError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_whole_number_and_a_unit() {
        for (text, ms) in [("48h", 172_800_000), ("7d", 604_800_000), ("0s", 0), ("250ms", 250), ("1y", 31_536_000_000)]
        {
            assert_eq!(text.parse(), Ok(Length(ms)), "{text}");
        }
        for text in ["", "48", "h", "-1h", "1.5h", "1 h", "1month", "99999999999999999999h", "9999999999999999y"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
        assert_eq!("forever".parse(), Ok(Keep::Forever));
    }

    #[test]
    fn it_is_written_in_its_longest_unit() {
        for (ms, text) in [(172_800_000, "2d"), (129_600_000, "36h"), (90_000, "90s"), (0, "0ms"), (604_800_000, "7d")]
        {
            assert_eq!(Length(ms).to_string(), text);
        }
    }
}
