//! Reads the newest past of a series in the form that readings are made of.

use std::time::Duration;

use shared::reading::{Cell, Detail, Lookback, past as shared_past};
use shared::track::WINDOW;
use shared::{Millis, TimeRange, Track};

use super::cancel::Cancel;
use super::past::{self, PastError};
use super::plan::Plan;
use super::{History, job::Stored};
use crate::log::SeriesId;

/// Longest time for one series.
const LONGEST: Duration = Duration::from_secs(1);

/// The newest past of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct NewestPast {
    /// The track, as a page has it; `None` for a series without numbers.
    pub track: Option<Track>,
    /// The cells of the lookback; `None` if the track has all of it.
    pub cells: Option<Vec<Cell>>,
}

impl History {
    /// Reads the track of a series of numbers up to `now`, and the cells of `lookback` if it is longer than the track.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn newest(&self, series: SeriesId, lookback: Option<Lookback>, now: Millis) -> Result<NewestPast, PastError> {
        let (cancel, _guard) = Cancel::within(LONGEST);
        self.read(&cancel, |conn| {
            let Stored { memtable, damage, retention } = self.stored();
            let newest = past::newest_before(conn, memtable, damage, series, now.plus(1), WINDOW)?;
            let cell =
                |(tier, rolled): &(shared::Tier, shared::Rolled)| Cell::live(rolled, tier.width_ms(), Detail::Bins);
            let track = shared_past::numbers_at(&newest.iter().map(cell).collect::<Vec<_>>(), now);
            let longer = match (&track, lookback) {
                (Some(Track::Numbers(buckets)), Some(lookback)) if lookback.is_longer_than(buckets) => lookback,
                _ => return Ok(NewestPast { track, cells: None }),
            };
            let width = longer.width();
            let newest = track.as_ref().map_or(now, |track| track.latest_at().ts);
            let from = Millis(longer.needed_from(newest.0)).floor(width);
            let to = newest.plus(1).floor(width).plus(width);
            let plan = Plan::new(TimeRange { from, to }, to.since(from) / width, retention, now);
            let buckets = past::numbers(conn, memtable, damage, series, &plan)?;
            let cells = buckets.iter().map(|rolled| Cell::live(rolled, plan.width_ms, Detail::Bins)).collect();
            Ok(NewestPast { track, cells: Some(cells) })
        })
    }
}
