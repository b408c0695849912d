//! What a board shows: each kind of widget in a file of its own, all from the same fold.
//!
//! [`frame`] is what is around each of them; [`told`] which series it has and how they are told: [`names`] which and
//! what they are called, [`figure`] which number of each, [`glance`] a track made readable, [`past`] what history adds to it, [`freshness`] whether it
//! still reports.

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

/// Kinds of widgets that not every board has.
type Draw = fn(Content, Stage) -> Part;

module! {
    /// What is drawn over time.
    static CHARTS: Draw = charts, charted
}

module! {
    /// Gauges, bars, tables and logs.
    static ROWS: Draw = rows, rowed
}

module! {
    /// Notes. Apart from the rest, because the Markdown parser is larger than all other kinds of widgets together.
    static NOTES: Draw = notes, noted
}

/// What is inside of a widget.
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

/// Has what draws a widget fetched before there is anything to draw.
pub fn foresee(content: &Content) {
    if let Some(module) = apart(content) {
        module.fetch();
    }
}

/// In which module a widget is drawn; nothing where every page has it.
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
