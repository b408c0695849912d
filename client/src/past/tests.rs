//! Tests of the law of the past: a board as of a moment reads what a live board read at that moment.
//!
//! The precision is the width of the finest bucket that is kept: the reading is that of the moment itself, or that of
//! the end of the bucket before, never one of later points.

use proptest::prelude::*;
use shared::board::{SeriesSource, Show};
use shared::reading::past::CellRange;
use shared::reading::{
    Cell, Detail, JoinedCells, Lookback, LookbackBuckets, NumberReading, Reading, ReadingQuery, from_cells,
    needed_until,
};
use shared::{Bucket, LogLine, Millis, Number, Rolled, Seq, Stamp, Text, Track, Value};

use super::PastTrack;
use super::lookback::{join, lacks};
use super::needed::{self, NeededCells, Reports, WIDTH};
use crate::history::SeriesCache;
use crate::history::cell_cache::CellCache;
use crate::history::live_cells::LiveCells;
use crate::history::texts::{Lines, Texts};

/// The first moment of all points.
const START: u64 = 1_732_320_000_000;

const SHOWS: [Show; 10] = [
    Show::Value,
    Show::Rate,
    Show::Mean,
    Show::Min,
    Show::Max,
    Show::Sum,
    Show::Count,
    Show::P50,
    Show::P95,
    Show::P99,
];

/// Points in the order of time: some close together, some far apart; at most one in each second, or several.
fn points() -> impl Strategy<Value = Vec<(u64, f64)>> {
    prop_oneof![points_apart(1), points_apart(1_000)]
}

fn points_apart(least: u64) -> impl Strategy<Value = Vec<(u64, f64)>> {
    let gap = prop_oneof![8 => least..4_000_u64, 2 => 4_000..400_000_u64, 1 => 400_000..40_000_000_u64];
    prop::collection::vec((gap, -1_000..1_000_i32), 1..400).prop_map(|steps| {
        let mut ts = START;
        let mut point = |(ms, value): (u64, i32)| {
            ts += ms;
            (ts, f64::from(value))
        };
        steps.into_iter().map(&mut point).collect()
    })
}

/// Makes the buckets that the server has of these points.
fn cells(points: &[(u64, f64)], width: u64) -> Vec<Cell> {
    let second = |(seq, &(ts, value)): (u64, &(u64, f64))| {
        let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
        Bucket::of(at, Number::new(value).unwrap(), 1_000)
    };
    let mut seconds: Vec<Bucket> = Vec::new();
    for point in (1..).zip(points).map(second) {
        match seconds.last_mut() {
            Some(last) if last.start == point.start => last.merge(&point),
            _ => seconds.push(point),
        }
    }
    let seconds: Vec<Rolled> = seconds.into_iter().map(Rolled::of).collect();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let cell = |chunk: &[Rolled]| Cell::live(&Rolled::over(chunk, width).unwrap(), width, Detail::Bins);
    seconds.chunk_by(|a, b| start(a) == start(b)).map(cell).collect()
}

fn track(points: &[(u64, f64)]) -> Option<Track> {
    let mut track: Option<Track> = None;
    for (seq, &(ts, value)) in (1..).zip(points) {
        let (at, value) = (Stamp { ts: Millis(ts), seq: Seq(seq) }, Value::Number(Number::new(value).unwrap()));
        match &mut track {
            None => track = Some(Track::of(at, value)),
            Some(track) => track.push(at, value),
        }
    }
    track
}

fn reading(track: &Track, show: Show, lookback: Lookback, past: LookbackBuckets<'_>) -> Reading {
    let source = SeriesSource::default();
    Reading::of(&"ops/x".parse().unwrap(), track, ReadingQuery { source: &source, show, lookback, past })
}

/// The readings of a live board whose points are these so far, all from buckets of the lookback's width.
fn live(points: &[(u64, f64)], lookback: Lookback) -> Option<Vec<Reading>> {
    let track = track(points)?;
    let Track::Numbers(buckets) = &track else { panic!("numbers") };
    let width = lookback.width();
    let mut recent = LiveCells::new(width, Detail::Bins);
    recent.follow(buckets);
    let mut cache = CellCache::default();
    let until = needed_until(buckets, width).next_multiple_of(width);
    cache.put(0, until, u64::MAX, cells(points, width));
    let from = lookback.needed_from(track.latest_at().ts.0);
    let each = |show| {
        let joined = recent.join(&cache, buckets, from, u64::MAX);
        reading(&track, show, lookback, LookbackBuckets::Whole(joined))
    };
    Some(SHOWS.map(each).into())
}

/// Fetches the track as of `to` from a server with all points, in as few answers as the page does. `kept` is the width of
/// the finest buckets that the server has.
fn past_track(cache: &mut CellCache, points: &[(u64, f64)], to: Millis, ahead: u64, kept: u64) -> PastTrack {
    let all = cells(points, kept);
    let reports = if points.len().is_multiple_of(2) { Reports::Often } else { Reports::Seldom };
    for _ in 0..3 {
        let Some(NeededCells { from, to: until, before }) = needed::of_numbers(cache, to, ahead, reports) else {
            break;
        };
        let (from, until) = (from - from % WIDTH, until.next_multiple_of(WIDTH));
        let (floor, end) = (from - from % kept, until.next_multiple_of(kept));
        let low = all.partition_point(|cell| cell.start < floor);
        let high = all.partition_point(|cell| cell.start < end);
        let first = low.saturating_sub(usize::try_from(before).unwrap());
        let begins = match all.get(first) {
            _ if before == 0 => from,
            Some(cell) if low - first == usize::try_from(before).unwrap() => cell.start,
            _ => 0,
        };
        cache.put(begins, until, u64::MAX, all[first..high].to_vec());
    }
    assert_eq!(needed::of_numbers(cache, to, ahead, reports), None, "three answers are enough");
    needed::numbers(cache, to).expect("all that was needed has arrived")
}

/// Fetches the buckets of a lookback from a server with all points. `kept` is the width of the finest buckets that the
/// server has.
fn fetched<'a>(
    known: &'a mut SeriesCache,
    points: &[(u64, f64)],
    lookback: Lookback,
    newest: u64,
    kept: u64,
) -> JoinedCells<'a> {
    for _ in 0..3 {
        let lacking = lacks(known, lookback, newest, Detail::Bins, CellCache::known);
        let Some(CellRange { from, to, width }) = lacking else { break };
        let (from, to, wide) = (from - from % width, to.next_multiple_of(width), width.max(kept));
        let inside = from - from % wide..to.next_multiple_of(wide);
        let answer = cells(points, wide).into_iter().filter(|cell| inside.contains(&cell.start)).collect();
        known.cells(width, Detail::Bins).put(from, to, u64::MAX, answer);
    }
    join(known, lookback, newest, Detail::Bins).expect("three answers are enough")
}

/// The readings of a board as of `to`.
fn past(points: &[(u64, f64)], to: Millis, lookback: Lookback) -> Option<Vec<Reading>> {
    let mut known = SeriesCache::default();
    let track = past_track(known.cells(WIDTH, Detail::Figures), points, to, 0, 1_000);
    let PastTrack::Known(track) = track else { return None };
    let joined = fetched(&mut known, points, lookback, track.latest_at().ts.0, 1_000);
    let mut each = |show| reading(&track, show, lookback, LookbackBuckets::Whole(joined.clone()));
    Some(SHOWS.map(&mut each).into())
}

/// Returns true if two numbers are the same up to rounding.
fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(other.abs()).max(1.0)
}

/// Returns true if each part of each reading, such as its number and its range, is that of one of the live boards, which
/// are of the same moment.
fn agree_with_one_of(past: Option<&Vec<Reading>>, live: &[Option<&Vec<Reading>>]) -> bool {
    let Some(past) = past else { return live.iter().any(Option::is_none) };
    past.iter().enumerate().all(|(show, past)| {
        let of_moment: Vec<&Reading> =
            live.iter().copied().flatten().map(|live| &live[show]).filter(|live| live.at == past.at).collect();
        let numbers = || of_moment.iter().map(|live| live.number());
        let one_has = |part: &dyn Fn(&NumberReading, &NumberReading) -> bool| {
            let number = past.number();
            numbers().any(|other| match (number, other) {
                (Some(number), Some(other)) => part(number, other),
                (number, other) => number.is_none() && other.is_none(),
            })
        };
        let change = |reading: &NumberReading| reading.change.as_ref().map(|change| change.raw);
        let range = |reading: &NumberReading| reading.range.as_ref().map(|range| (range.min, range.max));
        !of_moment.is_empty()
            && one_has(&|a, b| near(a.raw, b.raw))
            && one_has(&|a, b| match (change(a), change(b)) {
                (Some(a), Some(b)) => near(a, b),
                (a, b) => a.is_none() && b.is_none(),
            })
            && one_has(&|a, b| range(a) == range(b))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn reading_as_of_a_moment_is_that_of_a_live_board_at_that_moment(
        points in points(), at in 0.0..1.05_f64,
        range_ms in prop::sample::select(vec![10_000_u64, 300_000, 3_600_000, 86_400_000, 30 * 86_400_000]),
        change_ms in prop::sample::select(vec![None, Some(60_000_u64)]),
    ) {
        let lookback = Lookback { range_ms, change_ms: change_ms.unwrap_or(range_ms) };
        let (first, last) = (points[0].0, points.last().unwrap().0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
        let to = first - 5_000 + ((last - first + 10_000) as f64 * at) as u64;
        let until = |to: u64| live(&points[..points.partition_point(|point| point.0 <= to)], lookback);
        let found = past(&points, Millis(to), lookback);
        // The moment may lie within a second that has later points. Then the second does not count.
        let (now, before) = (until(to), until((to - to % 1_000).saturating_sub(1)));
        prop_assert!(
            agree_with_one_of(found.as_ref(), &[now.as_ref(), before.as_ref()]),
            "{:?}\n{:?}\n{:?}", found, now, before
        );
        let whole_second = (to - to % 1_000) + 999;
        let found = past(&points, Millis(whole_second), lookback);
        prop_assert!(agree_with_one_of(found.as_ref(), &[until(whole_second).as_ref()]));
    }

    #[test]
    fn lookback_as_of_a_moment_has_every_point_up_to_the_newest_whatever_is_kept(
        points in points(), at in 0.0..1.0_f64,
        range_ms in prop::sample::select(vec![10_000_u64, 3_600_000, 6 * 3_600_000, 7 * 86_400_000, 700 * 86_400_000]),
        kept in prop::sample::select(vec![1_000_u64, 10_000, 60_000, 600_000])
    ) {
        let (first, last) = (points[0].0, points.last().unwrap().0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
        let to = first + ((last - first) as f64 * at) as u64;
        let mut known = SeriesCache::default();
        let found = past_track(known.cells(WIDTH, Detail::Figures), &points, Millis(to), 0, kept);
        let PastTrack::Known(track) = found else { return Ok(()) };
        let (newest, lookback) = (track.latest_at().ts.0, Lookback { range_ms, change_ms: range_ms });
        let from = newest.saturating_sub(range_ms);
        let joined = fetched(&mut known, &points, lookback, newest, kept);
        let wide = lookback.width().max(kept);
        let inside = points.iter().filter(|point| point.0 <= newest && point.0 - point.0 % wide + wide > from);
        let values: Vec<f64> = inside.map(|point| point.1).collect();
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let count = values.len() as f64;
        prop_assert_eq!(from_cells::over(Show::Count, &joined, from), Some(count));
        prop_assert_eq!(from_cells::over(Show::Sum, &joined, from), Some(values.iter().sum()));
        prop_assert_eq!(from_cells::over(Show::Max, &joined, from), values.iter().copied().reduce(f64::max));
    }

    #[test]
    fn value_as_of_a_moment_is_never_of_later_and_as_old_as_one_bucket_where_only_wide_ones_are_kept(
        points in points(), at in 0.0..1.0_f64, kept in prop::sample::select(vec![10_000_u64, 60_000, 600_000])
    ) {
        let (first, last) = (points[0].0, points.last().unwrap().0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
        let to = first + ((last - first) as f64 * at) as u64;
        let mut cache = CellCache::default();
        let found = past_track(&mut cache, &points, Millis(to), 0, kept);
        let bucket = |ts: u64| ts - ts % kept;
        // The newest point of the newest bucket that has no point after the moment.
        let complete = |point: &&(u64, f64)| {
            points.iter().filter(|other| bucket(other.0) == bucket(point.0)).all(|other| other.0 <= to)
        };
        let wanted = points.iter().rfind(complete);
        let newest = match &found {
            PastTrack::Known(Track::Numbers(buckets)) => buckets.back().map(|newest| (newest.last.at.ts.0, newest.last.value)),
            _ => None,
        };
        prop_assert_eq!(newest, wanted.copied());
        if let Some((ts, _)) = newest {
            let next = points.iter().find(|point| point.0 > ts);
            prop_assert!(ts <= to && next.is_none_or(|next| next.0 > to || bucket(next.0) == bucket(to)));
        }
    }

    #[test]
    fn moment_that_moves_stays_right_and_needs_few_answers(points in points(), step in 250..30_000_u64) {
        let mut cache = CellCache::default();
        let first = points[0].0;
        for nth in 0..40 {
            let to = first + nth * step;
            let found = past_track(&mut cache, &points, Millis(to), to + 15 * step, 1_000);
            let so_far = &points[..points.partition_point(|point| point.0 <= to)];
            let complete = so_far.iter().rfind(|point| {
                points.iter().all(|other| other.0 / 1_000 != point.0 / 1_000 || other.0 <= to)
            });
            let newest = match &found {
                PastTrack::Known(track) => Some(track.latest_at().ts.0),
                PastTrack::Nothing => None,
            };
            prop_assert_eq!(newest, complete.map(|point| point.0));
        }
    }

    #[test]
    fn log_as_of_a_moment_has_the_lines_that_a_live_log_had(
        gaps in prop::collection::vec(0..50_000_u64, 1..700), moments in prop::collection::vec((0.0..1.1_f64, any::<bool>()), 1..6)
    ) {
        let mut ts = START;
        let all: Vec<(u64, String)> = gaps.iter().enumerate().map(|(nth, gap)| {
            ts += gap;
            (ts, nth.to_string())
        }).collect();
        let mut texts = Texts::default();
        for (at, moves) in moments {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
            let to = START + ((ts - START) as f64 * at) as u64;
            let ahead = if moves { to + 900_000 } else { to + 1 };
            let mut answers = 0;
            while let Some((from, until)) = needed::of_texts(&texts, Millis(to), ahead) {
                answers += 1;
                prop_assert!(answers < 30, "it goes on");
                let inside: Vec<_> = all.iter().filter(|line| (from..until).contains(&line.0)).cloned().collect();
                let newest = inside[inside.len().saturating_sub(200)..].to_vec();
                let more = newest.len() < inside.len();
                let before = newest.first().map_or(until, |line| line.0);
                let earlier = all.iter().rfind(|line| if more { false } else { line.0 < from.min(before) });
                let lines = earlier.into_iter().cloned().chain(newest).collect();
                texts.put(from, until, u64::MAX, Lines { lines, more });
            }
            let mut wanted: Option<Track> = None;
            for (seq, (ts, text)) in (1..).zip(all.iter().filter(|line| line.0 <= to)) {
                let (at, text) = (Stamp { ts: Millis(*ts), seq: Seq(seq) }, Value::Text(Text::new(text.clone()).unwrap()));
                match &mut wanted {
                    None => wanted = Some(Track::of(at, text)),
                    Some(track) => track.push(at, text),
                }
            }
            let lines = |track: &Track| match track {
                Track::Texts(log) => log.lines.iter().map(|LogLine { at, text }| (at.ts, text.clone())).collect::<Vec<_>>(),
                Track::Numbers(_) => panic!("texts"),
            };
            let found = match needed::texts(&texts, Millis(to)).expect("all has arrived") {
                PastTrack::Known(track) => Some(lines(&track)),
                PastTrack::Nothing => None,
            };
            prop_assert_eq!(found, wanted.as_ref().map(lines));
        }
    }
}
