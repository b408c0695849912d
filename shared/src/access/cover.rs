//! Compares selectors: decides if one selects everything that another selects, and finds what two have in common.

use crate::Selector;

impl Selector {
    /// Returns true if this selector matches every name that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // A name has at least one segment, so `**` alone selects the same as `*/**`.
        let (first, rest) = if other.as_str() == "**" { (Some("*"), "**") } else { (None, other.as_str()) };
        let mut others = first.into_iter().chain(rest.split('/'));
        for own in self.segments() {
            if own == "**" {
                return true;
            }
            match others.next() {
                Some(other) if own == other || (own == "*" && other != "**") => {}
                _ => return false,
            }
        }
        others.next().is_none()
    }

    /// Returns the selector of the names that both selectors match; `None` if there are no such names.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            return Some(other.clone());
        }
        if other.covers(self) {
            return Some(self.clone());
        }
        let (mut own, mut others) = (self.segments(), other.segments());
        let mut common: Vec<&str> = Vec::new();
        loop {
            match (own.next(), others.next()) {
                (None | Some("**"), None) | (None, Some("**")) => break,
                (Some("**"), Some(next)) => {
                    common.push(next);
                    common.extend(others);
                    break;
                }
                (Some(next), Some("**")) => {
                    common.push(next);
                    common.extend(own);
                    break;
                }
                (Some(a), Some(b)) if a == b || b == "*" => common.push(a),
                (Some("*"), Some(b)) => common.push(b),
                _ => return None,
            }
        }
        Some(Self::of_segments(&common))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeriesName;
    use proptest::prelude::*;

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    #[test]
    fn wildcard_covers_what_it_stands_for() {
        for (wide, narrow) in [
            ("**", "**"),
            ("**", "a"),
            ("*/**", "**"),
            ("**", "*/**"),
            ("a/**", "a"),
            ("a/**", "a/*/c"),
            ("a/*", "a/b"),
            ("*/b", "a/b"),
            ("a/*/**", "a/b/**"),
        ] {
            assert!(selector(wide).covers(&selector(narrow)), "{wide} covers {narrow}");
        }
        for (one, other) in
            [("a/**", "**"), ("a/*", "a/**"), ("a/*", "a"), ("a/b", "a/*"), ("a", "a/**"), ("a/*/**", "a/**")]
        {
            assert!(!selector(one).covers(&selector(other)), "{one} does not cover {other}");
        }
    }

    fn selectors() -> impl Strategy<Value = Selector> {
        let segment = prop_oneof![Just("a"), Just("b"), Just("*")];
        (prop::collection::vec(segment, 0..4), any::<bool>()).prop_filter_map("it is empty", |(mut segments, rest)| {
            segments.extend(rest.then_some("**"));
            (!segments.is_empty()).then(|| selector(&segments.join("/")))
        })
    }

    /// Every name of at most five segments, with a segment that no selector names.
    fn names() -> Vec<SeriesName> {
        let mut all: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let mut longest = all.clone();
        for _ in 1..5 {
            longest = longest.iter().flat_map(|name| ["a", "b", "c"].map(|next| format!("{name}/{next}"))).collect();
            all.extend(longest.iter().cloned());
        }
        all.iter().map(|name| name.parse().unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn selector_covers_another_just_where_it_matches_all_of_its_names(a in selectors(), b in selectors()) {
            let all = names().iter().all(|name| a.matches(name) || !b.matches(name));
            prop_assert_eq!(a.covers(&b), all, "{} and {}", a, b);
        }

        #[test]
        fn intersection_matches_just_the_names_that_both_match(a in selectors(), b in selectors()) {
            let both = a.intersection(&b);
            for name in names() {
                let matches = both.as_ref().is_some_and(|both| both.matches(&name));
                prop_assert_eq!(matches, a.matches(&name) && b.matches(&name), "{} and {}: {:?}", a, b, both);
            }
            prop_assert_eq!(both.is_some(), b.intersection(&a).is_some());
        }
    }
}
