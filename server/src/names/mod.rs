//! An index of all series names, which finds the series of a selection without looking at every name.
//!
//! [`tree`] holds the names as a tree of [`segments`], and [`pattern`] holds the selectors as another one. [`walk`]
//! goes through both at once and counts its steps, so that a request that would take too many steps is refused.
//! [`listeners`] is the opposite direction: from a new name to the selectors that match it.
//!
//! The index has a lock of its own, which a walk releases every [`HOLD`] steps. So a new series waits for that many
//! steps at most, however large the selections are. Nodes are only ever added: an interrupted walk continues where it
//! was, and reports the series that existed when it began. [`Names::catch_up`] adds those that began since. A caller
//! that uses a list of series must expect that some of them were [removed](Names::remove) meanwhile.

pub mod listeners;
mod pattern;
mod segments;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};
use shared::point::Kind;
use shared::{Selector, SeriesName};

use crate::log::SeriesId;
use pattern::Patterns;
pub use tree::Named;
use tree::Tree;
use walk::Walk;

/// Steps of a walk before it lets a waiting writer in: less than a millisecond.
const HOLD: u64 = 4_096;

/// The place of a series in the list of all series, in the order in which they began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesIndex(pub(crate) u32);

/// The work that a selection may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The most steps. A step looks at a pair of a node of the index and a node of the selectors, and takes some 50
    /// to 200 ns.
    pub steps: u64,
    /// The most series that may be found.
    pub series: usize,
}

impl Budget {
    /// No bound, for work that no client controls.
    pub const UNLIMITED: Self = Self { steps: u64::MAX, series: usize::MAX };
}

/// A selection that exceeds its [`Budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The selection takes more than [`Budget::steps`].
    #[error("the selectors take over {most} steps to match against the names of all series")]
    TooManySteps {
        /// The bound.
        most: u64,
    },
    /// The selection finds more than [`Budget::series`].
    #[error("the selectors match over {most} series")]
    TooManySeries {
        /// The bound.
        most: usize,
    },
}

/// The series that selectors match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// The series, each once, in the order of their indexes.
    pub series: Vec<SeriesIndex>,
    /// Series from this index on were not looked at.
    pub upto: u32,
}

/// The names of all series that have a point. Clones share the index.
#[derive(Clone, Debug, Default)]
pub struct Names(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tree: RwLock<Tree>,
    /// The steps of all walks, for `/metrics`.
    steps: AtomicU64,
}

impl Names {
    /// Adds a series that has just begun. The name must be a new one.
    pub fn insert(&self, name: &SeriesName, series: SeriesId, kind: Kind) -> SeriesIndex {
        SeriesIndex(self.0.tree.write().insert(name, series, kind))
    }

    /// Takes a series out, so that no selection finds it any more. Its index is never given to another series.
    pub fn remove(&self, index: SeriesIndex) {
        self.0.tree.write().remove(index.0);
    }

    /// Frees the memory that was reserved for growth. Call it after the start, when most series are known.
    pub fn shrink_to_fit(&self) {
        self.0.tree.write().shrink_to_fit();
    }

    /// Returns the number of series, including those that were taken out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.tree.read().len()
    }

    /// Returns true if there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of steps that all selections together have taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.steps.load(Ordering::Relaxed)
    }

    /// Finds every series that one of the selectors matches.
    ///
    /// Takes at most two steps for each pair of a node of the selectors and a node of the names whose paths match. A
    /// selector takes none if it has a segment that no name has at that place.
    ///
    /// # Errors
    /// [`SelectError`].
    pub fn select(&self, selectors: &[Selector], budget: Budget) -> Result<Matched, SelectError> {
        let mut tree = self.0.tree.read();
        let upto = tree.count();
        let patterns = Patterns::compile(&tree, selectors);
        let mut walk = Walk::new(&patterns);
        let mut found = Vec::new();
        let mut check_at = budget.series;
        while !walk.is_done() {
            let taken = walk.advance(&tree, HOLD.min(budget.steps), &mut found);
            self.0.steps.fetch_add(taken, Ordering::Relaxed);
            if walk.steps() > budget.steps {
                return Err(SelectError::TooManySteps { most: budget.steps });
            }
            if found.len() > check_at {
                // Several selectors may have found the same series.
                distinct(&mut found);
                if found.len() > budget.series {
                    return Err(SelectError::TooManySeries { most: budget.series });
                }
                check_at = found.len().saturating_mul(2).max(budget.series);
            }
            RwLockReadGuard::bump(&mut tree);
        }
        drop(tree);
        distinct(&mut found);
        found.truncate(found.partition_point(|&index| index < upto));
        if found.len() > budget.series {
            return Err(SelectError::TooManySeries { most: budget.series });
        }
        Ok(Matched { series: found.into_iter().map(SeriesIndex).collect(), upto })
    }

    /// Adds the matching series that began since to `matched`, which must come from the same selectors.
    ///
    /// # Errors
    /// [`SelectError::TooManySeries`].
    pub fn catch_up(&self, matched: &mut Matched, selectors: &[Selector], budget: Budget) -> Result<(), SelectError> {
        let mut tree = self.0.tree.read();
        let upto = tree.count();
        if upto == matched.upto {
            return Ok(());
        }
        // Compiled again, since a segment that no name had may exist now.
        let patterns = Patterns::compile(&tree, selectors);
        for index in matched.upto..upto {
            if tree.is_live(index) && patterns.matches(tree.path(index).segments()) {
                matched.series.push(SeriesIndex(index));
            }
            if u64::from(index) % HOLD == 0 {
                RwLockReadGuard::bump(&mut tree);
            }
        }
        matched.upto = upto;
        if matched.series.len() > budget.series {
            return Err(SelectError::TooManySeries { most: budget.series });
        }
        Ok(())
    }

    /// Returns for each selector whether a series matches it. Once the steps run out, the answer is yes.
    #[must_use]
    pub fn has_each(&self, selectors: &[Selector], mut steps: u64) -> Vec<bool> {
        let mut has = |selector: &Selector| {
            let tree = self.0.tree.read();
            let patterns = Patterns::compile(&tree, std::slice::from_ref(selector));
            let mut walk = Walk::new(&patterns);
            let mut found = Vec::new();
            while !walk.is_done() && found.is_empty() {
                if steps == 0 {
                    return true;
                }
                let taken = walk.advance(&tree, steps.min(64), &mut found);
                self.0.steps.fetch_add(taken, Ordering::Relaxed);
                steps = steps.saturating_sub(taken);
            }
            !found.is_empty()
        };
        selectors.iter().map(&mut has).collect()
    }

    /// Returns the names, rows and kinds of these series, in the given order.
    #[must_use]
    pub fn named(&self, series: &[SeriesIndex]) -> Vec<Named> {
        let tree = self.0.tree.read();
        series.iter().map(|index| tree.named(index.0)).collect()
    }
}

fn distinct(found: &mut Vec<u32>) {
    found.sort_unstable();
    found.dedup();
}
