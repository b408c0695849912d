//! Lines over time.

use shared::board::Source;
use shared::board::lines::Line;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a line for each series, or for its quantiles.
#[must_use]
pub fn line(options: Line, source: Source, stage: Stage) -> Part {
    let names = names(&source, stage);
    let shape = Shape::Lines { quantiles: options.quantiles, band: options.band };
    time_chart(Look { shape, axis: options.axis, source }, names, stage)
}
