//! Selects and labels the series of a widget.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::{Selector, SeriesName};

use crate::board::context::BoardContext;

/// Returns the existing series of a widget: in the order of its selectors, by name within each, without duplicates.
#[must_use]
pub fn names(source: &SeriesSource, context: BoardContext) -> Memo<Vec<SeriesName>> {
    let selectors = source.series.clone();
    Memo::new(move |_| context.live.names.with(|all| select(&selectors, all)))
}

/// Selects names from `all`, which is sorted.
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

/// Returns short labels for several series: their names without the segments that all of them begin with, and without
/// those that all end with. `shop/cart/latency_ms` and `shop/pay/latency_ms` become `cart` and `pay`. A single series
/// gets its name within its board.
#[must_use]
pub fn labels(names: &[SeriesName]) -> Vec<String> {
    if let [one] = names {
        return vec![one.within_board().to_owned()];
    }
    let split: Vec<Vec<&str>> = names.iter().map(|name| name.segments().collect()).collect();
    let Some((first, rest)) = split.split_first() else { return Vec::new() };
    // Each label keeps at least one segment, so the last segment of the shortest name is not dropped.
    let shortest = split.iter().map(Vec::len).min().unwrap_or(0);
    let shared = |at: fn(&[&str], usize) -> Option<String>, most: usize| {
        (0..most).take_while(|&i| rest.iter().all(|name| at(name, i) == at(first, i))).count()
    };
    let start = shared(|name, i| name.get(i).map(ToString::to_string), shortest - 1);
    let end = shared(|name, i| name.iter().rev().nth(i).map(ToString::to_string), shortest - 1 - start);
    split.iter().map(|name| name[start..name.len() - end].join("/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_series_are_called_by_what_tells_them_apart() {
        let called =
            |names: &[&str]| labels(&names.iter().map(|name| name.parse().unwrap()).collect::<Vec<SeriesName>>());
        assert_eq!(called(&["shop/cart/latency_ms", "shop/pay/latency_ms"]), ["cart", "pay"]);
        assert_eq!(called(&["shop/a/x", "shop/b/y"]), ["a/x", "b/y"]);
        assert_eq!(called(&["shop/a", "shop/a/b", "shop/c"]), ["a", "a/b", "c"]);
        assert_eq!(called(&["shop/api/x", "shop/x"]), ["api/x", "x"]);
        assert_eq!(called(&["shop/api/x"]), ["api/x"]);
        assert_eq!(called(&[]), [""; 0]);
    }

    #[test]
    fn series_come_in_the_order_of_the_selectors_each_once() {
        let all = ["a/x", "a/y", "b/x", "c"].map(|name| name.parse().unwrap());
        let selectors = ["b/*", "a/y", "**"].map(|selector| selector.parse().unwrap());
        let names: Vec<_> = select(&selectors, &all).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b/x", "a/y", "a/x", "c"]);
    }
}
