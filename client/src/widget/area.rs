//! Areas over time.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::lines::{AreaOptions, Stack};

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A chart with a filled area below each series.
#[component]
pub fn AreaWidget(
    /// The options of the document.
    options: AreaOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let names = names(&source, context);
    let shape = Shape::Areas(options.stack.unwrap_or(Stack::None));
    let look = Look { shape, axis: options.axis, source, markers: options.markers, compare: options.compare };
    view! { <TimeChart look names context/> }
}
