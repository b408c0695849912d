//! Adds up the live seconds of a series to buckets as wide as those of history, and glues both together.

use std::collections::VecDeque;

use shared::reading::{Cell, Detail, JoinedCells, reach};
use shared::{Bucket, Millis, Rolled, Seq};

use super::cell_cache::CellCache;

/// Buckets made of a track. When the track goes on, only the buckets that changed are added up again.
#[derive(Clone, Debug)]
pub struct LiveCells {
    width: u64,
    detail: Detail,
    /// Buckets that the track has all points of, oldest first.
    cells: Vec<Cell>,
    reach: u64,
    seen: Seq,
}

impl LiveCells {
    /// Makes an empty one for buckets of `width` milliseconds.
    #[must_use]
    pub fn new(width: u64, detail: Detail) -> Self {
        Self { width, detail, cells: Vec::new(), reach: 0, seen: Seq::ZERO }
    }

    /// Width of the buckets, in milliseconds.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Takes in the changes of the track since the last call.
    pub fn follow(&mut self, buckets: &VecDeque<Bucket>) {
        self.reach = reach(buckets);
        let from = self.reach.next_multiple_of(self.width);
        let gone = self.cells.partition_point(|cell| cell.start < from);
        self.cells.drain(..gone);
        let mut next = 0;
        while let Some(bucket) = buckets.get(next) {
            let start = bucket.start.floor(self.width).0;
            if bucket.changed > self.seen && start >= from {
                let low = buckets.partition_point(|b| b.start.0 < start);
                next = buckets.partition_point(|b| b.start.0 < start + self.width);
                self.set(self.sum(buckets, low, next));
            } else {
                next += 1;
            }
        }
        self.seen = buckets.iter().map(|bucket| bucket.changed).max().unwrap_or_default();
    }

    fn sum(&self, buckets: &VecDeque<Bucket>, low: usize, high: usize) -> Option<Cell> {
        let rolled = over(buckets, low, high, self.width)?;
        Some(Cell::live(&rolled, self.width, self.detail))
    }

    fn set(&mut self, cell: Option<Cell>) {
        let Some(cell) = cell else { return };
        let at = self.cells.partition_point(|old| old.start < cell.start);
        match self.cells.get_mut(at) {
            Some(old) if old.start == cell.start => *old = cell,
            _ => self.cells.insert(at, cell),
        }
    }

    /// Returns all buckets of `from..to`: those of history up to where the track is complete, then those of the
    /// track. The bucket in which they meet is the sum of both.
    #[must_use]
    pub fn join<'a>(&'a self, cache: &'a CellCache, buckets: &VecDeque<Bucket>, from: u64, to: u64) -> JoinedCells<'a> {
        let joint = self.reach - self.reach % self.width;
        let past = cache.within(from, to.min(joint));
        let low = self.cells.partition_point(|cell| cell.end() <= from).saturating_sub(1);
        let high = self.cells.partition_point(|cell| cell.start < to).max(low);
        let meet = if joint < self.reach && joint < to && from < joint + self.width {
            let known = cache.within(joint, joint + 1).last().filter(|cell| cell.start == joint);
            let since = cache.known().known_until(joint, joint + self.width);
            let later = |since: u64| {
                let low = buckets.partition_point(|bucket| bucket.start.0 < since);
                let high = buckets.partition_point(|bucket| bucket.start.0 < joint + self.width);
                over(buckets, low, high, self.width)
            };
            match known {
                // The bucket is being fetched again, so the moment up to which it is complete is unknown. Adding live
                // seconds would count some twice.
                Some(cell) if since == joint => Some(cell.clone()),
                Some(cell) => Some(later(since).map_or_else(|| cell.clone(), |later| cell.with(&later))),
                // The bucket was not fetched yet: a part of it is better than a hole.
                None => later(self.reach).map(|later| Cell::live(&later, self.width, self.detail)),
            }
        } else {
            None
        };
        JoinedCells::new(past, meet, &self.cells[low..high])
    }
}

fn over(buckets: &VecDeque<Bucket>, low: usize, high: usize, width: u64) -> Option<Rolled> {
    let mut parts = buckets.range(low..high.max(low));
    let mut all = Rolled::of(parts.next()?.clone());
    all.bucket.start = Millis(all.bucket.start.0).floor(width);
    parts.for_each(|later| all.append(&Rolled::of(later.clone())));
    Some(all)
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::chart::trace::{Anchor, dots};
    use proptest::prelude::*;
    use shared::board::Show;
    use shared::reading::needed_until;
    use shared::{Number, Stamp, Track, Value};

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    /// Makes the track of points that are pushed one after the other.
    fn tracked(points: &[(u64, f64)]) -> Option<Track> {
        let mut track: Option<Track> = None;
        for (seq, &(ts, value)) in (1..).zip(points) {
            let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
            match &mut track {
                None => track = Some(Track::of(at, number(value))),
                Some(track) => track.push(at, number(value)),
            }
        }
        track
    }

    /// Makes the buckets that the server's history would have of these points.
    fn history(points: &[(u64, f64)], width: u64) -> Vec<Cell> {
        let second = |&(seq, (ts, value)): &(u64, (u64, f64))| {
            let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
            Rolled::of(Bucket::of(at, Number::new(value).unwrap(), 1_000))
        };
        let seconds: Vec<Rolled> = (1..).zip(points.iter().copied()).collect::<Vec<_>>().iter().map(second).collect();
        let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
        let cell = |chunk: &[Rolled]| {
            let rolled = Rolled::over(chunk, width).unwrap();
            Cell::live(&rolled, width, Detail::Bins)
        };
        seconds.chunk_by(|a, b| start(a) == start(b)).map(cell).collect()
    }

    fn plain(cell: &Cell) -> Cell {
        Cell { sum: cell.sum.round(), increase: cell.increase.round(), ..cell.clone() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn history_and_live_seconds_are_the_buckets_of_all_points_without_a_seam(
            gaps in prop::collection::vec((1..4_u64, 0..50_u32), 2..900),
            width in prop::sample::select(vec![1_000_u64, 10_000, 60_000, 600_000]),
            asked in any::<prop::sample::Index>(),
        ) {
            let (mut ts, mut points) = (1_000_000, Vec::new());
            for (gap, value) in gaps {
                ts += gap * 1_000;
                points.push((ts, f64::from(value)));
            }
            // History is requested when some of the points are there. The rest come live, a few at a time.
            let asked = asked.index(points.len()) + 1;
            let mut track: Option<Track> = None;
            let mut recent = LiveCells::new(width, Detail::Bins);
            let mut cache = CellCache::default();
            let ask = |cache: &mut CellCache, points: &[(u64, f64)]| {
                let as_of = points.last().unwrap().0 + 1_000;
                cache.put(0, as_of.next_multiple_of(width), as_of, history(points, width));
            };
            for (i, &(ts, value)) in points.iter().enumerate() {
                let at = Stamp { ts: Millis(ts), seq: Seq(i as u64 + 1) };
                match &mut track {
                    None => track = Some(Track::of(at, number(value))),
                    Some(track) => track.push(at, number(value)),
                }
                let Some(Track::Numbers(buckets)) = &track else { panic!("numbers") };
                if i % 7 == 0 {
                    recent.follow(buckets);
                }
                if i + 1 == asked || (i > asked && cache.known().missing(0, needed_until(buckets, width)).is_some()) {
                    ask(&mut cache, &points[..=i]);
                }
            }
            let Some(Track::Numbers(buckets)) = &track else { panic!("numbers") };
            recent.follow(buckets);
            let found: Vec<Cell> = recent.join(&cache, buckets, 0, u64::MAX / 2).iter().map(plain).collect();
            let wanted: Vec<Cell> = history(&points, width).iter().map(plain).collect();
            prop_assert_eq!(&found, &wanted);
            // A page that has just been opened sees the whole track at once.
            let mut fresh = LiveCells::new(width, Detail::Bins);
            fresh.follow(buckets);
            let found: Vec<Cell> = fresh.join(&cache, buckets, 0, u64::MAX / 2).iter().map(plain).collect();
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn while_a_bucket_is_asked_for_anew_no_second_counts_twice() {
        let (start, width) = (1_200_000, 600_000);
        let points: Vec<(u64, f64)> = (0..400).map(|second| (start + second * 1_000, 1.0)).collect();
        let track = tracked(&points);
        let Some(Track::Numbers(buckets)) = &track else { panic!("numbers") };
        let mut recent = LiveCells::new(width, Detail::Bins);
        recent.follow(buckets);
        let mut cache = CellCache::default();
        cache.put(0, start + width, points[349].0 + 1_000, history(&points[..350], width));
        let sum = |cache: &CellCache| {
            recent.join(cache, buckets, start, start + width).iter().map(|cell| cell.sum).sum::<f64>()
        };
        assert!((sum(&cache) - 400.0).abs() < 1e-9, "history and the seconds since");
        cache.forget(0, u64::MAX);
        assert!((sum(&cache) - 350.0).abs() < 1e-9, "the live number until there is an answer");
    }

    #[test]
    fn a_steady_counter_is_a_level_line_however_often_it_reported() {
        // One point a minute, then one a second: buckets of ten seconds hold different numbers of points.
        let minutes = (0..60).map(|minute| minute * 60_000);
        let moments = minutes.chain((0..400).map(|second| 3_607_300 + second * 1_000));
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let points: Vec<(u64, f64)> = moments.map(|ts| (ts, ts as f64 / 100.0)).collect();
        let track = tracked(&points);
        let Some(Track::Numbers(buckets)) = &track else { panic!("numbers") };
        let mut recent = LiveCells::new(10_000, Detail::Figures);
        recent.follow(buckets);
        let mut cache = CellCache::default();
        // Two answers that do not contain each other's last bucket.
        cache.put(0, 1_800_000, 4_000_000, history(&points[..30], 10_000));
        cache.put(1_800_000, 4_000_000, 4_000_000, history(&points[30..200], 10_000));
        let dots = dots(&recent.join(&cache, buckets, 0, u64::MAX), Show::Rate, None, Anchor::Points);
        assert!(dots.len() > 90 && dots.iter().all(|dot| (dot.value - 10.0).abs() < 1e-9), "{dots:?}");
    }

    #[test]
    fn a_series_that_never_filled_its_track_needs_no_history() {
        let track = Track::of(Stamp { ts: Millis(5_000), seq: Seq(1) }, number(1.0));
        let Track::Numbers(buckets) = &track else { panic!("numbers") };
        assert_eq!(needed_until(buckets, 10_000), 0);
    }
}
