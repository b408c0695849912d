//! The kinds of widgets, each in a file of its own; all read the same fold.
//!
//! - [`frame`] is the frame around every widget.
//! - [`told`] holds the shared parts: the series of a widget and the look of their readings. [`names`] selects and
//!   labels the series, [`figure`] computes the number of a series, [`glance`] makes a track readable, [`past`] adds
//!   history, [`freshness`] finds stale series, [`order`] sorts.
//! - `stat` is in every page. `line`, `area`, `bars_time`, `heatmap` and `states` are charts over time, in the module
//!   `charts`. `gauge`, `bars`, `table` and `log` are in the module `rows`, and notes (`text`) in the module `notes`.

pub mod area;
pub mod bars;
pub mod bars_time;
pub mod figure;
pub mod frame;
pub mod freshness;
pub mod gauge;
pub mod glance;
pub mod heatmap;
pub mod line;
pub mod log;
pub mod names;
pub mod order;
pub mod past;
pub mod stat;
pub mod states;
pub mod table;
pub mod text;
pub mod told;

use shared::board::widget::Shown;
use shared::board::{Content, Drawn, View};

use crate::board::stage::Stage;
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
type Draw = fn(Content, Stage) -> Part;

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
pub fn inside(content: Content, stage: Stage) -> Part {
    match (&content, apart(&content)) {
        (_, Some(module)) => module.part(Until::Blank, move |draw| draw(content.clone(), stage)),
        (Content::Series(shown), None) => match &shown.view {
            View::Stat(options) => stat(*options, shown.source.clone(), stage),
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
    Some(match content.drawn()? {
        Drawn::Charts => &CHARTS,
        Drawn::Rows => &ROWS,
        Drawn::Notes => &NOTES,
    })
}

fn charted(content: Content, stage: Stage) -> Part {
    let Content::Series(shown) = content else { return Part::nothing() };
    let Shown { view: kind, source } = *shown;
    match kind {
        View::Line(options) => line(options, source, stage),
        View::Area(options) => area(&options, source, stage),
        View::Bar(options) => bars_over_time(options, source, stage),
        View::Heatmap(options) => heatmap(options, source, stage),
        View::States(options) => states(options, source, stage),
        View::Stat(_) | View::Gauge(_) | View::Table(_) | View::Log(_) => Part::nothing(),
    }
}

fn rowed(content: Content, stage: Stage) -> Part {
    let Content::Series(shown) = content else { return Part::nothing() };
    let Shown { view: kind, source } = *shown;
    match kind {
        View::Gauge(options) => gauge(options, source, stage),
        View::Bar(options) => bars(options, source, stage),
        View::Table(options) => table(options, source, stage),
        View::Log(options) => log(options, source, stage),
        View::Stat(_) | View::Line(_) | View::Area(_) | View::Heatmap(_) | View::States(_) => Part::nothing(),
    }
}

fn noted(content: Content, _: Stage) -> Part {
    let Content::Text(text) = content else { return Part::nothing() };
    note(&text)
}
