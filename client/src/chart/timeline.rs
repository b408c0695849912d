//! Draws state timelines: a row for each lane.

use super::lanes::{Content, Lane};
use super::palette::Palette;
use super::pen::{Beside, Pen};
use super::plot::Plot;

/// The distance of the lines of a hatch, in pixels.
const HATCH: f64 = 6.0;
/// The width of the notch of a short stretch, in pixels.
const NOTCH: f64 = 6.0;
/// The words within a silence.
const SILENT: &str = "no report";

/// The least height of the bar of a lane, in pixels.
const LEAST: f64 = 12.0;
/// The height of a label above its bar, as a multiple of the size of labels.
const HEAD: f64 = 1.4;
/// The distance between two rows.
const APART: f64 = 4.0;
/// The same where rows are low.
const CLOSE: f64 = 2.0;
/// The most that labels beside the bars take, as a share of the width.
const WIDEST: f64 = 0.3;

/// The places of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rows {
    /// The height of a row, its label and the distance to the next row included.
    row: f64,
    /// The place of the labels.
    labels: Labels,
    /// The number of lanes that are drawn.
    shown: usize,
}

/// The place of the labels of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    /// A single lane needs none.
    None,
    /// Above each bar.
    Above,
    /// At the left of each bar, where the rows are low.
    Beside,
}

impl Rows {
    /// Divides a height among `count` lanes, which have labels of this size if they are `named`. Bars are never lower than
    /// [`LEAST`]: where not all lanes fit, some are left out, and the last row is the message about them.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a chart has few rows")]
    #[expect(clippy::cast_precision_loss, reason = "a chart has few rows")]
    fn new(height: f64, label: f64, count: usize, named: bool) -> Self {
        let row = height / count.max(1) as f64;
        if !named {
            return Self { row, labels: Labels::None, shown: count };
        }
        if row >= label * HEAD + LEAST + APART {
            return Self { row, labels: Labels::Above, shown: count };
        }
        let least = LEAST.max(label) + CLOSE;
        let fit = (height / least) as usize;
        let shown = if fit >= count { count } else { fit.saturating_sub(1).max(1) };
        Self { row: row.max(least), labels: Labels::Beside, shown }
    }
}

/// Draws the rows, with the label of each series above or beside its row, and the names of states inside where they
/// fit. A silence is hatched. Where not all rows fit, the worst are drawn. Returns the coordinates, with room at the
/// left if labels stand there.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
#[expect(clippy::cast_precision_loss, reason = "a chart has few pixels")]
pub fn draw(pen: &Pen, plot: Plot, palette: &Palette, lanes: &[Lane]) -> Plot {
    let named = lanes.len() > 1;
    let lanes: Vec<&Lane> = lanes.iter().filter(|lane| !lane.is_hidden).collect();
    let rows = Rows::new(plot.height, pen.label, lanes.len(), named);
    let drawn = worst(&lanes, rows.shown);
    let room = plot.width * WIDEST;
    let labels: Vec<String> = match rows.labels {
        Labels::None => drawn.iter().map(|_| String::new()).collect(),
        Labels::Above => drawn.iter().map(|lane| lane.label.clone()).collect(),
        Labels::Beside => drawn.iter().map(|lane| pen.shortened(&lane.label, room)).collect(),
    };
    let plot = match rows.labels {
        Labels::Beside => plot.beside(pen, labels.iter().map(String::as_str)),
        Labels::None | Labels::Above => plot,
    };
    for (i, (lane, label)) in drawn.iter().zip(&labels).enumerate() {
        let top = plot.top + rows.row * i as f64;
        let (head, gap) = match rows.labels {
            Labels::None => (0.0, APART),
            Labels::Above => (pen.label * HEAD, APART),
            Labels::Beside => (0.0, CLOSE),
        };
        let height = (rows.row - head - gap).max(3.0);
        pen.quiet(palette);
        match rows.labels {
            Labels::None => {}
            Labels::Above => pen.words(label, (0.0, top + pen.label * 0.6), Beside::Right),
            Labels::Beside => pen.words(label, (0.0, top + height / 2.0), Beside::Right),
        }
        let columns = lane.columns(plot.width as usize, &|at| plot.x(at) - plot.left);
        let mut at = 0;
        for (index, same) in columns.chunk_by(|a, b| a == b).enumerate() {
            let left = plot.left + at as f64;
            let area = Area { left, top: top + head, width: same.len() as f64, height, is_odd: index % 2 == 1 };
            at += same.len();
            if let Some(lasted) = same[0].and_then(|index| lane.states.get(index)) {
                area.draw(pen, palette, &lasted.content);
            }
        }
    }
    let left_out = lanes.len() - drawn.len();
    if left_out > 0 {
        let y = plot.top + rows.row * (drawn.len() as f64 + 0.5);
        pen.quiet(palette);
        pen.words(&format!("{left_out} more do not fit here"), (plot.left, y), Beside::Right);
    }
    plot
}

/// The `count` lanes whose present state is the worst, in their order.
fn worst<'a>(lanes: &[&'a Lane], count: usize) -> Vec<&'a Lane> {
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(lanes[at].severity()));
    order.truncate(count);
    order.sort_unstable();
    order.into_iter().map(|at| lanes[at]).collect()
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
                pen.colour(palette.states.get(*colour).map_or("", String::as_str));
                context.fill_rect(left, top, inner, height);
                pen.colour(&palette.paper);
                state
            }
            Content::Silence => {
                self.hatch(pen, palette, inner);
                pen.quiet(palette);
                SILENT
            }
        };
        let words = if height >= pen.label { pen.beginning(words, width - 8.0) } else { String::new() };
        if !words.is_empty() {
            if *content == Content::Silence {
                pen.words_above(&words, (left + 5.0, top + height / 2.0), palette);
            } else {
                pen.words(&words, (left + 5.0, top + height / 2.0), Beside::Right);
            }
        } else if is_odd {
            // The stretch is too short for its name, so every other one gets a notch.
            let notch = inner.min(NOTCH);
            pen.colour(&palette.paper);
            context.fill_rect(left + (inner - notch) / 2.0, top + height / 2.0 - 1.0, notch, 2.0);
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

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::chart::lanes::Stretch;
    use proptest::prelude::*;
    use shared::board::keyword::Keyword as _;
    use shared::board::states::Colour;

    #[test]
    fn lane_in_a_bad_state_is_never_left_out_for_a_good_one() {
        let lane = |colour| {
            let index = Colour::ALL.iter().position(|known| known.1 == colour).unwrap();
            let content = Content::State("x".to_owned(), index);
            Lane { states: vec![Stretch { from: 0, to: 1, content }], ..Lane::default() }
        };
        let lanes = [Colour::Green, Colour::Red, Colour::Green, Colour::Orange].map(lane);
        let all: Vec<&Lane> = lanes.iter().collect();
        assert_eq!(worst(&all, 2), [&lanes[1], &lanes[3]]);
        assert_eq!(worst(&all, 9), all);
    }

    proptest! {
        #[test]
        fn bars_are_high_enough_and_all_rows_fit(height in 40.0..2000.0_f64, label in 9.0..30.0_f64, count in 2..200_usize) {
            let rows = Rows::new(height, label, count, true);
            let bar = match rows.labels {
                Labels::None => rows.row - APART,
                Labels::Above => rows.row - label * HEAD - APART,
                Labels::Beside => rows.row - CLOSE,
            };
            prop_assert!(bar >= LEAST - 1e-9, "{rows:?}");
            prop_assert!(rows.shown >= 1 && rows.shown <= count);
            let used = rows.row * f64::from(u32::try_from(rows.shown + usize::from(rows.shown < count)).unwrap());
            prop_assert!(used <= height + 1e-6 || rows.shown == 1, "{rows:?}");
        }
    }
}
