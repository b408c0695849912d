//! Draws the content of a chart, with its axes.

use shared::board::lines::Stack;
use shared::format::number::NumberFormat;

use super::ChartContent;
use crate::chart::lines::{self, Fill};
use crate::chart::look::{Look, Shape};
use crate::chart::palette::Palette;
use crate::chart::pen::Pen;
use crate::chart::plot::{NOT_POSITIVE, Plot};
use crate::chart::trace::Role;
use crate::chart::value_axis::{Baseline, Extent, ValueAxis};
use crate::chart::{bars, heat, number_labels, time_axis, timeline};
use crate::zone;

/// The room for a label of the time axis, as a multiple of the label size.
const TICK: f64 = 8.0;

impl ChartContent {
    /// The extent of all values that are drawn in a time range, bands included.
    #[must_use]
    pub fn extent(&self, look: &Look, from: u64, to: u64) -> Option<Extent> {
        if let Shape::Heat = look.shape {
            return heat::extent(&self.heat_columns);
        }
        let dots = self.traces.iter().flat_map(|trace| trace.within(from, to));
        Extent::of(dots.flat_map(|dot| [dot.top, dot.low, dot.high]))
    }

    /// The axis for the content of a time range.
    #[must_use]
    pub fn axis(&self, look: &Look, from: u64, to: u64) -> ValueAxis {
        let ground = match look.shape {
            Shape::Areas(_) | Shape::Bars => Baseline::Zero,
            _ => Baseline::Free,
        };
        let shown = self.extent(look, from, to);
        // Shares add up to 100. With its margin of 8 %, an axis up to 92.6 ends at 100.
        let shown = match (&look.shape, shown) {
            (Shape::Areas(Stack::Share), Some(extent)) => {
                let end = |end: f64| if end == 0.0 { 0.0 } else { 92.6_f64.copysign(end) };
                Extent::of([end(extent.low.min(0.0)), end(extent.high.max(0.0))].into_iter())
            }
            (_, shown) => shown,
        };
        ValueAxis::new(look.axis, shown, ground)
    }

    /// The labels of the ticks of the axis.
    fn labels(&self, look: &Look, ticks: &[f64]) -> Vec<String> {
        if let Shape::Areas(Stack::Share) = look.shape {
            let style = number_labels::percent(ticks);
            return ticks.iter().map(|&value| style.text(value)).collect();
        }
        let scale = look.axis.scale.unwrap_or(shared::board::axis::Scale::Linear);
        number_labels::ticks(self.unit(), ticks, &look.source, scale)
    }

    /// The number format of single values.
    #[must_use]
    pub fn value_format(&self, look: &Look) -> NumberFormat {
        let values: Vec<f64> = self.traces.iter().filter_map(|trace| trace.newest).collect();
        match look.shape {
            Shape::Areas(Stack::Share) => number_labels::percent(&values),
            _ => number_labels::number_format(self.unit(), &values, &look.source),
        }
    }

    /// Draws the content of a time range, and returns the coordinates.
    pub fn draw(&self, look: &Look, pen: &Pen, range: (u64, u64), palette: &Palette) -> Plot {
        let plot = Plot::on(pen, range);
        if let Shape::States(_) = look.shape {
            let plot = timeline::draw(pen, plot, palette, &self.lanes);
            draw_time(pen, &plot, palette);
            return plot;
        }
        let axis = self.axis(look, plot.from, plot.to);
        let labels = self.labels(look, &plot.ticks(&axis));
        let floor = axis.has_floor.then_some(NOT_POSITIVE);
        let plot = plot.beside(pen, labels.iter().map(String::as_str).chain(floor));
        draw_time(pen, &plot, palette);
        // Thresholds are in the unit of the series, so they do not apply to shares.
        let thresholds = if look.is_share() { &[] } else { look.source.thresholds.as_slice() };
        plot.draw_levels(pen, palette, &axis, thresholds);
        plot.draw_grid(pen, palette, &axis);
        if let Shape::Heat = look.shape {
            heat::draw(pen, &plot, palette, &axis, &self.heat_columns);
            plot.draw_values(pen, palette, &axis, &labels);
            return plot;
        }
        plot.draw_thresholds(pen, palette, &axis, thresholds);
        match &look.shape {
            Shape::Bars => bars::draw(pen, &plot, palette, &axis, &self.traces, self.width.max(1)),
            Shape::Areas(_) => lines::draw(pen, &plot, palette, &axis, &self.traces, Fill::Area),
            _ => {
                let of_series = self.traces.iter().filter(|trace| trace.role == Role::Series).count();
                // A filled area says that it stands on zero.
                let fill = if of_series == 1 && axis.low <= 0.0 { Fill::Ground } else { Fill::None };
                lines::draw(pen, &plot, palette, &axis, &self.traces, fill);
            }
        }
        plot.draw_values(pen, palette, &axis, &labels);
        plot
    }
}

/// Draws the labels of the time axis.
fn draw_time(pen: &Pen, plot: &Plot, palette: &Palette) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let most = (plot.width / (pen.label * TICK)) as u64;
    let ticks = time_axis::ticks(plot.from, plot.to, most.max(2), &zone::offset);
    plot.draw_time(pen, palette, &ticks);
}
