//! Frees memory of topics that are together over their bound ([`super::memory`]).

use super::Hub;
use super::topic::{Topic, TopicId};

impl Hub {
    /// Records the bytes of all frames in memory, in topics and in queues: what queues hold leaves topics less room.
    pub fn frames_are(&mut self, live: usize) {
        self.memory.frames_are(live);
    }

    /// Frees spare memory if the topics are over their bound: first all frames except the newest of each topic, then
    /// also those. Each pass begins with the topics that have been quiet for the longest time.
    pub(super) fn shed(&mut self) {
        if !self.memory.is_over() {
            return;
        }
        // Frees down to half of the room, so that this does not run for every frame.
        let target = self.memory.spare_room() / 2;
        let mut topics: Vec<_> = self.topics.iter().map(|(&id, topic)| (topic.free_at(), id)).collect();
        topics.sort_unstable();
        for shed in [Topic::keep_newest, Topic::forget_frames] {
            for (_, id) in &topics {
                if self.memory.spare() <= target {
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

    /// Dissolves the largest topics if the fixed part exceeds three quarters of the bound, until it has five eighths of
    /// it at most, and returns them.
    pub(super) fn dissolve(&mut self) -> Vec<TopicId> {
        let mut dissolved = Vec::new();
        if !self.memory.is_fixed_over() {
            return dissolved;
        }
        while !self.memory.is_fixed_low() {
            let largest = self.topics.iter().max_by_key(|(_, topic)| topic.members().len());
            let Some((&id, _)) = largest.filter(|(_, topic)| !topic.members().is_empty()) else { break };
            self.take_apart(id);
            dissolved.push(id);
        }
        dissolved
    }
}
