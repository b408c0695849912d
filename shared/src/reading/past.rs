//! Rebuilds what a live board showed at a past moment, from the cells and lines of history.
//!
//! A cell counts once its last point is not after the moment, so nothing of the moment's future is shown. The result is
//! that of the moment itself, or, for a moment within a bucket, that of the end of the bucket before. So the precision
//! is the width of the bucket: a second as long as the server keeps seconds, and what it still keeps for older moments.

use std::collections::VecDeque;

use super::{Cell, Detail};
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

/// Returns the width of the cells from which the last bucket of a lookback is made, in milliseconds, where the buckets
/// are `width` milliseconds wide.
#[must_use]
pub fn cut_width(width: u64) -> u64 {
    bucket_width(width, CUT_POINTS)
}

/// Makes the last bucket of a lookback, which starts at `from` and which the moment `to` cuts, from finer cells.
#[must_use]
pub fn cut_cell(finer: &[Cell], from: u64, to: Millis, width: u64, detail: Detail) -> Option<Cell> {
    let known = cells_at(finer, to);
    let inside = known.get(known.partition_point(|cell| cell.start < from)..)?;
    let rolled: Vec<Rolled> = inside.iter().filter_map(Cell::rolled).collect();
    let whole = Rolled::over(&rolled, 1)?;
    Some(Cell { start: from, ..Cell::live(&whole, width, detail) })
}
