//! Counts the memory of all topics together; [`super::shedding`] keeps it within its bound.
//!
//! The tracks of selected series are counted separately: while they take too much, no further ones are rehydrated from
//! the store. All other memory is counted in two parts.
//!
//! - *Fixed*: the selectors, members and subscribers of topics. A new selection or subscriber for which there is no
//!   room is refused.
//! - *Spare*: the frames and the last snapshot of topics. They only serve subscribers that are behind.
//!
//! Frames that wait for sockets, and that no topic holds any more, leave less room for spare memory.
//!
//! Over the bound, spare memory is freed, beginning with the topics that have been quiet for the longest time. A
//! subscriber that would have needed a freed frame gets `gap` and a snapshot, as after a long absence. If new series
//! make the fixed part too large, the largest topics are dissolved: their subscribers get `bye` and reconnect.
//!
//! Both go on until well below the bound, and the fixed part never takes all of it, so that neither runs for every
//! frame.

use shared::Selector;

use super::{Selection, Subscription};

/// Bytes of a topic without selectors and members: its entries in the hub's maps. A subscriber counts as much.
const TOPIC: usize = 1_024;

/// Bytes of a series in a topic: its entries in the lists of both, and its share of the newest frame.
const MEMBER: usize = 256;

/// Bytes of a selector in addition to its text: its nodes in the tree that finds the topics of a new series.
const SELECTOR: usize = 512;

/// Bytes that the topics take, and their bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    most: usize,
    /// Maximum number of bytes of tracks, beyond which no further ones are rehydrated.
    most_tracks: usize,
    fixed: usize,
    spare: usize,
    /// Bytes of frames that wait for sockets and that no topic holds any more.
    unread: usize,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { most, most_tracks: most, fixed: 0, spare: 0, unread: 0 }
    }

    /// Bounds the tracks of selected series.
    pub(super) fn with_tracks(self, most_tracks: usize) -> Self {
        Self { most_tracks, ..self }
    }

    /// Bytes of spare memory.
    pub(super) fn spare(&self) -> usize {
        self.spare
    }

    /// Bytes of both parts.
    pub(super) fn used(&self) -> usize {
        self.fixed + self.spare
    }

    /// Returns true if a topic or subscriber of `fixed` more bytes can be admitted. Half of the bound is reserved for
    /// spare memory.
    pub(super) fn has_room_for(&self, fixed: usize) -> bool {
        self.fixed + fixed <= self.most / 2
    }

    /// Returns true if tracks of `whole` bytes leave room for more.
    pub(super) fn has_room_beside(&self, whole: usize) -> bool {
        whole <= self.most_tracks
    }

    pub(super) fn add_fixed(&mut self, bytes: usize) {
        self.fixed += bytes;
    }

    pub(super) fn remove_fixed(&mut self, bytes: usize) {
        self.fixed = self.fixed.saturating_sub(bytes);
    }

    /// Records that the spare bytes of a topic changed from `before` to `after`.
    pub(super) fn spare_changed(&mut self, before: usize, after: usize) {
        self.spare = (self.spare + after).saturating_sub(before);
    }

    /// Records the bytes of all frames in memory.
    pub(super) fn frames_are(&mut self, live: usize) {
        self.unread = live.saturating_sub(self.spare);
    }

    /// Bytes that spare memory may take: what the fixed part and unread frames leave. At least a quarter of what the
    /// fixed part leaves: readers that take their frames must not suffer from others that do not.
    pub(super) fn spare_room(&self) -> usize {
        let room = self.most.saturating_sub(self.fixed);
        room.saturating_sub(self.unread).max(room / 4)
    }

    /// Returns true if spare memory must be freed.
    pub(super) fn is_over(&self) -> bool {
        self.spare > self.spare_room()
    }

    /// Returns true if the fixed part leaves too little for frames.
    pub(super) fn is_fixed_over(&self) -> bool {
        self.fixed > self.most - self.most / 4
    }

    /// Returns true if the fixed part has shrunk enough, once it had to shrink.
    pub(super) fn is_fixed_low(&self) -> bool {
        self.fixed <= self.most - self.most / 8 * 3
    }
}

/// Bytes of a topic with this many members.
pub(super) fn cost_of_topic(selection: &Selection, members: usize) -> usize {
    TOPIC + cost_of_selectors(&selection.selectors) + members * MEMBER
}

/// Bytes of a subscriber.
pub(super) fn cost_of_reader(subscription: &Subscription) -> usize {
    TOPIC + cost_of_selectors(&subscription.series) + subscription.boards.len() * 128
}

/// Bytes of one member.
pub(super) const fn cost_of_member() -> usize {
    MEMBER
}

fn cost_of_selectors(selectors: &[Selector]) -> usize {
    selectors.iter().map(|selector| SELECTOR + selector.as_str().len()).sum()
}
