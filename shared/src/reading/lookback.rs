//! The lookback of a reading: how much of the past it is about, and where that past comes from.

use std::collections::VecDeque;

use super::JoinedCells;
use crate::Bucket;
use crate::tier::bucket_width;
use crate::track::WINDOW;

/// Least number of buckets for the shorter of range and change, so that the result is exact to some hundredths.
const POINTS: u64 = 400;
/// Most buckets for the longer of range and change.
const MOST: u64 = 2_000;

/// The lookback in milliseconds before the newest point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookback {
    /// Time over which the mean, the extremes, the quantiles and the like are computed.
    pub range_ms: u64,
    /// Age of the value that a change is measured from.
    pub change_ms: u64,
}

/// The buckets of a lookback.
#[derive(Clone, Debug)]
pub enum LookbackBuckets<'a> {
    /// The track has all of it.
    Track,
    /// It is longer than the track; all of its buckets, oldest first.
    Whole(JoinedCells<'a>),
    /// It is longer than the track, and history has not arrived yet.
    Awaited,
}

impl Lookback {
    /// Returns the longer of both, in milliseconds.
    #[must_use]
    pub fn longest(self) -> u64 {
        self.range_ms.max(self.change_ms)
    }

    /// Width of the buckets, in milliseconds.
    #[must_use]
    pub fn width(self) -> u64 {
        let fine = bucket_width(self.range_ms.min(self.change_ms), POINTS);
        fine.max(bucket_width(self.longest(), MOST))
    }

    /// Returns the moment from which history is needed for a series with the newest point at `newest`, in
    /// milliseconds. The bucket before the lookback is part of it.
    #[must_use]
    pub fn needed_from(self, newest: u64) -> u64 {
        newest.saturating_sub(self.longest()).saturating_sub(self.width())
    }

    /// Returns true if the lookback is longer than this track.
    #[must_use]
    pub fn is_longer_than(self, buckets: &VecDeque<Bucket>) -> bool {
        let Some(newest) = buckets.back() else { return false };
        reach(buckets) > newest.last.at.ts.0.saturating_sub(self.longest())
    }
}

/// Returns the moment from which on a track has all points of its series, in milliseconds: 0 for a track that was
/// never full.
#[must_use]
pub fn reach(buckets: &VecDeque<Bucket>) -> u64 {
    match buckets.front() {
        Some(oldest) if buckets.len() >= WINDOW => oldest.start.0,
        _ => 0,
    }
}

/// Returns the moment up to which history is needed beside a track, in milliseconds. Later buckets are made of live
/// seconds alone. Where buckets are wider than the track reaches, the bucket that is being filled is requested again
/// when half of the track has gone by.
#[must_use]
pub fn needed_until(buckets: &VecDeque<Bucket>, width: u64) -> u64 {
    let reach = reach(buckets);
    let newest = buckets.back().map_or(0, |bucket| bucket.start.0);
    reach.next_multiple_of(width).min(reach + newest.saturating_sub(reach) / 2)
}
