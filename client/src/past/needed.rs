//! Decides what history a track as of a past moment needs. Has no browser and no clock.

use shared::reading::{Cell, past};
use shared::track::{LOG, WINDOW};
use shared::{Millis, Track};

use super::PastTrack;
use crate::history::cell_cache::CellCache;
use crate::history::texts::Texts;

/// Width of the buckets of a track, in milliseconds.
pub const WIDTH: u64 = 1_000;
/// Length of the stretch before the moment that is requested in the finest buckets, in milliseconds: that of a full track
/// of a series that reports each second.
const LENGTH_MS: u64 = 300_000;
/// Number of buckets that a track needs, if the series had as many: all of a live one.
const ENOUGH: u64 = WINDOW as u64;

/// The history of a series of numbers to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeededCells {
    /// First moment, in milliseconds.
    pub from: u64,
    /// Moment after the last one, in milliseconds.
    pub to: u64,
    /// Number of the newest buckets before the stretch.
    pub before: u64,
}

impl NeededCells {
    /// Returns what covers both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to), before: self.before.max(other.before) }
    }
}

/// Returns the cells of `from..to` that are in the cache.
fn cells(cache: &CellCache, from: u64, to: u64) -> &[Cell] {
    let cells = cache.within(from, to);
    // The cache adds the one before.
    cells.get(cells.partition_point(|cell| cell.start < from)..).unwrap_or_default()
}

/// Returns true if a track has enough cells: `count` of them, and everything since `since`, in milliseconds.
fn is_enough(since: u64, count: usize) -> bool {
    since == 0 || count as u64 >= ENOUGH
}

/// Rebuilds a track of numbers as of `to`; `None` while too little is known.
#[must_use]
pub fn numbers(cache: &CellCache, to: Millis) -> Option<PastTrack> {
    let end = to.0 + 1;
    let since = cache.answered().known_since(end);
    let known = past::cells_at(cells(cache, since, end), to);
    is_enough(since, known.len()).then(|| track(past::numbers_at(known, to)))
}

/// A guess how often a series reported, by its live track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// So often that the stretch before the moment should have all that a track needs.
    Often,
    /// Less often.
    Seldom,
}

impl Reports {
    /// Guesses from the live track.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let Track::Numbers(buckets) = track else { return Self::Seldom };
        let ends = buckets.front().zip(buckets.back());
        let length = ends.map_or(u64::MAX, |(oldest, newest)| newest.start.since(oldest.start));
        if buckets.len() >= WINDOW && length <= LENGTH_MS { Self::Often } else { Self::Seldom }
    }
}

/// Returns the history that a track of numbers as of `to` lacks. `ahead` is the moment up to which history is requested
/// at the same time, in milliseconds, since the moment moves there.
#[must_use]
pub fn of_numbers(cache: &CellCache, to: Millis, ahead: u64, reports: Reports) -> Option<NeededCells> {
    let (low, end) = (to.0.saturating_sub(LENGTH_MS), to.0 + 1);
    let ahead = ahead.max(end);
    let known = cache.known();
    // Requests more once half of what was requested ahead is used up.
    let first = known.missing(low, end + (ahead - end) / 2).map(|(first, _)| first);
    let since = known.known_since(first.unwrap_or(end));
    let count = past::cells_at(cells(cache, since, end), to).len();
    match (first, is_enough(since, count)) {
        (None, true) => None,
        (Some(from), true) => Some(NeededCells { from, to: ahead, before: 0 }),
        // If the guess was wrong, the next answer has what is missing.
        (Some(_), false) if reports == Reports::Often => Some(NeededCells { from: low, to: ahead, before: 0 }),
        (_, false) => Some(NeededCells { from: low, to: ahead, before: ENOUGH }),
    }
}

/// Rebuilds a track of texts as of `to`; `None` while too little is known.
#[must_use]
pub fn texts(texts: &Texts, to: Millis) -> Option<PastTrack> {
    let since = texts.known().known_since(to.0 + 1);
    let lines = texts.within(since, to.0 + 1);
    (since == 0 || lines.len() >= LOG).then(|| track(past::texts_at(&lines)))
}

/// Returns the stretch of lines that a track of texts as of `to` lacks, in milliseconds.
#[must_use]
pub fn of_texts(texts: &Texts, to: Millis, ahead: u64) -> Option<(u64, u64)> {
    let end = to.0 + 1;
    let since = texts.known().known_since(end);
    if since == end {
        // An answer has the newest lines of the stretch. If all of them are later, the next one ends before them.
        let until = texts.known().known_since(ahead.max(end));
        return Some((0, until.max(end)));
    }
    let enough = since == 0 || texts.within(since, end).len() >= LOG;
    (!enough).then_some((0, since))
}

fn track(track: Option<Track>) -> PastTrack {
    track.map_or(PastTrack::Nothing, PastTrack::Known)
}
