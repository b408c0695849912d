//! Draws state timelines: a row for each lane.

use super::lanes::{Content, Lane};
use super::palette::Palette;
use super::pen::{Beside, Pen};
use super::plot::Plot;

/// The distance of the lines of a hatch, in pixels.
const HATCH: f64 = 6.0;
/// The words within a silence.
const SILENT: &str = "no report";

/// Draws the rows, with the label of each series above its row, and the names of states inside where they fit. A
/// silence is hatched.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
#[expect(clippy::cast_precision_loss, reason = "a chart has few pixels")]
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, lanes: &[Lane]) {
    let named = lanes.len() > 1;
    let lanes: Vec<&Lane> = lanes.iter().filter(|lane| !lane.is_hidden).collect();
    let count = u32::try_from(lanes.len().max(1)).unwrap_or(u32::MAX);
    let row = plot.height / f64::from(count);
    for (i, lane) in (0_u32..).zip(lanes) {
        let top = plot.top + row * f64::from(i);
        let head = if named { pen.label * 1.4 } else { 0.0 };
        if named {
            pen.quiet(palette);
            pen.words(&lane.label, (0.0, top + pen.label * 0.6), Beside::Right);
        }
        let columns = lane.columns(plot.width as usize, &|at| plot.x(at));
        let mut at = 0;
        for (index, same) in columns.chunk_by(|a, b| a == b).enumerate() {
            let area = Area {
                left: at as f64,
                top: top + head,
                width: same.len() as f64,
                height: (row - head - 4.0).max(3.0),
                is_odd: index % 2 == 1,
            };
            at += same.len();
            if let Some(lasted) = same[0].and_then(|index| lane.states.get(index)) {
                area.draw(pen, palette, &lasted.content);
            }
        }
    }
}

/// The area of a stretch, in pixels.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    /// True for every other stretch.
    is_odd: bool,
}

impl Area {
    fn draw(self, pen: &Pen, palette: &Palette, content: &Content) {
        let Self { left, top, width, height, is_odd } = self;
        let context = &pen.context;
        // A thin gap between two stretches shows where one ends, even without colours.
        let inner = (width - 1.0).max(1.0);
        let words = match content {
            Content::State(state, colour) => {
                context.set_global_alpha(0.85);
                pen.colour(palette.states.get(*colour).map_or("", String::as_str));
                context.fill_rect(left, top, inner, height);
                context.set_global_alpha(1.0);
                pen.colour(&palette.paper);
                state
            }
            Content::Silence => {
                self.hatch(pen, palette, inner);
                pen.quiet(palette);
                SILENT
            }
        };
        if pen.width_of(words) + 8.0 < width && height >= pen.label {
            if *content == Content::Silence {
                pen.words_above(words, (left + 5.0, top + height / 2.0), palette);
            } else {
                pen.words(words, (left + 5.0, top + height / 2.0), Beside::Right);
            }
        } else if is_odd {
            // The stretch is too short for its name, so every other one gets a notch.
            pen.colour(&palette.paper);
            context.fill_rect(left, top + height / 2.0 - 1.0, inner, 2.0);
        }
    }

    /// Fills the area with thin slanted lines.
    fn hatch(self, pen: &Pen, palette: &Palette, width: f64) {
        let Self { left, top, height, .. } = self;
        let context = &pen.context;
        context.save();
        context.begin_path();
        context.rect(left, top, width, height);
        context.clip();
        pen.quiet(palette);
        context.set_global_alpha(0.15);
        context.fill_rect(left, top, width, height);
        context.set_global_alpha(0.6);
        context.set_line_width(1.0);
        // Starts at a multiple of the distance, so that the hatches of neighbours meet.
        let mut x = ((left - height) / HATCH).floor() * HATCH;
        context.begin_path();
        while x < left + width {
            context.move_to(x, top + height);
            context.line_to(x + height, top);
            x += HATCH;
        }
        context.stroke();
        context.restore();
    }
}
