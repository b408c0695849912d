//! Bars over time.

use shared::board::SeriesSource;
use shared::board::bars::BarOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a bar for each bucket of time.
#[must_use]
pub fn bars_over_time(options: BarOptions, source: SeriesSource, context: BoardContext) -> Part {
    let names = names(&source, context);
    time_chart(Look { shape: Shape::Bars, axis: options.axis, source }, names, context)
}
