//! What the lines of a chart are called, and what each is at.

use std::collections::BTreeSet;

use shared::SeriesName;
use shared::board::Level;

use super::lines::dash;
use super::palette::SERIES;
use crate::dynamic::{RwSignal, StoredValue, memo_text};
use crate::icon::{level_mark, level_word};
use crate::part::Part;

/// What is told of a line or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub label: String,
    /// How its line looks; rows have none.
    pub line: Option<Line>,
}

/// How a line looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its series.
    pub series: SeriesName,
    /// Which colour of the palette it has.
    pub colour: usize,
    /// Which of several lines of one series it is.
    pub dash: usize,
}

/// What a line or a row is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// As it is read; a dash where there is nothing.
    pub text: String,
    /// How good it is; nothing where no threshold says so.
    pub level: Option<Level>,
}

/// A handle on it.
#[derive(Clone, Copy, Debug)]
pub struct Legend {
    entries: RwSignal<Vec<Entry>>,
    values: RwSignal<Vec<Reading>>,
    /// Which series are left out.
    hidden: RwSignal<BTreeSet<SeriesName>>,
    switched: StoredValue<u64>,
}

impl Legend {
    /// Of a chart of which nothing is told yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            entries: RwSignal::new(Vec::new()),
            values: RwSignal::new(Vec::new()),
            hidden: RwSignal::new(BTreeSet::new()),
            switched: StoredValue::new(0),
        }
    }

    /// Whether a series is left out.
    #[must_use]
    pub fn is_hidden(self, series: &SeriesName) -> bool {
        self.hidden.try_with_untracked(|hidden| hidden.contains(series)).unwrap_or_default()
    }

    /// Counts what was switched.
    #[must_use]
    pub fn switched(self) -> u64 {
        self.switched.try_get_value().unwrap_or_default()
    }

    /// Tells what there is; what is as it was is not told anew.
    pub fn tell(self, entries: Vec<Entry>, values: Vec<Reading>) {
        if self.entries.with_untracked(|before| *before != entries) {
            self.entries.set(entries);
        }
        if self.values.with_untracked(|before| *before != values) {
            self.values.set(values);
        }
    }

    /// What the line or row at a place is at; followed.
    fn reading(self, at: usize) -> Option<Reading> {
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

    /// Whether a series is shown; followed.
    fn shows(self, series: &SeriesName) -> bool {
        self.hidden.with(|hidden| !hidden.contains(series))
    }

    /// The list: a click takes a line out, or puts it back.
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
