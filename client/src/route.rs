//! Finds the page that an address names.

use shared::BoardId;
use shared::name::NameError;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The page of all boards.
    Home,
    /// The page of one board.
    Board(BoardId),
    /// A path of a board whose id is invalid.
    NoBoard {
        /// The id as written.
        given: String,
        /// Reason for which it is invalid.
        why: NameError,
    },
    /// An unknown path.
    Unknown,
}

impl Route {
    /// Returns the page of a path below the root of the server, percent-escapes resolved.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if matches!(path, "" | "index.html") {
            return Self::Home;
        }
        let Some(id) = path.strip_prefix("b/") else { return Self::Unknown };
        let id = id.strip_suffix('/').unwrap_or(id);
        match id.parse() {
            Ok(id) => Self::Board(id),
            Err(why) => Self::NoBoard { given: id.to_owned(), why },
        }
    }
}

/// Splits the path of a page into the root of the server, with a slash at its end, and the rest. `up` is the way from
/// the page to the root: `./`, or `../` from the page of a board. With anything else the root is `/`: the server has
/// its host for itself.
#[must_use]
pub fn split<'a>(path: &'a str, up: &str) -> (&'a str, &'a str) {
    let last_slash = |before: usize| path.bytes().take(before).rposition(|byte| byte == b'/');
    let slash = match up {
        "./" => last_slash(path.len()),
        "../" => last_slash(path.len()).and_then(last_slash),
        _ => path.starts_with('/').then_some(0),
    };
    // Avoids `split_at`: its panic message takes kilobytes.
    path.split_at_checked(slash.map_or(0, |at| at + 1)).unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_the_server_is_found_below_any_prefix() {
        for prefix in ["/", "/pulse/", "/a/b/c/", "/b/", "/b/b/", "/%C3%BC/"] {
            let board = format!("{prefix}b/ops");
            assert_eq!(split(&board, "../"), (prefix, "b/ops"));
            assert_eq!(split(prefix, "./"), (prefix, ""));
        }
        assert_eq!(split("/pulse/index.html", "./"), ("/pulse/", "index.html"));
        assert_eq!(split("/b/ops", "/"), ("/", "b/ops"));
        assert_eq!(split("/b/a/b", "/"), ("/", "b/a/b"));
        assert_eq!(split("", "./"), ("", ""));
    }

    #[test]
    fn an_address_names_a_page() {
        assert_eq!(Route::of(""), Route::Home);
        let ops = Route::Board("ops".parse().unwrap());
        assert_eq!(Route::of("b/ops"), ops);
        assert_eq!(Route::of("b/ops/"), ops);
        assert_eq!(Route::of("nowhere"), Route::Unknown);
    }

    #[test]
    fn what_cannot_be_a_board_says_why() {
        let why = |path: &str| match Route::of(path) {
            Route::NoBoard { why, .. } => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why("b/a b"), NameError::BadCharacter { at: 1, found: ' ' });
        assert_eq!(why("b/a/b"), NameError::NotOneSegment);
        assert_eq!(why("b/"), NameError::EmptySegment(1));
    }
}
