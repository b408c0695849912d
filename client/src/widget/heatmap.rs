//! A heatmap: the distribution of numbers over time.

use shared::board::Source;
use shared::board::heatmap::Heatmap;

use super::names::names;
use crate::board::stage::Stage;
use crate::chart::look::{Look, Shape};
use crate::chart::time_chart::time_chart;
use crate::part::Part;

/// Builds a heatmap over the values of all series together.
#[must_use]
pub fn heatmap(options: Heatmap, source: Source, stage: Stage) -> Part {
    let names = names(&source, stage);
    time_chart(Look { shape: Shape::Heat, axis: options.axis, source }, names, stage)
}
