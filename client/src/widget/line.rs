//! Lines over time.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::lines::Line;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A line for each series, or for quantiles of it.
#[component]
pub fn LineWidget(
    /// How they are shown.
    options: Line,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    let shape = Shape::Lines { quantiles: options.quantiles, band: options.band };
    view! { <TimeChart look=Look { shape, axis: options.axis, source } names stage/> }
}
