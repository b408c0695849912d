//! How numbers are spread, over time.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::heatmap::Heatmap;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// The values of all series together.
#[component]
pub fn HeatmapWidget(
    /// How they are shown.
    options: Heatmap,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    view! { <TimeChart look=Look { shape: Shape::Heat, axis: options.axis, source } names stage/> }
}
