//! Retention times as operators write them: a [`Duration`], or `forever`.

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

impl Keep {
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
    }
}
