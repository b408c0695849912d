//! The kinds of widgets, each in a file of its own; all read the same fold.
//!
//! - [`frame`] is the frame around every widget.
//! - [`series`] holds the shared parts: the series of a widget and the look of their readings. [`names`] selects and
//!   labels the series, [`lookback`] adds history, [`freshness`] finds stale series, [`order`] sorts. The readings
//!   themselves are computed in [`shared::reading`].
//! - `stat` is in every page. `line`, `area`, `bars_time`, `heatmap` and `states` are charts over time, in the module
//!   `charts`. `gauge`, `bars`, `table` and `log` are in the module `rows`, and notes (`text`) in the module `notes`.

pub mod area;
pub mod bars;
pub mod bars_time;
pub mod frame;
pub mod freshness;
pub mod gauge;
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

use shared::board::widget::SeriesContent;
use shared::board::{Content, DrawModule, WidgetView};

use crate::board::context::BoardContext;
use crate::lazy::{Module, Until, module};
use crate::part::Part;
use area::area;
use bars::bars;
use bars_time::bars_over_time;
use gauge::gauge;
use heatmap::heatmap;
use line::line;
use log::log;
use stat::stat;
use states::states;
use table::table;
use text::note;

/// The table of a module: the function that draws its kinds of widgets.
type Draw = fn(Content, BoardContext) -> Part;

module! {
    /// The module of charts over time.
    static CHARTS: Draw = charts, charted
}

module! {
    /// The module of gauges, bars, tables and logs.
    static ROWS: Draw = rows, rowed
}

module! {
    /// The module of notes. It is a file of its own because the Markdown parser is larger than all other kinds of
    /// widgets together.
    static NOTES: Draw = notes, noted
}

/// Builds the inside of a widget.
#[must_use]
pub fn inside(content: Content, context: BoardContext) -> Part {
    match (&content, apart(&content)) {
        (_, Some(module)) => module.part(Until::Blank, move |draw| draw(content.clone(), context)),
        (Content::Series(shown), None) => match &shown.view {
            WidgetView::Stat(options) => stat(*options, shown.source.clone(), context),
            _ => Part::nothing(),
        },
        (Content::Text(_), None) => Part::nothing(),
    }
}

/// Fetches the module of a widget before there is anything to draw.
pub fn foresee(content: &Content) {
    if let Some(module) = apart(content) {
        module.fetch();
    }
}

/// Returns the module that draws a widget; `None` for a kind that is in every page.
fn apart(content: &Content) -> Option<&'static Module<Draw>> {
    Some(match content.draw_module()? {
        DrawModule::Charts => &CHARTS,
        DrawModule::Rows => &ROWS,
        DrawModule::Notes => &NOTES,
    })
}

fn charted(content: Content, context: BoardContext) -> Part {
    let Content::Series(shown) = content else { return Part::nothing() };
    let SeriesContent { view: kind, source } = *shown;
    match kind {
        WidgetView::Line(options) => line(options, source, context),
        WidgetView::Area(options) => area(&options, source, context),
        WidgetView::Bar(options) => bars_over_time(options, source, context),
        WidgetView::Heatmap(options) => heatmap(options, source, context),
        WidgetView::States(options) => states(options, source, context),
        WidgetView::Stat(_) | WidgetView::Gauge(_) | WidgetView::Table(_) | WidgetView::Log(_) => Part::nothing(),
    }
}

fn rowed(content: Content, context: BoardContext) -> Part {
    let Content::Series(shown) = content else { return Part::nothing() };
    let SeriesContent { view: kind, source } = *shown;
    match kind {
        WidgetView::Gauge(options) => gauge(options, source, context),
        WidgetView::Bar(options) => bars(options, source, context),
        WidgetView::Table(options) => table(options, source, context),
        WidgetView::Log(options) => log(options, source, context),
        WidgetView::Stat(_)
        | WidgetView::Line(_)
        | WidgetView::Area(_)
        | WidgetView::Heatmap(_)
        | WidgetView::States(_) => Part::nothing(),
    }
}

fn noted(content: Content, _: BoardContext) -> Part {
    let Content::Text(text) = content else { return Part::nothing() };
    note(&text)
}
