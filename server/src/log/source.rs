//! Identifies the sources of points that do not name their series, such as lines of InfluxDB's line protocol.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Identifies a source by hashes that are the same on every machine and in every version.
///
/// Two sources collide only if their readable names are equal and both hashes are: 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The hash of everything but the field.
    pub(crate) group: u64,
    /// The hash of everything.
    pub(crate) whole: u64,
}

impl Source {
    /// Returns the hash that all sources of a line share. `bytes` identify its measurement and its tags.
    #[must_use]
    pub fn group(bytes: &[u8]) -> u64 {
        xxh3_64(bytes)
    }

    /// Returns the source in this group that `bytes` identify. `bytes` begin with those of the group, and differ
    /// between any two sources.
    #[must_use]
    pub fn in_group(group: u64, bytes: &[u8]) -> Self {
        Self { group, whole: xxh3_64_with_seed(bytes, 1) }
    }
}
