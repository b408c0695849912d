//! Series in the order of their names, so that a selection is found without looking at all of them.

use shared::Selector;

use super::Entry;

/// So many series are looked at one by one before they are worth being sorted in, and a share of all beyond that.
const UNSORTED: usize = 1_024;

/// The indexes of all series.
#[derive(Debug, Default)]
pub(super) struct Names {
    sorted: Vec<u32>,
    /// Those that came since.
    unsorted: Vec<u32>,
}

impl Names {
    /// Takes in a series.
    pub(super) fn add(&mut self, index: u32) {
        self.unsorted.push(index);
    }

    /// The series that a selector matches, each once.
    pub(super) fn select(&mut self, series: &[Entry], selector: &Selector) -> Vec<u32> {
        if self.unsorted.len() > UNSORTED + self.sorted.len() / 64 {
            self.sort(series);
        }
        self.matching(series, selector).collect()
    }

    /// The same one by one, for who may not need them all.
    pub(super) fn matching(&self, series: &[Entry], selector: &Selector) -> impl Iterator<Item = u32> {
        let name = |index: u32| series[index as usize].name.as_str();
        let stem = selector.stem();
        let from = |text: &str| self.sorted.partition_point(|&index| name(index) < text);
        // All names that go on after the stem, and the stem as a name itself; the character after a slash is a 0.
        let (rest, exact) = if stem.is_empty() {
            (0..self.sorted.len(), None)
        } else {
            let exact = self.sorted.get(from(stem)).filter(|&&index| name(index) == stem);
            (from(&format!("{stem}/"))..from(&format!("{stem}0")), exact)
        };
        let all = exact.into_iter().chain(&self.sorted[rest]).chain(&self.unsorted).copied();
        all.filter(|&index| selector.matches(&series[index as usize].name))
    }

    /// Sorts in what came since.
    pub(super) fn sort(&mut self, series: &[Entry]) {
        let name = |index: &u32| series[*index as usize].name.as_str();
        self.unsorted.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        self.sorted.append(&mut self.unsorted);
        // Two sorted runs, which this sort merges.
        self.sorted.sort_by(|a, b| name(a).cmp(name(b)));
        self.sorted.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rollup;
    use crate::store::SeriesId;
    use crate::store::commit::Committed;
    use proptest::prelude::*;
    use shared::{Epoch, Millis, Number, Selector, Seq, SeriesName, Stamp, Value};

    proptest! {
        #[test]
        fn what_is_selected_is_what_matches_each_once(
            names in prop::collection::hash_set("[ab.-]{1,2}(/[ab]){0,3}", 1..40),
            selectors in prop::collection::vec("(\\*|[ab]{1,2})(/(\\*|[ab])){0,2}(/\\*\\*)?", 1..4),
            sorted: prop::sample::Index,
        ) {
            let names: Vec<SeriesName> = names.iter().filter_map(|name| name.parse().ok()).collect();
            let selectors: Vec<Selector> = selectors.iter().map(|text| text.parse().unwrap()).collect();
            let mut rollup = Rollup::new(Epoch(1), Seq::ZERO);
            for (row, name) in (1..).zip(&names) {
                let at = Stamp { ts: Millis(0), seq: Seq(row.into()) };
                let value = Value::Number(Number::new(1.0).unwrap());
                rollup.push(Committed { at, series: SeriesId(row), value, begins: Some(name.clone()), declares: None });
                if row as usize == sorted.index(names.len()) {
                    rollup.make_ready();
                }
            }
            let mut found: Vec<_> = rollup.select(&selectors).into_iter().map(|index| rollup.name(index).clone()).collect();
            found.sort();
            let mut wanted = names;
            wanted.retain(|name| selectors.iter().any(|selector| selector.matches(name)));
            wanted.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}
