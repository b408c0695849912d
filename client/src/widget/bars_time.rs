//! Bars over time.

use shared::board::Source;
use shared::board::bars::Bars;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a bar for each bucket of time.
#[must_use]
pub fn bars_over_time(options: Bars, source: Source, stage: Stage) -> Part {
    let names = names(&source, stage);
    time_chart(Look { shape: Shape::Bars, axis: options.axis, source }, names, stage)
}
