//! Fuzz targets for stored rows: whatever is in them, reading ends, and no arithmetic overflows.

use pulseboard::fuzzing;

/// A row of the log of numbers.
pub fn log(bytes: &[u8]) {
    fuzzing::log_row(bytes);
}

/// Entries in the form in which nodes exchange them.
pub fn entries(bytes: &[u8]) {
    fuzzing::log_entries(bytes);
}

/// A row of buckets, and the coarser buckets made from it.
pub fn block(bytes: &[u8]) {
    fuzzing::block_row(bytes);
}

/// A packed track is unpacked and packed again.
pub fn track(bytes: &[u8]) {
    fuzzing::packed_track(bytes);
}

/// The texts in the tables of series, boards and the epoch.
pub fn meta(bytes: &[u8]) {
    fuzzing::meta_rows(bytes);
}
