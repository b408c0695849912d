//! The name of a new board: what the user writes becomes its id in addresses, and its title.

use shared::BoardId;
use shared::name::{NameError, is_allowed};

/// A board to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBoard {
    /// The id.
    pub id: BoardId,
    /// The title, where the name is no id: `Team Board`, whose id is `team-board`.
    pub title: Option<String>,
}

impl NewBoard {
    /// Makes a board of a name.
    ///
    /// # Errors
    /// The reason why no id can be made of the name, for the user.
    pub fn named(name: &str) -> Result<Self, String> {
        let name = name.trim();
        let error = match name.parse::<BoardId>() {
            Ok(id) => return Ok(Self { id, title: None }),
            Err(error) => error,
        };
        let lower = name.to_lowercase();
        let words: Vec<&str> = lower.split(|c| !is_allowed(c)).filter(|word| !word.is_empty()).collect();
        match words.join("-").parse() {
            Ok(id) => Ok(Self { id, title: Some(name.to_owned()) }),
            Err(_) if name.is_empty() => Err("Give the new board a name.".to_owned()),
            Err(NameError::SegmentTooLong { .. }) => Err("The name is too long: 64 characters at most.".to_owned()),
            Err(_) => Err(format!("{name:?} cannot be the name of a board: {error}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_in_words_becomes_an_id_with_that_title() {
        for (name, id, title) in [
            ("ops", "ops", None),
            (" Ops ", "Ops", None),
            ("Team Board", "team-board", Some("Team Board")),
            ("a/b", "a-b", Some("a/b")),
            ("Umsatz (Küche) 2", "umsatz-küche-2", Some("Umsatz (Küche) 2")),
            ("天気 東京", "天気-東京", Some("天気 東京")),
            ("v1.2 beta", "v1.2-beta", Some("v1.2 beta")),
        ] {
            let made = NewBoard { id: id.parse().unwrap(), title: title.map(str::to_owned) };
            assert_eq!(NewBoard::named(name), Ok(made), "{name}");
        }
    }

    #[test]
    fn name_that_cannot_be_an_id_says_why() {
        for (name, wanted) in [("", "Give the new board a name"), ("..", "cannot be"), ("???", "cannot be")] {
            let error = NewBoard::named(name).unwrap_err();
            assert!(error.contains(wanted), "{name}: {error}");
        }
        let long = format!("a {}", "b".repeat(80));
        assert!(NewBoard::named(&long).unwrap_err().contains("too long"));
    }
}
