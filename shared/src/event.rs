//! What the stream says.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Millis, SeriesPart};

/// One event of the stream: one line of JSON, told apart by its `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// First on every connection: who speaks, and how.
    Hello {
        /// [`crate::contract::hash`] of the server. A page built for another one is out of date.
        contract: String,
        /// Whose numbers the ids count.
        epoch: Epoch,
        /// A reader that hears nothing for twice as long, in milliseconds, has lost the server.
        heartbeat_ms: u64,
        /// The server's clock.
        now: Millis,
    },
    /// All of the selection as it is; whatever the reader had before goes.
    Snapshot {
        /// The server's clock.
        now: Millis,
        /// Every selected series with all of its track.
        series: Vec<SeriesPart>,
    },
    /// What changed: put over what the reader has.
    Update {
        /// The server's clock.
        now: Millis,
        /// When the server took in the oldest push that is new in here: `now - pushed` is how long it waited.
        pushed: Millis,
        /// Every selected series that changed, with what changed of it.
        series: Vec<SeriesPart>,
    },
    /// Something was skipped: the reader's picture cannot be continued. A snapshot follows.
    Gap {
        /// The cursor that the reader came with, as it wrote it.
        from: String,
        /// The cursor of the snapshot that follows.
        to: String,
        /// Why.
        reason: GapReason,
    },
    /// Nothing changed; the line is alive.
    Heartbeat {
        /// The server's clock.
        now: Millis,
    },
    /// The server ends this stream.
    Bye {
        /// Why.
        reason: ByeReason,
        /// When to come back, in milliseconds from now; spread out, so that not all come at once.
        retry_ms: u64,
    },
    /// A type of a later version. Readers pass it over.
    #[serde(other)]
    Unknown,
}

/// Why a reader's picture could not be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The cursor cannot be read.
    Malformed,
    /// The cursor was given out by another store.
    OtherEpoch,
    /// The cursor is ahead of all that this store has committed.
    Ahead,
    /// The reader was too slow, or away too long, for every change by itself (`hz=0`).
    TooOld,
    #[serde(other)]
    /// A reason of a later version.
    Unknown,
}

/// Why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// It is shutting down, or restarting.
    Shutdown,
    #[serde(other)]
    /// A reason of a later version.
    Unknown,
}
