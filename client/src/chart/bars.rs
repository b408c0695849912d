//! Draws bars over time.

use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::{Dot, Role, Trace};
use super::value_axis::ValueAxis;

/// The share of a bucket's width that its bars take.
const BAR_SHARE: f64 = 0.8;
/// The opacity of the range between the extremes.
const BAND: f64 = 0.35;

/// Draws a bar for each bucket, `width` milliseconds wide, and over it the range of its band. The bars of several
/// series stand side by side.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, axis: &ValueAxis, traces: &[Trace], width: u64) {
    let context = &pen.context;
    context.save();
    context.begin_path();
    context.rect(plot.left, 0.0, plot.width, plot.bottom());
    context.clip();
    let bucket = plot.x(plot.from + width) - plot.left;
    let traces = || traces.iter().filter(|trace| !trace.dots.is_empty() && trace.role == Role::Series);
    let bars = u32::try_from(traces().count().max(1)).unwrap_or(u32::MAX);
    let each = (bucket * BAR_SHARE / f64::from(bars)).max(1.0);
    let y = |value: f64| plot.y(axis, value).unwrap_or(plot.bottom());
    let zero = y(0.0);
    for (i, trace) in (0_u32..).zip(traces()) {
        pen.colour(palette.of(trace.colour));
        for dot in &trace.dots {
            // A bar covers its whole bucket, even while the bucket is being filled.
            let left = plot.x(dot.at - dot.at % width) + bucket * (1.0 - BAR_SHARE) / 2.0 + each * f64::from(i);
            let fill = |alpha: f64, (a, b): (f64, f64)| {
                context.set_global_alpha(alpha);
                context.fill_rect(left, a.min(b), each, (b - a).abs().max(1.0));
            };
            fill(1.0, (y(dot.value), zero));
            if let Some((low, high)) = band(dot) {
                fill(BAND, (y(low), y(high)));
                // The end that is nearer to zero lies within the bar, so it is marked in the colour of the background.
                let inner = if dot.value < 0.0 { high } else { low };
                pen.colour(&palette.paper);
                fill(BAND, (y(inner), y(inner)));
                pen.colour(palette.of(trace.colour));
            }
        }
    }
    context.restore();
}

/// The range of the band, if it has any height.
fn band(dot: &Dot) -> Option<(f64, f64)> {
    (dot.low < dot.high).then_some((dot.low, dot.high))
}
