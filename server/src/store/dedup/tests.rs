//! Tests of repeated points: a point with a sent time counts once, also across flushes, restarts and failed commits.
use std::path::Path;

use proptest::prelude::*;
use shared::{Millis, Number, Point, Seq, Text, Value};

use super::*;
use crate::clock::{Now, Uptime};
use crate::log::{Atomicity, Push, Pushed};
use crate::store::Store;
use crate::store::memtable::Due;

const START: Millis = Millis(1_732_399_200_000);
const NOW: Now = Now { wall: START, up: Uptime(0) };

fn number(value: f64) -> Value {
    Value::Number(Number::new(value).unwrap())
}

fn text(text: &str) -> Value {
    Value::Text(Text::new(text.to_owned()).unwrap())
}

fn point(series: &str, ms: u64, value: Value) -> Pushed {
    Point { series: series.parse().unwrap(), ts: START.plus(ms), value }.into()
}

/// Pushes points and returns how many were new.
fn push(store: &mut Store, points: Vec<Pushed>) -> usize {
    let outcome = store.commit(vec![Push { points, key: None, atomicity: Atomicity::default() }], NOW);
    assert_eq!(outcome.results, [Ok(())]);
    outcome.committed.len()
}

fn flush(store: &mut Store) {
    while store.flush(1_000, Due::All).unwrap() > 0 {}
}

fn reopen(store: Store, folder: &Path) -> Store {
    drop(store);
    let mut store = Store::open(folder).unwrap();
    store.recover(|_| ()).unwrap();
    store
}

#[test]
fn repeat_changes_nothing_whether_it_is_in_memory_in_the_log_or_in_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let batch = || {
        vec![
            point("a", 0, number(1.0)).sent(0),
            point("a", 0, number(1.0)).sent(1),
            point("a", 0, number(2.0)).sent(0),
            point("a", 61_000, number(1.0)).sent(999_999),
            point("b", 0, text("up")).sent(5),
            point("b", 0, text("down")).sent(5),
            point("b", 0, text("up")).sent(6),
        ]
    };
    assert_eq!(push(&mut store, batch()), 7);
    let head = store.head();
    assert_eq!(push(&mut store, batch()), 0);
    let mut again = batch();
    again.reverse();
    again.extend(batch());
    assert_eq!(push(&mut store, again), 0, "batched otherwise");
    store = reopen(store, folder.path());
    assert_eq!(push(&mut store, batch()), 0, "after a restart, from the log");
    flush(&mut store);
    assert_eq!(push(&mut store, batch()), 0, "from the tables");
    store = reopen(store, folder.path());
    assert_eq!(push(&mut store, batch()), 0, "after a restart, from the tables");
    assert_eq!(store.head(), head, "repeats get no numbers");
    let more = vec![point("a", 0, number(1.0)).sent(2), point("a", 0, number(1.0)).sent(2)];
    assert_eq!(push(&mut store, more), 1, "a point is a repeat of another of its own push");
    assert_eq!(push(&mut store, vec![point("c", 0, number(1.0)).sent(0)]), 1, "of another series");
}

#[test]
fn points_whose_time_the_server_set_are_never_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let batch = || vec![point("a", 0, number(1.0)), point("a", 0, number(1.0)), point("b", 0, text("up"))];
    assert_eq!(push(&mut store, batch()), 3);
    assert_eq!(push(&mut store, batch()), 3);
    let sent = || vec![point("a", 0, number(1.0)).sent(0), point("b", 0, text("up")).sent(0)];
    assert_eq!(push(&mut store, sent()), 2, "those that the server stamped are other points");
    flush(&mut store);
    store = reopen(store, folder.path());
    assert_eq!((push(&mut store, batch()), push(&mut store, sent())), (3, 0));
}

#[test]
fn folder_of_an_earlier_version_is_opened_and_its_points_are_never_taken_for_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let batch = || vec![point("a", 0, number(1.0)).sent(0), point("b", 0, text("up")).sent(0)];
    assert_eq!(push(&mut store, batch()), 2);
    flush(&mut store);
    for table in ["log", "blocks", "lines"] {
        store.conn.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN sent")).unwrap();
    }
    store = reopen(store, folder.path());
    assert_eq!((push(&mut store, batch()), push(&mut store, batch())), (2, 0));
}

#[test]
fn points_with_unreadable_times_are_kept_and_count_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let batch = || vec![point("a", 0, number(1.0)).sent(0), point("a", 1, number(1.0)).sent(0)];
    assert_eq!(push(&mut store, batch()), 2);
    store.conn.execute_batch("UPDATE log SET sent = x'01ff'").unwrap();
    store = reopen(store, folder.path());
    assert!(store.damage().warning().is_some());
    assert_eq!(push(&mut store, batch()), 2);
    flush(&mut store);
    store.conn.execute_batch("UPDATE blocks SET sent = x'ff' WHERE sent IS NOT NULL").unwrap();
    assert_eq!(push(&mut store, batch()), 2);
    assert_eq!(push(&mut store, batch()), 0);
}

#[test]
fn both_zeros_are_one_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    assert_eq!(push(&mut store, vec![point("a", 0, number(0.0)).sent(0)]), 1);
    assert_eq!(push(&mut store, vec![point("a", 0, number(-0.0)).sent(0)]), 0);
}

#[test]
fn a_failed_commit_leaves_no_trace_of_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    assert_eq!(push(&mut store, vec![point("a", 0, number(1.0)).sent(0)]), 1);
    let limit = |store: &Store, pages: i64| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        let _: i64 = store.conn.query_row(&pragma, [], |row| row.get(0)).unwrap();
    };
    let batch = || (0..3_000).map(|n| point(&format!("s{n}"), 0, number(1.0)).sent(0)).collect::<Vec<_>>();
    limit(&store, 1);
    assert!(
        store.commit(vec![Push { points: batch(), key: None, atomicity: Atomicity::default() }], NOW).results[0]
            .is_err()
    );
    limit(&store, 1_000_000);
    assert_eq!(push(&mut store, batch()), 3_000);
}

/// A step of a sender or of the server.
#[derive(Clone, Debug)]
enum Step {
    /// Series, milliseconds, nanoseconds (`None`: the server sets the time), value.
    Push(Vec<(u8, u64, Option<u32>, u8)>),
    Flush,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ms = prop_oneof![0..3_u64, 59_998..60_003_u64, Just(200_000)];
    let nanos = prop_oneof![1 => Just(None), 6 => (0..3_u32).prop_map(Some)];
    let push = prop::collection::vec((0..2_u8, ms, nanos, 0..2_u8), 1..12).prop_map(Step::Push);
    prop::collection::vec(prop_oneof![8 => push, 1 => Just(Step::Flush), 1 => Just(Step::Restart)], 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The law: a point that was pushed before is never counted again, and a new point is never dropped.
    #[test]
    fn each_point_with_a_sent_time_counts_once_whatever_happens_between(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let (mut known, mut total) = (HashSet::new(), 0);
        for step in steps {
            match step {
                Step::Flush => flush(&mut store),
                Step::Restart => store = reopen(store, folder.path()),
                Step::Push(points) => {
                    let wanted = points.iter().filter(|point| point.2.is_none() || known.insert(**point)).count();
                    let points = points.iter().map(|&(series, ms, nanos, value)| {
                        let point = point(&format!("s{series}"), ms, number(f64::from(value)));
                        nanos.map_or(point.clone(), |nanos| point.sent(nanos))
                    });
                    prop_assert_eq!(push(&mut store, points.collect()), wanted);
                    total += wanted as u64;
                }
            }
            prop_assert_eq!(store.head(), Seq(total));
        }
    }
}
