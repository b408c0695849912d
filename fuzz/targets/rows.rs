//! Rows as they are stored: whatever is in them, reading them ends, and wraps nothing around.

use pulseboard::fuzzing;

/// A row of the log of numbers.
pub fn log(bytes: &[u8]) {
    fuzzing::log_row(bytes);
}

/// A row of buckets, and what is made of them: coarser ones.
pub fn block(bytes: &[u8]) {
    fuzzing::block_row(bytes);
}

/// A track that is packed and unpacked.
pub fn track(bytes: &[u8]) {
    fuzzing::packed_track(bytes);
}

/// Texts of the tables of series, of boards and of the epoch.
pub fn meta(bytes: &[u8]) {
    fuzzing::meta_rows(bytes);
}
