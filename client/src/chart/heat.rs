//! Heatmaps: the distribution of values over time, drawn as a grid of shades.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::value_axis::{Extent, ValueAxis};
use shared::reading::Cell;

/// The height of a cell in pixels.
const ROW: f64 = 6.0;
/// The opacity of the weakest cell.
const WEAKEST: f64 = 0.12;

/// The values of all series within one interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatColumn {
    /// The start in milliseconds.
    pub start: u64,
    /// The length in milliseconds.
    pub width: u64,
    /// The values, each with its count.
    pub bins: Vec<(f64, u64)>,
}

/// Merges the buckets of a series into the columns with the same start; sorted by time.
pub fn merge_into_columns(columns: &mut Vec<HeatColumn>, cells: &mut dyn Iterator<Item = &Cell>) {
    let mut at = 0;
    for cell in cells {
        while columns.get(at).is_some_and(|column| column.start < cell.start) {
            at += 1;
        }
        match columns.get_mut(at) {
            Some(column) if column.start == cell.start => column.bins.extend_from_slice(&cell.bins),
            _ => columns.insert(at, HeatColumn { start: cell.start, width: cell.width, bins: cell.bins.clone() }),
        }
    }
}

/// The extent of the values.
#[must_use]
pub fn extent(columns: &[HeatColumn]) -> Option<Extent> {
    Extent::of(columns.iter().flat_map(|column| column.bins.iter().map(|bin| bin.0)))
}

/// Counts the values of a column in each of `rows` cells, from the top.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of rows")]
#[expect(clippy::cast_precision_loss, reason = "a chart has few rows")]
pub fn counts(of: &HeatColumn, axis: &ValueAxis, rows: usize) -> Vec<u64> {
    let mut counts = vec![0; rows];
    for &(value, count) in &of.bins {
        let Some(y) = axis.y(value).filter(|y| (0.0..=1.0).contains(y)) else { continue };
        let row = ((y * rows as f64) as usize).min(rows.saturating_sub(1));
        counts[row] += count;
    }
    counts
}

/// Draws the cells. A cell with more values is more opaque.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a chart has few rows")]
#[expect(clippy::cast_precision_loss, reason = "a chart has few rows")]
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, axis: &ValueAxis, columns: &[HeatColumn]) {
    let rows = ((plot.height / pen.grown(ROW)) as usize).max(1);
    let columns: Vec<_> = columns.iter().map(|column| (column, counts(column, axis, rows))).collect();
    let most = columns.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0).max(1) as f64;
    let context = &pen.context;
    context.save();
    context.begin_path();
    context.rect(plot.left, plot.top, plot.width, plot.height);
    context.clip();
    pen.colour(palette.of(0));
    let high = plot.height / rows as f64;
    for (column, counts) in columns {
        let (left, right) = (plot.x(column.start).floor(), plot.x(column.start + column.width).floor());
        for (row, count) in counts.into_iter().enumerate().filter(|&(_, count)| count > 0) {
            // The square root keeps outliers visible, which users look for.
            context.set_global_alpha(WEAKEST + (1.0 - WEAKEST) * (count as f64 / most).sqrt());
            context.fill_rect(left, plot.top + row as f64 * high, (right - left).max(1.0), high);
        }
    }
    context.restore();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::value_axis::Baseline;
    use shared::board::axis::Axis;

    #[test]
    fn the_bins_of_several_series_are_put_together_by_time() {
        let cell = |start, value| Cell { start, width: 10, bins: vec![(value, 2)], ..Cell::default() };
        let mut columns = Vec::new();
        merge_into_columns(&mut columns, &mut [cell(0, 1.0), cell(20, 2.0)].iter());
        merge_into_columns(&mut columns, &mut [cell(10, 3.0), cell(20, 9.0)].iter());
        assert_eq!(
            columns.iter().map(|column| (column.start, column.bins.len())).collect::<Vec<_>>(),
            [(0, 1), (10, 1), (20, 2)]
        );
        assert_eq!(extent(&columns).map(|extent| (extent.low, extent.high)), Some((1.0, 9.0)));
        let axis = ValueAxis::new(Axis { min: Some(0.0), max: Some(10.0), scale: None }, None, Baseline::Free);
        assert_eq!(counts(&columns[2], &axis, 2), [2, 2], "the greater values are above");
    }
}
