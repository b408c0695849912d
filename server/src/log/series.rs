//! Identifies a series, and holds its state at a position of the log.

use shared::point::Kind;
use shared::{Declared, Seq, SeriesName, TimeRange, Track};

/// The row of a series. The first series of a store has row 1; rows are given without holes, below 2^28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// Returns the index of the series in a list of all series.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.saturating_sub(1) as usize
    }
}

/// A series, in its state after the last applied entry.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesState {
    /// The name.
    pub name: SeriesName,
    /// The row.
    pub series: SeriesId,
    /// The recent past.
    pub track: Track,
    /// The declared metric type.
    pub declared: Option<Declared>,
    /// The stretch before the track that late points changed, and the seq of the last of those points.
    pub revised: Option<(TimeRange, Seq)>,
}

/// A series that has only its newest entry in memory: it is warm. Its track must be rehydrated before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmSeries {
    /// The row in the store.
    pub series: SeriesId,
    /// The kind of its values.
    pub kind: Kind,
}
