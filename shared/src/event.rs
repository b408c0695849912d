//! What the stream says.

use serde::{Deserialize, Serialize};

use crate::board::Etag;
use crate::{BoardId, Epoch, Millis, SeriesPart};

/// One event of the stream: one line of JSON, told apart by its `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "WireEvent")]
pub enum Event {
    /// First on every connection: who speaks, and how.
    Hello {
        /// [`crate::contract::hash`] of the server. A page built for another one is out of date.
        contract: String,
        /// The epoch of all ids from now on. If the id of `hello` has the number of the reader's cursor, the picture
        /// continues, even if the cursor has another epoch.
        epoch: Epoch,
        /// A reader that hears nothing for twice as long, in milliseconds, has lost the server.
        heartbeat_ms: u64,
        /// The server's clock.
        now: Millis,
        /// Each board of `?board=`, as it is now: a page that has another edition of its document gets it anew.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        boards: Vec<BoardEdition>,
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
    /// The document of a board of `?board=` changed: a page gets it anew. Where other series are selected with it, a
    /// snapshot of those follows, before any update; else the picture goes on.
    Board(BoardEdition),
    /// Warnings about the server, which streams all the same. Sent when they change, and after the first snapshot or
    /// update if there are any; an empty list means that all is well again.
    Warnings {
        /// A sentence for each problem.
        warnings: Vec<String>,
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
    Unknown,
}

/// Which edition of a board there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardEdition {
    /// Which board.
    pub id: BoardId,
    /// The tag of its document, as the header `ETag` has it; nothing where nobody has made it, so that it shows all
    /// series under its name.
    pub etag: Option<Etag>,
}

/// An event as it is read: all fields that any has. Where serde reads an enum by its tag it keeps all of the text as
/// values first, which takes twice the time, and a tenth of the page in code. A later type must not have a field of
/// these names with other content, or pages of this version could not pass it over.
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

/// Why a reader's picture could not be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The cursor cannot be read.
    Malformed,
    /// The cursor was given out by another store.
    OtherEpoch,
    /// The cursor is ahead of everything that this store has committed: the store was restored from a copy, and points
    /// pushed after the copy was made are lost.
    Ahead,
    /// The reader was too slow, or away too long, for every change by itself (`hz=0`).
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

/// Why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// It is shutting down, or restarting.
    Shutdown,
    /// Its board selects other series now, and it was too slow to be taken along.
    Moved,
    /// A reason of a later version.
    Unknown,
}

impl ByeReason {
    fn read(text: &str) -> Self {
        match text {
            "shutdown" => Self::Shutdown,
            "moved" => Self::Moved,
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
        for reason in [ByeReason::Shutdown, ByeReason::Moved] {
            assert_eq!(ByeReason::read(serde_json::to_value(reason).unwrap().as_str().unwrap()), reason);
        }
    }
}
