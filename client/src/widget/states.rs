//! Which state was when.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::axis::Axis;
use shared::board::states::States;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// A row for each series.
#[component]
pub fn StatesWidget(
    /// How they are shown.
    options: States,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    view! { <TimeChart look=Look { shape: Shape::States(options.colours), axis: Axis::default(), source } names stage/> }
}
