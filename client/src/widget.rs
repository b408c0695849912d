//! What a board shows: each kind of widget in a file of its own, all from the same fold.
//!
//! [`frame`] is what is around each of them; [`told`] which series it has and how they are told: [`names`] which and
//! what they are called, [`figure`] which number of each, [`glance`] a track made readable, [`freshness`] whether it
//! still reports.

pub mod bars;
pub mod figure;
pub mod frame;
pub mod freshness;
pub mod gauge;
pub mod glance;
pub mod log;
pub mod names;
pub mod order;
pub mod stat;
pub mod table;
pub mod text;
pub mod told;

use leptos::prelude::*;
use shared::board::widget::Shown;
use shared::board::{Content, View};

use crate::board::stage::Stage;
use bars::BarsWidget;
use gauge::GaugeWidget;
use log::LogWidget;
use stat::StatWidget;
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
        View::Gauge(options) => view! { <GaugeWidget options source stage/> }.into_any(),
        View::Bar(options) => view! { <BarsWidget options source stage/> }.into_any(),
        View::Table(options) => view! { <TableWidget options source stage/> }.into_any(),
        View::Log(options) => view! { <LogWidget options source stage/> }.into_any(),
        _ => view! { <StatWidget options=shared::board::stat::Stat::default() source stage/> }.into_any(),
    }
}
