//! The points of a block whose senders set their times, by which repeats are recognised ([`super::dedup`]).

use super::block_id::BlockId;
use super::number_log::LoggedNumber;
use crate::log::point_time::NANOS_OF_MILLI;

/// The most points of a block that are kept. Further points count again when they are repeated.
pub(super) const MAX_OF_BLOCK: usize = 1 << 20;

/// The nanoseconds of a block of the finest tier.
pub(super) const NANOS_OF_BLOCK: u64 = 60_000 * NANOS_OF_MILLI as u64;

/// A point whose sender set its time, relative to its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey {
    /// Nanoseconds from the start of the block, or of the extent while it is stored in one.
    pub(super) at: u64,
    /// The bits of the value.
    pub(super) value: u64,
}

impl DedupKey {
    /// Returns the point at `block_id`; `None` if the server set its time.
    #[must_use]
    pub fn of(block_id: BlockId, logged: &LoggedNumber) -> Option<Self> {
        let nanos = logged.set_by.nanos()?;
        let ms = logged.at.ts.since(block_id.span().from);
        let value = Self::value_of(logged.value.get());
        Some(Self { at: ms * u64::from(NANOS_OF_MILLI) + u64::from(nanos), value })
    }

    /// Returns the bits of a value. Adding zero turns -0.0 into 0.0, so that both zeros are one value.
    pub(super) fn value_of(value: f64) -> u64 {
        (value + 0.0).to_bits()
    }
}

/// The points of a block whose senders set their times.
#[derive(Clone, Debug, Default)]
pub struct DedupKeys {
    points: Vec<DedupKey>,
    /// The number of leading points that are in order. The others are sorted in at the next lookup.
    in_order: usize,
}

impl DedupKeys {
    /// Adds a point. Returns false if the block already has the most points that are kept.
    pub fn insert(&mut self, point: DedupKey) -> bool {
        if self.points.len() == MAX_OF_BLOCK {
            return false;
        }
        if self.in_order == self.points.len() && self.points.last().is_none_or(|last| *last <= point) {
            self.in_order += 1;
        }
        self.points.push(point);
        true
    }

    /// Returns true if the block has this point.
    pub fn contains(&mut self, point: DedupKey) -> bool {
        self.sort();
        self.points.binary_search(&point).is_ok()
    }

    /// Returns the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns true if there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn sort(&mut self) {
        if self.in_order < self.points.len() {
            // A stable sort merges runs that are in order, which is nearly all of the list.
            self.points.sort();
            self.in_order = self.points.len();
        }
    }

    /// Makes the points of a row that was read, which are in order.
    pub(super) fn in_order(points: Vec<DedupKey>) -> Self {
        Self { in_order: points.len(), points }
    }

    /// Returns the points in order.
    pub(super) fn sorted(&self) -> Vec<DedupKey> {
        let mut sorted = self.clone();
        sorted.sort();
        sorted.points
    }
}

impl PartialEq for DedupKeys {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}
