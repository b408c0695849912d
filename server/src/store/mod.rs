//! Where points are kept: SQLite, in one file.
//!
//! [`schema`] opens the file and makes its tables, [`commit`] puts points in, [`recover`] reads back what the memory
//! of the server starts from, and [`writer`] is the one thread that does so, for all pushes at once that wait
//! (group commit: one fsync for many).

pub mod commit;
pub mod recover;
pub mod schema;
pub mod writer;

use std::collections::HashMap;
use std::fs::File;

use rusqlite::Connection;
use shared::point::Kind;
use shared::{Epoch, Point, Seq, SeriesName};

pub use commit::CommitError;
pub use schema::OpenError;
pub use writer::Writer;

/// The points of one request: all of them are kept, or none.
#[derive(Clone, Debug)]
pub struct Push {
    /// At least one.
    pub points: Vec<Point>,
    /// Where a key was given and is known already, the push counts as done.
    pub key: Option<IdempotencyKey>,
}

/// What a sender calls its push, so that a retry of it counts once (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key, or nothing where it is empty or has over 255 bytes.
    #[must_use]
    pub fn new(key: String) -> Option<Self> {
        (1..=255).contains(&key.len()).then_some(Self(key))
    }
}

/// The database, and what of it must be at hand for every push.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    /// Drawn when the file was made: whose numbers the points have.
    epoch: Epoch,
    /// The number of the last committed point. Kept here because each commit needs it; written with each.
    head: Seq,
    /// The row of each series and what it holds: a push must be checked against it before anything is written.
    series: HashMap<SeriesName, (SeriesId, Kind)>,
    /// Held for as long as the store is open, so that no second server counts on in the same file.
    _lock: File,
}

/// The row of a series.
type SeriesId = i64;

impl Store {
    /// Whose numbers the points have.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the last committed point.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }
}
