//! Options of what a chart draws over its series: markers of events, and the lines of an earlier time.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::parse_duration;
use super::read::Fields;
use super::widget::read_selectors;
use crate::{Duration, Selector};

/// The most selectors of markers of a board or of a widget.
pub const MAX_MARKERS: usize = 8;

/// The time before the shown range with which a chart compares it: `-7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier(Duration);

impl Earlier {
    /// The distance in time.
    #[must_use]
    pub fn distance(self) -> Duration {
        self.0
    }
}

/// The text is not an [`Earlier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a minus, a whole number and s, m, h or d, from -1s to -3650d")]
pub struct EarlierError;

impl FromStr for Earlier {
    type Err = EarlierError;

    fn from_str(text: &str) -> Result<Self, EarlierError> {
        let distance = text.strip_prefix('-').ok_or(EarlierError)?;
        parse_duration(distance).map(Self).map_err(|_| EarlierError)
    }
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-{}", self.0)
    }
}

impl Serialize for Earlier {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Reads `compare`.
pub(super) fn read_compare(widget: &Fields<'_>) -> Option<Earlier> {
    widget.parsed("compare", "a time before, like -7d")
}

/// Reads `markers`: selectors of series of texts.
pub(super) fn read_markers(table: &Fields<'_>) -> Vec<Selector> {
    read_selectors(
        table,
        "markers",
        MAX_MARKERS,
        r#"a list of series of texts like ["ops/deploy"]"#,
        "a selector like ops/deploy",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_time_is_a_minus_and_a_duration() {
        for (text, written) in [("-7d", "-7d"), ("-60m", "-1h"), ("-1s", "-1s")] {
            assert_eq!(text.parse::<Earlier>().unwrap().to_string(), written);
        }
        for text in ["7d", "+7d", "-", "--7d", "-0d", "-1w", "-7 d", "-3651d", ""] {
            assert_eq!(text.parse::<Earlier>(), Err(EarlierError), "{text}");
        }
    }
}
