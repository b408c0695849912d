//! States over time.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::axis::Axis;
use shared::board::states::StatesOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A chart with a row of states for each series.
#[component]
pub fn StatesWidget(
    /// The options of the document.
    options: StatesOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let names = names(&source, context);
    let StatesOptions { colours, markers } = options;
    let look = Look { shape: Shape::States(colours), axis: Axis::default(), source, markers, compare: None };
    view! { <TimeChart look names context/> }
}
