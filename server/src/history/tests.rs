//! History is what was pushed: whatever happened on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use shared::{Bucket, Millis, Number, Point, Rolled, Seq, Stamp, Stretch, Tier, Value};

use super::past;
use super::plan::Plan;
use crate::clock::{Now, Uptime};
use crate::store::block::{self, Block, Place};
use crate::store::fresh::Due;
use crate::store::schema::FILE;
use crate::store::{Push, Retention, SeriesId, Store};

/// Midnight, so that all tiers have an edge near.
const START: Millis = Millis(1_732_320_000_000);
const NOW: Now = Now { wall: START, up: Uptime(0) };

#[derive(Clone, Debug)]
enum Happening {
    /// Points are committed together: the series, and milliseconds from the start.
    Push(Vec<(u8, u32, i16)>),
    /// So many blocks are written.
    Settle(usize),
    /// The process is killed, and started again.
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    // Around the edges of all tiers, close together and far apart, in any order.
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

/// The buckets of a series as its points make them, one tier after the other.
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
                    store.settle(most, Due::All).unwrap();
                }
                Happening::Restart => {
                    drop(store);
                    store = Store::open(folder.path()).unwrap();
                }
            }
            prop_assert_eq!(store.head().0, points.len() as u64);
        }
        let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        let rows = past::select(&conn, &["s/*".parse().unwrap()]).unwrap();
        let span = Stretch { from: START, to: START.plus(10 * Tier::Day.width_ms()) };
        for (name, (row, _)) in rows {
            let series = name.within_board().parse().unwrap();
            for (tier, wanted) in roll_up(&points, series) {
                let plan = Plan { tier, width_ms: tier.width_ms(), span };
                let found = past::numbers(&conn, &store.fresh(), &store.damage(), row, &plan).unwrap();
                prop_assert_eq!(&found, &wanted, "{} {:?}", name, tier);
                // And just so without the tiers between.
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

/// How many steps SQLite's machine takes to answer for the last `ago` milliseconds, of a store of so many days that has
/// every block there can be; and how many buckets the answer has.
fn cost(days: u64, ago: u64, points: u64) -> (u64, usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let conn = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    let series = SeriesId(1);
    let now = START.plus(400 * Tier::Day.width_ms());
    for tier in Tier::ALL {
        let first = Place::holding(tier, series, Millis(now.0 - days * Tier::Day.width_ms()));
        let at = Stamp { ts: first.span().from, seq: Seq(1) };
        let rolled = Rolled::of(Bucket::of(at, number(1), tier.width_ms()));
        block::write(&conn, first, &Block { buckets: vec![rolled] }, &store.damage()).unwrap();
        // A block's bytes count from where it begins, so all can be the same.
        conn.execute(
            "WITH RECURSIVE keys (key) AS (SELECT ?1 + 1 UNION ALL SELECT key + 1 FROM keys WHERE key < ?2)
             INSERT INTO blocks SELECT keys.key, buckets, data FROM keys, blocks WHERE blocks.key = ?1",
            (first.key(), Place::holding(tier, series, now).key()),
        )
        .unwrap();
    }
    let steps = Arc::new(AtomicU64::new(0));
    let counted = steps.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(1, Some(count)).unwrap();
    let plan = Plan::new(Stretch { from: Millis(now.0 - ago), to: now }, points, &Retention::default(), now);
    let found = past::numbers(&conn, &store.fresh(), &store.damage(), series, &plan).unwrap();
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
