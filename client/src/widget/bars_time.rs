//! Bars over time.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::bars::BarOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A chart with a bar for each bucket of time.
#[component]
pub fn BarsOverTimeWidget(
    /// The options of the document.
    options: BarOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let names = names(&source, context);
    let look = Look { shape: Shape::Bars, axis: options.axis, source, markers: options.markers, compare: None };
    view! { <TimeChart look names context/> }
}
