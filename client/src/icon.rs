//! Signs, told apart by their shape alone: some of Bootstrap Icons (MIT), as the crate `icondata_bs` has them.

use icondata_bs as set;
use shared::board::Level;
use shared::board::word::Word;

use crate::part::Part;

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A tick: as it should be.
    Fine,
    /// A triangle: worth a look.
    Warning,
    /// A lozenge: someone should do something.
    Bad,
    /// A disc with the hands of a clock: it has not reported.
    Stale,
    /// A square with a cross: it cannot be shown.
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

    /// What is drawn: the inside of an SVG, in a square of 16 by 16.
    #[must_use]
    pub fn drawing(self) -> &'static str {
        let icon = match self {
            Self::Fine => set::BsCheckLg,
            Self::Warning => set::BsExclamationTriangleFill,
            Self::Bad => set::BsExclamationDiamondFill,
            Self::Stale => set::BsClockFill,
            Self::Cross => set::BsXSquareFill,
        };
        icon.data
    }
}

/// A sign that stands beside words which say the same.
#[must_use]
pub fn icon(icon: Icon) -> Part {
    Part::sign("icon", icon.drawing())
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
