//! Maps each kind of widget to the lazily loaded page module that draws it. The page fetches the module when it knows
//! its board. The server knows the board earlier, so it can preload the module.

use super::bars::Across;
use super::{Content, View};

/// A page module that draws some kinds of widgets and that not every board needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Draws charts over time.
    Charts,
    /// Draws gauges, bars, tables and logs.
    Rows,
    /// Draws notes.
    Notes,
}

impl Content {
    /// Returns the module that draws this content; `None` if the page itself can draw it.
    #[must_use]
    pub fn drawn(&self) -> Option<Drawn> {
        match self {
            Self::Text(_) => Some(Drawn::Notes),
            Self::Series(shown) => match &shown.view {
                View::Stat(_) => None,
                View::Bar(options) if options.across == Some(Across::Time) => Some(Drawn::Charts),
                View::Line(_) | View::Area(_) | View::Heatmap(_) | View::States(_) => Some(Drawn::Charts),
                View::Gauge(_) | View::Bar(_) | View::Table(_) | View::Log(_) => Some(Drawn::Rows),
            },
        }
    }
}
