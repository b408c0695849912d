//! A set of ranges of time: the ones that the page knows.

/// Sorted ranges of time that do not touch, in milliseconds. Each excludes its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeRanges(Vec<(u64, u64)>);

impl TimeRanges {
    /// Adds a stretch, and joins it with those that it touches.
    pub fn add(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let (mut from, mut to) = (from, to);
        self.0.retain(|&(start, end)| {
            let apart = end < from || to < start;
            if !apart {
                (from, to) = (from.min(start), to.max(end));
            }
            apart
        });
        let at = self.0.iter().position(|&(start, _)| start > from).unwrap_or(self.0.len());
        self.0.insert(at, (from, to));
    }

    /// Removes a stretch.
    pub fn remove(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let parts = |&(start, end): &(u64, u64)| [(start, end.min(from)), (start.max(to), end)];
        self.0 = self.0.iter().flat_map(parts).filter(|(start, end)| start < end).collect();
    }

    /// Returns the smallest stretch that covers all unknown parts of `from..to`; `None` where everything is known.
    #[must_use]
    pub fn missing(&self, from: u64, to: u64) -> Option<(u64, u64)> {
        let (mut low, mut high) = (from, to);
        for &(start, end) in &self.0 {
            if start <= low && low < end {
                low = end;
            }
            if start < high && high <= end {
                high = start;
            }
        }
        (low < high).then_some((low, high))
    }

    /// Returns the moment since which everything up to `to` is known. Returns `to` where the time just before it is
    /// unknown.
    #[must_use]
    pub fn known_since(&self, to: u64) -> u64 {
        self.0.iter().find(|&&(start, end)| start < to && to <= end).map_or(to, |&(start, _)| start)
    }

    /// Returns the moment up to which everything from `from` on is known, at most `to`. Returns `from` where `from`
    /// itself is unknown.
    #[must_use]
    pub fn known_until(&self, from: u64, to: u64) -> u64 {
        self.0.iter().find(|&&(start, end)| start <= from && from < end).map_or(from, |&(_, end)| end.min(to))
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_knows_what_was_added_and_not_taken_out(
            steps in prop::collection::vec((any::<bool>(), 0..40_u64, 0..40_u64), 0..30), from in 0..40_u64, to in 0..40_u64
        ) {
            let mut known = [false; 40];
            let mut time_ranges = TimeRanges::default();
            for (add, a, b) in steps {
                let (start, end) = (a.min(b), a.max(b));
                (start..end).for_each(|at| known[usize::try_from(at).unwrap()] = add);
                if add { time_ranges.add(start, end) } else { time_ranges.remove(start, end) }
            }
            let (from, to) = (from.min(to), from.max(to));
            let unknown: Vec<u64> = (from..to).filter(|&at| !known[usize::try_from(at).unwrap()]).collect();
            let hull = unknown.first().map(|&first| (first, unknown.last().unwrap() + 1));
            prop_assert_eq!(time_ranges.missing(from, to), hull);
            let until = (from..to).find(|&at| !known[usize::try_from(at).unwrap()]).unwrap_or(to);
            prop_assert_eq!(time_ranges.known_until(from, to.max(from)), until);
            let since = (from..to).rfind(|&at| !known[usize::try_from(at).unwrap()]).map_or(0, |at| at + 1);
            if since >= from {
                prop_assert_eq!(time_ranges.known_since(to), since);
            }
            prop_assert!(time_ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
