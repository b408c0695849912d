//! Areas over time.

use shared::board::SeriesSource;
use shared::board::lines::{AreaOptions, Stack};

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a filled area below each series.
#[must_use]
pub fn area(options: &AreaOptions, source: SeriesSource, context: BoardContext) -> Part {
    let names = names(&source, context);
    let shape = Shape::Areas(options.stack.unwrap_or(Stack::None));
    time_chart(Look { shape, axis: options.axis, source }, names, context)
}
