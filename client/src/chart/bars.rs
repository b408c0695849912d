//! Draws bars over time.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::Trace;
use super::value_axis::Upright;

/// The share of a bucket's width that its bars take.
const FULL: f64 = 0.8;

/// Draws a bar for each bucket, `width` milliseconds wide. The bars of several series stand side by side.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, axis: &Upright, traces: &[Trace], width: u64) {
    let context = &pen.context;
    context.save();
    context.begin_path();
    context.rect(0.0, 0.0, plot.width, plot.bottom());
    context.clip();
    let bucket = plot.x(plot.from + width);
    let traces = || traces.iter().filter(|trace| !trace.dots.is_empty());
    let bars = u32::try_from(traces().count().max(1)).unwrap_or(u32::MAX);
    let each = (bucket * FULL / f64::from(bars)).max(1.0);
    let zero = plot.y(axis, 0.0).unwrap_or(plot.bottom());
    for (i, trace) in (0_u32..).zip(traces()) {
        pen.colour(palette.of(trace.colour));
        for dot in &trace.dots {
            // A bar covers its whole bucket, even while the bucket is being filled.
            let left = plot.x(dot.at - dot.at % width) + bucket * (1.0 - FULL) / 2.0 + each * f64::from(i);
            let Some(y) = plot.y(axis, dot.value) else { continue };
            context.fill_rect(left, y.min(zero), each, (zero - y).abs().max(1.0));
        }
    }
    context.restore();
}
