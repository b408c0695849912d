//! Bounds the memory of all topics together.
//!
//! What a topic cannot do without (its selectors, members and readers) counts as *fixed*; a new selection for which there is
//! no room is refused. What it only keeps for readers that are behind (its frames and its last snapshot) is *spare*: over
//! the bound, the topics that were quiet for longest let go of it first. A reader that would have needed it has a `gap` and
//! a snapshot, as if it had been away. Where series that begin make the topics themselves too large, the largest is
//! dissolved: its readers get `bye`, and ask again.

use shared::Selector;

use super::topic::{Topic, TopicId};
use super::{Hub, Interest, Selection};

/// What a topic takes at least: its places in the hub's maps.
const TOPIC: usize = 1_024;

/// What a series of a topic takes: its places in the lists of both, and its share of the newest frame.
const MEMBER: usize = 256;

/// What a selector takes beside its text: its nodes in the tree of listeners.
const SELECTOR: usize = 512;

/// What the topics take, in bytes, and may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    most: usize,
    fixed: usize,
    spare: usize,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { most, fixed: 0, spare: 0 }
    }

    /// All that is counted.
    pub(super) fn used(&self) -> usize {
        self.fixed + self.spare
    }

    /// Whether another topic or reader of so many bytes can be taken in. Half of the bound is for what is spare.
    pub(super) fn has_room_for(&self, fixed: usize) -> bool {
        self.fixed + fixed <= self.most / 2
    }

    pub(super) fn add_fixed(&mut self, bytes: usize) {
        self.fixed += bytes;
    }

    pub(super) fn remove_fixed(&mut self, bytes: usize) {
        self.fixed = self.fixed.saturating_sub(bytes);
    }

    /// The spare bytes of a topic were `before` and are `after`.
    pub(super) fn spare_changed(&mut self, before: usize, after: usize) {
        self.spare = (self.spare + after).saturating_sub(before);
    }

    fn is_over(&self) -> bool {
        self.used() > self.most
    }
}

/// What a topic of so many members takes.
pub(super) fn cost_of_topic(selection: &Selection, members: usize) -> usize {
    TOPIC + cost_of_selectors(&selection.selectors) + members * MEMBER
}

/// What a reader takes of its own.
pub(super) fn cost_of_reader(interest: &Interest) -> usize {
    TOPIC + cost_of_selectors(&interest.series) + interest.boards.len() * 128
}

/// What one more member takes.
pub(super) const fn cost_of_member() -> usize {
    MEMBER
}

fn cost_of_selectors(selectors: &[Selector]) -> usize {
    selectors.iter().map(|selector| SELECTOR + selector.as_str().len()).sum()
}

impl Hub {
    /// Lets go of what is spare, where there is too much: first of all but the newest frame, of the topics that were quiet
    /// for longest, then of all.
    pub(super) fn shed(&mut self) {
        if !self.memory.is_over() {
            return;
        }
        // By half of what there is room for, so that this is not done for each frame.
        let target = self.memory.most.saturating_sub(self.memory.fixed) / 2;
        let mut topics: Vec<_> = self.topics.iter().map(|(&id, topic)| (topic.free_at(), id)).collect();
        topics.sort_unstable();
        for shed in [Topic::keep_newest, Topic::forget_frames] {
            for (_, id) in &topics {
                if self.memory.spare <= target {
                    return;
                }
                if let Some(topic) = self.topics.get_mut(id) {
                    let before = topic.spare();
                    shed(topic);
                    self.memory.spare_changed(before, topic.spare());
                }
            }
        }
    }

    /// Dissolves the largest topics where all together have become too large. Gives those topics.
    pub(super) fn dissolve(&mut self) -> Vec<TopicId> {
        let mut dissolved = Vec::new();
        while self.memory.fixed > self.memory.most {
            let largest = self.topics.iter().max_by_key(|(_, topic)| topic.members().len());
            let Some((&id, _)) = largest.filter(|(_, topic)| !topic.members().is_empty()) else { break };
            self.take_apart(id);
            dissolved.push(id);
        }
        dissolved
    }
}
