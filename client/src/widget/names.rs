//! Which series a widget has.

use leptos::prelude::*;
use shared::board::Source;
use shared::{Selector, SeriesName};

use crate::board::stage::Stage;

/// The series of a widget that there are: in the order of its selectors, by name within each, each once.
#[must_use]
pub fn names(source: &Source, stage: Stage) -> Memo<Vec<SeriesName>> {
    let selectors = source.series.clone();
    Memo::new(move |_| stage.live.names.with(|all| select(&selectors, all)))
}

/// Of `all`, which are sorted, those that are selected.
#[must_use]
pub fn select(selectors: &[Selector], all: &[SeriesName]) -> Vec<SeriesName> {
    let mut names: Vec<SeriesName> = Vec::new();
    for selector in selectors {
        let new = all.iter().filter(|name| selector.matches(name));
        for name in new {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_come_in_the_order_of_the_selectors_each_once() {
        let all = ["a/x", "a/y", "b/x", "c"].map(|name| name.parse().unwrap());
        let selectors = ["b/*", "a/y", "**"].map(|selector| selector.parse().unwrap());
        let names: Vec<_> = select(&selectors, &all).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b/x", "a/y", "a/x", "c"]);
    }
}
