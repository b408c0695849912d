//! Assigns colours to the series of a chart.
//!
//! The colour does not follow from the position among the other series, which changes as soon as one joins before it.
//! It follows from the document and the name alone, unless two series of a chart want the same colour. So it is the
//! same for every user, and charts of the same parts of a thing (`shop/*/latency_ms`, `shop/*/errors`) have the same
//! colours for them.

use shared::{Selector, SeriesName};

use super::palette::SERIES;

/// The most series that get a place of their own.
const MOST: usize = 100;

/// The colours of the series of a chart, for as long as the chart is on the page.
#[derive(Clone, Debug, Default)]
pub struct Colours {
    /// The series that owns each place in the palette. A series that has left keeps its place until another needs it.
    /// No place has two owners.
    given: Vec<(SeriesName, usize)>,
}

impl Colours {
    /// Returns the places in the palette of these series, in their order. Places below [`SERIES`] are distinct
    /// colours; higher ones repeat the colours with dashes. A series that has a place keeps it. A new series gets the
    /// place that it wants, or the next free one. A colour repeats only if none is left.
    pub fn of(&mut self, selectors: &[Selector], names: &[SeriesName]) -> Vec<usize> {
        // Looks for a place of its own for as many series as a user could distinguish.
        let (names, others) = names.split_at(names.len().min(MOST));
        let others = others.iter().map(|name| wanted(selectors, name));
        let mut new: Vec<&SeriesName> = names.iter().filter(|name| self.place(name).is_none()).collect();
        // Tries one place for all new series before the next place for any of them, so that a series that misses its
        // wanted place does not take one that another wants.
        for try_ in 0.. {
            if new.is_empty() {
                break;
            }
            new.retain(|name| {
                let place = try_ / SERIES * SERIES + (wanted(selectors, name) + try_) % SERIES;
                let free = !self.given.iter().any(|(other, given)| *given == place && names.contains(other));
                if free {
                    self.given.retain(|(_, given)| *given != place);
                    self.given.push(((*name).clone(), place));
                }
                !free
            });
        }
        names.iter().map(|name| self.place(name).unwrap_or_default()).chain(others).collect()
    }

    fn place(&self, name: &SeriesName) -> Option<usize> {
        self.given.iter().find(|(other, _)| other == name).map(|(_, place)| *place)
    }
}

/// The colour that a series has without competition. A series that the document names gets its index there. Any other
/// gets a colour derived from the segments that its selector's stars stand for.
fn wanted(selectors: &[Selector], name: &SeriesName) -> usize {
    let at = selectors.iter().position(|selector| selector.matches(name)).unwrap_or_default();
    let mut spelled = selectors.get(at).map_or("", Selector::as_str).split('/');
    let stars: String = name.segments().filter(|segment| spelled.next() != Some(*segment)).collect();
    if stars.is_empty() {
        return at % SERIES;
    }
    let drawn = draw(&stars);
    // The lowest bits alone would give names with equal endings equal colours.
    (drawn ^ (drawn >> 15)) as usize % SERIES
}

/// Hashes a text to a number (FNV-1a).
#[must_use]
pub fn draw(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn series(names: &[&str]) -> Vec<SeriesName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn selectors(selectors: &[&str]) -> Vec<Selector> {
        selectors.iter().map(|selector| selector.parse().unwrap()).collect()
    }

    fn fresh(of: &[&str], names: &[&str]) -> Vec<usize> {
        Colours::default().of(&selectors(of), &series(names))
    }

    #[test]
    fn series_that_the_document_names_have_the_colours_of_their_places_whichever_there_are() {
        let named = ["shop/search/ms", "shop/cart/ms", "shop/pay/ms"];
        assert_eq!(fresh(&named, &named), [0, 1, 2]);
        assert_eq!(fresh(&named, &named[1..]), [1, 2]);
    }

    #[test]
    fn the_same_part_of_a_thing_has_the_same_colour_in_each_chart() {
        let latency = fresh(&["shop/*/latency_ms"], &["shop/cart/latency_ms", "shop/pay/latency_ms"]);
        assert_eq!(latency, fresh(&["shop/*/errors"], &["shop/cart/errors", "shop/pay/errors"]));
        assert_eq!(latency, fresh(&["shop/**"], &["shop/cart", "shop/pay"]));
        // The colours must be the same for every user and in later versions, so that users who know them need not
        // learn new ones.
        let letters = ["ops/a", "ops/b", "ops/c", "ops/d", "ops/e", "ops/f", "ops/g", "ops/h"];
        assert_eq!(fresh(&["ops/*"], &letters), [4, 5, 2, 3, 0, 1, 6, 7]);
    }

    /// Generates the subset of sixteen series that are present.
    fn there() -> impl Strategy<Value = Vec<SeriesName>> {
        prop::collection::vec(any::<bool>(), 16).prop_map(|there| {
            let names = (0..).zip(there).filter(|(_, there)| *there);
            names.map(|(i, _)| format!("ops/host-{i}").parse().unwrap()).collect()
        })
    }

    proptest! {
        #[test]
        fn a_series_keeps_its_colour_whoever_joins_or_leaves(steps in prop::collection::vec(there(), 1..8)) {
            let selectors = selectors(&["ops/*"]);
            let mut colours = Colours::default();
            let mut before: Vec<(SeriesName, usize)> = Vec::new();
            for names in steps {
                let places = colours.of(&selectors, &names);
                let now: Vec<_> = names.into_iter().zip(places).collect();
                for (name, place) in &before {
                    prop_assert!(now.iter().all(|(other, now)| other != name || now == place), "{name} had {place}: {now:?}");
                }
                before = now;
            }
        }

        #[test]
        fn no_two_look_alike_and_no_colour_is_used_twice_while_there_are_others(
            steps in prop::collection::vec(there(), 1..8), most in prop::sample::select(vec![SERIES, 16])
        ) {
            let selectors = selectors(&["ops/*"]);
            let mut colours = Colours::default();
            for mut names in steps {
                names.truncate(most);
                let places = colours.of(&selectors, &names);
                prop_assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), names.len());
                // With more series than colours, a series that repeats a colour with dashes keeps it even when the
                // first owner leaves.
                let places = if most > SERIES { Colours::default().of(&selectors, &names) } else { places };
                let used: BTreeSet<_> = places.iter().map(|place| place % SERIES).collect();
                prop_assert_eq!(used.len(), names.len().min(SERIES), "{:?}", places);
            }
        }

        #[test]
        fn one_that_nobody_competes_with_has_its_colour_whoever_else_is_there(names in there()) {
            let selectors = selectors(&["ops/*"]);
            let places = Colours::default().of(&selectors, &names);
            for (name, place) in names.iter().zip(places) {
                let alone = Colours::default().of(&selectors, std::slice::from_ref(name))[0];
                let rivals = names.iter().filter(|other| wanted(&selectors, other) == alone).count();
                prop_assert!(rivals > 1 || place == alone, "{name} has {place}, not {alone}");
            }
        }
    }
}
