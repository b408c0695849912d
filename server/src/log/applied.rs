//! Entries as they were applied, and the subscribers that receive them.

use shared::board::Etag;
use shared::point::Kind;
use shared::{BoardId, Declared, Selector, Seq, SeriesName, Stamp, Track, Value};

use super::entry::BoardDocument;
use super::link::LinkRecord;
use super::series::{SeriesId, WarmSeries};
use super::token::TokenRecord;
use super::user::UserState;

/// A point that is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// The time of the point, and its seq.
    pub at: Stamp,
    /// The row of the series.
    pub series: SeriesId,
    /// The value.
    pub value: Value,
    /// The name of the series, if this is its first point.
    pub begins: Option<SeriesName>,
    /// The metric type that the sender declares for the series.
    pub declares: Option<Declared>,
}

/// An applied entry; points of several entries come together. Subscribers share it by reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Applied<'a> {
    /// Points that were added, in the order of their seqs.
    Points(&'a [Committed]),
    /// A board has another document, or none any more.
    Board {
        /// The id of the board.
        id: &'a BoardId,
        /// The selectors of the document that is shown.
        selectors: &'a [Selector],
        /// The tag of the document that is shown; `None` if there is none.
        etag: Option<Etag>,
        /// The uploaded document, which is shown unless a file of `--boards` hides it; `None` if there is none.
        document: Option<&'a BoardDocument>,
        /// The seq of the last point before the board used these selectors.
        since: Seq,
        /// The position after the change.
        position: Seq,
    },
    /// A deleted board is no longer remembered by itself; see [`Change::ForgetBoard`](super::Change::ForgetBoard).
    BoardForgotten {
        /// The id of the board.
        id: &'a BoardId,
        /// The seq since which the board had its selection.
        since: Seq,
    },
    /// A series was removed.
    SeriesRemoved {
        /// The row that the series had.
        series: SeriesId,
        /// The seq of the removal.
        at: Seq,
    },
    /// A token was created, has another secret, or was revoked.
    Token(&'a TokenRecord),
    /// A user was added, changed or removed, or a session began or ended.
    User(&'a UserState),
    /// A link was made or revoked.
    Link(&'a LinkRecord),
}

/// Receives every applied entry, in the order of the log.
pub trait LogSubscriber: Send {
    /// Takes an applied entry. `tracks` reads the state right after it. The next entry waits until this returns.
    fn apply(&mut self, applied: &Applied<'_>, tracks: &dyn Tracks);
}

/// Reads the tracks of series at one position of the log.
pub trait Tracks {
    /// Returns the track of a series; `None` if it has no readable point.
    ///
    /// # Errors
    /// [`TrackError`] if the track cannot be read now.
    fn track(&self, series: SeriesId, kind: Kind) -> Result<Option<Track>, TrackError>;
}

/// A cache of tracks, which loads those that it evicted.
pub trait TrackCache: Send {
    /// Loads these series, unless they are in the cache.
    ///
    /// # Errors
    /// [`TrackError`] if a track cannot be read now.
    fn load(&self, series: &[WarmSeries], tracks: &dyn Tracks) -> Result<(), TrackError>;
}

/// The reason why a track cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TrackError(pub String);
