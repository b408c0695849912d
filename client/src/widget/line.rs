//! Lines over time.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::lines::LineOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A chart with a line for each series, or for its quantiles.
#[component]
pub fn LineWidget(
    /// The options of the document.
    options: LineOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let names = names(&source, context);
    let shape = Shape::Lines { quantiles: options.quantiles, band: options.band };
    let look = Look { shape, axis: options.axis, source, markers: options.markers, compare: options.compare };
    view! { <TimeChart look names context/> }
}
