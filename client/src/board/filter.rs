//! The filter of an automatic board: a box that leaves only the series whose names have all of its words.

use leptos::prelude::*;
use shared::SeriesName;

use crate::live::Live;

/// Number of series above which the box is shown.
const MANY: usize = 24;

/// A box to filter an automatic board, where it has many series.
#[component]
pub fn FilterBox(
    /// The words.
    words: RwSignal<String>,
    /// The picture, which has the names of all series.
    live: Live,
    /// True if the board is automatic and not being edited.
    automatic: Memo<bool>,
) -> impl IntoView {
    let count = Memo::new(move |_| live.names.with(Vec::len));
    let hidden = move || !automatic.get() || (count.get() <= MANY && words.with(String::is_empty));
    let found = Memo::new(move |_| live.names.with(|names| words.with(|words| count_of(names, words))));
    view! {
        <div class="filter" hidden=hidden>
            <input
                type="search"
                data-testid="filter"
                aria-label="Filter the series"
                placeholder=move || format!("Filter {} series", count.get())
                bind:value=words
            />
            <span class="filter-found" role="status">
                {move || words.with(|words| !words.trim().is_empty()).then(|| format!("{} of {}", found.get(), count.get()))}
            </span>
        </div>
    }
}

/// Returns true if all words are in the name, whatever the case of A to Z.
#[must_use]
pub fn fits(name: &SeriesName, words: &str) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    words.to_ascii_lowercase().split_whitespace().all(|word| name.contains(word))
}

fn count_of(names: &[SeriesName], words: &str) -> usize {
    names.iter().filter(|name| fits(name, words)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_fits_if_it_has_all_words() {
        let name: SeriesName = "shop/Cart/latency_ms".parse().unwrap();
        for (words, expected) in
            [("", true), ("  ", true), ("cart", true), ("MS shop", true), ("cart pay", false), ("cart/lat", true)]
        {
            assert_eq!(fits(&name, words), expected, "{words:?}");
        }
    }
}
