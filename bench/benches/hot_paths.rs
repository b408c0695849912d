//! Benchmarks of each step on the path of a point: `cargo bench -p pulseboard-bench`.
//!
//! They show a change of a single step above the noise. The effect on users is measured by the program itself
//! (`make bench`).

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pulseboard::access::ReadScope;
use pulseboard::clock::{Now, Uptime};
use pulseboard::hub::{Boards, Hub, Rate, Resume, Step, Subscription};
use pulseboard::ingest::batch;
use pulseboard::ingest::batch_builder::BatchBuilder;
use pulseboard::ingest::fields::Acceptance;
use pulseboard::ingest::influx::{self, Precision};
use pulseboard::limits::push_memory::Share;
use pulseboard::log::{Committed, Push, SeriesId};
use pulseboard::rollup::Rollup;
use pulseboard::store::Store;
use shared::bucket::SECOND;
use shared::{
    Bucket, Cursor, Epoch, Event, Millis, Number, Picture, Point, Seq, SeriesName, SeriesPart, Stamp, Track, Value, sse,
};

/// The number of points in a batch, and of series in a frame.
const MANY: u32 = 1_000;

const WALL: Millis = Millis(1_732_399_200_000);
const EPOCH: Epoch = Epoch(7);

fn now() -> Now {
    Now { wall: WALL, up: Uptime(0) }
}

fn name(n: u32) -> SeriesName {
    format!("bench/group{}/s{n}", n % 10).parse().expect("it is a name")
}

fn number(value: f64) -> Number {
    Number::new(value).expect("it is finite")
}

fn at(ts: u64, seq: u64) -> Stamp {
    Stamp { ts: WALL.plus(ts), seq: Seq(seq) }
}

/// Parses the bodies of pushes to existing series.
fn parse(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut store = Store::open(folder.path()).expect("a store can be made");
    let point = |n| Point { series: name(n), ts: WALL, value: Value::Number(number(1.5)) };
    let outcome = store.commit(vec![Push::of((0..MANY).map(point))], now());
    assert_eq!(outcome.results, [Ok(())]);
    let directory = store.directory();
    let accepted = Acceptance { now: WALL, late_ms: 1_000 };
    let mut share = Share::unbounded();

    let line = |n| format!("{{\"series\":\"{}\",\"value\":{n}.25}}\n", name(n));
    let json: String = (0..MANY).map(line).collect();
    // The fast scan cannot read an escape, so each line takes the slow path.
    let slow = json.replace("bench", "\\u0062ench");
    let line = |n| format!("bench,group=group{},s=s{n} v={n}.25\n", n % 10);
    let influx: String = (0..MANY).map(line).collect();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(MANY.into()));
    group.bench_function("a batch of 1,000 lines", |b| {
        b.iter(|| {
            batch::points(black_box(json.as_bytes()), accepted, BatchBuilder::by_default(&directory, &mut share))
        });
    });
    group.bench_function("the same, each line with an escape", |b| {
        b.iter(|| {
            batch::points(black_box(slow.as_bytes()), accepted, BatchBuilder::by_default(&directory, &mut share))
        });
    });
    group.bench_function("1,000 lines of line protocol, none known", |b| {
        b.iter(|| {
            let builder = BatchBuilder::by_default(&directory, &mut share);
            influx::read(black_box(influx.as_bytes()), Precision::Nanos, accepted, builder)
        });
    });
    group.finish();
}

/// Adds points to buckets, and merges buckets.
fn merge(c: &mut Criterion) {
    let bucket = |from: u64| {
        let mut bucket = Bucket::of(at(0, from), number(0.5), SECOND);
        (1..60_u32).for_each(|n| bucket.push(at(n.into(), from + u64::from(n)), number(f64::from(n) * 1.7)));
        bucket
    };
    let (a, b) = (bucket(1), bucket(100));
    c.bench_function("merge/two buckets of 60 points", |bench| {
        bench.iter_batched(|| a.clone(), |mut all| all.merge(black_box(&b)), BatchSize::SmallInput);
    });
    c.bench_function("merge/a point into a bucket of 60", |bench| {
        bench.iter_batched(
            || a.clone(),
            |mut all| all.push(at(999, 200), black_box(number(3.0))),
            BatchSize::SmallInput,
        );
    });
}

fn parts(seq: u64, buckets: u64) -> Vec<SeriesPart> {
    let part = |n: u32| {
        let mut track = Track::of(at(0, seq), Value::Number(number(f64::from(n))));
        (1..buckets).for_each(|k| track.push(at(k * SECOND, seq + k), Value::Number(number(2.5))));
        SeriesPart { name: name(n), track, declared: None, revised: None }
    };
    (0..MANY).map(part).collect()
}

/// Applies a frame to the picture of a page.
fn fold(c: &mut Criterion) {
    let mut picture = Picture::default();
    let id = |seq| Cursor { epoch: EPOCH, seq: Seq(seq) };
    let snapshot = Event::Snapshot { now: WALL, series: parts(1, 60) };
    picture.apply(id(100), snapshot).expect("a snapshot can always be applied");
    let update = Event::Update { now: WALL, pushed: WALL, series: parts(200, 2) };
    let mut group = c.benchmark_group("fold");
    group.throughput(Throughput::Elements(MANY.into()));
    group.bench_function("an update of 1,000 series", |b| {
        b.iter_batched(
            || (picture.clone(), update.clone()),
            |(mut picture, update)| picture.apply(id(300), update),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Encodes changes as a frame.
fn encode(c: &mut Criterion) {
    let id = Cursor { epoch: EPOCH, seq: Seq(300) };
    let mut group = c.benchmark_group("encode");
    for (what, buckets) in [("an update of 1,000 series", 1), ("a snapshot of 1,000 series of 300 buckets", 300)] {
        let event = Event::Update { now: WALL, pushed: WALL, series: parts(200, buckets) };
        group.throughput(Throughput::Bytes(sse::frame(id, &event).len() as u64));
        group.bench_function(what, |b| b.iter(|| sse::frame(id, black_box(&event))));
    }
    group.finish();
}

/// Publishes a point, and steps each reader that receives it.
fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    for readers in [1_u32, 100, 10_000] {
        let mut hub = Hub::new(Rollup::new(EPOCH, Seq::ZERO), Boards::default(), Duration::from_hours(1));
        let series = vec!["bench/**".parse().expect("it is a selector")];
        let scope = ReadScope::everything();
        let subscription = Subscription { series, boards: Vec::new(), rate: Rate::EveryChange, scope };
        let mut all: Vec<_> = (0..readers)
            .map(|_| hub.subscribe(&subscription, &Resume::Fresh, now()).expect("no series is there yet"))
            .collect();
        let mut seq = 0;
        let mut step = || {
            seq += 1;
            let begins = (seq == 1).then(|| name(1));
            let value = Value::Number(number(1.5));
            hub.publish(
                vec![Committed { at: at(seq, seq), series: SeriesId(1), value, begins, declares: None }],
                now(),
            );
            for (topic, reader) in &mut all {
                while let Step::Send(frame) = hub.next(topic, reader, now()) {
                    black_box(frame);
                }
            }
        };
        step();
        group.throughput(Throughput::Elements(readers.into()));
        group.bench_function(BenchmarkId::from_parameter(format!("{readers} readers")), |b| b.iter(&mut step));
    }
    group.finish();
}

criterion_group!(hot_paths, parse, merge, fold, encode, publish);
criterion_main!(hot_paths);
