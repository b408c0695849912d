//! Keeps the buckets of one series and one width that the page has fetched.

use super::time_ranges::TimeRanges;
use shared::reading::Cell;

/// Most buckets that are kept. Beyond that, those farthest from the range in view are dropped.
const MOST: usize = 40_000;

/// Buckets, and the ranges of time for which they are complete.
#[derive(Clone, Debug, Default)]
pub struct CellCache {
    cells: Vec<Cell>,
    known: TimeRanges,
    /// Ranges of time for which some answer was complete, even if it has become out of date since.
    answered: TimeRanges,
    /// Number of changes.
    pub version: u64,
}

impl CellCache {
    /// Replaces the buckets of `from..to` with those of an answer. The answer holds all that was committed before the
    /// server's time `as_of`, in milliseconds.
    pub fn put(&mut self, from: u64, to: u64, as_of: u64, cells: Vec<Cell>) {
        self.version += 1;
        let start = cells.first().map_or(from, |cell| cell.start.min(from));
        let low = self.cells.partition_point(|cell| cell.end() <= start);
        let high = self.cells.partition_point(|cell| cell.start < to).max(low);
        self.cells.splice(low..high, cells);
        self.known.remove(from, to);
        self.known.add(from, to.min(as_of));
        self.answered.add(from, to.min(as_of));
        if self.cells.len() > MOST {
            let (low, high) = (from.saturating_sub(to - from), to + (to - from));
            self.cells.retain(|cell| cell.end() > low && cell.start < high);
            for time_ranges in [&mut self.known, &mut self.answered] {
                time_ranges.remove(0, low);
                time_ranges.remove(high, u64::MAX);
            }
        }
    }

    /// Marks a stretch as out of date. Its buckets are still shown until a new answer comes.
    pub fn forget(&mut self, from: u64, to: u64) {
        self.known.remove(from, to);
    }

    /// Ranges of time for which the buckets are complete and up to date.
    #[must_use]
    pub fn known(&self) -> &TimeRanges {
        &self.known
    }

    /// Ranges of time that can be shown, even if they are out of date.
    #[must_use]
    pub fn answered(&self) -> &TimeRanges {
        &self.answered
    }

    /// Returns the buckets that begin in `from..to`, and the one before them, since a line starts there.
    #[must_use]
    pub fn within(&self, from: u64, to: u64) -> &[Cell] {
        let low = self.cells.partition_point(|cell| cell.start < from).saturating_sub(1);
        let high = self.cells.partition_point(|cell| cell.start < to).max(low);
        &self.cells[low..high]
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(from: u64, to: u64, mark: f64) -> Vec<Cell> {
        (from..to).map(|start| Cell { start, width: 1, last: mark, ..Cell::default() }).collect()
    }

    proptest! {
        #[test]
        fn the_newest_answer_about_a_moment_is_what_it_has(
            answers in prop::collection::vec((0..60_u64, 0..60_u64), 1..20)
        ) {
            let mut cache = CellCache::default();
            let mut wanted = [None; 60];
            for (i, (a, b)) in answers.into_iter().enumerate() {
                let (from, to) = (a.min(b), a.max(b) + 1);
                let mark = f64::from(u32::try_from(i).unwrap());
                cache.put(from, to, u64::MAX, cells(from, to, mark));
                (from..to.min(60)).for_each(|at| wanted[usize::try_from(at).unwrap()] = Some(mark));
            }
            let mut found = [None; 60];
            cache.within(0, 60).iter().for_each(|cell| found[usize::try_from(cell.start).unwrap()] = Some(cell.last));
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn what_is_not_over_yet_is_not_known() {
        let mut cache = CellCache::default();
        cache.put(0, 100, 70, cells(0, 70, 1.0));
        assert_eq!(cache.known().missing(0, 100), Some((70, 100)));
        cache.forget(10, 20);
        assert_eq!(cache.known().missing(0, 60), Some((10, 20)));
        assert_eq!(cache.answered().missing(0, 60), None);
        assert_eq!(cache.within(10, 20).len(), 11, "it is shown until there is another answer");
    }
}
