//! The legend of a chart: the label and the value of each line. A click hides a line.

use leptos::prelude::*;
use std::collections::BTreeSet;

use shared::SeriesName;
use shared::board::Level;

use super::lines::dash;
use super::palette::SERIES;
use crate::icon::LevelMark;

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
}

/// The list of entries. A click hides or shows a line.
#[component]
pub fn ChartLegend(
    /// The entries and their values.
    legend: Legend,
) -> impl IntoView {
    let entries = move || {
        let entries = legend.entries.get().into_iter().enumerate();
        entries.map(|(index, entry)| view! { <LegendEntry index entry legend/> }).collect_view()
    };
    view! { <ul class="legend" data-testid="legend">{move || entries()}</ul> }
}

#[component]
fn LegendEntry(index: usize, entry: Entry, legend: Legend) -> impl IntoView {
    let Entry { label, line } = entry;
    let value = Memo::new(move |_| legend.reading(index).map(|reading| reading.text).unwrap_or_default());
    let level = Memo::new(move |_| legend.reading(index).and_then(|reading| reading.level));
    let name = view! { <span class="legend-name">{label}</span> };
    let value = view! { <span class="legend-value" data-testid="legend-value">{move || value.get()}</span> };
    let Some(Line { series, colour, dash: of }) = line else {
        return view! { <li class="legend-entry">{name} {value}</li> }.into_any();
    };
    let shown = series.clone();
    view! {
        <li class="legend-entry">
            <button
                class="legend-button"
                type="button"
                style=("--swatch", format!("var(--series-{})", colour % SERIES + 1))
                aria-pressed=move || legend.shows(&shown).to_string()
                on:click=move |_| legend.switch(&series)
            >
                <span class="legend-swatch" aria-hidden="true" data-dash=dash(colour, of).to_string()></span>
                {name}
                <LevelMark level/>
                {value}
            </button>
        </li>
    }
    .into_any()
}
