//! Entries as they were applied, for the subscribers of the log.

use shared::{Declared, SeriesName, Stamp, Value};

use super::series::SeriesId;

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
