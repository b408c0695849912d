//! The events of the stream, and how they are read.

use serde::{Deserialize, Serialize};

use crate::board::Etag;
use crate::{BoardId, Epoch, Millis, SeriesPart};

/// An event of the stream: one line of JSON, distinguished by its `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "WireEvent")]
pub enum Event {
    /// Opens every connection: the server's version and parameters.
    Hello {
        /// [`crate::contract::hash`] of the server. A page with another hash is out of date.
        contract: String,
        /// The epoch of all ids from now on. If the id of `hello` has the number of the reader's cursor, the picture
        /// continues, even if the cursor has another epoch.
        epoch: Epoch,
        /// The heartbeat interval in milliseconds. A reader that hears nothing for twice as long has lost the server.
        heartbeat_ms: u64,
        /// The server's clock.
        now: Millis,
        /// Each board of `?board=` with its present edition. A page that has another edition fetches the document
        /// again.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        boards: Vec<BoardEdition>,
    },
    /// The whole selection in its present state; it replaces everything that the reader had.
    Snapshot {
        /// The server's clock.
        now: Millis,
        /// Every selected series with its whole track.
        series: Vec<SeriesPart>,
    },
    /// The changed parts, which the reader merges into its picture.
    Update {
        /// The server's clock.
        now: Millis,
        /// The time at which the server received the oldest new push in this update. `now - pushed` is the time that
        /// it waited.
        pushed: Millis,
        /// Every selected series that changed, with its changed entries.
        series: Vec<SeriesPart>,
    },
    /// Something was skipped, so the reader's picture cannot be continued. A snapshot follows.
    Gap {
        /// The cursor that the reader sent, unchanged.
        from: String,
        /// The cursor of the snapshot that follows.
        to: String,
        /// The reason.
        reason: GapReason,
    },
    /// The document of a board of `?board=` changed, so the page fetches it again. If the document now selects other
    /// series, a snapshot of those follows before any update. Otherwise the picture continues.
    Board(BoardEdition),
    /// Warnings about the server, which streams all the same. Sent when they change, and after the first snapshot or
    /// update if there are any; an empty list means that all is well again.
    Warnings {
        /// A sentence for each problem.
        warnings: Vec<String>,
    },
    /// Nothing changed, but the connection is alive.
    Heartbeat {
        /// The server's clock.
        now: Millis,
    },
    /// The server ends this stream.
    Bye {
        /// The reason.
        reason: ByeReason,
        /// The time after which to reconnect, in milliseconds from now. It varies, so that not all readers come back
        /// at once.
        retry_ms: u64,
    },
    /// An event type of a later version. Readers ignore it.
    Unknown,
}

/// The present edition of a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardEdition {
    /// The board.
    pub id: BoardId,
    /// The tag of its document, as in the header `ETag`. `None` if no user has created the board, so that it shows
    /// all series under its name.
    pub etag: Option<Etag>,
}

/// An event as it is read: the union of the fields of all types. For a tagged enum, serde would first keep the whole
/// text as values, which takes twice the time and a tenth of the page's code size. A later event type must not use a
/// field of these names with other content, or pages of this version could not ignore it.
#[derive(Deserialize)]
struct WireEvent {
    #[serde(rename = "type")]
    kind: String,
    contract: Option<String>,
    epoch: Option<Epoch>,
    heartbeat_ms: Option<u64>,
    now: Option<Millis>,
    series: Option<Vec<SeriesPart>>,
    pushed: Option<Millis>,
    from: Option<String>,
    to: Option<String>,
    reason: Option<String>,
    retry_ms: Option<u64>,
    boards: Option<Vec<BoardEdition>>,
    id: Option<BoardId>,
    etag: Option<Etag>,
    warnings: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event lacks its {0}")]
struct Lacking(&'static str);

impl TryFrom<WireEvent> for Event {
    type Error = Lacking;

    fn try_from(wire: WireEvent) -> Result<Self, Lacking> {
        let now = wire.now.ok_or(Lacking("now"));
        let series = wire.series.ok_or(Lacking("series"));
        let reason = wire.reason.ok_or(Lacking("reason"));
        Ok(match wire.kind.as_str() {
            "hello" => Self::Hello {
                contract: wire.contract.ok_or(Lacking("contract"))?,
                epoch: wire.epoch.ok_or(Lacking("epoch"))?,
                heartbeat_ms: wire.heartbeat_ms.ok_or(Lacking("heartbeat_ms"))?,
                now: now?,
                boards: wire.boards.unwrap_or_default(),
            },
            "snapshot" => Self::Snapshot { now: now?, series: series? },
            "update" => Self::Update { now: now?, pushed: wire.pushed.ok_or(Lacking("pushed"))?, series: series? },
            "gap" => Self::Gap {
                from: wire.from.ok_or(Lacking("from"))?,
                to: wire.to.ok_or(Lacking("to"))?,
                reason: GapReason::read(&reason?),
            },
            "board" => Self::Board(BoardEdition { id: wire.id.ok_or(Lacking("id"))?, etag: wire.etag }),
            "warnings" => Self::Warnings { warnings: wire.warnings.unwrap_or_default() },
            "heartbeat" => Self::Heartbeat { now: now? },
            "bye" => {
                Self::Bye { reason: ByeReason::read(&reason?), retry_ms: wire.retry_ms.ok_or(Lacking("retry_ms"))? }
            }
            _ => Self::Unknown,
        })
    }
}

/// The reason why a reader's picture could not be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The cursor cannot be parsed.
    Malformed,
    /// The cursor was given out by another store.
    OtherEpoch,
    /// The cursor is ahead of everything that this store has committed: the store was restored from a copy, and points
    /// pushed after the copy was made are lost.
    Ahead,
    /// With `hz=0` (every change separately): the reader was too slow, or away for too long.
    TooOld,
    /// A reason of a later version.
    Unknown,
}

impl GapReason {
    fn read(text: &str) -> Self {
        match text {
            "malformed" => Self::Malformed,
            "other_epoch" => Self::OtherEpoch,
            "ahead" => Self::Ahead,
            "too_old" => Self::TooOld,
            _ => Self::Unknown,
        }
    }
}

/// The reason why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// The server is shutting down or restarting.
    Shutdown,
    /// The reader's board now selects other series, and the reader was too slow to be moved to them.
    Moved,
    /// The permission of the reader ended: its credential was revoked, replaced or has expired, or the server is no
    /// longer open to everyone.
    Denied,
    /// A reason of a later version.
    Unknown,
}

impl ByeReason {
    fn read(text: &str) -> Self {
        match text {
            "shutdown" => Self::Shutdown,
            "moved" => Self::Moved,
            "denied" => Self::Denied,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_a_field_of_its_type_is_refused_by_the_name_of_the_field() {
        let error = serde_json::from_str::<Event>(r#"{"type":"update","now":1,"series":[]}"#).unwrap_err();
        assert!(error.to_string().contains("an event lacks its pushed"), "{error}");
    }

    #[test]
    fn every_reason_is_read_as_it_is_written() {
        let written = |reason: &GapReason| serde_json::to_value(reason).unwrap();
        for reason in [GapReason::Malformed, GapReason::OtherEpoch, GapReason::Ahead, GapReason::TooOld] {
            assert_eq!(GapReason::read(written(&reason).as_str().unwrap()), reason);
        }
        for reason in [ByeReason::Shutdown, ByeReason::Moved, ByeReason::Denied] {
            assert_eq!(ByeReason::read(serde_json::to_value(reason).unwrap().as_str().unwrap()), reason);
        }
    }
}
