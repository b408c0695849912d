//! Areas over time.

use shared::board::Source;
use shared::board::lines::{Area, Stack};

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a filled area below each series.
#[must_use]
pub fn area(options: &Area, source: Source, stage: Stage) -> Part {
    let names = names(&source, stage);
    let shape = Shape::Areas(options.stack.unwrap_or(Stack::None));
    time_chart(Look { shape, axis: options.axis, source }, names, stage)
}
