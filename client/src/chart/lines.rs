//! Draws lines, areas and bands.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::{Column, Role, Trace, columns, outline};
use super::value_axis::ValueAxis;

/// The width of lines in CSS pixels, at the usual size of labels.
const LINE: f64 = 1.5;
/// The radius of a point without neighbours.
const DOT: f64 = 2.0;
/// The opacity of the area from a line down to the bottom.
const GROUND: f64 = 0.07;
/// The opacity of the area below a line that is an area of its own.
const AREA: f64 = 0.30;
/// The opacity of the band around a line.
const BAND: f64 = 0.20;
/// The opacity of each band of several lines, which may lie over each other.
const BANDS: f64 = 0.11;
/// The opacity of the line of an earlier time.
const EARLIER: f64 = 0.45;

/// The filled area of each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    None,
    /// From the line down to the bottom, faintly.
    Ground,
    /// From the line to its base, as an area in its own right.
    Area,
}

/// Draws the lines of a chart, the areas below them and the bands around them.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, axis: &ValueAxis, traces: &[Trace], fill: Fill) {
    let context = &pen.context;
    context.save();
    context.begin_path();
    context.rect(plot.left, 0.0, plot.width, plot.bottom());
    context.clip();
    context.set_line_width(pen.grown(LINE));
    let x = |at| plot.x(at);
    let y = |value: f64| plot.y(axis, value).unwrap_or(plot.bottom());
    // Draws the areas first, so that they cover no line.
    let parts: Vec<_> =
        traces.iter().map(|t| (t, t.runs().into_iter().map(|run| columns(run, &x)).collect::<Vec<_>>())).collect();
    let of_series = || parts.iter().filter(|(trace, _)| trace.role == Role::Series);
    let several = of_series().count() > 1;
    for (trace, runs) in of_series() {
        pen.colour(palette.of(trace.colour));
        for run in runs {
            fill_below(pen, run, fill, &y, plot.bottom());
            let outline = outline(run);
            context.set_global_alpha(if several { BANDS } else { BAND });
            context.begin_path();
            outline.iter().for_each(|&(x, value)| context.line_to(x, y(value)));
            context.fill();
        }
    }
    let earlier = parts.iter().filter(|(trace, _)| trace.role == Role::Earlier);
    for (trace, runs) in earlier.chain(of_series()) {
        pen.colour(palette.of(trace.colour));
        context.set_global_alpha(if trace.role == Role::Earlier { EARLIER } else { 1.0 });
        pen.dashes(dashes(trace));
        for run in runs {
            context.begin_path();
            run.iter().for_each(|column| column.visit(&mut |x, value| context.line_to(x, y(value))));
            context.stroke();
            if let [only] = run.as_slice() {
                context.begin_path();
                if context.arc(only.x, y(only.last), pen.grown(DOT), 0.0, std::f64::consts::TAU).is_ok() {
                    context.fill();
                }
            }
        }
    }
    pen.dashes(&[]);
    context.restore();
}

/// Fills the area below a line.
fn fill_below(pen: &Pen, run: &[Column], fill: Fill, y: &dyn Fn(f64) -> f64, bottom: f64) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    let context = &pen.context;
    context.begin_path();
    match fill {
        Fill::None => return,
        Fill::Ground => {
            context.set_global_alpha(GROUND);
            context.move_to(first.x, bottom);
            run.iter().for_each(|column| context.line_to(column.x, y(column.last)));
            context.line_to(last.x, bottom);
        }
        Fill::Area => {
            context.set_global_alpha(AREA);
            run.iter().for_each(|column| column.visit(&mut |x, value| context.line_to(x, y(value))));
            run.iter().rev().for_each(|column| context.line_to(column.x, y(column.base)));
        }
    }
    context.fill();
}

/// The dash patterns that distinguish lines of one colour: lengths of dashes and gaps in pixels. The style sheet has
/// the same patterns for the legend.
const DASHES: [&[f64]; 4] = [&[], &[5.0, 3.0], &[2.0, 3.0], &[8.0, 3.0, 2.0, 3.0]];
/// The dash pattern of lines of an earlier time.
const EARLIER_DASHES: &[f64] = &[2.0, 3.0];

/// The index of a line's dash pattern, from the colour of its series and its index among the lines of that series.
#[must_use]
pub fn dash(colour: usize, of: usize) -> usize {
    (of + colour / super::palette::distinct()) % DASHES.len()
}

fn dashes(trace: &Trace) -> &'static [f64] {
    match trace.role {
        Role::Series => DASHES[dash(trace.colour, trace.dash)],
        Role::Earlier => EARLIER_DASHES,
    }
}
