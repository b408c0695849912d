//! The shared log: one ordered log of packed entries in PostgreSQL, which every node appends to and follows.
//!
//! - [`target`] parses the address and connects. [`tables`] creates the tables, checks that they are a log of
//!   Pulseboard's, and reads the promises of the server.
//! - [`link`] is an open pair of connections: it appends rows, reads them, and listens for the doorbell.
//! - [`shared_log`] is the handle of one node. It keeps a link open, and appends each batch exactly once.
//! - [`seed`] is the beginning of a log that was not empty.
//! - [`status`] shows other threads where the log and the node are.
//!
//! # Positions
//!
//! An append locks the only row of the table of the head, so positions have no gaps and are in the order of commits: a
//! sequence would have gaps, and numbers in another order. A row has everything that one node committed at once.
//!
//! # Exactly once
//!
//! The answer to a commit can be lost with the connection. So each start of a node has a random number of its own (its
//! run), and each batch of the run a number. Under the lock of the head, a batch is appended only if the table of runs
//! has a smaller number. After a lost answer, the node uses up the number in the same way, and so learns whether the
//! batch is there, or makes sure that it never will be.
//!
//! # Doorbell
//!
//! After appending, a node sends `NOTIFY` on the connection that it reads with, at most once in some milliseconds. A
//! lost notification only costs time: each node also reads after some time without one.

mod link;
mod seed;
mod shared_log;
pub mod status;
mod tables;
mod target;

pub use shared_log::{AppendError, Away, SharedLog};
pub use status::ClusterStatus;
pub use tables::LogError;
pub use target::{ClusterUrl, ClusterUrlError};

use shared::Epoch;

/// The number of a row in the shared log: 1 for the first, without gaps.
pub type Position = u64;

/// One start of a node. The number is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run(pub i64);

/// Tells a shared log from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    /// A random text that the log got when it was created.
    pub id: String,
    /// The epoch of all cursors in the log.
    pub epoch: Epoch,
}

/// A row of the shared log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// The position.
    pub position: Position,
    /// The run of the node that appended it.
    pub run: Run,
    /// Its number among the rows of that run.
    pub batch: u64,
    /// The entries, packed by [`crate::log::stored`].
    pub entries: Vec<u8>,
}

impl LogRow {
    /// Returns a checksum of the row without its position.
    #[must_use]
    pub fn checksum(&self) -> i64 {
        let seed = self.run.0.cast_unsigned() ^ self.batch.rotate_left(32);
        xxhash_rust::xxh3::xxh3_64_with_seed(&self.entries, seed).cast_signed()
    }
}
