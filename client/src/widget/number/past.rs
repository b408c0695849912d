//! Computes the number of a stretch that is longer than a track, from buckets of history glued to live seconds.

use shared::Sketch;
use shared::board::Show;
use shared::sketch::{Bin, Key};

use super::{RATE_MS, Total};
use crate::history::cell::Cell;
use crate::history::live_cells::JoinedCells;

/// Computes the number over all buckets that end after `from`, in milliseconds; the bucket that contains `from`
/// counts as a whole. Returns `None` for a value and a rate, and where there are no buckets.
#[must_use]
pub fn over(show: Show, past: &JoinedCells<'_>, from: u64) -> Option<f64> {
    let inside = || past.iter().filter(|cell| cell.end() > from);
    let mut total = Total::default();
    inside().for_each(|cell| total.add(cell.count, cell.sum, (cell.min, cell.max)));
    let spread = || {
        let mut all = Sketch::default();
        for cell in inside() {
            let bins = cell.bins.iter().map(|&(value, count)| Bin { key: Key::of(value), count });
            all.merge(Sketch::new(bins).bins());
        }
        all
    };
    if total.count == 0 { None } else { total.told(show, &spread) }
}

/// Returns the beginning of what is known from `from` on, in milliseconds.
#[must_use]
pub fn begins(past: &JoinedCells<'_>, from: u64) -> Option<u64> {
    past.iter().find(|cell| cell.end() > from).map(|cell| cell.start.max(from))
}

/// Returns the number to compare the newest with, and its time in milliseconds: the one at `wanted`, to the width of
/// a bucket, or the oldest where nothing is so old.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
pub fn base(show: Show, past: &JoinedCells<'_>, wanted: u64) -> Option<(f64, u64)> {
    let before = || past.iter().filter(|cell| cell.at <= wanted);
    match show {
        Show::Value => {
            let older = before().next_back().map(|cell| (cell.last, cell.at));
            older.or_else(|| past.iter().next().map(|cell| (cell.first, cell.start)))
        }
        Show::Rate => {
            // Computed over the same stretch as the newest rate.
            let cells: Vec<&Cell> = match before().count() {
                0 | 1 => past.iter().take(2).collect(),
                _ => before().collect(),
            };
            let end = cells.last()?.at;
            let first = cells.iter().rposition(|cell| end - cell.at >= RATE_MS).unwrap_or(0);
            let counted: f64 = cells.get(first..)?.windows(2).map(|pair| pair[1].since(pair[0])).sum();
            let ms = end - cells.get(first)?.at;
            (ms > 0).then(|| (counted / (ms as f64 / 1e3), end))
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::history::cell::Detail;
    use crate::history::cell_cache::CellCache;
    use crate::history::live_cells::LiveCells;
    use proptest::prelude::*;
    use shared::{Bucket, Millis, Number, Rolled, Seq, Stamp};
    use std::collections::VecDeque;

    const WIDTH: u64 = 10_000;

    /// Makes history of these values, one a second, without a track.
    fn cache(values: &[f64]) -> CellCache {
        let second = |(i, &value): (u64, &f64)| {
            let at = Stamp { ts: Millis(i * 1_000), seq: Seq(i + 1) };
            Rolled::of(Bucket::of(at, Number::new(value).unwrap(), 1_000))
        };
        let seconds: Vec<Rolled> = (0..).zip(values).map(second).collect();
        let cells = seconds.chunks(10).map(|chunk| {
            let rolled = Rolled::over(chunk, WIDTH).unwrap();
            Cell::live(&rolled, WIDTH, Detail::Bins)
        });
        let cells: Vec<Cell> = cells.collect();
        let mut cache = CellCache::default();
        cache.put(0, 1_000_000, 1_000_000, cells);
        cache
    }

    fn all<T>(values: &[f64], look: impl FnOnce(&JoinedCells<'_>) -> T) -> T {
        // A track that begins after all of history.
        let at = |i: u64| Stamp { ts: Millis(2_000_000 + i * 1_000), seq: Seq(10_000 + i) };
        let track: VecDeque<Bucket> = (0..300).map(|i| Bucket::of(at(i), Number::new(0.0).unwrap(), 1_000)).collect();
        let mut recent = LiveCells::new(WIDTH, Detail::Bins);
        recent.follow(&track);
        let cache = cache(values);
        look(&recent.join(&cache, &track, 0, 1_000_000))
    }

    #[test]
    fn a_value_is_compared_with_what_it_was_then_or_else_with_the_oldest() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        all(&values, |past| {
            assert_eq!(base(Show::Value, past, 50_000), Some((49.0, 49_000)));
            assert_eq!(base(Show::Value, past, 5_000), Some((0.0, 0)), "it is not that old");
            assert_eq!(base(Show::Rate, past, 90_000), Some((1.0, 89_000)));
            assert_eq!(base(Show::Rate, past, 95_000), Some((1.0, 89_000)), "of what was counted up to a point");
            assert_eq!(base(Show::Mean, past, 50_000), None, "a mean is of no moment");
            assert_eq!((begins(past, 25_000), begins(past, 0)), (Some(25_000), Some(0)));
        });
    }

    proptest! {
        #[test]
        fn each_number_is_that_of_all_points_from_the_bucket_on_in_which_it_begins(
            values in prop::collection::vec(0.5..1e6_f64, 1..300), from in 0..300_000_u64
        ) {
            let first = usize::try_from(from / WIDTH * 10).unwrap();
            let mut wanted: Vec<f64> = values.iter().copied().skip(first).collect();
            let told = |show| all(&values, |past| over(show, past, from));
            if wanted.is_empty() {
                prop_assert_eq!(told(Show::Max), None);
                return Ok(());
            }
            let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() <= b.abs() * 1e-9;
            let sum: f64 = wanted.iter().sum();
            wanted.sort_by(f64::total_cmp);
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let count = wanted.len() as f64;
            prop_assert!(near(told(Show::Sum), sum) && near(told(Show::Mean), sum / count));
            prop_assert!(near(told(Show::Min), wanted[0]) && near(told(Show::Max), *wanted.last().unwrap()));
            prop_assert!(near(told(Show::Count), count));
            let median = wanted[wanted.len().div_ceil(2) - 1];
            prop_assert!((told(Show::P50).unwrap() - median).abs() <= median * 0.01 + 1e-9);
        }
    }
}
