//! Areas over time.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::lines::{Area, Stack};

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::TimeChart;

/// What is below each series, filled.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn AreaWidget(
    /// How they are shown.
    options: Area,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    let shape = Shape::Areas(options.stack.unwrap_or(Stack::None));
    view! { <TimeChart look=Look { shape, axis: options.axis, source } names stage/> }
}
