//! What the numbers of a widget count.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::word::{Word, words};

/// Most bytes of a unit that is no [`KnownUnit`].
pub const MAX_SYMBOL: usize = 16;

words! {
    /// A unit that the page knows how to write: with which symbol, and with which prefixes.
    KnownUnit {
        /// `3.2 MB`.
        Bytes = "bytes",
        /// `3.2 MB/s`.
        BytesPerSecond = "bytes/s",
        /// `3.2 Mbit`.
        Bits = "bits",
        /// `3.2 Mbit/s`.
        BitsPerSecond = "bits/s",
        /// Microseconds.
        Microseconds = "us",
        /// Milliseconds.
        Milliseconds = "ms",
        /// Seconds.
        Seconds = "s",
        /// `42.5 %`: of a hundred, not of one.
        Percent = "%",
        /// A ratio, of which 1 is written `100 %`.
        Ratio = "ratio",
        /// A count a second.
        PerSecond = "/s",
        /// No unit, with prefixes of the SI from a thousand on: `3.2 k`.
        Si = "si",
        /// No unit, all digits.
        Plain = "plain",
    }
}

/// What the numbers of a widget count. Where a document does not say, the page guesses from the name of the series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One of those that the page knows.
    Known(KnownUnit),
    /// Any other, written after the number as it is: `rpm`, `°C`. At most [`MAX_SYMBOL`] bytes.
    Symbol(String),
}

/// The text is no [`Unit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to {MAX_SYMBOL} bytes")]
pub struct UnitError;

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        match KnownUnit::of(text) {
            Some(unit) => Ok(Self::Known(unit)),
            None if text.is_empty() || text.len() > MAX_SYMBOL || text.contains(char::is_control) => Err(UnitError),
            None => Ok(Self::Symbol(text.to_owned())),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(unit) => f.write_str(unit.word()),
            Self::Symbol(symbol) => f.write_str(symbol),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
