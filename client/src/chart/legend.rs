//! What the lines of a chart are called, and what each is at.

use std::collections::BTreeSet;

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::Level;

use super::lines::dash;
use super::palette::SERIES;
use crate::dynamic::{memo_text, part};
use crate::icon::{level_mark, level_word};

/// What is told of a line or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub label: String,
    /// How its line looks; rows have none.
    pub line: Option<Line>,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The place of its series among those of the chart, which is its colour too.
    pub series: usize,
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
    /// The series of the chart, in their order.
    names: Memo<Vec<SeriesName>>,
    /// Which series are left out: by their names, since their places change as others join.
    hidden: RwSignal<BTreeSet<SeriesName>>,
    switched: StoredValue<u64>,
}

impl Legend {
    /// Of these series, of which nothing is told yet.
    #[must_use]
    pub fn new(names: Memo<Vec<SeriesName>>) -> Self {
        Self {
            names,
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

    fn switch(self, series: usize) {
        let Some(series) = self.names.with_untracked(|names| names.get(series).cloned()) else { return };
        self.switched.update_value(|switched| *switched += 1);
        self.hidden.update(|hidden| {
            if !hidden.remove(&series) {
                hidden.insert(series);
            }
        });
    }

    /// Whether the series at a place is shown; followed.
    fn shows(self, series: usize) -> bool {
        let hidden = |name: &SeriesName| self.hidden.with(|hidden| hidden.contains(name));
        self.names.with(|names| !names.get(series).is_some_and(hidden))
    }

    /// The list: a click takes a line out, or puts it back.
    pub fn view(self) -> impl IntoView {
        let entry = move |(i, Entry { label, line }): (usize, Entry)| {
            let value = memo_text(move || self.reading(i).map(|reading| reading.text).unwrap_or_default());
            let level = memo_text(move || level_word(self.reading(i).and_then(|reading| reading.level)));
            let Some(Line { series, dash: of }) = line else {
                return view! {
                    <li class="legend-entry">
                        <span class="legend-name">{label}</span>
                        <span class="legend-value" data-testid="legend-value">
                            {value}
                        </span>
                    </li>
                }
                .into_any();
            };
            let style = format!("--swatch: var(--series-{})", series % SERIES + 1);
            let sample = dash(series, of).to_string();
            view! {
                <li class="legend-entry">
                    <button
                        class="legend-button"
                        type="button"
                        style=style
                        aria-pressed=move || self.shows(series).to_string()
                        on:click=move |_| self.switch(series)
                    >
                        <span class="legend-swatch" data-dash=sample aria-hidden="true"></span>
                        <span class="legend-name">{label}</span>
                        {part(move || level_mark(&level.get()))}
                        <span class="legend-value" data-testid="legend-value">
                            {value}
                        </span>
                    </button>
                </li>
            }
            .into_any()
        };
        view! {
            <ul class="legend" data-testid="legend">
                {move || self.entries.get().into_iter().enumerate().map(entry).collect_view()}
            </ul>
        }
    }
}
