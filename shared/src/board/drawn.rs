//! Which kinds of widgets not every page can draw: a page fetches what draws them when it knows its board, and a server that
//! knows the board earlier can say so earlier.

use super::bars::Across;
use super::{Content, View};

/// What draws a kind of widget that not every board has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// What is drawn over time.
    Charts,
    /// Gauges, bars, tables and logs.
    Rows,
    /// Notes.
    Notes,
}

impl Content {
    /// What draws it; nothing where every page can.
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
