//! Signs: of one size, drawn with one pen, and told apart by their shape alone.

use shared::board::Level;
use shared::board::word::Word;

use crate::part::Part;

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A disc: as it should be.
    Fine,
    /// A triangle: worth a look.
    Warning,
    /// A lozenge: someone should do something.
    Bad,
    /// A clock: it has not reported.
    Stale,
    /// A cross: it cannot be shown.
    Cross,
}

impl Icon {
    /// The sign of a level.
    #[must_use]
    pub fn of(level: Level) -> Self {
        match level {
            Level::Ok => Self::Fine,
            Level::Warn => Self::Warning,
            Level::Bad => Self::Bad,
        }
    }

    /// Its outline, in a square of 16 by 16.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Fine => "M8 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8z",
            Self::Warning => "M8 2.5l6 11h-12z",
            Self::Bad => "M8 1.5l6.5 6.5l-6.5 6.5l-6.5-6.5z",
            Self::Stale => "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM7.2 4.5h1.6v3.2l2.3 2.3l-1.1 1.1l-2.8-2.8z",
            Self::Cross => "M4 2.6l4 4l4-4l1.4 1.4l-4 4l4 4l-1.4 1.4l-4-4l-4 4l-1.4-1.4l4-4l-4-4z",
        }
    }
}

/// A sign that stands beside words which say the same.
#[must_use]
pub fn icon(icon: Icon) -> Part {
    Part::sign("icon", icon.path())
}

/// The level of what it stands beside, by its word ([`level_word`]): a sign, and words for who does not see it. Nothing
/// where there is none.
#[must_use]
pub fn level_mark(word: &str) -> Vec<Part> {
    let Some(level) = Level::of(word) else { return Vec::new() };
    let said = match level {
        Level::Ok => "fine: ",
        Level::Warn => "warning: ",
        Level::Bad => "bad: ",
    };
    let said = Part::new("span", "unseen").text(said);
    vec![Part::new("span", "mark").with("data-level", word).put(&icon(Icon::of(level))).put(&said)]
}

/// The word of a level, for style sheets; empty where there is none.
#[must_use]
pub fn level_word(level: Option<Level>) -> String {
    level.map(Word::word).unwrap_or_default().to_owned()
}
