//! Tests of the log: applying entries is deterministic, and all subscribers receive the same.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rusqlite::types::Value as Column;
use shared::board::{BoardFormat, Etag};
use shared::{Number, Point, SeriesName, Text, Tier, TimeRange, Value};
use tempfile::TempDir;

use super::*;
use crate::log::push::NewSeries;
use crate::log::{
    Atomicity, BoardDocument, Fingerprint, IdempotencyKey, PointTime, Pushed, SeriesId, SeriesState, Tracks, stored,
};
use crate::rollup::Rollup;
use crate::store::memtable::Due;
use crate::store::merge::merge_due;
use crate::store::{number_log, rows};

const START: Millis = Millis(1_732_399_200_000);
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// The tables whose rows are part of the state, each with the columns to sort by.
///
/// Left out, since they do not follow from the entries alone: `log` has one row for each group, so its numbers are
/// compared and not its rows; so are the buckets of `blocks` and `extents`, which a merge moves; `meta` also has the epoch of the run and the progress of the flush; `epochs`, `clock` and
/// `probe` belong to a run of one node; `damaged` is empty.
const TABLES: [(&str, &str); 8] = [
    ("series", "id"),
    ("lines", "series, ts, seq"),
    ("revised", "series"),
    ("pushes", "key"),
    ("boards", "id"),
    ("removed", "one"),
    ("forgotten", "one"),
    ("imports", "series"),
];

/// A number or a text of one of four series, some milliseconds after the step's time or days before it.
#[derive(Clone, Debug)]
struct RandomPoint {
    series: u8,
    is_text: bool,
    ago: u64,
    nanos: Option<u32>,
    value: u8,
}

#[derive(Clone, Debug)]
enum Step {
    Push { points: Vec<RandomPoint>, key: Option<(u8, u8)>, is_partial: bool },
    RemoveSeries(u8),
    Board { id: u8, selector: u8, has_document: bool, expects: Option<u8> },
    ForgetBoard(u8),
}

/// A step, the hours since the step before it, and whether its push was parsed before that step was applied.
type Steps = Vec<(Step, u64, bool)>;

fn steps() -> impl Strategy<Value = Steps> {
    let ago = prop_oneof![4 => 0..3_000_u64, 2 => 59_000..62_000_u64, 1 => Just(3 * DAY), 1 => Just(3 * DAY + 90_000)];
    let nanos = prop_oneof![1 => Just(None), 2 => (0..2_u32).prop_map(Some)];
    let point = (0..5_u8, prop::bool::weighted(0.2), ago, nanos, 0..3_u8)
        .prop_map(|(series, is_text, ago, nanos, value)| RandomPoint { series, is_text, ago, nanos, value });
    let points = prop::collection::vec(point, 1..8);
    let key = prop::option::weighted(0.4, (0..4_u8, 0..2_u8));
    let push =
        (points, key, any::<bool>()).prop_map(|(points, key, is_partial)| Step::Push { points, key, is_partial });
    let expects = prop::option::of(0..3_u8);
    let board = (0..3_u8, 0..3_u8, any::<bool>(), expects)
        .prop_map(|(id, selector, has_document, expects)| Step::Board { id, selector, has_document, expects });
    let step = prop_oneof![
        8 => push,
        1 => (0..5_u8).prop_map(Step::RemoveSeries),
        2 => board,
        1 => (0..3_u8).prop_map(Step::ForgetBoard),
    ];
    prop::collection::vec((step, prop_oneof![4 => Just(0), 1 => 1..14_u64], any::<bool>()), 1..40)
}

/// A schedule of applying entries: the sizes of the groups, and after which groups the store is flushed or opened again.
#[derive(Clone, Debug)]
struct Schedule {
    groups: Vec<(usize, bool, bool)>,
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let group = (1..12_usize, prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    prop::collection::vec(group, 1..8).prop_map(|groups| Schedule { groups })
}

/// The most rows of a push. No push has more than the large number. With a small one, the rows of most pushes are
/// counted, and some pushes are refused.
fn max_rows() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(1_000), 2 => 2..8_usize]
}

fn name(series: u8) -> SeriesName {
    format!("s/{series}").parse().unwrap()
}

/// Turns a step into a change, as a node parses it: names that `store` knows become rows.
fn parse(step: &Step, at: Millis, store: &Store) -> Change {
    match step {
        Step::Push { points, key, is_partial } => {
            let directory = store.directory();
            let look = directory.look();
            let points = points.iter().map(|point| pushed(point, at, &look)).collect();
            let atomicity = if *is_partial { Atomicity::Partial } else { Atomicity::AllOrNothing };
            let key =
                key.and_then(|(key, body)| IdempotencyKey::new(format!("k{key}"), Fingerprint::of("/in", &[body])));
            Change::Points(Push { points, key, atomicity })
        }
        Step::RemoveSeries(series) => Change::RemoveSeries(name(*series)),
        Step::Board { id, selector, has_document, expects } => {
            let document =
                |of: u8| BoardDocument { form: BoardFormat::Toml, source: format!("title = \"{of}\""), changed: at };
            let (expects, document) = (expects.map(|of| document(of).tag()), has_document.then(|| document(*selector)));
            Change::Board(BoardChange {
                id: format!("b{id}").parse().unwrap(),
                selectors: vec![format!("s/{selector}").parse().unwrap()],
                etag: has_document.then(|| Etag::stored(u128::from(*selector))),
                document,
                expects,
            })
        }
        Step::ForgetBoard(id) => {
            Change::ForgetBoard { id: format!("b{id}").parse().unwrap(), since: Seq(u64::from(*id)) }
        }
    }
}

fn pushed(point: &RandomPoint, at: Millis, look: &crate::store::directory::Look<'_>) -> Pushed {
    let value = if point.is_text {
        Value::Text(Text::new(format!("text {}", point.value)).unwrap())
    } else {
        // Both zeros, and a number whose sum depends on the order.
        Value::Number(Number::new([0.0, -0.0, 0.1][usize::from(point.value)]).unwrap())
    };
    let ts = Millis(at.0 - point.ago);
    let time = point.nanos.map_or_else(|| PointTime::of_server(ts), |nanos| PointTime::of_sender(ts, nanos));
    look.point(name(point.series).as_str(), time, value).unwrap()
}

/// A node: a log, and a rollup that subscribes to it.
struct Node {
    folder: TempDir,
    log: Option<LocalLog>,
    rollup: Arc<Mutex<Rollup>>,
}

struct Fold(Arc<Mutex<Rollup>>);

impl LogSubscriber for Fold {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        let mut rollup = self.0.lock().unwrap();
        match *applied {
            Applied::Points(points) => points.iter().for_each(|point| _ = rollup.push(point)),
            Applied::Board { position, .. } => rollup.reach(position),
            Applied::BoardForgotten { .. } | Applied::Token(_) | Applied::User(_) | Applied::Link(_) => {}
            Applied::SeriesRemoved { series, at } => {
                rollup.reach(at);
                rollup.remove(series);
            }
        }
    }
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, rollup) = open(folder.path());
        Self { folder, log: Some(log), rollup }
    }

    fn log(&mut self) -> &mut LocalLog {
        self.log.as_mut().unwrap()
    }

    fn restart(&mut self) {
        self.log = None;
        let (log, rollup) = open(self.folder.path());
        (self.log, self.rollup) = (Some(log), rollup);
    }

    fn flush(&mut self) {
        while self.log().store_mut().flush(1_000, Due::All).unwrap() > 0 {}
    }

    fn apply(&mut self, entries: &[Entry], schedule: &Schedule) -> Vec<EntryOutcome> {
        let mut outcomes = Vec::new();
        let (mut left, mut groups) = (entries, schedule.groups.iter().cycle());
        while let (false, Some(&(size, flushes, restarts))) = (left.is_empty(), groups.next()) {
            let (group, rest) = left.split_at(size.min(left.len()));
            left = rest;
            outcomes.extend(self.log().append(group.to_vec()).outcomes);
            if flushes {
                self.flush();
                self.merge();
            }
            if restarts {
                self.restart();
            }
        }
        outcomes
    }

    /// Applies packed entries, whose known series become rows of this node.
    fn apply_stored(&mut self, bytes: &[u8]) -> Vec<EntryOutcome> {
        let directory = self.log().store().directory();
        let entries = stored::unpack(bytes, |series, kind| directory.look().row_of(series, kind)).unwrap();
        self.log().append(entries).outcomes
    }

    /// Merges all blocks that are due.
    fn merge(&mut self) {
        let store = self.log().store_mut();
        let damage = store.damage.clone();
        store.in_background(|tx| merge_due(tx, SeriesId(0), SeriesId(1_000), usize::MAX, &damage)).unwrap();
    }

    /// Describes the whole state, to the last bit.
    fn state(&mut self) -> Vec<String> {
        self.flush();
        let rollup = self.rollup.clone();
        let store = self.log().store_mut();
        // The points of removed series are erased in the background, at each node's pace.
        let mut removed: Vec<_> = store.removals.rows.iter().copied().collect();
        removed.sort();
        for &series in &removed {
            while store.erase(series).unwrap() {}
        }
        let mut state = Vec::new();
        for (table, order) in TABLES {
            let mut select = store.conn.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
            let columns = select.column_count();
            let rows = select.query_map([], |row| (0..columns).map(|at| row.get::<_, Column>(at)).collect());
            let rows: Vec<Vec<Column>> = rows.unwrap().collect::<Result<_, _>>().unwrap();
            state.extend(rows.into_iter().map(|row| format!("{table} {row:?}")));
        }
        for series in (0..=store.directory.last_row()).map(SeriesId) {
            for tier in Tier::ALL {
                let all = TimeRange { from: Millis(0), to: Millis(u64::MAX) };
                rows::each_within(&store.conn, tier, series, all, &store.damage, |id, _| {
                    let block = rows::read_whole(&store.conn, id, &store.damage).unwrap();
                    state.push(format!("{id:?} {block:?}"));
                })
                .unwrap();
            }
        }
        number_log::replay(&store.conn, Seq::ZERO, &store.damage, |numbers| {
            state.extend(numbers.into_iter().map(|number| format!("log {number:?}")));
        })
        .unwrap();
        let mut rows: Vec<_> = store.directory.look().iter().map(|(name, row)| format!("{name} {row:?}")).collect();
        rows.sort();
        let head: i64 = store.conn.query_row("SELECT head FROM meta", [], |row| row.get(0)).unwrap();
        let counts = (store.head, store.removed_since, store.forgotten_since(), store.keys.count);
        state.push(format!("memory {head} {counts:?} {rows:?} {removed:?} {:?}", store.declared));
        // The newest times of texts are not used, and are known only after a start.
        let mut series = Vec::new();
        store.recover(|series_state| series.push(series_state)).unwrap();
        series.sort_by(|a, b| a.name.cmp(&b.name));
        for SeriesState { name, series, track, declared, revised } in series {
            state.push(format!("series {name} {series:?} {track:?} {declared:?} {revised:?}"));
        }
        let rollup = rollup.lock().unwrap();
        let mut newest: Vec<String> = rollup
            .names_from(0)
            .filter_map(|(index, _)| rollup.newest(index))
            .map(|(name, declared, track)| format!("rollup {name} {declared:?} {track:?}"))
            .collect();
        newest.sort();
        state.push(format!("rollup {}", rollup.head()));
        state.extend(newest);
        assert!(store.damage.is_none(), "{:?}", store.damage.warning());
        state
    }
}

fn open(folder: &Path) -> (LocalLog, Arc<Mutex<Rollup>>) {
    let mut store = Store::open(folder).unwrap();
    // A sync to the disk changes no content.
    store.conn.pragma_update(None, "synchronous", "OFF").unwrap();
    let mut rollup = Rollup::new(store.epochs(), store.head());
    store.recover(|series| _ = rollup.restore(series)).unwrap();
    let rollup = Arc::new(Mutex::new(rollup));
    let mut log = LocalLog::new(store);
    log.subscribe(log.store().head(), Box::new(Fold(rollup.clone()))).unwrap();
    (log, rollup)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The law: the same entries in the same order give the same state, to the last bit, whatever the groups in which
    /// they are applied, and whenever the node flushes or starts again.
    ///
    /// Retention does not run here: when it deletes is up to each node, so what it has deleted is no part of the law.
    #[test]
    fn same_entries_give_the_same_state_in_all_group_sizes_and_with_restarts(
        steps in steps(),
        schedule in schedules(),
        other in schedules(),
        max_rows in max_rows(),
    ) {
        let mut first = Node::new();
        let (mut at, mut entries, mut one_by_one) = (START, Vec::new(), Vec::new());
        let mut parsed: Option<Change> = None;
        for (index, (step, hours, _)) in steps.iter().enumerate() {
            at = Millis(at.0 + hours * HOUR + 7);
            let change = parsed.take().unwrap_or_else(|| parse(step, at, first.log().store()));
            // The next push is parsed before this entry is applied, as where two clients push at once.
            if let Some((next, hours, true)) = steps.get(index + 1) {
                parsed = Some(parse(next, Millis(at.0 + hours * HOUR + 7), first.log().store()));
            }
            let terms = Terms { at, oldest: Millis(at.0 - 2 * DAY), max_series: 4, max_rows, max_keys: 2 };
            let entry = Entry { terms, change, by: None };
            entries.push(entry.clone());
            one_by_one.extend(first.log().append(vec![entry]).outcomes);
        }
        let wanted = first.state();
        for schedule in [schedule, other] {
            let mut node = Node::new();
            let outcomes = node.apply(&entries, &schedule);
            prop_assert_eq!(&outcomes, &one_by_one);
            let state = node.state();
            for (state, wanted) in state.iter().zip(&wanted) {
                prop_assert_eq!(state, wanted);
            }
            prop_assert_eq!(state.len(), wanted.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The law for the nodes of a cluster: a node packs each change with the names of its own rows, and every node that
    /// applies the bytes in the same order has the same outcomes and the same state, to the last bit.
    #[test]
    fn stored_entries_give_the_same_state_on_all_nodes(
        steps in steps(),
        schedule in schedules(),
        max_rows in max_rows(),
    ) {
        let (mut first, mut other) = (Node::new(), Node::new());
        let (mut at, mut names) = (START, HashMap::new());
        let mut parsed: Option<Change> = None;
        let mut disturbances = schedule.groups.iter().cycle();
        for (index, (step, hours, _)) in steps.iter().enumerate() {
            at = Millis(at.0 + hours * HOUR + 7);
            let change = parsed.take().unwrap_or_else(|| parse(step, at, first.log().store()));
            if let Some((next, hours, true)) = steps.get(index + 1) {
                parsed = Some(parse(next, Millis(at.0 + hours * HOUR + 7), first.log().store()));
            }
            for (name, row) in first.log().store().directory().look().iter() {
                names.insert(row.id, NewSeries { name: name.clone(), source: row.origin.source() });
            }
            let terms = Terms { at, oldest: Millis(at.0 - 2 * DAY), max_series: 4, max_rows, max_keys: 2 };
            let bytes = stored::pack(&[Entry { terms, change, by: None }], |row| names[&row].clone());
            let outcomes = first.apply_stored(&bytes);
            prop_assert_eq!(other.apply_stored(&bytes), outcomes);
            let &(_, flushes, restarts) = disturbances.next().unwrap();
            if flushes {
                other.flush();
                other.merge();
            }
            if restarts {
                other.restart();
            }
        }
        let (state, wanted) = (other.state(), first.state());
        for (state, wanted) in state.iter().zip(&wanted) {
            prop_assert_eq!(state, wanted);
        }
        prop_assert_eq!(state.len(), wanted.len());
    }
}

/// The bound on the rows of a push depends on the newest times of its series, which are read from the disk at a start.
#[test]
fn push_of_too_many_rows_is_refused_before_and_after_a_restart_alike() {
    let point = |minutes: u64| RandomPoint { series: 1, is_text: false, ago: minutes * 60_000, nanos: None, value: 1 };
    let push = |minutes: &[u64]| {
        let points = minutes.iter().map(|&minutes| point(minutes)).collect();
        Step::Push { points, key: None, is_partial: false }
    };
    let outcomes = |restarts: bool| {
        let mut node = Node::new();
        [push(&[0]), push(&[1, 2, 3, 4]), push(&[5, 6]), push(&[0, 0, 0, 0])].map(|step| {
            if restarts {
                node.restart();
            }
            let change = parse(&step, Millis(START.0 + DAY), node.log().store());
            let oldest = Millis(START.0 - 2 * DAY);
            let terms = Terms { at: START, oldest, max_series: 4, max_rows: 3, max_keys: 2 };
            let outcome = node.log().append(vec![Entry { terms, change, by: None }]).outcomes.remove(0);
            matches!(outcome, EntryOutcome::Points(Ok(())))
        })
    };
    assert_eq!(outcomes(false), [true, false, true, true]);
    assert_eq!(outcomes(true), outcomes(false));
}

/// Counts what it receives. A subscriber needs no more than this.
#[derive(Default)]
struct Counter(Arc<Mutex<[usize; 3]>>);

impl LogSubscriber for Counter {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        let [points, boards, removals] = &mut *self.0.lock().unwrap();
        match applied {
            Applied::Points(group) => *points += group.len(),
            Applied::Board { .. } | Applied::BoardForgotten { .. } => *boards += 1,
            Applied::SeriesRemoved { .. } => *removals += 1,
            Applied::Token(_) | Applied::User(_) | Applied::Link(_) => {}
        }
    }
}

#[test]
fn second_subscriber_receives_points_boards_and_removals_in_order_with_the_first() {
    let mut node = Node::new();
    let counter = Counter::default();
    let counts = counter.0.clone();
    node.log().subscribe(Seq::ZERO, Box::new(counter)).unwrap();
    let point = |n: u64| Point { series: name(1), ts: START.plus(n), value: Value::Number(Number::new(1.0).unwrap()) };
    node.log().append_now(Change::Points(Push::of((0..5).map(point))), None);
    let board = Step::Board { id: 1, selector: 1, has_document: true, expects: None };
    let board = parse(&board, START, node.log().store());
    node.log().append_now(board, None);
    node.log().append_now(Change::RemoveSeries(name(1)), None);
    assert_eq!(*counts.lock().unwrap(), [5, 1, 1]);
    let head = node.log().store().head();
    let (reached, live) = {
        let rollup = node.rollup.lock().unwrap();
        (rollup.head(), rollup.live())
    };
    assert_eq!((reached, live), (head, 0));
    assert_eq!(
        node.log().subscribe(Seq(2), Box::new(Counter::default())),
        Err(OutOfRange { from: Seq(2), head }),
        "the store keeps the state, not the entries"
    );
}

#[test]
fn push_is_on_the_disk_and_with_the_subscribers_when_append_returns() {
    let mut node = Node::new();
    let point = Point { series: name(1), ts: START, value: Value::Number(Number::new(1.0).unwrap()) };
    let terms = node.log().store().terms(START);
    let entry = Entry { terms, change: Change::Points(Push::of([point])), by: None };
    let appended = node.log().append(vec![entry.clone(), entry]);
    assert_eq!(
        (appended.position, appended.outcomes),
        (Seq(2), vec![EntryOutcome::Points(Ok(())), EntryOutcome::Points(Ok(()))])
    );
    assert_eq!(node.rollup.lock().unwrap().head(), Seq(2));
    node.restart();
    assert_eq!(node.log().store().head(), Seq(2));
}
