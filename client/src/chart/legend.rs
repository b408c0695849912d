//! The legend of a chart: the label and the value of each line. A click hides a line.

use std::collections::BTreeSet;

use shared::SeriesName;
use shared::board::Level;

use super::lines::dash;
use super::palette::SERIES;
use crate::dynamic::{RwSignal, StoredValue, memo_text};
use crate::icon::{level_mark, level_word};
use crate::part::Part;

/// An entry of the legend, for a line or a row of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The label.
    pub label: String,
    /// The style of its line; `None` for a row of states.
    pub line: Option<Line>,
}

/// The style of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The series of the line.
    pub series: SeriesName,
    /// The colour, as an index into the palette.
    pub colour: usize,
    /// The index of the line among those of the same series.
    pub dash: usize,
}

/// The value of a line or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegendValue {
    /// The formatted value; a dash if there is none.
    pub text: String,
    /// The level of the value; `None` if it reaches no threshold.
    pub level: Option<Level>,
}

/// A handle to the legend.
#[derive(Clone, Copy, Debug)]
pub struct Legend {
    entries: RwSignal<Vec<Entry>>,
    values: RwSignal<Vec<LegendValue>>,
    /// The hidden series.
    hidden: RwSignal<BTreeSet<SeriesName>>,
    switched: StoredValue<u64>,
}

impl Legend {
    /// Makes the legend of a chart that has no entries yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            entries: RwSignal::new(Vec::new()),
            values: RwSignal::new(Vec::new()),
            hidden: RwSignal::new(BTreeSet::new()),
            switched: StoredValue::new(0),
        }
    }

    /// Returns true if a series is hidden.
    #[must_use]
    pub fn is_hidden(self, series: &SeriesName) -> bool {
        self.hidden.try_with_untracked(|hidden| hidden.contains(series)).unwrap_or_default()
    }

    /// Counts the clicks that hid or showed a series.
    #[must_use]
    pub fn switched(self) -> u64 {
        self.switched.try_get_value().unwrap_or_default()
    }

    /// Sets the entries and the values. Unchanged ones do not notify subscribers.
    pub fn tell(self, entries: Vec<Entry>, values: Vec<LegendValue>) {
        if self.entries.with_untracked(|before| *before != entries) {
            self.entries.set(entries);
        }
        if self.values.with_untracked(|before| *before != values) {
            self.values.set(values);
        }
    }

    /// The value of the entry at an index; reactive.
    fn reading(self, at: usize) -> Option<LegendValue> {
        self.values.with(|values| values.get(at).cloned())
    }

    fn switch(self, series: &SeriesName) {
        self.switched.update_value(|switched| *switched += 1);
        self.hidden.update(|hidden| {
            if !hidden.remove(series) {
                hidden.insert(series.clone());
            }
        });
    }

    /// Returns true if a series is shown; reactive.
    fn shows(self, series: &SeriesName) -> bool {
        self.hidden.with(|hidden| !hidden.contains(series))
    }

    /// The list of entries. A click hides or shows a line.
    #[must_use]
    pub fn part(self) -> Part {
        let entries = move || self.entries.get().iter().enumerate().map(|(i, entry)| self.entry(i, entry)).collect();
        Part::new("ul", "legend").with("data-testid", "legend").live_inside(entries)
    }

    fn entry(self, i: usize, Entry { label, line }: &Entry) -> Part {
        let value = memo_text(move || self.reading(i).map(|reading| reading.text).unwrap_or_default());
        let level = memo_text(move || level_word(self.reading(i).and_then(|reading| reading.level)));
        let name = Part::new("span", "legend-name").text(label);
        let value =
            Part::new("span", "legend-value").with("data-testid", "legend-value").live_text(move || value.get());
        let entry = Part::new("li", "legend-entry");
        let Some(Line { series, colour, dash: of }) = line.clone() else { return entry.put(&name).put(&value) };
        let shown = series.clone();
        let sample = Part::new("span", "legend-swatch").with("aria-hidden", "true");
        let button = Part::new("button", "legend-button")
            .with("type", "button")
            .style(&format!("--swatch: var(--series-{})", colour % SERIES + 1))
            .live("aria-pressed", move || self.shows(&shown).to_string())
            .on("click", move |_| self.switch(&series))
            .put(&sample.with("data-dash", &dash(colour, of).to_string()))
            .put(&name)
            .put(&Part::new("span", "host").live_inside(move || level_mark(&level.get())))
            .put(&value);
        entry.put(&button)
    }
}
