//! Walks the tree of names and the tree of selectors at once, and finds the series that match.

use super::pattern::{self, PatternId, Patterns};
use super::tree::{self, NodeId, Tree};

/// A walk that can be interrupted after any number of steps.
#[derive(Debug)]
pub(super) struct Walk<'p> {
    patterns: &'p Patterns,
    /// Nodes still to be visited.
    tasks: Vec<Task>,
    steps: u64,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Selectors through `pattern` may match names through `node`.
    Match { node: NodeId, pattern: PatternId },
    /// Like `Match`, for `node` and all siblings after it.
    MatchSiblings { node: NodeId, pattern: PatternId },
    /// All names through `node` and through the siblings after it are selected.
    TakeSiblings(NodeId),
}

impl<'p> Walk<'p> {
    pub(super) fn new(patterns: &'p Patterns) -> Self {
        Self { patterns, tasks: vec![Task::Match { node: tree::ROOT, pattern: pattern::ROOT }], steps: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Returns the number of steps taken so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes at least one step, and about `most`, and returns how many it took. Appends the series that it finds to
    /// `found`, possibly more than once.
    pub(super) fn advance(&mut self, tree: &Tree, most: u64, found: &mut Vec<u32>) -> u64 {
        let before = self.steps;
        while let Some(task) = self.tasks.pop() {
            self.steps += 1;
            match task {
                Task::Match { node, pattern } => self.step(tree, node, pattern, found),
                Task::MatchSiblings { node, pattern } => {
                    if let Some(next) = tree.next_sibling(node) {
                        self.tasks.push(Task::MatchSiblings { node: next, pattern });
                    }
                    self.step(tree, node, pattern, found);
                }
                Task::TakeSiblings(node) => {
                    if let Some(next) = tree.next_sibling(node) {
                        self.tasks.push(Task::TakeSiblings(next));
                    }
                    self.take(tree, node, found);
                }
            }
            if self.steps - before >= most {
                break;
            }
        }
        self.steps - before
    }

    fn step(&mut self, tree: &Tree, node: NodeId, id: PatternId, found: &mut Vec<u32>) {
        let pattern = self.patterns.get(id);
        if tree.depths(node) & pattern.depths == 0 {
            return;
        }
        if pattern.rest {
            return self.take(tree, node, found);
        }
        if pattern.end {
            found.extend(tree.series(node));
        }
        for (&segment, &way) in &pattern.literals {
            self.steps += 1;
            if tree.depths(node) & self.patterns.get(way).depths != 0
                && let Some(child) = tree.child(node, segment)
            {
                self.tasks.push(Task::Match { node: child, pattern: way });
            }
        }
        if let (Some(star), Some(child)) = (pattern.star, tree.first_child(node)) {
            self.tasks.push(Task::MatchSiblings { node: child, pattern: star });
        }
    }

    fn take(&mut self, tree: &Tree, node: NodeId, found: &mut Vec<u32>) {
        found.extend(tree.series(node));
        if let Some(child) = tree.first_child(node) {
            self.tasks.push(Task::TakeSiblings(child));
        }
    }
}
