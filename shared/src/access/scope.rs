//! The set of series that a capability permits for one verb.

use std::sync::Arc;

use crate::{Selector, SeriesName};

/// A set of series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SeriesScope {
    /// Every series.
    All,
    /// The series that one of these selectors matches. Sorted, and no selector covers another.
    Matching(Arc<[Selector]>),
}

impl SeriesScope {
    /// Makes the set of all series that one of the selectors matches.
    #[must_use]
    pub fn of<'a>(selectors: impl IntoIterator<Item = &'a Selector>) -> Self {
        let mut all: Vec<Selector> = selectors.into_iter().cloned().collect();
        if all.iter().any(|selector| matches!(selector.as_str(), "**" | "*/**")) {
            return Self::All;
        }
        all.sort();
        all.dedup();
        // Of two different selectors, at most one covers the other: `**` and `*/**` do not get here.
        let minimal = all.iter().filter(|one| !all.iter().any(|other| other != *one && other.covers(one)));
        Self::Matching(minimal.cloned().collect())
    }

    /// Returns true if the set has no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Matching(selectors) if selectors.is_empty())
    }

    /// Returns true if the set has every series.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// Returns true if the series of this name is in the set.
    #[must_use]
    pub fn contains(&self, name: &SeriesName) -> bool {
        self.contains_text(name.as_str())
    }

    /// Returns true if the series of this name, a valid name in normal form C, is in the set.
    #[must_use]
    pub fn contains_text(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Matching(selectors) => selectors.iter().any(|selector| selector.matches_text(name)),
        }
    }

    /// Returns true if every series that the selector matches is in the set, because of one of its selectors.
    #[must_use]
    pub fn covers(&self, selector: &Selector) -> bool {
        match self {
            Self::All => true,
            Self::Matching(selectors) => selectors.iter().any(|own| own.covers(selector)),
        }
    }

    /// Returns selectors that match just those series of `selectors` that are in the set. Equal arguments give equal
    /// results.
    #[must_use]
    pub fn narrow(&self, selectors: Vec<Selector>) -> Vec<Selector> {
        let Self::Matching(own) = self else { return selectors };
        let mut narrowed = Vec::with_capacity(selectors.len());
        for selector in selectors {
            if self.covers(&selector) {
                narrowed.push(selector);
            } else {
                narrowed.extend(own.iter().filter_map(|own| own.intersection(&selector)));
            }
        }
        narrowed.sort();
        narrowed.dedup();
        narrowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selectors() -> impl Strategy<Value = Vec<Selector>> {
        let selector = "(a|b|\\*)(/(a|b|\\*)){0,2}(/\\*\\*)?|\\*\\*".prop_map(|text| text.parse().unwrap());
        prop::collection::vec(selector, 0..5)
    }

    #[test]
    fn set_of_no_selector_has_no_series_and_two_stars_have_all() {
        assert!(SeriesScope::of([]).is_empty() && !SeriesScope::All.is_empty());
        for all in ["**", "*/**"] {
            assert_eq!(SeriesScope::of([&all.parse().unwrap()]), SeriesScope::All);
        }
    }

    proptest! {
        #[test]
        fn narrowed_selection_has_just_the_series_that_are_also_in_the_set(
            own in selectors(), asked in selectors(), name in "(a|b|c)(/(a|b|c)){0,4}"
        ) {
            let (scope, name) = (SeriesScope::of(&own), name.parse::<SeriesName>().unwrap());
            let matches = |all: &[Selector]| all.iter().any(|selector| selector.matches(&name));
            prop_assert_eq!(scope.contains(&name), matches(&own));
            let narrowed = scope.narrow(asked.clone());
            prop_assert_eq!(matches(&narrowed), matches(&own) && matches(&asked));
            let (mut reversed, mut own) = (asked, own);
            reversed.reverse();
            own.reverse();
            if !scope.is_all() {
                prop_assert_eq!(SeriesScope::of(&own).narrow(reversed), narrowed, "the order does not matter");
            }
        }
    }
}
