//! The ordered log: everything that changes the state is an [`Entry`] of it, and every layer above folds it.
//!
//! This module is below all others: it has the vocabulary of the log and the trait [`Log`], and imports no other module of
//! the server. `store::local_log` implements the trait: there, appending is a commit to SQLite.
//!
//! - [`entry`] is a change as it is appended. [`push`], [`point_time`], [`source`] and [`idempotency`] are parts of it.
//! - [`applied`] is what the subscribers of the log receive.
//! - [`token`] is a token and its changes, [`user`] a user, [`link`] a live link. [`audit`] records who made a change.
//! - [`postgres`] is the log that many nodes share.
//! - [`stored`] is the form of entries that nodes exchange through a shared log.
//! - [`series`] identifies a series; [`epochs`] decides which cursors are positions in this log.

pub mod applied;
pub mod audit;
pub mod entry;
pub mod epochs;
pub mod idempotency;
pub mod link;
pub mod point_time;
pub mod postgres;
pub mod push;
pub mod series;
pub mod source;
pub mod stored;
pub mod token;
pub mod user;

use shared::Seq;

pub use applied::{Applied, Committed, LogSubscriber, TrackCache, TrackError, Tracks};
pub use audit::{AuditAction, AuditEvent, By};
pub use entry::{BoardChange, BoardChanged, BoardDocument, Change, Entry, Terms};
pub use epochs::Epochs;
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use link::{LinkChange, LinkId, LinkRecord, LinkRefusal, NewLink};
pub use point_time::{PointTime, SetBy};
pub use push::{Atomicity, Push, Pushed};
pub use series::{SeriesId, SeriesState, WarmSeries};
pub use source::Source;
pub use token::{TokenChange, TokenHash, TokenName, TokenRecord, TokenRefusal};
pub use user::{PasswordHash, SessionRecord, UserChange, UserName, UserRecord, UserRefusal, UserState};

/// An ordered log of everything that changes the state. A position in it is the seq of the last change that took one: a
/// point, a removal, or another selection of a board. Other changes of boards take none.
pub trait Log {
    /// The result of applying an entry, for the client that waits for it.
    type Outcome;

    /// Appends entries and applies them. On return, each entry is durable and every subscriber has received it, or its
    /// outcome is an error and it has changed nothing.
    fn append(&mut self, batch: Vec<Entry>) -> Appended<Self::Outcome>;

    /// Adds a subscriber, which receives every entry that is applied after `from`.
    ///
    /// # Errors
    /// [`OutOfRange`] if the log does not have the entries after `from`.
    fn subscribe(&mut self, from: Seq, subscriber: Box<dyn LogSubscriber>) -> Result<(), OutOfRange>;
}

/// The result of appending a batch.
#[derive(Debug)]
pub struct Appended<O> {
    /// The position after the batch.
    pub position: Seq,
    /// The result of each entry, in order.
    pub outcomes: Vec<O>,
}

/// The log does not have the entries after this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log has no entries after {from}: it is at {head}, and a subscriber must have the state up to there")]
pub struct OutOfRange {
    /// The position that the subscriber asked for.
    pub from: Seq,
    /// The position of the log.
    pub head: Seq,
}
