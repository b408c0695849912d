//! The vocabulary of the log: everything that changes the state is appended to one ordered log, and every layer above
//! folds it. This module knows neither SQLite nor HTTP, and imports no other module of the server.
//!
//! - [`push`] is a push as it is appended; [`point_time`], [`source`] and [`idempotency`] are parts of it.
//! - [`applied`] is what the subscribers of the log receive.
//! - [`series`] identifies a series; [`epochs`] decides which cursors are positions in this log.

pub mod applied;
pub mod epochs;
pub mod idempotency;
pub mod point_time;
pub mod push;
pub mod series;
pub mod source;

pub use applied::Committed;
pub use epochs::Epochs;
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use point_time::{PointTime, SetBy};
pub use push::{Atomicity, Push, Pushed};
pub use series::{SeriesId, SeriesState};
pub use source::Source;
