//! Tests of commits: seqs, points of the wrong kind, declared types, idempotency keys, limits, and a full disk.
use proptest::prelude::*;
use shared::{Declared, Number, Point, Seq, Text};

use super::*;
use crate::clock::Uptime;
use crate::limits::{Limit, Limits};
use crate::log::{Atomicity, Fingerprint, IdempotencyKey};
use crate::store::idempotency::LIFETIME as KEY_LIFETIME;
use crate::store::number_log;

const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

fn number(series: &str, value: f64) -> Point {
    let value = Value::Number(Number::new(value).unwrap());
    Point { series: series.parse().unwrap(), ts: NOW.wall, value }
}

fn text(series: &str) -> Point {
    Point { series: series.parse().unwrap(), ts: NOW.wall, value: Value::Text(Text::new("up".into()).unwrap()) }
}

fn push(points: Vec<Point>) -> Push {
    Push::of(points)
}

fn rows(store: &Store) -> i64 {
    let mut numbers = 0;
    number_log::replay(&store.conn, Seq::ZERO, &store.damage, |row| numbers += i64::try_from(row.len()).unwrap())
        .unwrap();
    let texts: i64 = store.conn.query_row("SELECT count(*) FROM lines", [], |row| row.get(0)).unwrap();
    numbers + texts
}

#[test]
fn points_are_numbered_without_holes_across_pushes_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let outcome = store.commit(vec![push(vec![number("a", 1.0), number("b", 2.0)]), push(vec![number("a", 3.0)])], NOW);
    assert_eq!(outcome.committed.iter().map(|point| point.at.seq.0).collect::<Vec<_>>(), [1, 2, 3]);
    drop(store);
    let mut store = Store::open(folder.path()).unwrap();
    let outcome = store.commit(vec![push(vec![number("b", 4.0)])], NOW);
    assert_eq!(outcome.committed[0].at.seq, Seq(4));
    assert_eq!(rows(&store), 4);
}

#[test]
fn a_push_of_the_wrong_kind_is_refused_whole_and_the_others_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let outcome = store.commit(
        vec![
            push(vec![number("a", 1.0)]),
            push(vec![number("b", 1.0), text("a"), text("b")]),
            push(vec![text("b"), text("b")]),
        ],
        NOW,
    );
    let Err(CommitError::OtherKind(wrong)) = &outcome.results[1] else { panic!("{outcome:?}") };
    assert_eq!(wrong.count(), 2);
    assert_eq!(wrong.listed.iter().map(|m| m.at).collect::<Vec<_>>(), [2, 3]);
    assert!(outcome.results[0].is_ok() && outcome.results[2].is_ok());
    assert_eq!(rows(&store), 3);
}

#[test]
fn of_a_partial_push_only_points_of_the_wrong_kind_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let partial = |points| Push { atomicity: Atomicity::Partial, ..push(points) };
    let outcome = store.commit(
        vec![
            partial(vec![number("a", 1.0), text("a"), text("b"), number("b", 1.0), number("a", 2.0)]),
            partial(vec![text("a")]),
            partial(vec![number("c", 1.0)]),
        ],
        NOW,
    );
    let place = |one: &UnfitPoint| match &one.why {
        UnfitReason::OtherKind { series, .. } => (one.at, series.to_string()),
        UnfitReason::Compacted => panic!("{one:?}"),
    };
    let left_out = |result: &Result<(), CommitError>| match result {
        Ok(()) => Vec::new(),
        Err(CommitError::LeftOut(wrong)) => wrong.listed.iter().map(place).collect(),
        Err(error) => panic!("{error}"),
    };
    let [a, b] = ["a", "b"].map(str::to_owned);
    let all: Vec<_> = outcome.results.iter().map(left_out).collect();
    assert_eq!(all, [vec![(2, a.clone()), (4, b)], vec![(1, a)], vec![]]);
    let kept: Vec<_> = outcome.committed.iter().map(|point| (point.series.0, point.at.seq.0)).collect();
    assert_eq!(kept, [(1, 1), (2, 2), (1, 3), (3, 4)]);
}

#[test]
fn what_is_declared_is_kept_across_a_restart_and_the_last_word_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let declared = |store: &mut Store| {
        let mut all = Vec::new();
        store.recover(|series| all.push((series.name.to_string(), series.declared))).unwrap();
        all.sort_by(|a: &(String, _), b| a.0.cmp(&b.0));
        all
    };
    let say = |name: &str, declares| {
        let point = Pushed::from(number(name, 1.0)).declaring(declares);
        Push { points: vec![point], ..Push::of([]) }
    };
    let (gauge, counter) = (Some(Declared::Gauge), Some(Declared::Counter));
    let outcome = store.commit(vec![say("a", gauge), say("a", counter), say("b", None), say("a", None)], NOW);
    assert_eq!(outcome.committed.iter().map(|point| point.declares).collect::<Vec<_>>(), [gauge, counter, None, None]);
    for _ in 0..2 {
        assert_eq!(declared(&mut store), [("a".to_owned(), counter), ("b".to_owned(), None)]);
        drop(store);
        store = Store::open(folder.path()).unwrap();
    }
    store.commit(vec![say("a", gauge)], NOW);
    assert_eq!(declared(&mut store)[0].1, gauge);
}

#[test]
fn a_push_with_a_key_counts_once_until_the_key_is_a_day_old() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let request = Fingerprint::of("/in/a", b"1");
    let keyed = || Push { key: IdempotencyKey::new("k1".into(), request), ..push(vec![number("a", 1.0)]) };
    assert_eq!(store.commit(vec![keyed(), keyed()], NOW).committed.len(), 1);
    let again = store.commit(vec![keyed()], NOW);
    assert!(again.results[0].is_ok() && again.committed.is_empty());
    assert_eq!(store.commit(vec![keyed()], Now { wall: NOW.wall.plus(KEY_LIFETIME + 1), ..NOW }).committed.len(), 1);
}

#[test]
fn no_series_starts_beyond_max_series_and_existing_ones_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.set_limits(&Limits { series: 3, ..Limits::default() });
    let limit = |result: &Result<(), CommitError>| match result {
        Ok(()) => None,
        Err(CommitError::LimitReached { limit, .. }) => Some(*limit),
        Err(error) => panic!("{error}"),
    };
    let outcome = store.commit(
        vec![
            push(vec![number("a", 1.0), number("b", 1.0)]),
            push(vec![number("a", 2.0), number("c", 1.0), number("d", 1.0)]),
            push(vec![number("c", 1.0), number("c", 2.0)]),
            push(vec![number("d", 1.0)]),
            push(vec![number("a", 3.0), number("b", 2.0), number("c", 3.0)]),
        ],
        NOW,
    );
    let limits: Vec<_> = outcome.results.iter().map(limit).collect();
    assert_eq!(limits, [None, Some(Limit::Series), None, Some(Limit::Series), None]);
    assert_eq!((rows(&store), store.directory().len()), (7, 3), "all or nothing of each push");
}

#[test]
fn push_of_too_many_rows_is_refused_and_others_of_its_group_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.set_limits(&Limits { rows: 4, ..Limits::default() });
    let numbers = |count| push((0..count).map(|n| number(&format!("s{n}"), 1.0)).collect());
    let texts = |count| push((0..count).map(|_| text("t")).collect());
    let outcome = store.commit(vec![numbers(5), numbers(4), texts(4), texts(3), numbers(4), texts(4)], NOW);
    let kept: Vec<_> = outcome.results.iter().map(Result::is_ok).collect();
    assert_eq!(kept, [false, true, false, true, true, true]);
    let many = push((0..100).map(|n| number(&format!("s{}", n % 4), 1.0)).collect());
    assert_eq!(store.commit(vec![many], NOW).results, [Ok(())], "numbers of known series are packed");
}

#[test]
fn where_the_database_is_full_nothing_is_kept_and_what_was_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    assert!(store.commit(vec![push(vec![number("a", 1.0)])], NOW).results[0].is_ok());
    let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let _: i64 = store.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    let later = Point { ts: NOW.wall.plus(60_000), ..number("a", 2.0) };
    let many = [later].into_iter().chain((0..5_000).map(|i| number(&format!("s{i}"), 1.0))).collect();
    let outcome = store.commit(vec![push(many)], NOW);
    assert_eq!(outcome.results, [Err(CommitError::DiskFull)]);
    assert_eq!(rows(&store), 1);
    assert_eq!(store.newest, [Some(NOW.wall)], "the newest times are as they were, not forgotten");
    let _: i64 = store.conn.query_row("PRAGMA max_page_count = 1000000", [], |row| row.get(0)).unwrap();
    let outcome = store.commit(vec![push(vec![number("s1", 2.0)])], NOW);
    assert_eq!(outcome.committed[0].at.seq, Seq(2), "the numbers go on where they were");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Compares the store with a model that takes the points one by one: the first point of a series decides its
    /// kind.
    #[test]
    fn points_of_the_wrong_kind_spoil_a_push_or_are_left_out_of_it(
        pushes in prop::collection::vec((any::<bool>(), prop::collection::vec((0..4_u8, any::<bool>()), 1..6)), 1..8),
        is_one_group: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let point = |&(series, is_text): &(u8, bool)| {
            let name = format!("s{series}");
            if is_text { text(&name) } else { number(&name, 1.0) }
        };
        let (mut kinds, mut wanted, mut kept) = (std::collections::HashMap::new(), Vec::new(), 0);
        let mut group = Vec::new();
        for (is_partial, points) in &pushes {
            let mut after = kinds.clone();
            let mut wrong = Vec::new();
            for (at, &(series, is_text)) in (1..).zip(points) {
                if *after.entry(series).or_insert(is_text) != is_text {
                    wrong.push(at);
                }
            }
            if *is_partial || wrong.is_empty() {
                kept += points.len() - wrong.len();
                kinds = after;
            }
            wanted.push((*is_partial, wrong));
            let atomicity = if *is_partial { Atomicity::Partial } else { Atomicity::AllOrNothing };
            group.push(Push { atomicity, ..push(points.iter().map(point).collect()) });
        }
        let groups = if is_one_group { vec![group] } else { group.into_iter().map(|push| vec![push]).collect() };
        let outcomes: Vec<_> = groups.into_iter().map(|group| store.commit(group, NOW)).collect();
        let places = |wrong: &Unfit| wrong.listed.iter().map(|one| one.at).collect();
        let results = outcomes.iter().flat_map(|outcome| &outcome.results).zip(&wanted);
        for (result, (is_partial, wrong)) in results {
            let listed: Vec<usize> = match result {
                Ok(()) => Vec::new(),
                Err(CommitError::LeftOut(wrong)) if *is_partial => places(wrong),
                Err(CommitError::OtherKind(wrong)) if !*is_partial => places(wrong),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(&listed, wrong);
        }
        prop_assert_eq!(outcomes.iter().map(|outcome| outcome.committed.len()).sum::<usize>(), kept);
        prop_assert_eq!(rows(&store), i64::try_from(kept).unwrap());
    }
}
