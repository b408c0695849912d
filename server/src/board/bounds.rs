//! Bounds on the boards in memory.

/// Maximum number of uploaded boards; they are kept in memory.
pub const MAX_BOARDS: usize = 1_000;

/// Maximum size of all uploaded documents together: 32 MiB. Parsed, they take several times as much memory.
pub const MAX_BYTES: usize = 32 << 20;

/// Maximum number of deleted boards that are remembered one by one. After that, the oldest is forgotten, and its
/// subscribers with an old cursor begin with a snapshot.
pub const MAX_DELETED: usize = 1_000;
