//! Lines over time.

use shared::board::SeriesSource;
use shared::board::lines::LineOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a line for each series, or for its quantiles.
#[must_use]
pub fn line(options: LineOptions, source: SeriesSource, context: BoardContext) -> Part {
    let names = names(&source, context);
    let shape = Shape::Lines { quantiles: options.quantiles, band: options.band };
    time_chart(Look { shape, axis: options.axis, source }, names, context)
}
