//! Which page an address names.

use shared::BoardId;
use shared::name::NameError;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// All boards.
    Home,
    /// One board.
    Board(BoardId),
    /// What was to be a board, but cannot be the name of one.
    NoBoard {
        /// What was written.
        given: String,
        /// Why it cannot.
        why: NameError,
    },
    /// None that there is.
    Unknown,
}

impl Route {
    /// The page of a path, percent-escapes resolved.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if matches!(path, "/" | "" | "/index.html") {
            return Self::Home;
        }
        let Some(id) = path.strip_prefix("/b/") else { return Self::Unknown };
        let id = id.strip_suffix('/').unwrap_or(id);
        match id.parse() {
            Ok(id) => Self::Board(id),
            Err(why) => Self::NoBoard { given: id.to_owned(), why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_page() {
        assert_eq!(Route::of("/"), Route::Home);
        let ops = Route::Board("ops".parse().unwrap());
        assert_eq!(Route::of("/b/ops"), ops);
        assert_eq!(Route::of("/b/ops/"), ops);
        assert_eq!(Route::of("/nowhere"), Route::Unknown);
    }

    #[test]
    fn what_cannot_be_a_board_says_why() {
        let why = |path: &str| match Route::of(path) {
            Route::NoBoard { why, .. } => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why("/b/a b"), NameError::BadCharacter { at: 1, found: ' ' });
        assert_eq!(why("/b/a/b"), NameError::NotOneSegment);
        assert_eq!(why("/b/"), NameError::EmptySegment(1));
    }
}
