//! The unit of a widget's numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::keyword::{Keyword, keywords};

/// The most bytes of a unit that is not a [`KnownUnit`].
pub const MAX_SYMBOL: usize = 16;

keywords! {
    /// A unit for which the page knows the symbol and the prefixes.
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
        /// `42.5 %`: a percentage from 0 to 100, not from 0 to 1.
        Percent = "%",
        /// A ratio; 1 is written `100 %`.
        Ratio = "ratio",
        /// A count per second.
        PerSecond = "/s",
        /// No unit, with SI prefixes from a thousand on: `3.2 k`.
        Si = "si",
        /// No unit, with all digits.
        Plain = "plain",
    }
}

/// The unit of a widget's numbers. If the document does not set it, the page guesses it from the name of the series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A unit that the page knows.
    Known(KnownUnit),
    /// Any other unit, written unchanged after the number: `rpm`, `°C`. At most [`MAX_SYMBOL`] bytes.
    Symbol(String),
}

/// The text is not a [`Unit`].
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
            Self::Known(unit) => f.write_str(unit.keyword()),
            Self::Symbol(symbol) => f.write_str(symbol),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
