//! Stores each distinct segment of all names once, and gives it a number.

use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

/// The number of a segment.
pub(super) type SegmentId = u32;

/// All segments. Their hash has a random seed, so that no client can choose names that collide.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// The texts, one after the other.
    text: String,
    /// The end of each text.
    ends: Vec<u32>,
    /// The depths at which each segment occurs, as bits `1 << depth`.
    depths: Vec<u8>,
    ids: HashTable<SegmentId>,
    hash: RandomState,
}

impl Segments {
    /// Adds a segment that occurs at `depth`, counted from 0, and returns its number.
    pub(super) fn intern(&mut self, text: &str, depth: usize) -> SegmentId {
        let hash = self.hash.hash_one(text);
        let id = match self.find(text, hash) {
            Some(id) => id,
            None => self.add(text, hash),
        };
        self.depths[id as usize] |= 1 << depth;
        id
    }

    /// Returns the number of a segment, if a name has it at `depth`.
    pub(super) fn known(&self, text: &str, depth: usize) -> Option<SegmentId> {
        let id = self.find(text, self.hash.hash_one(text))?;
        (self.depths[id as usize] & (1 << depth) != 0).then_some(id)
    }

    pub(super) fn text(&self, id: SegmentId) -> &str {
        text_of(&self.text, &self.ends, id)
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.depths.shrink_to_fit();
    }

    fn find(&self, text: &str, hash: u64) -> Option<SegmentId> {
        self.ids.find(hash, |&id| self.text(id) == text).copied()
    }

    fn add(&mut self, text: &str, hash: u64) -> SegmentId {
        let id = u32::try_from(self.ends.len()).expect("there are fewer segments than 2^32");
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).expect("all segments together have less than 4 GiB"));
        self.depths.push(0);
        let Self { text, ends, ids, hash: state, .. } = self;
        ids.insert_unique(hash, id, |&id| state.hash_one(text_of(text, ends, id)));
        id
    }
}

fn text_of<'a>(text: &'a str, ends: &[u32], id: SegmentId) -> &'a str {
    let id = id as usize;
    let start = id.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &text[start..ends[id] as usize]
}
