//! Computes the number that [`Show`] selects from the cells of a past that may be longer than a track.

use super::from_track::{RATE_MS, Total};
use super::{Cell, JoinedCells};
use crate::Sketch;
use crate::board::Show;
use crate::sketch::{Bin, Key};

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
    if total.count == 0 { None } else { total.number(show, &spread) }
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

/// Computes the number of one cell; `before` is the previous cell. Returns `None` if the number does not exist, such as a
/// rate without a previous cell.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts and times stay below 2^53")]
pub fn of_cell(show: Show, cell: &Cell, before: Option<&Cell>) -> Option<f64> {
    Some(match show {
        Show::Value => cell.last,
        Show::Rate => {
            // Computes the rate from point to point, since buckets may be filled differently. The first bucket of a
            // series has the points within it.
            let (counted, since) = match before {
                Some(before) => (cell.since(before), before.at),
                None => (cell.increase, cell.first_at),
            };
            let ms = cell.at.saturating_sub(since);
            if ms == 0 {
                return None;
            }
            counted / (ms as f64 / 1e3)
        }
        // Rounding may take the mean of equal values out of their range.
        Show::Mean => (cell.sum / cell.count as f64).max(cell.min).min(cell.max),
        Show::Min => cell.min,
        Show::Max => cell.max,
        Show::Sum => cell.sum,
        Show::Count => cell.count as f64,
        Show::P50 => cell.quantiles[0],
        Show::P95 => cell.quantiles[1],
        Show::P99 => cell.quantiles[2],
    })
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::reading::Detail;
    use crate::{Bucket, Millis, Number, Rolled, Seq, Stamp};
    use proptest::prelude::*;

    const WIDTH: u64 = 10_000;

    /// Makes the cells of these values, one a second.
    fn cells(values: &[f64]) -> Vec<Cell> {
        let second = |(i, &value): (u64, &f64)| {
            let at = Stamp { ts: Millis(i * 1_000), seq: Seq(i + 1) };
            Rolled::of(Bucket::of(at, Number::new(value).unwrap(), 1_000))
        };
        let seconds: Vec<Rolled> = (0..).zip(values).map(second).collect();
        let cell = |chunk: &[Rolled]| Cell::live(&Rolled::over(chunk, WIDTH).unwrap(), WIDTH, Detail::Bins);
        seconds.chunks(10).map(cell).collect()
    }

    /// Calls `look` with the cells of these values: some of history, some live, and one in between.
    fn all<T>(values: &[f64], look: impl FnOnce(&JoinedCells<'_>) -> T) -> T {
        let cells = cells(values);
        let (history, rest) = cells.split_at(cells.len() / 2);
        look(&JoinedCells::new(history, rest.first().cloned(), rest.get(1..).unwrap_or_default()))
    }

    #[test]
    fn rate_of_a_cell_is_from_its_last_point_to_that_of_the_cell_before() {
        let cell = |start, at, (first, last)| Cell {
            start,
            width: 10_000,
            at,
            first,
            last,
            increase: last - first,
            count: 1,
            ..Cell::default()
        };
        // One point at the beginning, then full buckets; the newest has been filled for two seconds.
        let (a, b) = (cell(0, 0, (0.0, 0.0)), cell(10_000, 19_500, (50.0, 97.5)));
        assert_eq!(of_cell(Show::Rate, &a, None), None);
        assert_eq!(of_cell(Show::Rate, &b, Some(&a)), Some(5.0));
        let (c, d) = (cell(20_000, 29_500, (100.0, 147.5)), cell(30_000, 31_500, (150.0, 157.5)));
        assert_eq!(of_cell(Show::Rate, &c, Some(&b)), Some(5.0));
        assert_eq!(of_cell(Show::Rate, &d, Some(&c)), Some(5.0));
    }

    #[test]
    fn rate_of_a_single_cell_is_that_of_the_points_within_it() {
        let minutes: Vec<f64> = (0..10).map(|second| f64::from(second) * 3.0).collect();
        let cell = &cells(&minutes)[0];
        assert_eq!(of_cell(Show::Rate, cell, None), Some(3.0));
        assert_eq!(of_cell(Show::Rate, &cells(&[5.0])[0], None), None, "one point has no rate");
    }

    #[test]
    fn reference_of_a_change_is_the_value_then_or_the_oldest() {
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
        fn number_over_cells_is_that_of_all_points_from_the_first_cell_on(
            values in prop::collection::vec(0.5..1e6_f64, 1..300), from in 0..300_000_u64
        ) {
            let first = usize::try_from(from / WIDTH * 10).unwrap();
            let mut wanted: Vec<f64> = values.iter().copied().skip(first).collect();
            let number_of = |show| all(&values, |past| over(show, past, from));
            if wanted.is_empty() {
                prop_assert_eq!(number_of(Show::Max), None);
                return Ok(());
            }
            let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() <= b.abs() * 1e-9;
            let sum: f64 = wanted.iter().sum();
            wanted.sort_by(f64::total_cmp);
            #[expect(clippy::cast_precision_loss, reason = "few")]
            let count = wanted.len() as f64;
            prop_assert!(near(number_of(Show::Sum), sum) && near(number_of(Show::Mean), sum / count));
            prop_assert!(near(number_of(Show::Min), wanted[0]) && near(number_of(Show::Max), *wanted.last().unwrap()));
            prop_assert!(near(number_of(Show::Count), count));
            let median = wanted[wanted.len().div_ceil(2) - 1];
            prop_assert!((number_of(Show::P50).unwrap() - median).abs() <= median * 0.01 + 1e-9);
        }
    }
}
