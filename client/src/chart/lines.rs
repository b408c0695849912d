//! Drawing lines and areas.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::{Trace, columns};
use super::value_axis::Upright;

/// Width of lines, in pixels of the page, where it has its usual size.
const LINE: f64 = 1.5;
/// Radius of a point that has no neighbours.
const DOT: f64 = 2.0;

/// What is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    None,
    /// From the line down to the ground, softly.
    Ground,
    /// From the lower to the upper edge of each point, softly.
    Band,
    /// From the lower to the upper edge, as an area of its own.
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

/// Draws lines.
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
    // Areas first, so that no line is covered.
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

/// How the lines of one colour differ: how long their dashes are, and the holes between, in pixels. The style sheet has the same
/// for the legend.
const DASHES: [&[f64]; 4] = [&[], &[5.0, 3.0], &[2.0, 3.0], &[8.0, 3.0, 2.0, 3.0]];

/// Which dashes a line has, by the colour of its series and its place among the lines of that.
#[must_use]
pub fn dash(colour: usize, of: usize) -> usize {
    (of + colour / super::palette::SERIES) % DASHES.len()
}

fn dashes(trace: &Trace) -> &'static [f64] {
    DASHES[dash(trace.colour, trace.dash)]
}
