//! A grant: one verb with the series or boards that it applies to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::board_pattern::BoardPattern;
use crate::name::NameError;
use crate::{BoardId, Selector};

/// A permission. As a text it is the verb, a colon and a selector or pattern, such as `push:ops/**`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grant {
    /// `push:SELECTOR`: to push points to these series.
    Push(Selector),
    /// `read:SELECTOR`: to read these series, and the document of each board whose name they lie under: `read:ops/**`
    /// permits reading the board `ops`.
    Read(Selector),
    /// `read-series:SELECTOR`: to read these series, but no board for their sake.
    ReadSeries(Selector),
    /// `read-board:PATTERN`: to read the documents of these boards. The series that they show need `read:`.
    ReadBoard(BoardPattern),
    /// `edit:PATTERN`: to read and change the documents of these boards.
    Edit(BoardPattern),
    /// `admin`: everything, and also to manage tokens, to delete series and to see refused pushes.
    Admin,
}

/// Error: the text is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The verb is unknown, or nothing follows it.
    #[error(
        "{0:?} is no grant; write push:SELECTOR, read:SELECTOR, read-series:SELECTOR, read-board:BOARD, edit:BOARD or admin"
    )]
    Unknown(String),
    /// The selector or the pattern is wrong.
    #[error("{text:?} is no grant: {source}")]
    Name {
        /// The text.
        text: String,
        /// The mistake.
        source: NameError,
    },
}

/// The most characters of a wrong text in an error.
const MAX_SHOWN: usize = 100;

impl Grant {
    /// Returns true if this grant permits everything that `other` permits.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Admin, _) => true,
            (Self::Push(own), Self::Push(other))
            | (Self::Read(own), Self::Read(other) | Self::ReadSeries(other))
            | (Self::ReadSeries(own), Self::ReadSeries(other)) => own.covers(other),
            (Self::Read(own), Self::ReadBoard(boards)) => {
                own.as_str() == "**" || boards.only().is_some_and(|id| own.covers(&id.selector()))
            }
            (Self::Edit(own), Self::Edit(other) | Self::ReadBoard(other))
            | (Self::ReadBoard(own), Self::ReadBoard(other)) => own.covers(other),
            _ => false,
        }
    }

    /// Returns true if it permits reading the document of a board.
    #[must_use]
    pub fn reads_board(&self, id: &BoardId) -> bool {
        match self {
            Self::Push(_) | Self::ReadSeries(_) => false,
            Self::Read(selector) => selector.covers(&id.selector()),
            Self::ReadBoard(pattern) | Self::Edit(pattern) => pattern.matches(id),
            Self::Admin => true,
        }
    }

    /// Returns true if it permits changing the document of a board.
    #[must_use]
    pub fn edits_board(&self, id: &BoardId) -> bool {
        match self {
            Self::Edit(pattern) => pattern.matches(id),
            Self::Admin => true,
            _ => false,
        }
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let shown = || text.chars().take(MAX_SHOWN).collect::<String>();
        let wrong = |source| GrantError::Name { text: shown(), source };
        match text.split_once(':') {
            None if text == "admin" => Ok(Self::Admin),
            Some(("push", rest)) => rest.parse().map(Self::Push).map_err(wrong),
            Some(("read", rest)) => rest.parse().map(Self::Read).map_err(wrong),
            Some(("read-series", rest)) => rest.parse().map(Self::ReadSeries).map_err(wrong),
            Some(("read-board", rest)) => rest.parse().map(Self::ReadBoard).map_err(wrong),
            Some(("edit", rest)) => rest.parse().map(Self::Edit).map_err(wrong),
            _ => Err(GrantError::Unknown(shown())),
        }
    }
}

impl TryFrom<String> for Grant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push(selector) => write!(f, "push:{selector}"),
            Self::Read(selector) => write!(f, "read:{selector}"),
            Self::ReadSeries(selector) => write!(f, "read-series:{selector}"),
            Self::ReadBoard(pattern) => write!(f, "read-board:{pattern}"),
            Self::Edit(pattern) => write!(f, "edit:{pattern}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grant_is_read_as_it_is_written_and_a_wrong_one_says_what_to_write() {
        for text in ["push:ops/**", "read:a/*/c", "read-series:a/*", "read-board:team-*", "edit:*", "admin"] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        for text in ["", "push", "push:", "admin:*", "write:a", "read:**/a", "edit:a/b", "PUSH:a", " admin"] {
            let error = text.parse::<Grant>().unwrap_err().to_string();
            assert!(error.contains("is no grant"), "{error}");
        }
    }

    #[test]
    fn series_permit_the_board_of_their_name_only_if_all_of_it_may_be_read() {
        let ops = "ops".parse().unwrap();
        let reads = |text: &str| text.parse::<Grant>().unwrap().reads_board(&ops);
        for text in ["read:ops/**", "read:**", "read:*/**", "read-board:ops", "read-board:o*", "edit:ops", "admin"] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "read:ops/*",
            "read:ops/api/**",
            "read:dev/**",
            "push:ops/**",
            "read-series:**",
            "read-board:dev",
            "edit:d*",
        ] {
            assert!(!reads(text), "{text}");
        }
    }
}
