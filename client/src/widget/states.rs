//! States over time.

use shared::board::Source;
use shared::board::axis::Axis;
use shared::board::states::States;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a row of states for each series.
#[must_use]
pub fn states(options: States, source: Source, stage: Stage) -> Part {
    let names = names(&source, stage);
    time_chart(Look { shape: Shape::States(options.colours), axis: Axis::default(), source }, names, stage)
}
