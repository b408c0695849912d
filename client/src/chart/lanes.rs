//! State timelines: a row for each series, with a bar for each state.

use std::collections::BTreeMap;

use shared::board::keyword::Keyword as _;
use shared::board::states::Colour;
use shared::board::threshold::level;
use shared::board::{Level, Threshold};
use shared::reading::Cell;

use super::colours;

/// The states of a series within one bucket, or a single text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketStates {
    /// The time of the first report, in milliseconds.
    pub from: u64,
    /// The time of the last report.
    pub to: u64,
    /// The state of the last report.
    pub last: String,
    /// The known states before the last report, each once, beginning with the first.
    pub others: Vec<String>,
}

impl BucketStates {
    /// Makes the report of a text.
    #[must_use]
    pub fn of_text((at, text): (u64, &str)) -> Self {
        Self { from: at, to: at, last: text.to_owned(), others: Vec::new() }
    }

    /// Makes the reports of a bucket of numbers. Four of its values are known: the first, the last and the extremes.
    #[must_use]
    pub fn of_cell(cell: &Cell) -> Self {
        let last = cell.last.to_string();
        let mut others: Vec<String> = Vec::new();
        for value in [cell.first, cell.min, cell.max].into_iter().filter(|value| *value != cell.last) {
            let text = value.to_string();
            if !others.contains(&text) {
                others.push(text);
            }
        }
        Self { from: cell.first_at, to: cell.at, last, others }
    }
}

/// The content of a stretch of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A state, with the index of its colour among the state colours of the palette.
    State(String, usize),
    /// No report for longer than expected, so the state is unknown.
    Silence,
}

/// A stretch of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first moment, in milliseconds.
    pub from: u64,
    /// The moment after the last.
    pub to: u64,
    /// The state, or a silence.
    pub content: Content,
}

/// The way in which the states of a lane are shown.
#[derive(Clone, Copy, Debug)]
pub struct StateStyle<'a> {
    /// The colours of the document.
    pub colours: &'a BTreeMap<String, Colour>,
    /// The thresholds of the document, which give states of numbers a colour.
    pub thresholds: &'a [Threshold],
    /// The longest time in milliseconds between two reports.
    pub expect: Option<u64>,
}

/// The states of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// The label of the series.
    pub label: String,
    /// The index of the series in the chart.
    pub series: usize,
    /// True if the series is not drawn.
    pub is_hidden: bool,
    /// The states and silences, the oldest first; no two equal ones in a row.
    pub states: Vec<Stretch>,
    /// The time of the last report, if the series has been silent for too long since.
    pub stale_since: Option<u64>,
}

impl Lane {
    /// Makes a lane from reports, the oldest first. It begins with the first report. Each state lasts until a report of
    /// another one, but not longer than [`StateStyle::expect`] after its last report, and not beyond `end`. Of several
    /// states within one bucket, the worst is shown.
    #[must_use]
    pub fn new(reports: impl Iterator<Item = BucketStates>, end: u64, style: StateStyle<'_>) -> Self {
        let mut lane = Self::default();
        let mut newest: Option<(u64, Content)> = None;
        let content = |state: String| {
            let colour = style.colour(&state);
            Content::State(state, colour)
        };
        for BucketStates { from, to, last, others } in reports {
            lane.hold(newest.take(), from, style.expect);
            let last = content(last);
            let worst = others.into_iter().map(content).max_by_key(severity);
            // A state that lasted for a part of the bucket only is shown for all of it, if it is at least as bad as the last one.
            match worst.filter(|worst| severity(worst) >= severity(&last)) {
                Some(worst) => lane.push(from, to, worst),
                None => lane.push(from, to, last.clone()),
            }
            newest = Some((to, last));
        }
        lane.stale_since = newest.as_ref().map(|(at, _)| *at).filter(|at| is_silent(*at, end, style.expect));
        lane.hold(newest, end, style.expect);
        lane
    }

    /// Extends the lane up to a moment, with the state that was reported last, or a silence.
    fn hold(&mut self, newest: Option<(u64, Content)>, until: u64, expect: Option<u64>) {
        let Some((at, content)) = newest else { return };
        match expect.filter(|_| is_silent(at, until, expect)) {
            Some(expect) => {
                self.push(at, at + expect, content);
                self.push(at + expect, until, Content::Silence);
            }
            None => self.push(at, until, content),
        }
    }

    fn push(&mut self, from: u64, to: u64, content: Content) {
        match self.states.last_mut() {
            Some(before) if before.content == content => before.to = to.max(before.to),
            _ => self.states.push(Stretch { from, to: to.max(from), content }),
        }
    }

    /// The state at a moment; `None` before the first state, within a silence, and after the end.
    #[must_use]
    pub fn at(&self, at: u64) -> Option<&str> {
        let lasted = self.states.iter().rfind(|state| state.from <= at)?;
        lasted.state().filter(|_| at <= lasted.to)
    }

    /// The state that was reported last.
    #[must_use]
    pub fn newest(&self) -> Option<&str> {
        self.states.iter().rev().find_map(Stretch::state)
    }

    /// The severity of the present state or silence. A greater one needs more attention.
    #[must_use]
    pub fn severity(&self) -> u8 {
        self.states.last().map_or(0, |lasted| severity(&lasted.content))
    }

    /// Returns the index of the stretch to draw in each of `count` columns of pixels. Of several stretches within one
    /// column, the worst is drawn; of equally bad ones, the one whose content is rarer on the whole lane.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    pub fn columns(&self, count: usize, x: &dyn Fn(u64) -> f64) -> Vec<Option<usize>> {
        let mut lengths: Vec<(&Content, u64)> = Vec::new();
        for Stretch { from, to, content } in &self.states {
            match lengths.iter_mut().find(|(known, _)| *known == content) {
                Some((_, length)) => *length += to - from,
                None => lengths.push((content, to - from)),
            }
        }
        let length = |content: &Content| lengths.iter().find(|(known, _)| *known == content).map_or(0, |known| known.1);
        let rank: Vec<_> =
            self.states.iter().map(|lasted| (severity(&lasted.content), u64::MAX - length(&lasted.content))).collect();
        let mut columns: Vec<Option<usize>> = vec![None; count];
        for (index, lasted) in self.states.iter().enumerate() {
            let (left, right) = (x(lasted.from), x(lasted.to));
            if right < 0.0 {
                continue;
            }
            let left = left.max(0.0).floor() as usize;
            let right = (right.ceil() as usize).max(left + 1).min(count);
            for column in columns.get_mut(left..right).unwrap_or_default() {
                if column.is_none_or(|other| rank[other] < rank[index]) {
                    *column = Some(index);
                }
            }
        }
        columns
    }
}

impl Stretch {
    /// The state; `None` for a silence.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        match &self.content {
            Content::State(state, _) => Some(state),
            Content::Silence => None,
        }
    }
}

fn is_silent(newest: u64, until: u64, expect: Option<u64>) -> bool {
    expect.is_some_and(|expect| until.saturating_sub(newest) > expect)
}

/// The severity of a state, by its colour. A greater one needs more attention.
fn severity(content: &Content) -> u8 {
    let Content::State(_, colour) = content else { return 3 };
    match Colour::ALL.get(*colour).map(|known| known.1) {
        Some(Colour::Red) => 6,
        Some(Colour::Orange) => 5,
        Some(Colour::Yellow) => 4,
        Some(Colour::Green) => 0,
        Some(Colour::Grey) => 1,
        Some(Colour::Blue | Colour::Purple | Colour::Teal) | None => 2,
    }
}

impl StateStyle<'_> {
    /// The colour of a state: from the document, else by the threshold that a number reaches, else by the usual meaning
    /// of the word, else a fixed one derived from the word.
    fn colour(&self, state: &str) -> usize {
        let reached = || match level(self.thresholds, state.parse().ok()?)? {
            Level::Ok => Some(Colour::Green),
            Level::Warn => Some(Colour::Orange),
            Level::Bad => Some(Colour::Red),
        };
        let found = self.colours.get(state).copied().or_else(reached).or_else(|| known(&state.to_ascii_lowercase()));
        // Avoids the colours that stand for good and bad.
        let drawn = [Colour::Blue, Colour::Purple, Colour::Teal][(colours::draw(state) % 3) as usize];
        let colour = found.unwrap_or(drawn);
        Colour::ALL.iter().position(|known| known.1 == colour).unwrap_or_default()
    }
}

/// The colour of a state by the usual meaning of its word.
fn known(state: &str) -> Option<Colour> {
    Some(match state {
        "up" | "ok" | "on" | "running" | "healthy" | "deployed" | "success" | "passed" | "true" => Colour::Green,
        "down" | "error" | "failed" | "bad" | "critical" | "dead" => Colour::Red,
        "warn" | "warning" | "degraded" => Colour::Orange,
        "deploying" | "starting" | "building" | "pending" => Colour::Blue,
        "off" | "stopped" | "unknown" | "idle" | "false" => Colour::Grey,
        _ => return None,
    })
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
