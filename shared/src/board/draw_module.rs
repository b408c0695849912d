//! Maps each kind of widget to the lazily loaded page module that draws it. The page fetches the module when it knows
//! its board. The server knows the board earlier, so it can preload the module.

use super::bars::Across;
use super::{Content, WidgetView};

/// A page module that draws some kinds of widgets and that not every board needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawModule {
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
    pub fn draw_module(&self) -> Option<DrawModule> {
        match self {
            Self::Text(_) => Some(DrawModule::Notes),
            Self::Series(shown) => match &shown.view {
                WidgetView::Stat(_) => None,
                WidgetView::Bar(options) if options.across == Some(Across::Time) => Some(DrawModule::Charts),
                WidgetView::Line(_) | WidgetView::Area(_) | WidgetView::Heatmap(_) | WidgetView::States(_) => {
                    Some(DrawModule::Charts)
                }
                WidgetView::Gauge(_) | WidgetView::Bar(_) | WidgetView::Table(_) | WidgetView::Log(_) => {
                    Some(DrawModule::Rows)
                }
            },
        }
    }
}
