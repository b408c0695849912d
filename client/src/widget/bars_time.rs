//! Bars over time.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::bars::Bars;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A bar for each bucket of time.
#[component]
pub fn BarsOverTime(
    /// How they are shown.
    options: Bars,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    view! { <TimeChart look=Look { shape: Shape::Bars, axis: options.axis, source } names stage/> }
}
