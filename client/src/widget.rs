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

use leptos::prelude::*;
use shared::board::bars::Across;
use shared::board::widget::Shown;
use shared::board::{Content, View};

use crate::board::stage::Stage;
use area::AreaWidget;
use bars::BarsWidget;
use bars_time::BarsOverTime;
use gauge::GaugeWidget;
use heatmap::HeatmapWidget;
use line::LineWidget;
use log::LogWidget;
use stat::StatWidget;
use states::StatesWidget;
use table::TableWidget;
use text::TextWidget;

/// What is inside of a widget.
#[must_use]
pub fn inside(content: Content, stage: Stage) -> AnyView {
    let shown = match content {
        Content::Text(text) => return view! { <TextWidget text/> }.into_any(),
        Content::Series(shown) => shown,
    };
    let Shown { view: kind, source } = *shown;
    match kind {
        View::Stat(options) => view! { <StatWidget options source stage/> }.into_any(),
        View::Line(options) => view! { <LineWidget options source stage/> }.into_any(),
        View::Area(options) => view! { <AreaWidget options source stage/> }.into_any(),
        View::Bar(options) if options.across == Some(Across::Time) => {
            view! { <BarsOverTime options source stage/> }.into_any()
        }
        View::Gauge(options) => view! { <GaugeWidget options source stage/> }.into_any(),
        View::Bar(options) => view! { <BarsWidget options source stage/> }.into_any(),
        View::Table(options) => view! { <TableWidget options source stage/> }.into_any(),
        View::Log(options) => view! { <LogWidget options source stage/> }.into_any(),
        View::Heatmap(options) => view! { <HeatmapWidget options source stage/> }.into_any(),
        View::States(options) => view! { <StatesWidget options source stage/> }.into_any(),
    }
}
