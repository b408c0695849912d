//! Selectors as a tree, so that a common beginning of several selectors is matched once.

use std::collections::HashMap;

use shared::Selector;

use super::segments::SegmentId;
use super::tree::Tree;

/// The place of a node in [`Patterns`].
pub(super) type PatternId = usize;

/// A node: the common beginning of some selectors.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    /// Children by literal segment.
    pub(super) literals: HashMap<SegmentId, PatternId>,
    /// Child for `*`.
    pub(super) star: Option<PatternId>,
    /// A selector has `**` here, so every name with this beginning is selected.
    pub(super) rest: bool,
    /// A selector ends here.
    pub(super) end: bool,
    /// The numbers of segments of the names that selectors through this node match, as bits `1 << (segments - 1)`.
    pub(super) depths: u8,
}

/// A tree of selectors, without those that match nothing at present.
#[derive(Debug)]
pub(super) struct Patterns(Vec<Pattern>);

/// The node at which all selectors begin.
pub(super) const ROOT: PatternId = 0;

impl Patterns {
    /// Builds the tree, without selectors that have a segment that no name of `tree` has at that place.
    pub(super) fn compile(tree: &Tree, selectors: &[Selector]) -> Self {
        let mut patterns = Self(vec![Pattern::default()]);
        for selector in selectors {
            patterns.add(tree, selector);
        }
        patterns
    }

    pub(super) fn get(&self, id: PatternId) -> &Pattern {
        &self.0[id]
    }

    /// Returns true if one of the selectors matches a name of these segments.
    pub(super) fn matches(&self, name: &[SegmentId]) -> bool {
        self.matches_from(ROOT, name)
    }

    fn matches_from(&self, id: PatternId, name: &[SegmentId]) -> bool {
        let pattern = self.get(id);
        if pattern.rest {
            return true;
        }
        let Some((first, rest)) = name.split_first() else { return pattern.end };
        let ways = pattern.literals.get(first).copied().into_iter().chain(pattern.star);
        ways.into_iter().any(|way| self.matches_from(way, rest))
    }

    fn add(&mut self, tree: &Tree, selector: &Selector) {
        let segments: Vec<&str> = selector.segments().collect();
        let wanted = |(depth, &text): (usize, &&str)| match text {
            "*" | "**" => Some(None),
            text => tree.known_segment(text, depth).map(Some),
        };
        let Some(wanted): Option<Vec<Option<SegmentId>>> = segments.iter().enumerate().map(wanted).collect() else {
            return;
        };
        let is_open = segments.last() == Some(&"**");
        let depths = if is_open {
            // `a/**` also matches `a`. A name has at least one segment.
            let least = segments.len().saturating_sub(1).max(1);
            u8::MAX << (least - 1)
        } else {
            1 << (segments.len() - 1)
        };
        let fixed = if is_open { &wanted[..wanted.len() - 1] } else { &wanted[..] };
        let mut at = ROOT;
        self.0[at].depths |= depths;
        for segment in fixed {
            let next = self.0.len();
            let id = match segment {
                Some(segment) => *self.0[at].literals.entry(*segment).or_insert(next),
                None => *self.0[at].star.get_or_insert(next),
            };
            if id == next {
                self.0.push(Pattern::default());
            }
            at = id;
            self.0[at].depths |= depths;
        }
        if is_open {
            self.0[at].rest = true;
        } else {
            self.0[at].end = true;
        }
    }
}
