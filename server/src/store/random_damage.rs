//! Tests with databases that are damaged at random: nothing panics, the store opens, and it stores pushes.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use shared::{BoardId, Millis, Number, Point, Text, Tier, TimeRange, Value};
use tempfile::TempDir;

use super::FILE;
use super::block_id::BlockId;
use super::boards::StoredBoard;
use super::memtable::Due;
use super::merge::merge_due;
use super::*;
use crate::clock::{Now, Uptime};
use crate::history::past;
use crate::log::{BoardDocument, Push, SeriesId};
use crate::rollup::Rollup;

const START: Millis = Millis(1_732_399_200_000);

const NOW: Now = Now { wall: Millis(START.0 + 7_200_000), up: Uptime(0) };

/// Every column that the server reads back.
const COLUMNS: [(&str, &[&str]); 9] = [
    ("meta", &["epoch", "head", "settled"]),
    ("series", &["id", "name", "kind", "declared", "gone", "gone_seq"]),
    ("log", &["last", "at", "data", "sent", "sum"]),
    ("blocks", &["key", "buckets", "data", "sent"]),
    ("extents", &["key", "buckets", "data", "sent"]),
    ("lines", &["series", "ts", "seq", "text"]),
    ("revised", &["series", "start", "stop", "seq"]),
    ("boards", &["id", "selectors", "since", "form", "source", "changed"]),
    ("epochs", &["epoch", "head"]),
];

/// A change of one value.
#[derive(Clone, Debug)]
enum Change {
    Flip {
        at: Index,
        bit: u8,
    },
    Cut {
        at: Index,
    },
    Number(i64),
    Bytes(Vec<u8>),
    Null,
    /// Deletes the whole row.
    Delete,
}

#[derive(Clone, Debug)]
struct Hit {
    table: Index,
    column: Index,
    row: Index,
    change: Change,
}

fn hit() -> impl Strategy<Value = Hit> {
    let change = prop_oneof![
        6 => (any::<Index>(), 0..64_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        1 => any::<Index>().prop_map(|at| Change::Cut { at }),
        1 => prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), 0..50_i64].prop_map(Change::Number),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Change::Bytes),
        1 => Just(Change::Null),
        1 => Just(Change::Delete),
    ];
    (any::<Index>(), any::<Index>(), any::<Index>(), change).prop_map(|(table, column, row, change)| Hit {
        table,
        column,
        row,
        change,
    })
}

fn number(series: &str, ts: u64, value: f64) -> Point {
    let value = Value::Number(Number::new(value).unwrap());
    Point { series: series.parse().unwrap(), ts: Millis(ts), value }
}

fn text(series: &str, ts: u64, text: &str) -> Point {
    Point { series: series.parse().unwrap(), ts: Millis(ts), value: Value::Text(Text::new(text.into()).unwrap()) }
}

fn commit(store: &mut Store, points: impl IntoIterator<Item = Point>) -> Vec<Result<(), CommitError>> {
    store.commit(points.into_iter().map(|point| Push::of([point])).collect(), NOW).results
}

/// An undamaged store with some of everything: buckets of all tiers, numbers that only the log has, texts, a late
/// point, a board.
static SOUND: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for minute in 0..90_u64 {
        let ts = START.0 + minute * 60_000;
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let values = (0..4).map(|n| number("ops/a", ts + n * 900, (minute * n) as f64 / 3.0));
        let results = commit(&mut store, values.chain([number("ops/b", ts, 1.0), text("ops/log", ts, "up")]));
        assert!(results.iter().all(Result::is_ok));
    }
    let board = StoredBoard {
        id: "ops".parse().unwrap(),
        selectors: vec!["ops/*".parse().unwrap()],
        since: store.head(),
        document: Some(BoardDocument {
            form: shared::board::BoardFormat::Toml,
            source: "title = \"x\"\n".into(),
            changed: START,
        }),
    };
    store.store_board(&board).unwrap();
    while store.flush(4, Due::All).unwrap() > 0 {}
    // The first series has extents, the others have blocks.
    merge_due(&store.conn, SeriesId(0), SeriesId(1), usize::MAX, &store.damage).unwrap();
    commit(&mut store, [number("ops/a", START.0 + 5, 7.0), number("ops/c", START.0 + 5_500_000, 8.0)]);
    drop(store);
    // A second start ends an epoch.
    let mut store = Store::open(folder.path()).unwrap();
    commit(&mut store, [number("ops/a", START.0 + 5_600_000, 9.0)]);
    folder
});

fn copy_of_sound() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(SOUND.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

fn damage(folder: &Path, hits: &[Hit]) {
    let conn = Connection::open(folder.join(FILE)).unwrap();
    conn.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")
        .unwrap();
    for Hit { table, column, row, change } in hits {
        let (table, columns) = COLUMNS[table.index(COLUMNS.len())];
        let column = columns[column.index(columns.len())];
        let count: i64 = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        let count = usize::try_from(count).unwrap();
        if count == 0 {
            continue;
        }
        let select = format!("SELECT {column} FROM {table} LIMIT 1 OFFSET {}", row.index(count));
        let (was, bytes, is_text) = conn
            .query_row(&select, [], |row| {
                let value = row.get_ref(0)?;
                let bytes = match value {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                    _ => Vec::new(),
                };
                let was = rusqlite::types::Value::try_from(value).unwrap_or(rusqlite::types::Value::Null);
                Ok((was, bytes, matches!(value, ValueRef::Text(_))))
            })
            .unwrap();
        let set = |to: &str, new: rusqlite::types::Value| {
            let update = format!("UPDATE {table} SET {column} = {to} WHERE {column} IS ?2");
            // A table that rejects a value cannot contain it.
            _ = conn.execute(&update, (new, &was));
        };
        let bytes_as = if is_text { "CAST(?1 AS TEXT)" } else { "?1" };
        match change {
            Change::Flip { bit, .. } if bytes.is_empty() => {
                if let rusqlite::types::Value::Integer(was) = was {
                    set("?1", (was ^ (1 << bit)).into());
                }
            }
            Change::Flip { at, bit } => {
                let mut bytes = bytes;
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << (bit % 8);
                set(bytes_as, bytes.into());
            }
            Change::Cut { at } => set(bytes_as, bytes[..at.index(bytes.len() + 1)].to_vec().into()),
            Change::Number(number) => set("?1", (*number).into()),
            Change::Bytes(bytes) => set(bytes_as, bytes.clone().into()),
            Change::Null => set("?1", rusqlite::types::Value::Null),
            Change::Delete => _ = conn.execute(&format!("DELETE FROM {table} WHERE {column} IS ?1"), [&was]),
        }
    }
}

/// Uses a store in every way in which the server uses it.
fn use_it(store: &mut Store) -> rusqlite::Result<()> {
    let mut rollup = Rollup::new(store.epochs(), store.head());
    store.recover(|recovered| _ = rollup.restore(recovered))?;
    let boards = store.boards()?;
    for (name, row) in store.directory().look().iter().map(|(name, row)| (name.clone(), row)).collect::<Vec<_>>() {
        let track = store.track(row.id, row.kind)?;
        _ = track.map(|track| {
            serde_json::to_string(&track.since(Seq(3)).map(|track| shared::SeriesPart {
                name: name.clone(),
                track,
                declared: None,
                revised: None,
            }))
        });
    }
    let conn = Connection::open(store.folder().join(FILE))?;
    let selected: Vec<SeriesId> = store.directory.look().iter().map(|(_, row)| row.id).collect();
    let damage = store.damage();
    for series in selected {
        let texts = past::texts(&conn, &damage, series, TimeRange { from: Millis(0), to: Millis(u64::MAX) }, 50)?;
        past::each_line(&conn, &damage, series, texts.first, Millis(u64::MAX), |_| true)?;
        for tier in Tier::ALL {
            let span = TimeRange { from: START, to: START.plus(86_400_000) };
            let mut all: Option<shared::Rolled> = None;
            rows::each_within(&conn, tier, series, span, &damage, |_, block| {
                for rolled in block.within(span) {
                    match &mut all {
                        Some(all) => all.append(rolled),
                        None => all = Some(rolled.clone()),
                    }
                }
            })?;
            _ = all.map(|all| (all.bucket.quantile(0.5), all.increase()));
        }
    }
    for name in ["ops/a", "ops/b", "ops/log", "ops/new"] {
        for value in [number(name, NOW.wall.0, 1.0), text(name, NOW.wall.0, "x"), number(name, START.0 + 61_000, 2.0)] {
            let outcome = store.commit(vec![Push::of([value])], NOW);
            if matches!(outcome.results[..], [Err(CommitError::Database(_))]) {
                return Err(rusqlite::Error::InvalidQuery);
            }
            let committed = outcome.committed.len();
            let known = outcome.committed.into_iter().filter_map(|point| rollup.push(point)).count();
            assert_eq!(known, committed, "every acknowledged point is shown");
        }
    }
    for board in boards {
        store.store_board(&board).map_err(|_| rusqlite::Error::InvalidQuery)?;
    }
    while store.flush(1_000, Due::All)? > 0 {}
    for minute in 0..4 {
        let later = Now { wall: NOW.wall.plus(90 * 86_400_000), up: NOW.up.plus(minute * 61_000) };
        store.sweep(&Retention::default(), later)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_rows_never_stop_the_store(hits in prop::collection::vec(hit(), 1..6)) {
        let folder = copy_of_sound();
        damage(folder.path(), &hits);
        for _ in 0..2 {
            let mut store = Store::open(folder.path()).expect("it opens");
            use_it(&mut store).expect("it can be used");
        }
    }

    #[test]
    fn damaged_pages_never_panic(at in prop::collection::vec((any::<Index>(), any::<u8>()), 1..40)) {
        let folder = copy_of_sound();
        // Moves the write-ahead log, which has checksums, into the file, which has none.
        drop(Connection::open(folder.path().join(FILE)).unwrap());
        let mut bytes = std::fs::read(folder.path().join(FILE)).unwrap();
        for (at, byte) in at {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        std::fs::write(folder.path().join(FILE), bytes).unwrap();
        if let Ok(mut store) = Store::open(folder.path()) {
            _ = use_it(&mut store);
        }
    }
}

/// The bytes of a row's key in a file of SQLite: a varint (file format, section 1.6).
fn varint(mut key: u64) -> Vec<u8> {
    let mut bytes = vec![(key & 0x7f) as u8];
    while key > 0x7f {
        key >>= 7;
        bytes.push((key & 0x7f) as u8 | 0x80);
    }
    bytes.reverse();
    bytes
}

#[test]
fn rows_out_of_order_never_stop_the_store() {
    for table in ["blocks", "extents"] {
        let folder = copy_of_sound();
        let file = folder.path().join(FILE);
        let conn = Connection::open(&file).unwrap();
        let select = format!("SELECT min(key) FROM {table}");
        let oldest: i64 = conn.query_row(&select, [], |row| row.get(0)).unwrap();
        // Moves the write-ahead log into the file.
        drop(conn);
        let mut bytes = std::fs::read(&file).unwrap();
        // A key of another series: its row stands before those that it should follow.
        let [old, new] = [oldest, oldest + (2 << 32)].map(|key| varint(key.unsigned_abs()));
        assert_eq!(old.len(), new.len());
        let mut found = 0;
        for at in 0..bytes.len() - old.len() {
            if bytes[at..].starts_with(&old) {
                bytes[at..at + new.len()].copy_from_slice(&new);
                found += 1;
            }
        }
        assert!(found > 0, "the oldest row of {table} is in the file");
        std::fs::write(&file, bytes).unwrap();
        if let Ok(mut store) = Store::open(folder.path()) {
            _ = use_it(&mut store);
        }
    }
}

#[test]
fn damaged_newest_block_is_skipped_and_kept() {
    let folder = copy_of_sound();
    let conn = Connection::open(folder.path().join(FILE)).unwrap();
    let (first, last) = BlockId::all(Tier::Second, SeriesId(2));
    let newest = "SELECT max(key) FROM blocks WHERE key BETWEEN ?1 AND ?2";
    let newest: i64 = conn.query_row(newest, [first, last], |row| row.get(0)).unwrap();
    conn.execute("UPDATE blocks SET data = x'ffffffffff' WHERE key = ?1", [newest]).unwrap();
    drop(conn);

    let mut store = Store::open(folder.path()).unwrap();
    let mut found = Vec::new();
    store.recover(|recovered| found.push((recovered.name.to_string(), recovered.track))).unwrap();
    assert_eq!(found.len(), 4);
    let (_, track) = found.iter().find(|(name, _)| name == "ops/b").unwrap();
    assert_eq!(track.latest_at().ts, START.plus(88 * 60_000), "the block before");
    assert!(store.damage().warning().unwrap().contains("table blocks (series 2"));

    // A new point of the same minute is stored, and the damaged row is copied to `damaged`.
    assert_eq!(commit(&mut store, [number("ops/b", START.0 + 89 * 60_000 + 3, 5.0)]), [Ok(())]);
    while store.flush(1_000, Due::All).unwrap() > 0 {}
    let kept: Vec<u8> = store.conn.query_row("SELECT data FROM damaged", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, [0xff; 5]);
    let track = store.track(SeriesId(2), shared::point::Kind::Number).unwrap().unwrap();
    assert_eq!(track.latest(), shared::track::Latest::Number(5.0));
}

#[test]
fn damaged_text_is_skipped_in_the_past() {
    let folder = copy_of_sound();
    let conn = Connection::open(folder.path().join(FILE)).unwrap();
    let (series, at) = (SeriesId(3), |minute: u64| START.plus(minute * 60_000));
    let broken = "UPDATE lines SET text = CAST(x'ff' AS TEXT) WHERE series = ?1 AND ts IN (?2, ?3)";
    conn.execute(broken, (series.0, sql(at(5).0), sql(at(79).0))).unwrap();
    let damage = Damage::default();
    let mut lines = Vec::new();
    let all = TimeRange { from: Millis(0), to: Millis(u64::MAX) };
    past::each_line(&conn, &damage, series, (START, 0), all.to, |(ts, ..)| {
        lines.push(ts);
        true
    })
    .unwrap();
    let sound: Vec<_> = (0..90).filter(|minute| ![5, 79].contains(minute)).map(at).collect();
    assert_eq!(lines, sound);
    assert!(damage.warning().unwrap().contains("texts of series 3"));
    let texts = past::texts(&conn, &damage, series, all, 10).unwrap();
    assert_eq!((texts.first.0, texts.before.unwrap().0, texts.more), (at(80), at(78), true));
}

#[test]
fn series_without_a_row_stops_no_push_and_no_other_series_gets_its_past() {
    let folder = copy_of_sound();
    let conn = Connection::open(folder.path().join(FILE)).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM series WHERE name IN ('ops/a', 'ops/c')").unwrap();
    drop(conn);
    let mut store = Store::open(folder.path()).unwrap();
    let mut names = Vec::new();
    store.recover(|recovered| names.push(recovered.name.to_string())).unwrap();
    names.sort();
    assert_eq!(names, ["ops/b", "ops/log"]);
    assert!(store.damage().warning().is_some());
    let now = NOW.wall.0;
    assert_eq!(commit(&mut store, [number("ops/new", now, 1.0), number("ops/a", now, 2.0)]), [Ok(()), Ok(())]);
    for name in ["ops/new", "ops/a"] {
        let row = store.directory().look().find(&name.parse().unwrap()).unwrap();
        let track = store.track(row.id, row.kind).unwrap().unwrap();
        assert_eq!(track.changed().max(Seq(500)), track.changed(), "only its new point");
        let shared::Track::Numbers(buckets) = track else { panic!("numbers") };
        assert_eq!(buckets.len(), 1);
    }
}

#[test]
fn no_number_is_given_twice_after_the_row_of_meta_is_lost() {
    let folder = copy_of_sound();
    let mut store = Store::open(folder.path()).unwrap();
    // The removal of a series also takes a number.
    commit(&mut store, [number("ops/gone", NOW.wall.0, 1.0)]);
    store.remove_series(&"ops/gone".parse().unwrap()).unwrap().unwrap();
    let head = store.head();
    drop(store);
    let conn = Connection::open(folder.path().join(FILE)).unwrap();
    conn.execute("DELETE FROM meta", []).unwrap();
    drop(conn);
    let mut store = Store::open(folder.path()).unwrap();
    assert_eq!(store.head(), head);
    commit(&mut store, [number("ops/a", NOW.wall.0, 1.0)]);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.head(), head.next());
    assert!(store.damage().is_none(), "it is written again");
}

#[test]
fn damaged_board_is_skipped() {
    let folder = copy_of_sound();
    let conn = Connection::open(folder.path().join(FILE)).unwrap();
    conn.execute("INSERT INTO boards (id, selectors, since) VALUES ('other', 'nonsense', 1)", []).unwrap();
    drop(conn);
    let store = Store::open(folder.path()).unwrap();
    let ids: Vec<BoardId> = store.boards().unwrap().into_iter().map(|board| board.id).collect();
    assert_eq!(ids, ["ops".parse().unwrap()]);
    assert!(store.damage().warning().unwrap().contains("board other"));
}
