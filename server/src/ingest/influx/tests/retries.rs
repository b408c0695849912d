//! Requests that are sent again, whole or cut otherwise, and encoded otherwise. The law: the store holds what InfluxDB would
//! hold, a series for each measurement, tags and field, and in it each instant with its value once.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use proptest::test_runner::{TestCaseError, TestRunner};
use shared::point::Kind;

use super::*;
use crate::clock::{Now, Uptime};
use crate::log::{Atomicity, Push, SeriesId};
use crate::store::Store;
use crate::store::commit::{CommitError, GroupOutcome};

/// A request with some of the lines that a client has.
#[derive(Clone, Debug)]
struct Request {
    lines: (prop::sample::Index, prop::sample::Index),
    precision: Precision,
    line_end: &'static str,
    /// True if the tags are written in another order.
    is_turned: bool,
    encoding: Encoding,
    before: Before,
}

/// The state of the requests before, when the server commits one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// They wait too, and are committed in the same transaction.
    Waiting,
    Committed,
    /// They are committed, and the server has started again since.
    Restarted,
}

fn request() -> impl Strategy<Value = Request> {
    let precision =
        prop_oneof![4 => Just(Precision::Nanos), 1 => Just(Precision::Micros), 1 => Just(Precision::Seconds)];
    let before = prop_oneof![20 => Just(Before::Waiting), 20 => Just(Before::Committed), 1 => Just(Before::Restarted)];
    let lines = any::<(prop::sample::Index, prop::sample::Index)>();
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r", "\n\r"]);
    (lines, precision, line_end, any::<bool>(), encoding(), before).prop_map(
        |(lines, precision, line_end, is_turned, encoding, before)| Request {
            lines,
            precision,
            line_end,
            is_turned,
            encoding,
            before,
        },
    )
}

/// Writes the tags of a line in another order. Of those with the same key, the first stays the first.
fn turned(item: &Item) -> Item {
    let Item::Good(line) = item else { return item.clone() };
    let raw = |parts: &[usize]| parts.iter().map(|&part| NAME_PARTS[part].0).collect::<String>();
    let mut keys = HashSet::new();
    let mut tags: Vec<_> = line.tags.iter().filter(|(key, _)| keys.insert(raw(key))).cloned().collect();
    tags.reverse();
    Item::Good(GoodLine { tags, ..line.clone() })
}

/// All that InfluxDB would hold of the requests so far.
#[derive(Debug, Default)]
struct Held {
    kinds: HashMap<String, Kind>,
    points: HashSet<String>,
}

impl Held {
    /// Adds the points of a request. Returns those that are new, and the places of those that are of another kind than
    /// their series.
    fn add(&mut self, points: &[(String, PointTime, Value)]) -> (Vec<(String, Millis, Value)>, Vec<usize>) {
        let (mut new, mut wrong) = (Vec::new(), Vec::new());
        for (at, (source, time, value)) in (1..).zip(points) {
            if *self.kinds.entry(source.clone()).or_insert(value.kind()) != value.kind() {
                wrong.push(at);
            } else if time.set_by.nanos().is_none() || self.points.insert(format!("{source} {time:?} {value:?}")) {
                new.push((source.clone(), time.ts, value.clone()));
            }
        }
        (new, wrong)
    }
}

/// Cases that share a store. More would make each restart slow.
const CASES_OF_STORE: usize = 100;

/// A store for many cases. Each case has its own measurements.
struct Server {
    folder: tempfile::TempDir,
    store: Option<Store>,
}

impl Server {
    fn start() -> Self {
        let mut server = Self { folder: tempfile::tempdir().unwrap(), store: None };
        server.restart();
        server
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn restart(&mut self) {
        // It has to be closed first.
        self.store = None;
        let mut store = Store::open(self.folder.path()).unwrap();
        store.recover(|_| ()).unwrap();
        self.store = Some(store);
    }
}

/// The pushes that wait, and what is expected of them.
#[derive(Default)]
struct Group {
    pushes: Vec<Push>,
    wrong: Vec<Vec<usize>>,
    new: Vec<(String, Millis, Value)>,
}

impl Group {
    fn commit(self, store: &mut Store, rows: &mut HashMap<String, SeriesId>) -> Result<(), TestCaseError> {
        let GroupOutcome { results, committed } = store.commit(self.pushes, Now { wall: Millis(NOW), up: Uptime(0) });
        for (result, wrong) in results.into_iter().zip(self.wrong) {
            let left_out: Vec<usize> = match result {
                Ok(()) => Vec::new(),
                Err(CommitError::LeftOut(wrong)) => wrong.listed.iter().map(|one| one.at).collect(),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            prop_assert_eq!(left_out, wrong);
        }
        let wanted: Vec<_> = self.new.iter().map(|(_, ts, value)| (*ts, value)).collect();
        prop_assert_eq!(committed.iter().map(|point| (point.at.ts, &point.value)).collect::<Vec<_>>(), wanted);
        for (point, (source, ..)) in committed.iter().zip(self.new) {
            prop_assert_eq!(*rows.entry(source).or_insert(point.series), point.series, "a source has one series");
        }
        let series: HashSet<_> = rows.values().collect();
        prop_assert_eq!(series.len(), rows.len(), "no two sources share a series");
        Ok(())
    }
}

fn run(server: &mut Server, prefix: &str, items: &[Item], requests: &[Request]) -> Result<(), TestCaseError> {
    let (mut held, mut rows, mut group) = (Held::default(), HashMap::new(), Group::default());
    for request in requests {
        if request.before != Before::Waiting {
            std::mem::take(&mut group).commit(server.store(), &mut rows)?;
        }
        if request.before == Before::Restarted {
            server.restart();
        }
        let (a, b) = (request.lines.0.index(items.len()), request.lines.1.index(items.len()));
        let lines = items[a.min(b)..=a.max(b)].iter();
        let written = |item: &Item| if request.is_turned { turned(item) } else { item.clone() };
        let lines: Vec<_> = lines.map(|item| (written(item), request.line_end)).collect();
        let model = Model::of(prefix, &lines, request.precision);
        let reading = read_request(&model.body, request.encoding, request.precision, server.store().directory());
        let reading = reading.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(wrong_lines(&reading), model.wrong, "{:?}", String::from_utf8_lossy(&model.body));
        // As for a request: one without points is done.
        if !reading.batch.points.is_empty() {
            let (new, wrong) = held.add(&model.held);
            group.new.extend(new);
            group.wrong.push(wrong);
            group.pushes.push(Push { points: reading.batch.points, key: None, atomicity: Atomicity::Partial });
        }
    }
    group.commit(server.store(), &mut rows)
}

#[test]
fn store_holds_what_influxdb_would_however_often_and_in_whatever_form_it_is_sent() {
    let (server, cases) = (RefCell::new(Server::start()), Cell::new(0_usize));
    let lines = prop::collection::vec(item(), 1..7);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2_000));
    let ran = runner.run(&(lines, prop::collection::vec(request(), 1..7)), |(items, requests)| {
        cases.set(cases.get() + 1);
        if cases.get().is_multiple_of(CASES_OF_STORE) {
            server.replace(Server::start());
        }
        run(&mut server.borrow_mut(), &format!("m{}x", cases.get()), &items, &requests)
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}
