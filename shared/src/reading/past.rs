//! Rebuilds what a live board showed at a past moment, from the cells and lines of history.
//!
//! A cell counts once its last point is not after the moment, so nothing of the moment's future is shown. The result is
//! that of the moment itself, or, for a moment within a bucket, that of the end of the bucket before. So the precision
//! is the width of the bucket: a second as long as the server keeps seconds, and what it still keeps for older moments.

use std::collections::VecDeque;
use std::iter;

use super::{Cell, Detail, Lookback};
use crate::tier::bucket_width;
use crate::track::{LOG, LogLine, TextLog, WINDOW};
use crate::{Bucket, Millis, Rolled, Seq, Stamp, Track};

/// Most cells of the last bucket of a lookback, which the moment cuts.
const CUT_POINTS: u64 = 3_600;

/// Returns the cells whose points were all there at `to`. The cells must be in the order of time.
#[must_use]
pub fn cells_at(cells: &[Cell], to: Millis) -> &[Cell] {
    // Avoids slicing: its panic message pulls code into the page.
    cells.get(..cells.partition_point(|cell| cell.at <= to.0)).unwrap_or_default()
}

/// Rebuilds the track that a series of numbers had at `to` from its cells, the finest that there are. Returns `None`
/// for a series that had no points yet.
#[must_use]
pub fn numbers_at(cells: &[Cell], to: Millis) -> Option<Track> {
    let known = cells_at(cells, to);
    let newest = known.get(known.len().saturating_sub(WINDOW)..).unwrap_or_default();
    let buckets: VecDeque<Bucket> = newest.iter().filter_map(Cell::bucket).collect();
    (!buckets.is_empty()).then_some(Track::Numbers(buckets))
}

/// Rebuilds the track that a series of texts had, from its lines up to the moment: time in milliseconds, and text, in
/// the order of time. Returns `None` without a line.
#[must_use]
pub fn texts_at(lines: &[(u64, &str)]) -> Option<Track> {
    let newest = lines.get(lines.len().saturating_sub(LOG)..).unwrap_or_default();
    // The numbers of the points are not known. These are unique, and stay the same wherever the moment is.
    let mut nth = 0;
    let mut before = None;
    let mut line = |&(ts, text): &(u64, &str)| {
        nth = if before == Some(ts) { nth + 1 } else { 0 };
        before = Some(ts);
        LogLine { at: Stamp { ts: Millis(ts), seq: Seq((ts << 8) + nth) }, text: text.to_owned() }
    };
    let lines: VecDeque<LogLine> = newest.iter().map(&mut line).collect();
    let changed = lines.back()?.at.seq;
    Some(Track::Texts(TextLog { total: lines.len() as u64, lines, changed }))
}

/// A range of cells of one width. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRange {
    /// First moment.
    pub from: u64,
    /// Moment after the last one.
    pub to: u64,
    /// Width of the cells.
    pub width: u64,
}

/// Returns the cells that make up a lookback which ends with the newest point at `newest`, in milliseconds: first the
/// whole buckets of the lookback, then finer and finer cells of its last bucket, down to seconds. Each range begins where
/// the one before ends; some may be empty.
pub fn parts(lookback: Lookback, newest: u64) -> impl Iterator<Item = CellRange> {
    let mut next = Some((lookback.needed_from(newest), lookback.width()));
    // The last of the finer cells is cut too, so it is made of still finer ones.
    iter::from_fn(move || {
        let (from, width) = next?;
        let (to, finer) = (newest - newest % width, bucket_width(width, CUT_POINTS));
        next = (width > finer).then_some((to, finer));
        Some(CellRange { from, to: if next.is_some() { to } else { newest + 1 }, width })
    })
}

/// The last bucket of a lookback, which a past moment cuts. It is made of finer cells.
#[derive(Clone, Debug)]
pub struct CutBucket {
    newest: Millis,
    sum: Option<Rolled>,
}

impl CutBucket {
    /// An empty bucket that ends with the newest point at `newest`.
    #[must_use]
    pub fn new(newest: Millis) -> Self {
        Self { newest, sum: None }
    }

    /// Adds finer cells, oldest first: those that begin at `from` or later, in milliseconds, and have no points after the
    /// newest. `from` must not decrease from call to call.
    pub fn add(&mut self, finer: &[Cell], from: u64) {
        let known = cells_at(finer, self.newest);
        let inside = known.get(known.partition_point(|cell| cell.start < from)..).unwrap_or_default();
        for later in inside.iter().filter_map(Cell::rolled) {
            match &mut self.sum {
                Some(sum) => sum.append(&later),
                None => self.sum = Some(later),
            }
        }
    }

    /// Returns the bucket as a cell of `width` milliseconds that begins at `start`; `None` without points.
    #[must_use]
    pub fn cell(&self, start: u64, width: u64, detail: Detail) -> Option<Cell> {
        Some(Cell { start, ..Cell::live(self.sum.as_ref()?, width, detail) })
    }
}
