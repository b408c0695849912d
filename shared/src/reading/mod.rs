//! Readings: the numbers that widgets show, computed in one place for the page, alerts, badges and exports.
//!
//! - [`series_reading`]: the [`Reading`] of a series: its number as text with unit, level, change and extremes;
//! - [`from_track`]: the number that [`Show`] selects, from the seconds of a track; [`from_cells`]: the same from the
//!   [`cell`]s of a longer past;
//! - [`lookback`]: how much of the past a reading is about, and where that past comes from;
//! - [`past`]: the track that a live board had at a past moment, rebuilt from cells;
//! - [`freshness`]: if a series still reports;
//! - [`board_state`]: the worst level of a board, and the number of its stale series.
//!
//! Levels are in [`threshold`](crate::board::threshold), units and digits in [`format`](mod@crate::format). Nothing here
//! reads a clock: now is an argument.

pub mod board_state;
pub mod cell;
pub mod freshness;
pub mod from_cells;
pub mod from_track;
pub mod lookback;
pub mod past;
pub mod series_reading;

pub use board_state::{BoardState, Judges, LevelNeeds, WatchedSource};
pub use cell::{Cell, Detail, JoinedCells};
pub use freshness::{is_late, is_stale};
pub use lookback::{Lookback, LookbackBuckets, needed_until, reach};
pub use series_reading::{Change, Extent, NumberReading, Reading, ReadingQuery, ReadingValue};

use crate::Declared;
use crate::board::Show;

/// Returns the number to show of a series for which the document selects none: the rate of a declared counter, else the
/// value.
#[must_use]
pub fn default_show(declared: Option<Declared>) -> Show {
    match declared {
        Some(Declared::Counter) => Show::Rate,
        Some(Declared::Gauge) | None => Show::Value,
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
