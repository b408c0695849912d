//! A heatmap: the distribution of numbers over time.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::heatmap::HeatmapOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A heatmap over the values of all series together.
#[component]
pub fn HeatmapWidget(
    /// The options of the document.
    options: HeatmapOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let names = names(&source, context);
    let look = Look { shape: Shape::Heat, axis: options.axis, source, markers: options.markers, compare: None };
    view! { <TimeChart look names context/> }
}
