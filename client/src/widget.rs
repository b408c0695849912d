//! The kinds of widgets, each in a file of its own; all read the same fold.
//!
//! - [`frame`] is the frame around every widget.
//! - [`series`] holds the shared parts: the series of a widget and the look of their readings. [`names`] selects and
//!   labels the series, [`lookback`] adds history, [`freshness`] finds stale series, [`order`] sorts. The readings
//!   themselves are computed in [`shared::reading`].
//! - [`head`] labels a series; `glow` marks a value that changed.
//! - `stat` is in every page. Notes (`text`) are in the module `notes`, all other kinds in the module of boards.

pub mod area;
pub mod bars;
pub mod bars_time;
pub mod frame;
pub mod freshness;
pub mod gauge;
mod glow;
pub mod head;
pub mod heatmap;
pub mod line;
pub mod log;
pub mod lookback;
pub mod names;
pub mod order;
pub mod series;
pub mod stat;
pub mod states;
pub mod table;
pub mod text;
pub mod unfit;

use leptos::prelude::*;
use shared::board::widget::SeriesContent;
use shared::board::{Content, DrawModule, WidgetView};

use crate::board::context::BoardContext;
use crate::board::document::BOARD;
use crate::lazy::{Placeholder, module};
use area::AreaWidget;
use bars::BarsWidget;
use bars_time::BarsOverTimeWidget;
use gauge::GaugeWidget;
use heatmap::HeatmapWidget;
use line::LineWidget;
use log::LogWidget;
use stat::StatWidget;
use states::StatesWidget;
use table::TableWidget;
use text::NoteWidget;

/// Draws the inside of a widget.
pub type Draw = fn(Content, BoardContext) -> AnyView;

module! {
    /// The module of notes. It is a file of its own because the Markdown parser is larger than all other kinds of
    /// widgets together.
    static NOTES: Draw = notes, draw_note
}

/// The inside of a widget.
#[component]
pub fn WidgetInside(
    /// The kind of the widget, with its options.
    content: Content,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    match content {
        Content::Text(_) => NOTES.view(Placeholder::Blank, move |draw| draw(content.clone(), context)),
        Content::Series(shown) => match *shown {
            SeriesContent { view: WidgetView::Stat(options), source } => {
                view! { <StatWidget options source context/> }.into_any()
            }
            shown => {
                let content = Content::Series(Box::new(shown));
                BOARD.view(Placeholder::Blank, move |board| (board.draw)(content.clone(), context))
            }
        },
    }
}

/// Fetches the module of a widget before there is anything to draw.
pub fn preload_module(content: &Content) {
    match content.draw_module() {
        Some(DrawModule::Charts | DrawModule::Rows) => BOARD.fetch(),
        Some(DrawModule::Notes) => NOTES.fetch(),
        None => {}
    }
}

/// Draws charts, gauges, bars, tables and logs.
pub(crate) fn draw(content: Content, context: BoardContext) -> AnyView {
    let across_time = content.draw_module() == Some(DrawModule::Charts);
    let Content::Series(shown) = content else { return ().into_any() };
    let SeriesContent { view: kind, source } = *shown;
    match kind {
        WidgetView::Line(options) => view! { <LineWidget options source context/> }.into_any(),
        WidgetView::Area(options) => view! { <AreaWidget options source context/> }.into_any(),
        WidgetView::Bar(options) if across_time => view! { <BarsOverTimeWidget options source context/> }.into_any(),
        WidgetView::Bar(options) => view! { <BarsWidget options source context/> }.into_any(),
        WidgetView::Heatmap(options) => view! { <HeatmapWidget options source context/> }.into_any(),
        WidgetView::States(options) => view! { <StatesWidget options source context/> }.into_any(),
        WidgetView::Gauge(options) => view! { <GaugeWidget options source context/> }.into_any(),
        WidgetView::Table(options) => view! { <TableWidget options source context/> }.into_any(),
        WidgetView::Log(options) => view! { <LogWidget options source context/> }.into_any(),
        WidgetView::Stat(_) => ().into_any(),
    }
}

fn draw_note(content: Content, _: BoardContext) -> AnyView {
    let Content::Text(text) = content else { return ().into_any() };
    view! { <NoteWidget text/> }.into_any()
}
