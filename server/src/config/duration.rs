//! Retention times as operators write them: a [`Duration`], or `forever`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use shared::Duration;
use shared::duration::DurationError;

/// A retention time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Keep {
    /// This long.
    For(Duration),
    /// `forever`.
    Forever,
}

/// A year of 365 days, in milliseconds.
const YEAR: u64 = 365 * 86_400_000;

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(duration) if duration.as_millis() > 0 && duration.as_millis().is_multiple_of(YEAR) => {
                write!(f, "{}y", duration.as_millis() / YEAR)
            }
            Self::For(duration) => write!(f, "{duration}"),
            Self::Forever => f.write_str("forever"),
        }
    }
}

impl Keep {
    /// Makes a retention time of this length in milliseconds; `None` is [`Keep::Forever`].
    #[must_use]
    pub fn of(ms: Option<u64>) -> Self {
        ms.map_or(Self::Forever, |ms| Self::For(Duration::from_millis(ms)))
    }

    /// The time in milliseconds; `None` for [`Keep::Forever`].
    #[must_use]
    pub fn ms(self) -> Option<u64> {
        match self {
            Self::For(duration) => Some(duration.as_millis()),
            Self::Forever => None,
        }
    }
}

impl FromStr for Keep {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text == "forever" { Ok(Self::Forever) } else { text.parse().map(Self::For) }
    }
}

impl TryFrom<String> for Keep {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_time_is_a_duration_or_forever() {
        assert_eq!("48h".parse(), Ok(Keep::For(Duration::from_millis(172_800_000))));
        assert_eq!("forever".parse(), Ok(Keep::Forever));
        assert!("never".parse::<Keep>().is_err());
        for text in ["48h", "7d", "2y", "forever", "0s", "1ms"] {
            let keep: Keep = text.parse().unwrap();
            assert_eq!(keep.to_string().parse(), Ok(keep), "{text}");
        }
        assert_eq!(Keep::of(Some(YEAR)).to_string(), "1y");
    }
}
