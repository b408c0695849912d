//! A heatmap: the distribution of numbers over time.

use shared::board::SeriesSource;
use shared::board::heatmap::HeatmapOptions;

use super::names::names;
use crate::board::context::BoardContext;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a heatmap over the values of all series together.
#[must_use]
pub fn heatmap(options: HeatmapOptions, source: SeriesSource, context: BoardContext) -> Part {
    let names = names(&source, context);
    time_chart(Look { shape: Shape::Heat, axis: options.axis, source }, names, context)
}
