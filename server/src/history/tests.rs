//! Property tests and cost tests: history equals the points that were pushed, whatever happened in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use shared::point::Kind;
use shared::{Bucket, Millis, Number, Point, Rolled, Seq, Stamp, Text, Tier, TimeRange, Value};

use super::cancel::{Cancel, Stopped};
use super::job::{Job, Stored};
use super::past::{self, PastError};
use super::plan::Plan;
use super::query;
use crate::clock::{Now, Uptime};
use crate::http::format::AnswerFormat;
use crate::log::{Push, SeriesId};
use crate::names::Named;
use crate::store::FILE;
use crate::store::block::Block;
use crate::store::block_id::{BlockId, ExtentId};
use crate::store::memtable::Due;
use crate::store::rows;
use crate::store::{Retention, Store};

/// Midnight, so that all tiers have an edge near.
const START: Millis = Millis(1_732_320_000_000);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(3_600);

const NOW: Now = Now { wall: START, up: Uptime(0) };

#[derive(Clone, Debug)]
enum Happening {
    /// Points are committed together: the series, and milliseconds from the start.
    Push(Vec<(u8, u32, i16)>),
    /// This number of blocks is flushed.
    Settle(usize),
    /// The process is killed, and started again.
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    // Times around the edges of all tiers, close together and far apart, in any order.
    let ms = prop_oneof![
        0..5_000_u32,
        50_000..70_000_u32,
        3_590_000..3_610_000_u32,
        86_300_000..86_500_000_u32,
        0..200_000_000_u32
    ];
    let point = (0..2u8, ms, prop_oneof![0..50_i16, any::<i16>()]);
    prop_oneof![
        6 => prop::collection::vec(point, 1..20).prop_map(Happening::Push),
        3 => (1..6usize).prop_map(Happening::Settle),
        1 => Just(Happening::Restart),
    ]
}

/// Whole numbers, so that sums do not depend on the order.
fn number(value: i16) -> Number {
    Number::new(value.into()).unwrap()
}

/// Computes the buckets of a series from its points, one tier after the other.
fn roll_up(points: &[(u8, Stamp, i16)], series: u8) -> Vec<(Tier, Vec<Rolled>)> {
    let mut seconds: Vec<Bucket> = Vec::new();
    for &(_, at, value) in points.iter().filter(|point| point.0 == series) {
        let point = Bucket::of(at, number(value), Tier::Second.width_ms());
        match seconds.binary_search_by_key(&point.start, |bucket| bucket.start) {
            Ok(at) => seconds[at].merge(&point),
            Err(at) => seconds.insert(at, point),
        }
    }
    let mut finer: Vec<Rolled> = seconds.into_iter().map(Rolled::of).collect();
    let roll = |tier: Tier| {
        let start = |rolled: &Rolled| rolled.bucket.start.floor(tier.width_ms());
        let coarser = finer.chunk_by(|a, b| start(a) == start(b));
        finer = coarser.filter_map(|buckets| Rolled::over(buckets, tier.width_ms())).collect();
        (tier, finer.clone())
    };
    Tier::ALL.into_iter().map(roll).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn history_of_any_tier_equals_the_buckets_of_the_points_whatever_happened(
        happenings in prop::collection::vec(happening(), 1..40)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut points: Vec<(u8, Stamp, i16)> = Vec::new();
        for happening in happenings {
            match happening {
                Happening::Push(pushed) => {
                    let point = |&(series, ms, value): &(u8, u32, i16)| Point {
                        series: format!("s/{series}").parse().unwrap(),
                        ts: START.plus(ms.into()),
                        value: Value::Number(number(value)),
                    };
                    let push = Push::of(pushed.iter().map(point));
                    prop_assert_eq!(store.commit(vec![push], NOW).results, [Ok(())]);
                    for (series, ms, value) in pushed {
                        let at = Stamp { ts: START.plus(ms.into()), seq: Seq(points.len() as u64 + 1) };
                        points.push((series, at, value));
                    }
                }
                Happening::Settle(most) => {
                    store.flush(most, Due::All).unwrap();
                }
                Happening::Restart => {
                    drop(store);
                    store = Store::open(folder.path()).unwrap();
                }
            }
            prop_assert_eq!(store.head().0, points.len() as u64);
        }
        let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        let span = TimeRange { from: START, to: START.plus(10 * Tier::Day.width_ms()) };
        for Named { name, series: row, .. } in named(&conn) {
            let series = name.within_board().parse().unwrap();
            for (tier, wanted) in roll_up(&points, series) {
                let plan = Plan { tier, width_ms: tier.width_ms(), span };
                let found = past::numbers(&conn, &store.memtable(), &store.damage(), row, &plan).unwrap();
                prop_assert_eq!(&found, &wanted, "{} {:?}", name, tier);
                // They also equal the buckets that are made directly from the points, without the tiers between.
                for rolled in &found {
                    let inside = |at: &Stamp| at.ts.floor(tier.width_ms()) == rolled.bucket.start;
                    let mut of_it = points.iter().filter(|point| point.0 == series && inside(&point.1));
                    let (_, at, value) = of_it.next().unwrap();
                    let mut whole = Bucket::of(*at, number(*value), tier.width_ms());
                    of_it.for_each(|(_, at, value)| whole.merge(&Bucket::of(*at, number(*value), tier.width_ms())));
                    prop_assert_eq!(&rolled.bucket, &whole);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn newest_buckets_before_a_moment_are_the_last_ones_of_the_points_however_old(
        happenings in prop::collection::vec(happening(), 1..30), end in 0..300_000_000_u64, most in 1..40_usize,
        gone in 0..4_u64
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut points: Vec<(u8, Stamp, i16)> = Vec::new();
        for happening in happenings {
            match happening {
                Happening::Push(pushed) => {
                    let point = |&(series, ms, value): &(u8, u32, i16)| Point {
                        series: format!("s/{series}").parse().unwrap(),
                        ts: START.plus(ms.into()),
                        value: Value::Number(number(value)),
                    };
                    prop_assert_eq!(store.commit(vec![Push::of(pushed.iter().map(point))], NOW).results, [Ok(())]);
                    for (series, ms, value) in pushed {
                        points.push((series, Stamp { ts: START.plus(ms.into()), seq: Seq(points.len() as u64 + 1) }, value));
                    }
                }
                Happening::Settle(most) => _ = store.flush(most, Due::All).unwrap(),
                Happening::Restart => {
                    drop(store);
                    store = Store::open(folder.path()).unwrap();
                }
            }
        }
        let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        // Seconds of the first days are deleted, as by retention.
        let kept_from = START.plus(gone * 60_000_000).floor(Tier::Day.width_ms());
        if gone > 0 {
            store.flush(usize::MAX, Due::All).unwrap();
            for Named { series, .. } in named(&conn) {
                let (first, _) = BlockId::all(Tier::Second, series);
                let last = BlockId::holding(Tier::Second, series, kept_from);
                let extent = ExtentId::of(last).key();
                conn.execute("DELETE FROM blocks WHERE key BETWEEN ?1 AND ?2 - 1", (first, last.key())).unwrap();
                conn.execute("DELETE FROM extents WHERE key BETWEEN ?1 AND ?2 - 1", (first, extent)).unwrap();
            }
        }
        let end = START.plus(end);
        for Named { name, series: row, .. } in named(&conn) {
            let series = name.within_board().parse().unwrap();
            let rolled = roll_up(&points, series);
            let found = past::newest_before(&conn, &store.memtable(), &store.damage(), row, end, most).unwrap();
            let of = |tier: Tier, end: Millis| {
                let (_, all) = rolled.iter().find(|(known, _)| *known == tier).unwrap();
                let before = all.iter().filter(move |rolled| rolled.bucket.last.at.ts < end);
                before.map(|rolled| (tier, rolled.clone())).collect::<Vec<_>>()
            };
            let mut wanted = of(Tier::Second, end);
            if gone > 0 {
                wanted.retain(|(_, rolled)| rolled.bucket.start >= kept_from);
                let oldest = wanted.first().map_or(end, |(_, rolled)| rolled.bucket.first.at.ts);
                wanted = of(Tier::TenSeconds, oldest).into_iter().chain(wanted).collect();
            }
            prop_assert_eq!(found, wanted.split_off(wanted.len().saturating_sub(most)));
        }
    }
}

/// Returns the number of steps of SQLite's virtual machine to answer for the last `ago` milliseconds, and the number of
/// buckets in the answer. The store covers `days` days and has every possible block.
fn cost(days: u64, ago: u64, points: u64) -> (u64, usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.execute_batch("BEGIN").unwrap();
    let series = SeriesId(1);
    let now = START.plus(400 * Tier::Day.width_ms());
    for tier in Tier::ALL {
        // Fine tiers of a year would take long to write.
        let days = match tier {
            Tier::Second => days.min(20),
            Tier::TenSeconds => days.min(60),
            _ => days,
        };
        let mut ts = Millis(now.0 - days * Tier::Day.width_ms());
        while ts <= now {
            let id = BlockId::holding(tier, series, ts);
            let at = Stamp { ts: id.span().from, seq: Seq(1) };
            let rolled = Rolled::of(Bucket::of(at, number(1), tier.width_ms()));
            rows::write(&conn, id, &Block { buckets: vec![rolled], ..Block::default() }, &store.damage()).unwrap();
            ts = id.span().to;
        }
    }
    conn.execute_batch("COMMIT").unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = steps.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(1, Some(count)).unwrap();
    let plan = Plan::new(TimeRange { from: Millis(now.0 - ago), to: now }, points, &Retention::default(), now);
    let found = past::numbers(&conn, &store.memtable(), &store.damage(), series, &plan).unwrap();
    (steps.load(Ordering::Relaxed), found.len())
}

#[test]
fn an_answer_costs_what_is_asked_for_and_not_what_is_stored() {
    const DAY: u64 = 86_400_000;
    let of_a_year = cost(366, 3_600_000, 3_600);
    assert_eq!(of_a_year, cost(2, 3_600_000, 3_600), "an hour of a year, and of two days");
    assert_eq!(of_a_year.1, 60, "a bucket in each block of a minute");
    let (steps, buckets) = cost(366, 365 * DAY, 500);
    assert!(steps < of_a_year.0 && (36..=38).contains(&buckets), "{steps} steps for a year of {buckets} blocks");
}

/// Reads all series of a store.
fn named(conn: &rusqlite::Connection) -> Vec<Named> {
    let mut select = conn.prepare("SELECT id, name, kind FROM series").unwrap();
    let rows = select.query_map([], |row| {
        let (name, kind): (String, String) = (row.get(1)?, row.get(2)?);
        let kind = if kind == "text" { Kind::Text } else { Kind::Number };
        Ok(Named { name: name.parse().unwrap(), series: SeriesId(row.get(0)?), kind })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Runs all steps of a job. Returns the whole answer and the number of steps.
fn whole(job: &mut Job, conn: &rusqlite::Connection, store: &Store) -> (String, usize) {
    let (cancel, _guard) = Cancel::within(LONG);
    let mut bytes = Vec::new();
    for steps in 1.. {
        let piece = {
            let (memtable, damage, retention) = (store.memtable(), store.damage(), Retention::default());
            job.step(conn, Stored { memtable: &memtable, damage: &damage, retention: &retention }, &cancel)
        }
        .unwrap();
        assert!(piece.bytes.len() < 128 << 10, "a piece is bounded: {}", piece.bytes.len());
        bytes.extend(piece.bytes);
        if piece.last {
            return (String::from_utf8(bytes).unwrap(), steps);
        }
    }
    unreachable!("a job ends")
}

/// Opens a store with 3,000 seconds of a counter, with a few bins in each second, and as many lines.
fn filled(folder: &std::path::Path) -> Store {
    let mut store = Store::open(folder).unwrap();
    let point = |name: &str, ts: u64, value| Point { series: name.parse().unwrap(), ts: START.plus(ts), value };
    let mut points = Vec::new();
    for second in 0..3_000_u64 {
        for part in 0..4_u64 {
            let value = Value::Number(Number::new((second * 4 + part) as f64).unwrap());
            points.push(point("a/n", second * 1_000 + part, value));
        }
        points.push(point(
            "a/t",
            second * 1_000,
            Value::Text(Text::new(format!("{second} {}", "x".repeat(60))).unwrap()),
        ));
    }
    assert_eq!(store.commit(vec![Push::of(points)], NOW).results, [Ok(())]);
    store
}

#[test]
fn answer_in_pieces_has_each_bucket_and_each_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    let now = START.plus(3_000_000);
    let span = format!("from={}&to={now}", START.0);
    for (points, lines) in [(3_000, 3_000), (1_000, 1_000), (5, 5), (1, 1)] {
        for sketch in ["", "&sketch=1"] {
            let asked = query::parse(&format!("series=a/*&{span}&points={points}{sketch}"), now).unwrap();
            let (text, steps) =
                whole(&mut Job::new(asked.clone(), named(&conn), AnswerFormat::Json, now).unwrap(), &conn, &store);
            assert!(points < 3_000 || steps > 5, "{steps}");
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            let buckets = told[0]["buckets"].as_array().unwrap();
            let width = told[0]["tier_ms"].as_u64().unwrap();
            assert_eq!(buckets.len() as u64, 3_000_000_u64.div_ceil(width));
            let starts: Vec<u64> = buckets.iter().map(|bucket| bucket["ts"].as_u64().unwrap()).collect();
            assert!(starts.windows(2).all(|pair| pair[1] == pair[0] + width));
            // The increase between two pieces is counted too.
            let counted: f64 = buckets.iter().map(|bucket| bucket["increase"].as_f64().unwrap()).sum();
            assert!((counted - 11_999.0).abs() < 1e-6, "{counted}");
            let told_lines = told[1]["lines"].as_array().unwrap();
            let texts = told_lines.iter().map(|line| line["text"].as_str().unwrap().split(' ').next().unwrap());
            let wanted = (3_000 - lines..3_000).map(|second| second.to_string());
            assert!(texts.eq(wanted), "{points}: {}", told_lines.len());
            assert_eq!(told[1]["more"], lines < 3_000);
            let before =
                told[1].get("before").map(|before| before["text"].as_str().unwrap().split(' ').next().unwrap());
            assert_eq!(before.map(str::to_owned), (lines < 3_000).then(|| (2_999 - lines).to_string()));
            let (csv, _) = whole(&mut Job::new(asked, named(&conn), AnswerFormat::Csv, now).unwrap(), &conn, &store);
            assert_eq!(csv.lines().count(), 1 + buckets.len() + told_lines.len());
        }
    }
}

#[test]
fn job_ends_once_its_request_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    let asked = query::parse(&format!("series=a/*&from={}&points=3000", START.0), START.plus(3_000_000)).unwrap();
    let mut job = Job::new(asked, named(&conn), AnswerFormat::Json, START.plus(3_000_000)).unwrap();
    let (memtable, damage, retention) = (store.memtable(), store.damage(), Retention::default());
    let stored = Stored { memtable: &memtable, damage: &damage, retention: &retention };
    let (cancel, guard) = Cancel::within(LONG);
    assert!(!job.step(&conn, stored, &cancel).unwrap().last);
    drop(guard);
    let stopped = job.step(&conn, stored, &cancel).unwrap_err();
    assert!(matches!(stopped, PastError::Stopped(Stopped::Unwanted)), "{stopped}");
}
