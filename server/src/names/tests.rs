//! Tests that compare the index with naive matching, and its steps with a bound.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::listeners::Listeners;
use super::*;

fn names() -> impl Strategy<Value = Vec<SeriesName>> {
    let name = "[ab.-]{1,2}(/[abc]){0,7}".prop_filter_map("no name", |text| text.parse().ok());
    prop::collection::hash_set(name, 1..60).prop_map(|names| names.into_iter().collect())
}

fn selectors() -> impl Strategy<Value = Vec<Selector>> {
    let selector = "(\\*|[ab]{1,2}|[ab.-])(/(\\*|[abcx])){0,6}(/\\*\\*)?|\\*\\*";
    let selector = selector.prop_filter_map("no selector", |text| text.parse().ok());
    prop::collection::vec(selector, 1..12)
}

fn index_of(names: &[SeriesName]) -> Names {
    let index = Names::default();
    for (row, name) in (1..).zip(names) {
        index.insert(name, SeriesId(row), Kind::Number);
    }
    index
}

fn naive(names: &[SeriesName], selectors: &[Selector]) -> Vec<SeriesIndex> {
    let matched = |name: &SeriesName| selectors.iter().any(|selector| selector.matches(name));
    (0..).zip(names).filter(|(_, name)| matched(name)).map(|(index, _)| SeriesIndex(index)).collect()
}

/// Returns all beginnings of these texts, with the empty one: the nodes of their tree.
fn beginnings<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::from([""]);
    for text in texts {
        all.extend(text.match_indices('/').map(|(at, _)| &text[..at]));
        all.insert(text);
    }
    all
}

proptest! {
    #[test]
    fn selection_equals_naive_matching_and_takes_no_more_steps_than_pairs_of_nodes(
        names in names(), selectors in selectors()
    ) {
        let index = index_of(&names);
        let matched = index.select(&selectors, Budget::UNLIMITED).unwrap();
        prop_assert_eq!(&matched.series, &naive(&names, &selectors));
        let name_nodes = beginnings(names.iter().map(SeriesName::as_str)).len() as u64;
        let selector_nodes = beginnings(selectors.iter().map(Selector::as_str)).len() as u64;
        prop_assert!(index.steps() <= 2 * name_nodes * selector_nodes, "{} steps", index.steps());
    }

    #[test]
    fn series_that_begin_after_the_match_are_found_once_by_catching_up(
        names in names(), selectors in selectors(), cut in any::<prop::sample::Index>(), kinds in any::<u64>()
    ) {
        let (before, after) = names.split_at(cut.index(names.len()));
        let index = index_of(before);
        let mut matched = index.select(&selectors, Budget::UNLIMITED).unwrap();
        for (row, name) in (before.len()..).zip(after) {
            let kind = if kinds >> (row % 64) & 1 == 1 { Kind::Text } else { Kind::Number };
            index.insert(name, SeriesId(u32::try_from(row).unwrap() + 1), kind);
        }
        index.catch_up(&mut matched, &selectors, Budget::UNLIMITED).unwrap();
        prop_assert_eq!(&matched.series, &naive(&names, &selectors));
        for (named, index) in index.named(&matched.series).into_iter().zip(&matched.series) {
            prop_assert_eq!(&named.name, &names[index.0 as usize]);
            prop_assert_eq!(named.series, SeriesId(index.0 + 1));
        }
    }

    #[test]
    fn whether_a_selector_has_series_equals_naive_matching(names in names(), selectors in selectors()) {
        let wanted: Vec<_> = selectors.iter().map(|one| names.iter().any(|name| one.matches(name))).collect();
        prop_assert_eq!(index_of(&names).has_each(&selectors, u64::MAX), wanted);
    }

    #[test]
    fn a_budget_is_kept_or_the_selection_refused(names in names(), selectors in selectors(), steps in 1..50_u64) {
        let index = index_of(&names);
        let budget = Budget { steps, series: 5 };
        match index.select(&selectors, budget) {
            Ok(matched) => prop_assert!(matched.series.len() <= 5 && index.steps() <= steps),
            Err(SelectError::TooManySteps { most }) => prop_assert_eq!(most, steps),
            Err(SelectError::TooManySeries { .. }) => prop_assert!(naive(&names, &selectors).len() > 5),
        }
    }

    #[test]
    fn listeners_of_a_name_are_those_whose_selectors_match(
        names in names(), selectors in selectors(), gone in any::<u16>()
    ) {
        let mut listeners = Listeners::default();
        let all: Vec<(usize, &Selector)> = selectors.iter().enumerate().map(|(id, one)| (id / 2, one)).collect();
        all.iter().for_each(|&(id, selector)| listeners.add(selector, id));
        let (left, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(id, _)| gone >> (id % 16) & 1 == 1);
        left.iter().for_each(|&(id, selector)| listeners.remove(selector, id));
        for name in &names {
            let wanted: BTreeSet<_> = kept.iter().filter(|(_, one)| one.matches(name)).map(|&(id, _)| id).collect();
            prop_assert_eq!(listeners.of(name), wanted.into_iter().collect::<Vec<_>>());
        }
        kept.iter().for_each(|&(id, selector)| listeners.remove(selector, id));
        prop_assert!(names.iter().all(|name| listeners.of(name).is_empty()));
    }
}

/// The selectors of an attack: 256 selectors that match nothing, in 6.5 KB of address.
fn attack() -> Vec<Selector> {
    (0..256).map(|n| format!("*/*/*/x/y/z/w/n{n}").parse().unwrap()).collect()
}

fn fleet(hosts: u32, metrics: u32) -> impl Iterator<Item = SeriesName> {
    (0..hosts).flat_map(move |host| (0..metrics).map(move |metric| format!("ops/h{host}/m{metric}").parse().unwrap()))
}

#[test]
fn selectors_that_can_match_nothing_take_no_walk() {
    let index = index_of(&fleet(100, 10).collect::<Vec<_>>());
    for texts in [&["*/*/*/x/y/z/w/n1"][..], &["*/*/*/*/*"], &["*/nowhere/*"], &["*/ops/*"], &["m1/**"]] {
        let selectors: Vec<Selector> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let before = index.steps();
        assert!(index.select(&selectors, Budget::UNLIMITED).unwrap().series.is_empty());
        assert!(index.steps() - before <= 2, "{texts:?}: {} steps", index.steps() - before);
    }
    let before = index.steps();
    assert!(index.select(&attack(), Budget::UNLIMITED).unwrap().series.is_empty());
    assert!(index.steps() - before <= 2);
}

#[test]
fn selectors_with_a_common_beginning_are_walked_once() {
    let mut names: Vec<_> = fleet(100, 10).collect();
    // The attacker has pushed a series, so that each segment is known at its place and the depth occurs.
    names.extend((0..256).map(|n| format!("a/b/c/x/y/z/w/n{n}").parse().unwrap()));
    let index = index_of(&names);
    assert_eq!(index.select(&attack(), Budget::UNLIMITED).unwrap().series.len(), 256);
    assert!(index.steps() < 3_000, "{} steps", index.steps());
}

/// Prints the time and memory of the index when called with
/// `MEASURE_NAMES=1000000 cargo test --release names::tests::measure -- --nocapture`. Otherwise does nothing.
#[test]
fn measure() {
    let Some(count) = std::env::var("MEASURE_NAMES").ok().and_then(|text| text.parse::<u32>().ok()) else { return };
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    };
    let names: Vec<_> = fleet(count / 10, 10).collect();
    let (before, start) = (resident(), std::time::Instant::now());
    let index = index_of(&names);
    index.shrink_to_fit();
    let bytes = resident().saturating_sub(before) / u64::from(count);
    println!("{count} series: built in {:?}, {bytes} bytes a series", start.elapsed());
    let all = ["**"].map(|text| text.parse().unwrap()).to_vec();
    let metric = ["*/*/m1"].map(|text| text.parse().unwrap()).to_vec();
    let mut hard: Vec<Selector> = (0..256).map(|n| format!("*/*/m{}/**", n % 10).parse().unwrap()).collect();
    hard.push("*/*/*".parse().unwrap());
    for (what, selectors) in [("attack", attack()), ("**", all), ("*/*/m1", metric), ("hard", hard)] {
        let (before, start) = (index.steps(), std::time::Instant::now());
        let found = index.select(&selectors, Budget::UNLIMITED).unwrap().series.len();
        println!("{what}: {found} found in {} steps, {:?}", index.steps() - before, start.elapsed());
    }
}
