//! Patterns of board ids.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::BoardId;
use crate::name::{NameError, check_prefix};
use crate::unicode::nfc;

/// A board id, or the beginning of board ids and a star: `wall`, `team-*`, `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BoardPattern(Arc<str>);

impl BoardPattern {
    /// Returns true if the pattern matches the id.
    #[must_use]
    pub fn matches(&self, id: &BoardId) -> bool {
        self.0.strip_suffix('*').map_or(*self.0 == *id.as_str(), |prefix| id.as_str().starts_with(prefix))
    }

    /// Returns true if this pattern matches every id that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let others = other.0.strip_suffix('*').unwrap_or(&other.0);
        self.0.strip_suffix('*').map_or(self == other, |prefix| others.starts_with(prefix))
    }

    /// Returns the only id that the pattern matches; `None` if it has a star.
    #[must_use]
    pub fn only(&self) -> Option<BoardId> {
        self.0.parse().ok()
    }
}

impl FromStr for BoardPattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_suffix('*') {
            Some(prefix) => {
                let prefix = nfc(prefix);
                check_prefix(&prefix)?;
                Ok(Self(format!("{prefix}*").into()))
            }
            None => text.parse().map(|id: BoardId| Self(id.as_str().into())),
        }
    }
}

impl From<&BoardId> for BoardPattern {
    /// The pattern that matches only this id.
    fn from(id: &BoardId) -> Self {
        Self(id.as_str().into())
    }
}

impl TryFrom<String> for BoardPattern {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for BoardPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> BoardPattern {
        text.parse().unwrap()
    }

    #[test]
    fn star_at_the_end_stands_for_any_rest() {
        for (wanted, hit, miss) in [("wall", "wall", "wall2"), ("team-*", "team-a", "steam-a"), ("*", "x", "")] {
            assert!(pattern(wanted).matches(&hit.parse().unwrap()), "{wanted} {hit}");
            assert!(miss.is_empty() || !pattern(wanted).matches(&miss.parse().unwrap()), "{wanted} {miss}");
        }
        for wrong in ["", "a/b", "a b", "a/*", "**", "a*b", ".."] {
            assert!(wrong.parse::<BoardPattern>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn pattern_that_covers_another_matches_all_of_its_ids(a in "[ab]{0,3}\\*?", b in "[ab]{0,3}\\*?", id in "[abc]{1,4}") {
            if let (Ok(a), Ok(b)) = (a.parse::<BoardPattern>(), b.parse::<BoardPattern>()) {
                let id = id.parse().unwrap();
                prop_assert!(!a.covers(&b) || !b.matches(&id) || a.matches(&id), "{} {} {}", a, b, id);
            }
        }
    }
}
