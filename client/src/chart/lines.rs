//! Draws lines and areas.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::{Trace, columns};
use super::value_axis::Upright;

/// The width of lines in CSS pixels, at the usual size of labels.
const LINE: f64 = 1.5;
/// The radius of a point without neighbours.
const DOT: f64 = 2.0;

/// The filled area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    None,
    /// From the line down to the bottom, faintly.
    Ground,
    /// From the lower to the upper edge of each point, faintly.
    Band,
    /// From the lower to the upper edge, as an area in its own right.
    Area,
}

impl Fill {
    fn alpha(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Ground => 0.07,
            Self::Band => 0.18,
            Self::Area => 0.30,
        }
    }
}

/// Draws the lines of a chart and the areas around them.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, axis: &Upright, traces: &[Trace], fill: Fill) {
    let context = &pen.context;
    context.save();
    context.begin_path();
    context.rect(0.0, 0.0, plot.width, plot.bottom());
    context.clip();
    let width = pen.grown(LINE);
    context.set_line_width(width);
    let x = |at| plot.x(at);
    let y = |value: f64| plot.y(axis, value).unwrap_or(plot.bottom() + width);
    // Draws the areas first, so that they cover no line.
    let parts: Vec<_> =
        traces.iter().map(|t| (t, t.runs().into_iter().map(|run| columns(run, &x)).collect::<Vec<_>>())).collect();
    for (trace, runs) in &parts {
        pen.colour(palette.of(trace.colour));
        context.set_global_alpha(fill.alpha());
        for run in runs {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            context.begin_path();
            match fill {
                Fill::None => continue,
                Fill::Ground => {
                    context.move_to(first.x, plot.bottom());
                    run.iter().for_each(|column| context.line_to(column.x, y(column.last)));
                    context.line_to(last.x, plot.bottom());
                }
                Fill::Band | Fill::Area => {
                    run.iter().for_each(|column| context.line_to(column.x, y(column.high)));
                    run.iter().rev().for_each(|column| context.line_to(column.x, y(column.low)));
                }
            }
            context.fill();
        }
    }
    for (trace, runs) in &parts {
        pen.colour(palette.of(trace.colour));
        context.set_global_alpha(1.0);
        pen.dashes(dashes(trace));
        for run in runs {
            let edge = |column: &super::trace::Column| if fill == Fill::Area { column.high } else { column.last };
            context.begin_path();
            for column in run {
                if fill != Fill::Area && column.min < column.max {
                    for value in [column.first, column.min, column.max, column.last] {
                        context.line_to(column.x, y(value));
                    }
                } else {
                    context.line_to(column.x, y(edge(column)));
                }
            }
            context.stroke();
            if let [only] = run.as_slice() {
                context.begin_path();
                if context.arc(only.x, y(edge(only)), pen.grown(DOT), 0.0, std::f64::consts::TAU).is_ok() {
                    context.fill();
                }
            }
        }
    }
    pen.dashes(&[]);
    context.restore();
}

/// The dash patterns that distinguish lines of one colour: lengths of dashes and gaps in pixels. The style sheet has
/// the same patterns for the legend.
const DASHES: [&[f64]; 4] = [&[], &[5.0, 3.0], &[2.0, 3.0], &[8.0, 3.0, 2.0, 3.0]];

/// The index of a line's dash pattern, from the colour of its series and its index among the lines of that series.
#[must_use]
pub fn dash(colour: usize, of: usize) -> usize {
    (of + colour / super::palette::SERIES) % DASHES.len()
}

fn dashes(trace: &Trace) -> &'static [f64] {
    DASHES[dash(trace.colour, trace.dash)]
}
