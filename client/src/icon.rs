//! Icons that differ by shape, not only by colour: some of Bootstrap Icons (MIT), from the crate `icondata_bs`.

use icondata_bs as set;
use shared::board::Level;
use shared::board::keyword::Keyword;

use crate::part::Part;

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A tick: all is well.
    Fine,
    /// A triangle: needs a look.
    Warning,
    /// A lozenge: needs action.
    Bad,
    /// A clock: the series has stopped reporting.
    Stale,
    /// A square with a cross: the widget cannot be shown.
    Cross,
}

impl Icon {
    /// Returns the icon of a level.
    #[must_use]
    pub fn of(level: Level) -> Self {
        match level {
            Level::Ok => Self::Fine,
            Level::Warn => Self::Warning,
            Level::Bad => Self::Bad,
        }
    }

    /// Returns the inner markup of the SVG, in a square of 16 by 16.
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

/// An icon beside words that say the same.
#[must_use]
pub fn icon(icon: Icon) -> Part {
    Part::sign("icon", icon.drawing())
}

/// Marks the level of the element beside it, given as its word ([`level_word`]): an icon, and words for screen
/// readers. Empty where the word is not a level.
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

/// Returns the word of a level, for style sheets; empty without a level.
#[must_use]
pub fn level_word(level: Option<Level>) -> String {
    level.map(Keyword::keyword).unwrap_or_default().to_owned()
}
