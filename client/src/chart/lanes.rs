//! State timelines: a row for each series, with a bar for each state.

use std::collections::BTreeMap;

use shared::board::keyword::Keyword as _;
use shared::board::states::Colour;

use super::colours;
use super::palette::Palette;
use super::pen::{Beside, Pen};
use super::plot::Plot;

/// A state and the interval in which it was active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasted {
    /// The first moment, in milliseconds.
    pub from: u64,
    /// The moment after the last.
    pub to: u64,
    /// The name of the state.
    pub state: String,
    /// The index of its colour among the state colours of the palette.
    pub colour: usize,
}

/// The states of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// The label of the series.
    pub label: String,
    /// The states, the oldest first; no two equal ones in a row.
    pub states: Vec<Lasted>,
}

impl Lane {
    /// Makes a lane from states and the times at which they start. Each state lasts until a different one comes, and the last one until `to`.
    #[must_use]
    pub fn new(
        label: String,
        starts: impl Iterator<Item = (u64, String)>,
        to: u64,
        colours: &BTreeMap<String, Colour>,
    ) -> Self {
        let mut states: Vec<Lasted> = Vec::new();
        for (at, state) in starts {
            if let Some(before) = states.last_mut() {
                before.to = at;
                if before.state == state {
                    continue;
                }
            }
            let colour = colour(&state, colours);
            states.push(Lasted { from: at, to: at, state, colour });
        }
        let mut ends: Vec<u64> = states.iter().skip(1).map(|state| state.from).collect();
        ends.push(to);
        states.iter_mut().zip(ends).for_each(|(state, end)| state.to = end.max(state.from));
        Self { label, states }
    }

    /// The state at a moment; `None` before the first state and after the end of the last.
    #[must_use]
    pub fn at(&self, at: u64) -> Option<&str> {
        let state = self.states.iter().rfind(|state| state.from <= at)?;
        (at <= state.to).then_some(state.state.as_str())
    }
}

/// The colour of a state: from the document, else by the usual meaning of the word, else a fixed one derived from the
/// word.
fn colour(state: &str, colours: &BTreeMap<String, Colour>) -> usize {
    let known = |state: &str| {
        Some(match state {
            "up" | "ok" | "on" | "running" | "healthy" | "deployed" | "success" | "passed" | "true" => Colour::Green,
            "down" | "error" | "failed" | "bad" | "critical" | "dead" => Colour::Red,
            "warn" | "warning" | "degraded" => Colour::Orange,
            "deploying" | "starting" | "building" | "pending" => Colour::Blue,
            "off" | "stopped" | "unknown" | "idle" | "false" => Colour::Grey,
            _ => return None,
        })
    };
    let lower = state.to_ascii_lowercase();
    let found = colours.get(state).copied().or_else(|| known(&lower));
    // Avoids the colours that stand for good and bad.
    let drawn = [Colour::Blue, Colour::Purple, Colour::Teal, Colour::Yellow][(colours::draw(state) % 4) as usize];
    let colour = found.unwrap_or(drawn);
    Colour::ALL.iter().position(|known| known.1 == colour).unwrap_or_default()
}

/// Draws the rows, with the label of each series above its row, and the names of states inside where they fit.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, lanes: &[Lane]) {
    let count = u32::try_from(lanes.len().max(1)).unwrap_or(u32::MAX);
    let row = plot.height / f64::from(count);
    let named = lanes.len() > 1;
    let context = &pen.context;
    for (i, lane) in (0_u32..).zip(lanes) {
        let top = plot.top + row * f64::from(i);
        let head = if named { pen.label * 1.4 } else { 0.0 };
        let high = (row - head - 4.0).max(3.0);
        if named {
            pen.quiet(palette);
            pen.words(&lane.label, (0.0, top + pen.label * 0.6), Beside::Right);
        }
        for (index, state) in lane.states.iter().enumerate() {
            let (left, right) = (plot.x(state.from).max(0.0), plot.x(state.to).min(plot.width));
            let wide = right - left;
            if wide <= 0.0 {
                continue;
            }
            context.set_global_alpha(0.85);
            pen.colour(palette.states.get(state.colour).map_or("", String::as_str));
            // A thin gap between two states shows where one ends, even without colours.
            context.fill_rect(left, top + head, (wide - 1.0).max(1.0), high);
            context.set_global_alpha(1.0);
            let words = pen.width_of(&state.state);
            if words + 8.0 < wide && high >= pen.label {
                pen.colour(&palette.paper);
                pen.words(&state.state, (left + 5.0, top + head + high / 2.0), Beside::Right);
            } else if index % 2 == 1 {
                // The bar is too short for its name, so every other one gets a notch.
                pen.colour(&palette.paper);
                context.fill_rect(left, top + head + high / 2.0 - 1.0, (wide - 1.0).max(1.0), 2.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(states: &[(u64, &str)]) -> Lane {
        let states = states.iter().map(|&(at, state)| (at, state.to_owned()));
        Lane::new("ops".to_owned(), states, 100, &BTreeMap::from([("up".to_owned(), Colour::Teal)]))
    }

    #[test]
    fn state_lasts_until_the_next_one() {
        let lane = lane(&[(10, "up"), (20, "up"), (30, "down"), (60, "up")]);
        let states: Vec<_> = lane.states.iter().map(|s| (s.from, s.to, s.state.as_str())).collect();
        assert_eq!(states, [(10, 30, "up"), (30, 60, "down"), (60, 100, "up")]);
        assert_eq!([5, 29, 30, 99].map(|at| lane.at(at)), [None, Some("up"), Some("down"), Some("up")]);
        assert_eq!([100, 101].map(|at| lane.at(at)), [Some("up"), None], "nothing is known after the end");
    }

    #[test]
    fn colours_come_from_the_document_then_from_the_word() {
        let colour = |state: &str| Colour::ALL[lane(&[(0, state)]).states[0].colour].1;
        assert_eq!((colour("up"), colour("DOWN")), (Colour::Teal, Colour::Red));
        assert_eq!(colour("phase-7"), colour("phase-7"));
    }
}
