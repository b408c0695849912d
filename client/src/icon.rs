//! Icons that differ by shape, not only by colour: some of Bootstrap Icons (MIT), from the crate `icondata_bs`.

use icondata_bs as set;
use leptos::prelude::*;
use shared::board::Level;
use shared::board::keyword::Keyword;

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
#[component]
pub fn IconImage(
    /// The icon.
    icon: Icon,
) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" inner_html=icon.drawing()></svg> }
}

/// Marks the level of the element beside it: an icon, and words for screen readers. Empty without a level.
#[component]
pub fn LevelMark(
    /// The level.
    level: Memo<Option<Level>>,
) -> impl IntoView {
    view! { {move || level.get().map(mark)} }
}

fn mark(level: Level) -> AnyView {
    let words = match level {
        Level::Ok => "fine: ",
        Level::Warn => "warning: ",
        Level::Bad => "bad: ",
    };
    view! {
        <span class="mark" data-level=level.keyword()>
            <IconImage icon=Icon::of(level)/>
            <span class="unseen">{words}</span>
        </span>
    }
    .into_any()
}

/// Returns the word of a level, for style sheets; empty without a level.
#[must_use]
pub fn level_word(level: Option<Level>) -> &'static str {
    level.map(Keyword::keyword).unwrap_or_default()
}
