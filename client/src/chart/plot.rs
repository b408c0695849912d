//! The coordinates of a chart, and its axes.

use shared::board::threshold::{Limit, level};
use shared::board::{Level, Threshold};

use super::palette::Palette;
use super::pen::{Beside, Pen};
use super::time_axis::Tick;
use super::value_axis::ValueAxis;

/// The room for the labels of the time axis, as a multiple of their size.
const FOOT: f64 = 1.7;
/// The room above, so that a line at the top is not cut off.
const HEAD: f64 = 4.0;
/// The distance between a label of the vertical axis and the drawing.
const GAP: f64 = 6.0;
/// The most that labels at the left may take, as a share of the width.
const WIDEST: f64 = 0.4;
/// The step in pixels in which the room for these labels grows, so that the drawing does not move with each new label.
const STEP: f64 = 8.0;
/// The opacity of a threshold line.
const FAINT: f64 = 0.55;
/// The opacity of the range of a level.
const SHADE: f64 = 0.07;
/// The label of the lower end of a logarithmic axis, where values stand that it cannot show.
pub const NOT_POSITIVE: &str = "≤ 0";

/// The drawing area, and the time range that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot {
    /// The time at the left edge, in milliseconds.
    pub from: u64,
    /// The time at the right edge, in milliseconds.
    pub to: u64,
    /// The left edge in pixels. The labels of the vertical axis stand left of it.
    pub left: f64,
    /// The width in pixels.
    pub width: f64,
    /// The upper edge in pixels.
    pub top: f64,
    /// The height in pixels.
    pub height: f64,
}

impl Plot {
    /// Makes the area of a canvas, with room for a time axis below.
    #[must_use]
    pub fn on(pen: &Pen, (from, to): (u64, u64)) -> Self {
        let foot = pen.label * FOOT;
        let height = (pen.height - foot - HEAD).max(1.0);
        Self { from, to: to.max(from + 1), left: 0.0, width: pen.width, top: HEAD, height }
    }

    /// Leaves room at the left for these labels.
    #[must_use]
    pub fn beside<'a>(self, pen: &Pen, labels: impl Iterator<Item = &'a str>) -> Self {
        let widest = labels.map(|label| pen.width_of(label)).fold(0.0, f64::max);
        let left = if widest > 0.0 { ((widest + GAP) / STEP).ceil() * STEP } else { 0.0 };
        let left = left.min(self.width * WIDEST);
        Self { left, width: (self.width - left).max(1.0), ..self }
    }

    /// The right edge in pixels.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The horizontal position of a moment.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn x(&self, at: u64) -> f64 {
        self.left + (at as f64 - self.from as f64) / (self.to - self.from) as f64 * self.width
    }

    /// The moment at a horizontal position.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn at(&self, x: f64) -> f64 {
        self.from as f64 + (x - self.left) / self.width.max(1.0) * (self.to - self.from) as f64
    }

    /// The position within the area that is the nearest to `x`.
    #[must_use]
    pub fn clamp(&self, x: f64) -> f64 {
        x.clamp(self.left, self.right())
    }

    /// The lower edge in pixels.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The vertical position of a value, clamped to a little more than the area; `None` if the axis cannot show it.
    #[must_use]
    pub fn y(&self, axis: &ValueAxis, value: f64) -> Option<f64> {
        axis.y(value).map(|y| self.top + y.clamp(-1.0, 2.0) * self.height)
    }

    /// Draws the labels of the time axis.
    pub fn draw_time(&self, pen: &Pen, palette: &Palette, ticks: &[Tick]) {
        pen.quiet(palette);
        let y = self.bottom() + pen.label * 0.5;
        for tick in ticks {
            let half = pen.width_of(&tick.label) / 2.0;
            let x = self.x(tick.at);
            if x >= half && x <= self.right() - half {
                pen.words(&tick.label, (x, y), Beside::Below);
            }
        }
    }

    /// The values of the grid lines, and their vertical positions.
    fn marks(&self, axis: &ValueAxis) -> Vec<(f64, f64)> {
        let ticks = self.ticks(axis);
        ticks.into_iter().filter_map(|value| Some((value, self.y(axis, value)?.floor() + 0.5))).collect()
    }

    /// The values of the grid lines.
    #[must_use]
    pub fn ticks(&self, axis: &ValueAxis) -> Vec<f64> {
        let most = (self.height / 48.0).clamp(1.0, 5.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 5")]
        axis.ticks(most as u32)
    }

    /// Draws the grid lines.
    pub fn draw_grid(&self, pen: &Pen, palette: &Palette, axis: &ValueAxis) {
        pen.context.set_line_width(1.0);
        pen.context.set_global_alpha(1.0);
        pen.colour(&palette.rule);
        self.marks(axis).into_iter().for_each(|(_, y)| pen.line((self.left, y), (self.right(), y)));
    }

    /// Writes the labels of the grid's values left of the drawing.
    pub fn draw_values(&self, pen: &Pen, palette: &Palette, axis: &ValueAxis, labels: &[String]) {
        pen.context.set_global_alpha(1.0);
        let marks = self.marks(axis).into_iter().zip(labels);
        pen.quiet(palette);
        let lowest = if axis.has_floor { self.bottom() - pen.label } else { self.bottom() };
        for ((_, y), label) in marks.filter(|((_, y), _)| (pen.label / 2.0..=lowest + 1.0).contains(y)) {
            pen.words(label, (self.left - GAP, y), Beside::Left);
        }
        if axis.has_floor {
            pen.words(NOT_POSITIVE, (self.left - GAP, self.bottom()), Beside::Left);
        }
    }

    /// Shades the range of each level of the thresholds.
    pub fn draw_levels(&self, pen: &Pen, palette: &Palette, axis: &ValueAxis, thresholds: &[Threshold]) {
        for band in levels(axis, thresholds) {
            let (Some(top), Some(bottom)) = (self.y(axis, band.high), self.y(axis, band.low)) else { continue };
            let (top, bottom) = (top.max(self.top), bottom.min(self.bottom()));
            pen.colour(&palette.levels[band.level as usize]);
            pen.context.set_global_alpha(SHADE);
            pen.context.fill_rect(self.left, top, self.width, (bottom - top).max(0.0));
        }
        pen.context.set_global_alpha(1.0);
    }

    /// Draws a line for each threshold.
    pub fn draw_thresholds(&self, pen: &Pen, palette: &Palette, axis: &ValueAxis, thresholds: &[Threshold]) {
        pen.dashes(&[2.0, 4.0]);
        pen.context.set_line_width(1.0);
        pen.context.set_global_alpha(FAINT);
        for threshold in thresholds {
            let (Limit::Above(value) | Limit::Below(value)) = threshold.limit;
            let Some(y) = self.y(axis, value).filter(|y| (self.top..=self.bottom()).contains(y)) else { continue };
            pen.colour(&palette.levels[threshold.level as usize]);
            // The mark of the level at the right end distinguishes thresholds without colour. No label is written
            // there.
            let size = pen.label * 0.8;
            pen.line((self.left, y), (self.right() - 1.5 * size, y));
            pen.mark(threshold.level, (self.right() - size * 0.6, y), size);
        }
        pen.context.set_global_alpha(1.0);
        pen.dashes(&[]);
    }
}

/// A range of values that have the same level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelRange {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The level.
    pub level: Level,
}

/// The ranges of an axis whose values have a level, from the lowest.
#[must_use]
pub fn levels(axis: &ValueAxis, thresholds: &[Threshold]) -> Vec<LevelRange> {
    let limits = thresholds.iter().map(|threshold| match threshold.limit {
        Limit::Above(limit) | Limit::Below(limit) => limit,
    });
    let mut ends: Vec<f64> = limits.filter(|limit| axis.low < *limit && *limit < axis.high).collect();
    ends.extend([axis.low, axis.high]);
    ends.sort_by(f64::total_cmp);
    let range = |ends: &[f64]| {
        let (low, high) = (ends[0], ends[1]);
        // A value strictly between two limits has the level of the whole range.
        Some(LevelRange { low, high, level: level(thresholds, low / 2.0 + high / 2.0)? })
    };
    let mut ranges: Vec<LevelRange> = Vec::new();
    for range in ends.windows(2).filter_map(range) {
        match ranges.last_mut() {
            Some(before) if before.level == range.level && before.high >= range.low => before.high = range.high,
            _ => ranges.push(range),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::value_axis::{Baseline, Extent};
    use shared::board::axis::Axis;

    #[test]
    fn each_value_is_shaded_by_its_level() {
        let threshold = |limit, level| Threshold { limit, level };
        let thresholds = [
            threshold(Limit::Above(50.0), Level::Warn),
            threshold(Limit::Above(90.0), Level::Bad),
            threshold(Limit::Below(10.0), Level::Bad),
            threshold(Limit::Above(500.0), Level::Bad),
        ];
        let axis = Axis { min: Some(0.0), max: Some(100.0), scale: None };
        let axis = ValueAxis::new(axis, Extent::of([0.0].into_iter()), Baseline::Free);
        let shaded: Vec<_> =
            levels(&axis, &thresholds).iter().map(|range| (range.low, range.high, range.level)).collect();
        assert_eq!(shaded, [(0.0, 10.0, Level::Bad), (50.0, 90.0, Level::Warn), (90.0, 100.0, Level::Bad)]);
        assert_eq!(levels(&axis, &[]), []);
    }
}
