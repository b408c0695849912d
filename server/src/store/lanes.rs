//! Orders the jobs of the writer thread.
//!
//! Short and long jobs wait in separate lanes. While both lanes have jobs, groups of the two alternate. So a push of
//! one point waits for at most one group of long pushes, however many are queued, and long pushes do not starve
//! either.

use std::collections::VecDeque;

/// The greatest weight of a short job.
const SHORT: usize = 128;

/// The most jobs of a group.
const GROUP: usize = 1_024;

/// The greatest weight of a group of short jobs: some milliseconds of work. A single job may weigh more.
const SHORT_GROUP: usize = 16_384;

/// The greatest weight of a group of long jobs. A single job may weigh more.
const LONG_GROUP: usize = 32_768;

/// A lane of waiting jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Small pushes and other operations, which are done soon.
    Short,
    /// Large pushes.
    Long,
}

impl Lane {
    /// Returns the lane of a push of this weight.
    pub(super) fn of_push(weight: usize) -> Self {
        if weight <= SHORT { Self::Short } else { Self::Long }
    }
}

/// The lanes from which a group may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Both lanes, in turn.
    All,
    /// Only short jobs, and few of them.
    FewShort,
}

/// The most jobs of a group with [`Allowed::FewShort`].
const FEW: usize = 256;

/// The greatest weight of such a group. Before the next group, at least as many blocks are written as the group
/// added.
const FEW_GROUP: usize = 512;

/// The waiting jobs, each with its weight. A number of a known series has weight 1 and takes less than a microsecond.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    short: VecDeque<(usize, T)>,
    long: VecDeque<(usize, T)>,
    /// True if the last group was of long jobs.
    was_long: bool,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { short: VecDeque::new(), long: VecDeque::new(), was_long: false }
    }
}

impl<T> Lanes<T> {
    pub(super) fn add(&mut self, lane: Lane, weight: usize, job: T) {
        let lane = match lane {
            Lane::Short => &mut self.short,
            Lane::Long => &mut self.long,
        };
        lane.push_back((weight, job));
    }

    /// Returns the number of waiting jobs.
    pub(super) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Returns true if [`Lanes::take`] would move a job.
    pub(super) fn has(&self, allowed: Allowed) -> bool {
        !self.short.is_empty() || (allowed == Allowed::All && !self.long.is_empty())
    }

    /// Moves the next group of jobs into `group`, in the order of their arrival.
    pub(super) fn take(&mut self, allowed: Allowed, group: &mut Vec<T>) {
        let takes_long = allowed == Allowed::All && !self.long.is_empty() && (self.short.is_empty() || !self.was_long);
        self.was_long = takes_long;
        let (lane, most, most_weight) = match allowed {
            Allowed::All if takes_long => (&mut self.long, GROUP, LONG_GROUP),
            Allowed::All => (&mut self.short, GROUP, SHORT_GROUP),
            Allowed::FewShort => (&mut self.short, FEW, FEW_GROUP),
        };
        let mut weight = 0;
        while group.len() < most
            && let Some((next, job)) = lane.pop_front_if(|(next, _)| weight == 0 || weight + *next <= most_weight)
        {
            weight += next.max(1);
            group.push(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn take(lanes: &mut Lanes<usize>, allowed: Allowed) -> Vec<usize> {
        let mut group = Vec::new();
        lanes.take(allowed, &mut group);
        group
    }

    #[test]
    fn short_job_waits_for_at_most_one_group_of_long_jobs() {
        let mut lanes = Lanes::default();
        (0..10).for_each(|job| lanes.add(Lane::Long, 100_000, job));
        lanes.add(Lane::Short, 1, 10);
        assert_eq!(take(&mut lanes, Allowed::All), [0]);
        assert_eq!(take(&mut lanes, Allowed::All), [10]);
        lanes.add(Lane::Short, 1, 11);
        assert_eq!(take(&mut lanes, Allowed::All), [1], "long jobs do not starve either");
        assert_eq!(take(&mut lanes, Allowed::FewShort), [11]);
        assert!(!lanes.has(Allowed::FewShort) && lanes.has(Allowed::All));
        assert!(take(&mut lanes, Allowed::FewShort).is_empty());
    }

    #[test]
    fn only_few_short_jobs_are_taken_while_blocks_must_be_written() {
        let mut lanes = Lanes::default();
        (0..1_000).for_each(|job| lanes.add(Lane::Short, SHORT, job));
        assert_eq!(take(&mut lanes, Allowed::FewShort).len(), FEW_GROUP / SHORT);
        assert_eq!(take(&mut lanes, Allowed::All).len(), SHORT_GROUP / SHORT);
    }

    proptest! {
        #[test]
        fn every_job_is_done_once_in_the_order_of_its_lane_and_groups_are_bounded(
            jobs in prop::collection::vec(prop_oneof![1..100_usize, 1..50_000_usize], 1..200),
            adds in prop::collection::vec(0..20_usize, 1..100),
        ) {
            let (mut lanes, mut done, mut next) = (Lanes::default(), Vec::new(), 0);
            for add in adds.into_iter().chain(std::iter::repeat(jobs.len())) {
                for _ in 0..add.min(jobs.len() - next) {
                    lanes.add(Lane::of_push(jobs[next]), jobs[next], next);
                    next += 1;
                }
                if !lanes.has(Allowed::All) && next == jobs.len() {
                    break;
                }
                let group = take(&mut lanes, Allowed::All);
                let weight: usize = group.iter().map(|&job| jobs[job]).sum();
                prop_assert!(group.len() == 1 || (group.len() <= GROUP && weight <= LONG_GROUP));
                done.extend(group);
            }
            let lane = |short| done.iter().copied().filter(|&job| (jobs[job] <= SHORT) == short).collect::<Vec<_>>();
            prop_assert!(lane(true).is_sorted() && lane(false).is_sorted());
            done.sort_unstable();
            prop_assert_eq!(done, (0..jobs.len()).collect::<Vec<_>>());
        }
    }
}
