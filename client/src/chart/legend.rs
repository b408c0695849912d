//! What the lines of a chart are called, and what each is at.

use std::collections::BTreeSet;

use leptos::prelude::*;

/// A line as it is called, and its colour.
type Entry = (String, Option<usize>);

/// A handle on it.
#[derive(Clone, Copy, Debug)]
pub struct Legend {
    entries: RwSignal<Vec<Entry>>,
    values: RwSignal<Vec<String>>,
    /// Which series are left out.
    hidden: RwSignal<BTreeSet<usize>>,
    switched: StoredValue<u64>,
}

impl Legend {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: RwSignal::new(Vec::new()),
            values: RwSignal::new(Vec::new()),
            hidden: RwSignal::new(BTreeSet::new()),
            switched: StoredValue::new(0),
        }
    }

    /// Whether a series is left out.
    #[must_use]
    pub fn is_hidden(self, series: usize) -> bool {
        self.hidden.try_with_untracked(|hidden| hidden.contains(&series)).unwrap_or_default()
    }

    /// Counts what was switched.
    #[must_use]
    pub fn switched(self) -> u64 {
        self.switched.try_get_value().unwrap_or_default()
    }

    /// Tells what there is; what is as it was is not told anew.
    pub fn tell(self, entries: Vec<Entry>, values: Vec<String>) {
        if self.entries.with_untracked(|before| *before != entries) {
            self.entries.set(entries);
        }
        if self.values.with_untracked(|before| *before != values) {
            self.values.set(values);
        }
    }

    fn switch(self, series: usize) {
        self.switched.update_value(|switched| *switched += 1);
        self.hidden.update(|hidden| {
            if !hidden.remove(&series) {
                hidden.insert(series);
            }
        });
    }

    /// The list: a click takes a line out, or puts it back.
    pub fn view(self) -> impl IntoView {
        let entry = move |(i, (label, colour)): (usize, Entry)| {
            let value = move || self.values.with(|values| values.get(i).cloned());
            let Some(series) = colour else {
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
            let style = format!("--swatch: var(--series-{})", series % super::palette::SERIES + 1);
            let shown = move || !self.hidden.with(|hidden| hidden.contains(&series));
            view! {
                <li class="legend-entry">
                    <button
                        class="legend-button"
                        type="button"
                        style=style
                        aria-pressed=move || shown().to_string()
                        on:click=move |_| self.switch(series)
                    >
                        <span class="legend-swatch" aria-hidden="true"></span>
                        <span class="legend-name">{label}</span>
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

impl Default for Legend {
    fn default() -> Self {
        Self::new()
    }
}
