//! The legend of a chart: the label and the value of each line. A click hides or shows a series.

use leptos::html::Ul;
use leptos::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

use shared::SeriesName;
use shared::board::Level;

use super::lines::dash;
use super::palette::SERIES;
use crate::icon::{Icon, IconImage, LevelMark};

/// The most series that are drawn at the same time, unless the user chooses more; more lines are unreadable.
pub const MOST_DRAWN: usize = 40;
/// The most series that the legend lists.
pub const MOST_LISTED: usize = 1_000;

/// An entry of the legend, for a line or a row of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The label.
    pub label: String,
    /// The series.
    pub series: SeriesName,
    /// The style of its line; `None` for a row of states.
    pub line: Option<Line>,
}

/// The style of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The colour, as an index into the palette.
    pub colour: usize,
    /// The index of the line among those of the same series.
    pub dash: usize,
    /// True for the line of an earlier time.
    pub is_earlier: bool,
}

/// The value of a line or a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LegendValue {
    /// The formatted value; a dash if there is none.
    pub text: String,
    /// The value; `None` for a state, and if there is none.
    pub raw: Option<f64>,
    /// The level of the value; `None` if it reaches no threshold.
    pub level: Option<Level>,
    /// The extremes of the bucket, if there are several values.
    pub range: Option<String>,
    /// The words that say since when the series is stale.
    pub stale: Option<String>,
}

/// A handle to the legend.
#[derive(Clone, Copy, Debug)]
pub struct Legend {
    entries: RwSignal<Vec<Entry>>,
    values: RwSignal<Vec<LegendValue>>,
    /// The series that are not drawn.
    hidden: RwSignal<BTreeSet<SeriesName>>,
    /// The series that the user hid (false) or chose to draw (true).
    chosen: StoredValue<BTreeMap<SeriesName, bool>>,
    switched: StoredValue<u64>,
    /// The list of entries.
    pub list: NodeRef<Ul>,
    /// True if not all entries fit.
    overflows: RwSignal<bool>,
    /// True if the user wants to see all entries.
    open: RwSignal<bool>,
}

impl Legend {
    /// Makes the legend of a chart that has no entries yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            entries: RwSignal::new(Vec::new()),
            values: RwSignal::new(Vec::new()),
            hidden: RwSignal::new(BTreeSet::new()),
            chosen: StoredValue::new(BTreeMap::new()),
            switched: StoredValue::new(0),
            list: NodeRef::new(),
            overflows: RwSignal::new(false),
            open: RwSignal::new(false),
        }
    }

    /// Decides which of these series are drawn: those that the user chose, then the first ones, up to
    /// [`MOST_DRAWN`].
    #[must_use]
    pub fn drawn(self, names: &[SeriesName]) -> Vec<bool> {
        let drawn = self.chosen.try_with_value(|chosen| drawn(names, chosen)).unwrap_or_default();
        let hidden: BTreeSet<SeriesName> =
            names.iter().zip(&drawn).filter(|(_, drawn)| !**drawn).map(|(name, _)| name.clone()).collect();
        if self.hidden.try_with_untracked(|before| *before != hidden) == Some(true) {
            self.hidden.set(hidden);
        }
        drawn
    }

    /// Counts the clicks that hid or showed a series.
    #[must_use]
    pub fn switched(self) -> u64 {
        self.switched.try_get_value().unwrap_or_default()
    }

    /// Sets the entries and the values. Unchanged ones do not notify subscribers.
    pub fn update(self, entries: Vec<Entry>, values: Vec<LegendValue>) {
        if self.entries.with_untracked(|before| *before != entries) {
            self.entries.set(entries);
        }
        if self.values.with_untracked(|before| *before != values) {
            self.values.set(values);
        }
        let Some(list) = self.list.try_get_untracked().flatten() else { return };
        let overflows = self.open.get_untracked() || list.scroll_height() > list.client_height() + 1;
        if self.overflows.get_untracked() != overflows {
            self.overflows.set(overflows);
        }
    }

    /// The value of the entry at an index; reactive.
    fn reading(self, at: usize) -> Option<LegendValue> {
        self.values.with(|values| values.get(at).cloned())
    }

    fn switch(self, series: &SeriesName) {
        self.switched.update_value(|switched| *switched += 1);
        self.hidden.update(|hidden| {
            let show = hidden.remove(series);
            if !show {
                hidden.insert(series.clone());
            }
            self.chosen.update_value(|chosen| _ = chosen.insert(series.clone(), show));
        });
    }

    /// Returns true if a series is drawn; reactive.
    fn shows(self, series: &SeriesName) -> bool {
        self.hidden.with(|hidden| !hidden.contains(series))
    }
}

fn drawn(names: &[SeriesName], chosen: &BTreeMap<SeriesName, bool>) -> Vec<bool> {
    let wanted = names.iter().filter(|name| chosen.get(*name) == Some(&true)).count();
    let mut room = MOST_DRAWN.saturating_sub(wanted);
    let mut takes = |name: &SeriesName| match chosen.get(name) {
        Some(&chosen) => chosen,
        None if room > 0 => {
            room -= 1;
            true
        }
        None => false,
    };
    names.iter().map(&mut takes).collect()
}

/// The list of entries. A click hides or draws a series.
#[component]
pub fn ChartLegend(
    /// The entries and their values.
    legend: Legend,
    /// All series of the chart.
    names: Memo<Vec<SeriesName>>,
) -> impl IntoView {
    let entries = move || {
        let entries = legend.entries.get().into_iter().enumerate();
        entries.map(|(index, entry)| view! { <LegendEntry index entry legend/> }).collect_view()
    };
    let open = legend.open;
    let all = move || {
        let count = names.with(Vec::len);
        if open.get() { "Show fewer".to_owned() } else { format!("Show all {count} series") }
    };
    let more = Memo::new(move |_| {
        let count = names.with(Vec::len);
        let hidden = legend.hidden.with(BTreeSet::len);
        let listed = count.min(MOST_LISTED);
        let unlisted = count - listed;
        let rest = if unlisted > 0 { format!(" {unlisted} more are not listed.") } else { String::new() };
        if count <= MOST_DRAWN {
            String::new()
        } else {
            format!(
                "{} of {count} series are drawn. Click one in the legend to draw or hide it.{rest}",
                listed - hidden.min(listed)
            )
        }
    });
    view! {
        <ul
            class="legend"
            data-testid="legend"
            data-open=move || open.get().to_string()
            node_ref=legend.list
        >
            {move || entries()}
        </ul>
        <button
            class="legend-all"
            type="button"
            data-testid="legend-all"
            aria-expanded=move || open.get().to_string()
            hidden=move || !legend.overflows.get()
            on:click=move |_| open.update(|open| *open = !*open)
        >
            {move || all()}
        </button>
        <p class="chart-more" data-testid="chart-more" hidden=move || more.with(String::is_empty)>
            {move || more.get()}
        </p>
    }
}

#[component]
fn LegendEntry(index: usize, entry: Entry, legend: Legend) -> impl IntoView {
    let Entry { label, series, line } = entry;
    let value = Memo::new(move |_| legend.reading(index).map(|reading| reading.text).unwrap_or_default());
    let level = Memo::new(move |_| legend.reading(index).and_then(|reading| reading.level));
    let words = Memo::new(move |_| legend.reading(index).and_then(|reading| reading.stale));
    let (shown, title) = (series.clone(), series.to_string());
    let stale = move |words: String| {
        let title = words.clone();
        view! {
            <span class="stale-mark" data-testid="legend-stale" title=title>
                <IconImage icon=Icon::Stale/>
                <span class="unseen">{words}</span>
            </span>
        }
        .into_any()
    };
    let stale = move || words.get().map(&stale);
    let swatch = line.map(|line| {
        let pattern = if line.is_earlier { "earlier".to_owned() } else { dash(line.colour, line.dash).to_string() };
        view! { <span class="legend-swatch" aria-hidden="true" data-dash=pattern></span> }.into_any()
    });
    let colour = line.map(|line| format!("var(--series-{})", line.colour % SERIES + 1)).unwrap_or_default();
    view! {
        <li class="legend-entry">
            <button
                class="legend-button"
                type="button"
                title=title
                style=("--swatch", colour)
                aria-pressed=move || legend.shows(&shown).to_string()
                on:click=move |_| legend.switch(&series)
            >
                {swatch}
                <span class="legend-name">{label}</span>
                <LevelMark level/>
                {move || stale()}
                <span class="legend-value" data-testid="legend-value">{move || value.get()}</span>
            </button>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<SeriesName> {
        (0..count).map(|i| format!("ops/host-{i:03}").parse().unwrap()).collect()
    }

    fn counted(drawn: &[bool]) -> usize {
        drawn.iter().filter(|drawn| **drawn).count()
    }

    #[test]
    fn first_series_are_drawn_and_each_other_one_can_be() {
        let names = names(200);
        let mut chosen = BTreeMap::new();
        assert_eq!(counted(&drawn(&names, &chosen)), MOST_DRAWN);
        chosen.insert(names[150].clone(), true);
        let with_last = drawn(&names, &chosen);
        assert!(with_last[150] && !with_last[39] && counted(&with_last) == MOST_DRAWN);
        chosen.insert(names[0].clone(), false);
        let without_first = drawn(&names, &chosen);
        assert!(!without_first[0] && without_first[39] && counted(&without_first) == MOST_DRAWN);
    }
}
