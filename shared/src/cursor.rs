//! Cursors: the position of a reader in the stream, made of an epoch and a point's number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a committed point: 1 for the first point of a store, 0 for the position before it. A change of the
/// series that a board selects takes a number of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position before every point.
    pub const ZERO: Self = Self(0);

    /// The next number.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one run of one server. Each start draws it at random, so that the numbers of two stores never mix, nor those
/// from before and after a store is restored from a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 8 || !text.bytes().all(lower_hex) {
            return Err(CursorError);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| CursorError)
    }
}

impl TryFrom<String> for Epoch {
    type Error = CursorError;

    fn try_from(text: String) -> Result<Self, CursorError> {
        text.parse()
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> Self {
        epoch.to_string()
    }
}

/// The `id` of a frame, `EPOCH-SEQ` (eight hex digits, a decimal number). A reader that has applied the frame has
/// everything that the store `EPOCH` committed up to and including `SEQ`, within the reader's selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The run that gave out the number.
    pub epoch: Epoch,
    /// The last point that the picture includes.
    pub seq: Seq,
}

impl Cursor {
    /// Returns the cursor of a picture at `self` after a `hello` with the id `hello`. A server that continues the
    /// picture sends `hello` with the number of the picture, even if it was restarted and has another epoch. Otherwise
    /// the server begins with a snapshot.
    #[must_use]
    pub fn continued_by(self, hello: Self) -> Self {
        if self.seq == hello.seq { hello } else { self }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is EPOCH-SEQ, eight lower-case hex digits and a decimal number, as in the id of a frame")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, seq) = text.split_once('-').ok_or(CursorError)?;
        if seq.is_empty() || !seq.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CursorError);
        }
        Ok(Self { epoch: epoch.parse()?, seq: Seq(seq.parse().map_err(|_| CursorError)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_being_written_and_read(epoch: u32, seq: u64) {
            let cursor = Cursor { epoch: Epoch(epoch), seq: Seq(seq) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in
            ["", "-", "0badcafe", "0badcafe-", "0badcafe--1", "0badcafe-+1", "0BADCAFE-1", "+badcafe-1", "bad-1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
