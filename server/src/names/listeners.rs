//! Finds the listeners of a new name: a tree of the segments of selectors, with the listeners of each selector.
//!
//! Here a listener is any value that was added to a selector, for example a topic of the hub.

use std::collections::HashMap;

use shared::{Selector, SeriesName};

/// Listeners by selector. A lookup visits at most `2^(segments + 1)` nodes, however many selectors there are.
#[derive(Debug)]
pub struct Listeners<T>(Node<T>);

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<Box<str>, Node<T>>,
    star: Option<Box<Node<T>>>,
    /// Listeners whose selector ends here, in order.
    exact: Vec<T>,
    /// Listeners whose selector continues with `**`, in order.
    open: Vec<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), star: None, exact: Vec::new(), open: Vec::new() }
    }
}

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self(Node::default())
    }
}

impl<T: Copy + Ord> Listeners<T> {
    /// Adds a listener to a selector.
    pub fn add(&mut self, selector: &Selector, listener: T) {
        self.0.add(&selector.segments().collect::<Vec<_>>(), listener);
    }

    /// Removes a listener from a selector to which it was added.
    pub fn remove(&mut self, selector: &Selector, listener: T) {
        self.0.remove(&selector.segments().collect::<Vec<_>>(), listener);
    }

    /// Returns every listener with a selector that matches `name`, once, in order.
    #[must_use]
    pub fn of(&self, name: &SeriesName) -> Vec<T> {
        let mut found = Vec::new();
        if !self.0.is_empty() {
            self.0.collect(&name.segments().collect::<Vec<_>>(), &mut found);
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}

impl<T: Copy + Ord> Node<T> {
    fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.star.is_none() && self.exact.is_empty() && self.open.is_empty()
    }

    fn add(&mut self, segments: &[&str], listener: T) {
        match segments {
            [] => insert(&mut self.exact, listener),
            ["**"] => insert(&mut self.open, listener),
            ["*", rest @ ..] => self.star.get_or_insert_default().add(rest, listener),
            [first, rest @ ..] => self.literals.entry((*first).into()).or_default().add(rest, listener),
        }
    }

    fn remove(&mut self, segments: &[&str], listener: T) {
        match segments {
            [] => take_out(&mut self.exact, &listener),
            ["**"] => take_out(&mut self.open, &listener),
            ["*", rest @ ..] => {
                if let Some(star) = &mut self.star {
                    star.remove(rest, listener);
                    if star.is_empty() {
                        self.star = None;
                    }
                }
            }
            [first, rest @ ..] => {
                if let Some(node) = self.literals.get_mut(*first) {
                    node.remove(rest, listener);
                    if node.is_empty() {
                        self.literals.remove(*first);
                    }
                }
            }
        }
    }

    fn collect(&self, segments: &[&str], found: &mut Vec<T>) {
        found.extend_from_slice(&self.open);
        match segments {
            [] => found.extend_from_slice(&self.exact),
            [first, rest @ ..] => {
                if let Some(node) = self.literals.get(*first) {
                    node.collect(rest, found);
                }
                if let Some(star) = &self.star {
                    star.collect(rest, found);
                }
            }
        }
    }
}

fn insert<T: Ord>(listeners: &mut Vec<T>, listener: T) {
    if let Err(at) = listeners.binary_search(&listener) {
        listeners.insert(at, listener);
    }
}

fn take_out<T: Ord>(listeners: &mut Vec<T>, listener: &T) {
    if let Ok(at) = listeners.binary_search(listener) {
        listeners.remove(at);
        if listeners.is_empty() {
            *listeners = Vec::new();
        }
    }
}
