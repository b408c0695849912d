//! States over time.

use shared::board::SeriesSource;
use shared::board::axis::Axis;
use shared::board::states::StatesOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a chart with a row of states for each series.
#[must_use]
pub fn states(options: StatesOptions, source: SeriesSource, context: BoardContext) -> Part {
    let names = names(&source, context);
    time_chart(Look { shape: Shape::States(options.colours), axis: Axis::default(), source }, names, context)
}
