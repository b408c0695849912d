//! The suite that every log passes: the log of a single node, and the log that nodes share on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::PATIENCE;
use harness::postgres::{Fate, Postgres, Proxy};
use pulseboard::log::postgres::{ClusterUrl, SharedLog};
use pulseboard::log::{
    Applied, Change, Committed, Entry, Fingerprint, IdempotencyKey, LogSubscriber, OutOfRange, Push, Terms, Tracks,
};
use pulseboard::store::cluster_log::{self, ClusterLog};
use pulseboard::store::local_log::{EntryOutcome, LocalLog};
use pulseboard::store::migration::Progress;
use pulseboard::store::node_log::NodeLog;
use pulseboard::store::{CommitError, Store};
use shared::{Millis, Number, Point, Seq, Value};
use tempfile::TempDir;

const START: Millis = Millis(1_732_399_200_000);

/// A handle to a log, with everything that it has applied.
struct Handle {
    log: Box<dyn NodeLog>,
    received: Arc<Mutex<Vec<Committed>>>,
}

/// A subscriber that keeps all points.
struct Recorder(Arc<Mutex<Vec<Committed>>>);

impl LogSubscriber for Recorder {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        if let Applied::Points(points) = applied {
            self.0.lock().unwrap().extend(points.iter().cloned());
        }
    }
}

impl Handle {
    fn new(mut log: Box<dyn NodeLog>) -> Self {
        let received = Arc::default();
        let head = log.store().head();
        log.subscribe(head, Box::new(Recorder(Arc::clone(&received)))).unwrap();
        Self { log, received }
    }

    /// Applies what other handles appended, until the head is at `seq`.
    fn follow_to(&mut self, seq: Seq) {
        let deadline = Instant::now() + PATIENCE;
        while self.log.store().head() < seq {
            assert!(Instant::now() < deadline, "it is still at {}", self.log.store().head());
            self.log.follow();
            std::thread::yield_now();
        }
    }
}

/// A log under test.
trait Subject {
    /// Opens two handles through which entries are appended. A log with one appender has the same handle twice.
    fn appenders(&self) -> [Arc<Mutex<Handle>>; 2];

    /// Loses the answer of the next append of the first handle, or the append itself.
    fn lose_next(&self, is_answer: bool);
}

/// The log of a single node.
struct Local(TempDir);

impl Local {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Subject for Local {
    fn appenders(&self) -> [Arc<Mutex<Handle>>; 2] {
        let log = LocalLog::new(Store::open(self.0.path()).unwrap());
        let handle = Arc::new(Mutex::new(Handle::new(Box::new(log))));
        [handle.clone(), handle]
    }

    /// The answer is a return value, which cannot be lost.
    fn lose_next(&self, _: bool) {}
}

/// The log that nodes share.
struct Shared {
    server: Postgres,
    proxy: Proxy,
    folders: [TempDir; 2],
}

impl Shared {
    fn new() -> Self {
        let server = Postgres::start();
        let proxy = Proxy::start(server.port());
        Self { server, proxy, folders: [(); 2].map(|()| tempfile::tempdir().unwrap()) }
    }
}

impl Subject for Shared {
    fn appenders(&self) -> [Arc<Mutex<Handle>>; 2] {
        let open =
            |url: &str, folder: &TempDir| Arc::new(Mutex::new(Handle::new(Box::new(open_node(url, folder.path())))));
        let [first, second] = &self.folders;
        [open(&self.proxy.url(), first), open(&self.server.url(), second)]
    }

    fn lose_next(&self, is_answer: bool) {
        self.proxy.next(if is_answer { Fate::LoseAnswer } else { Fate::LoseCommit });
    }
}

fn open_node(url: &str, folder: &Path) -> ClusterLog {
    let url: ClusterUrl = url.parse().unwrap();
    let shared = SharedLog::open(&url, Duration::from_secs(30)).unwrap();
    let store = Store::open_member(folder, &Progress::default(), shared.identity()).unwrap();
    let store = cluster_log::catch_up(store, &shared).unwrap();
    ClusterLog::new(store, shared)
}

fn point(series: &str, n: u32) -> Point {
    let value = Value::Number(Number::new(n.into()).unwrap());
    Point { series: series.parse().unwrap(), ts: START.plus(u64::from(n) * 1_000), value }
}

fn entry(change: Change) -> Entry {
    let terms = Terms { at: START, oldest: Millis(0), max_series: 1_000, max_rows: 1_000_000, max_keys: 100_000 };
    Entry { terms, change, by: None }
}

fn push(series: &str, n: u32) -> Entry {
    entry(Change::Points(Push::of([point(series, n)])))
}

fn keyed(series: &str, n: u32) -> Entry {
    let key = IdempotencyKey::new(format!("{series}-{n}"), Fingerprint::of(series, &n.to_le_bytes()));
    entry(Change::Points(Push { key, ..Push::of([point(series, n)]) }))
}

fn number(point: &Committed) -> f64 {
    match &point.value {
        Value::Number(number) => number.get(),
        Value::Text(text) => panic!("{text:?} is no number"),
    }
}

/// Entries are applied in the order in which they were appended, and their seqs have no gaps.
fn order_without_gaps(subject: &impl Subject) {
    let [handle, _] = subject.appenders();
    let mut handle = handle.lock().unwrap();
    let mut appended = 0;
    for size in [1, 2, 7, 100, 1] {
        let batch: Vec<_> = (appended..appended + size).map(|n| push("a", n)).collect();
        let result = handle.log.append(batch);
        assert_eq!(result.outcomes, vec![EntryOutcome::Points(Ok(())); size as usize]);
        appended += size;
        assert_eq!(result.position, Seq(appended.into()), "the position is that of the last entry");
    }
    let received = handle.received.lock().unwrap();
    for (n, point) in (0..).zip(received.iter()) {
        assert_eq!((point.at.seq, number(point)), (Seq(n + 1), f64::from(u32::try_from(n).unwrap())));
    }
    assert_eq!(received.len() as u32, appended);
}

/// Each entry has the outcome of its own, also where others are refused or are no pushes.
fn outcomes_are_of_their_entries(subject: &impl Subject) {
    let [handle, _] = subject.appenders();
    let log = &mut handle.lock().unwrap().log;
    let removal = |name: &str| entry(Change::RemoveSeries(name.parse().unwrap()));
    let batch = vec![push("a", 0), keyed("b", 1), keyed("b", 1), removal("a"), removal("none"), push("a", 2)];
    let outcomes = log.append(batch).outcomes;
    assert!(
        matches!(
            &outcomes[..],
            [
                EntryOutcome::Points(Ok(())),
                EntryOutcome::Points(Ok(())),
                EntryOutcome::Points(Ok(())),
                EntryOutcome::SeriesRemoved(Ok(Some(_))),
                EntryOutcome::SeriesRemoved(Ok(None)),
                EntryOutcome::Points(Ok(())),
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(log.store().head(), Seq(4), "a repeated key counts once");
    let key = IdempotencyKey::new("b-1".to_owned(), Fingerprint::of("other", b""));
    let other = Push { key, ..Push::of([point("b", 3)]) };
    let outcomes = log.append(vec![entry(Change::Points(other))]).outcomes;
    assert_eq!(outcomes, [EntryOutcome::Points(Err(CommitError::KeyReused))]);
}

/// A subscriber receives everything after its position. A position that the log does not have is reported.
fn subscribe_from_a_position(subject: &impl Subject) {
    let [handle, _] = subject.appenders();
    let log = &mut handle.lock().unwrap().log;
    log.append((0..5).map(|n| push("a", n)).collect());
    for wrong in [Seq(0), Seq(4), Seq(6)] {
        let refused = log.subscribe(wrong, Box::new(Recorder(Arc::default())));
        assert_eq!(refused, Err(OutOfRange { from: wrong, head: Seq(5) }));
    }
    let received = Arc::default();
    log.subscribe(Seq(5), Box::new(Recorder(Arc::clone(&received)))).unwrap();
    log.append((5..8).map(|n| push("a", n)).collect());
    let seqs: Vec<_> = received.lock().unwrap().iter().map(|point| point.at.seq.0).collect();
    assert_eq!(seqs, [6, 7, 8]);
}

/// A sender that repeats its push until it is acknowledged is counted once, whatever was lost meanwhile.
fn exactly_once_under_lost_answers(subject: &impl Subject) {
    let [first, second] = subject.appenders();
    let (mut losses, deadline) = (0, Instant::now() + 3 * PATIENCE);
    for n in 0..30 {
        match n % 6 {
            2 => subject.lose_next(true),
            4 => subject.lose_next(false),
            _ => {}
        }
        loop {
            let outcome = first.lock().unwrap().log.append(vec![keyed("a", n)]).outcomes.remove(0);
            match outcome {
                EntryOutcome::Points(Ok(())) => break,
                EntryOutcome::Points(Err(CommitError::LogAway(_) | CommitError::InDoubt(_))) => losses += 1,
                other => panic!("{other:?}"),
            }
            assert!(Instant::now() < deadline, "the log does not come back");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    println!("{losses} attempts failed");
    let head = first.lock().unwrap().log.store().head();
    assert_eq!(head, Seq(30), "nothing is lost and nothing counts twice");
    second.lock().unwrap().follow_to(head);
    for handle in [first, second] {
        let handle = handle.lock().unwrap();
        let numbers: Vec<_> = handle.received.lock().unwrap().iter().map(number).collect();
        assert_eq!(numbers, (0..30).map(f64::from).collect::<Vec<_>>());
    }
}

/// Two appenders at once: all handles apply the same entries in the same order, each entry once.
fn two_appenders(subject: &impl Subject) {
    const EACH: u32 = 150;
    let handles = subject.appenders();
    std::thread::scope(|scope| {
        for (handle, series) in handles.iter().zip(["a", "b"]) {
            scope.spawn(move || {
                let mut next = 0;
                while next < EACH {
                    let size = (1 + next % 7).min(EACH - next);
                    let batch: Vec<_> = (next..next + size).map(|n| push(series, n)).collect();
                    let outcomes = handle.lock().unwrap().log.append(batch).outcomes;
                    assert!(outcomes.iter().all(|outcome| *outcome == EntryOutcome::Points(Ok(()))), "{outcomes:?}");
                    next += size;
                }
            });
        }
    });
    let all = Seq(u64::from(2 * EACH));
    let mut received = Vec::new();
    for handle in &handles {
        let mut handle = handle.lock().unwrap();
        handle.follow_to(all);
        received.push(handle.received.lock().unwrap().clone());
    }
    assert_eq!(received[0], received[1], "the same order, series and seqs on both");
    let seqs: Vec<_> = received[0].iter().map(|point| point.at.seq.0).collect();
    assert_eq!(seqs, (1..=all.0).collect::<Vec<_>>());
    let mut of_series: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    received[0].iter().for_each(|point| of_series.entry(point.series.0).or_default().push(number(point)));
    for numbers in of_series.values() {
        assert_eq!(*numbers, (0..EACH).map(f64::from).collect::<Vec<_>>(), "each appender's order is kept");
    }
}

/// Many entries in groups: none is lost, and the state can be read again. `LOG_ENTRIES` sets their number.
fn many_entries(subject: &impl Subject) {
    let entries: u32 = std::env::var("LOG_ENTRIES").map_or(20_000, |entries| entries.parse().unwrap());
    let [first, second] = subject.appenders();
    let mut counts: HashMap<u32, u64> = HashMap::new();
    let mut next = 0;
    while next < entries {
        let batch: Vec<_> = (next..entries.min(next + 1_000)).map(|n| push(&format!("s/{}", n % 100), n)).collect();
        next += batch.len() as u32;
        let mut first = first.lock().unwrap();
        let outcomes = first.log.append(batch).outcomes;
        assert!(outcomes.iter().all(|outcome| *outcome == EntryOutcome::Points(Ok(()))));
        first.received.lock().unwrap().drain(..).for_each(|point| *counts.entry(point.series.0).or_default() += 1);
    }
    assert_eq!(counts.values().sum::<u64>(), u64::from(entries));
    second.lock().unwrap().follow_to(Seq(entries.into()));
}

macro_rules! conformance {
    ($($log:ident: $subject:expr;)*) => {
        $(mod $log {
            use super::*;

            #[test]
            fn entries_are_applied_in_order_and_without_gaps() {
                order_without_gaps(&$subject);
            }

            #[test]
            fn each_entry_has_its_own_outcome() {
                outcomes_are_of_their_entries(&$subject);
            }

            #[test]
            fn subscriber_receives_everything_after_its_position() {
                subscribe_from_a_position(&$subject);
            }

            #[test]
            fn repeated_push_counts_once_although_answers_are_lost() {
                exactly_once_under_lost_answers(&$subject);
            }

            #[test]
            fn two_appenders_give_one_order() {
                two_appenders(&$subject);
            }

            #[test]
            fn many_entries_are_all_there() {
                many_entries(&$subject);
            }
        })*
    };
}

conformance! {
    local: Local::new();
    postgres: Shared::new();
}

#[test]
fn batch_whose_answer_was_lost_is_there_once_and_one_that_never_arrived_is_not() {
    let subject = Shared::new();
    let [first, _] = subject.appenders();
    let mut first = first.lock().unwrap();
    for (is_answer, wanted) in [(true, Seq(1)), (false, Seq(2))] {
        subject.lose_next(is_answer);
        let lost = first.log.append(vec![push("a", 1)]).outcomes.remove(0);
        assert!(matches!(lost, EntryOutcome::Points(Err(CommitError::InDoubt(_)))), "{lost:?}");
        assert!(subject.proxy.is_done());
        // Without a key: only the log itself decides whether the lost batch is there.
        let deadline = Instant::now() + PATIENCE;
        let last = loop {
            let outcome = first.log.append(vec![push("b", 1)]).outcomes.remove(0);
            if outcome == EntryOutcome::Points(Ok(())) {
                break first.log.store().head();
            }
            assert!(Instant::now() < deadline, "{outcome:?}");
            std::thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(last, wanted.next(), "{is_answer}");
    }
}

#[test]
fn partitions_are_added_as_the_log_grows() {
    let subject = Shared::new();
    let [first, second] = subject.appenders();
    // As if the log had partitions of a few rows.
    subject.server.sql("TRUNCATE pulseboard_log; UPDATE pulseboard_head SET partition_rows = 4");
    let partitions = "SELECT string_agg(inhrelid::regclass::text, ',') FROM pg_inherits WHERE inhparent = 'pulseboard_log'::regclass";
    for name in subject.server.sql(partitions).split(',') {
        subject.server.sql(&format!("DROP TABLE {name}"));
    }
    let mut first = first.lock().unwrap();
    for n in 0..30 {
        let outcomes = first.log.append(vec![push("a", n)]).outcomes;
        assert_eq!(outcomes, [EntryOutcome::Points(Ok(()))], "{n}");
    }
    let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'pulseboard_log'::regclass";
    assert!(subject.server.sql(count).parse::<u32>().unwrap() >= 8);
    second.lock().unwrap().follow_to(Seq(30));
}
