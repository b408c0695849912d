//! Names of series in any script, and lines of line protocol whose sources must not be mixed in one series.

mod harness;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use harness::{PATIENCE, TestServer, now_ms};
use proptest::prelude::*;
use pulseboard::clock::{Now, Uptime};
use pulseboard::ingest::batch_builder::BatchBuilder;
use pulseboard::ingest::fields::Acceptance;
use pulseboard::ingest::influx::{self, Precision};
use pulseboard::limits::push_memory::Share;
use pulseboard::log::{Atomicity, Push, SeriesId};
use pulseboard::store::{OpenError, Store};
use serde_json::json;
use shared::{Millis, SeriesName};

/// Names of all series, with their newest values.
fn values(server: &TestServer) -> BTreeMap<String, f64> {
    let list = server.get("/api/series").json();
    let named = |one: &serde_json::Value| {
        let (name, value) = (one["name"].as_str().expect("a name"), one["value"].as_f64().expect("a number"));
        (name.to_owned(), value)
    };
    list.as_array().expect("a list").iter().map(named).collect()
}

fn write(server: &TestServer, lines: &str) {
    let answer = server.post("/write", lines, &[]);
    assert_eq!(answer.status, 204, "{}", answer.text);
}

#[test]
fn tags_in_any_script_keep_their_letters_and_their_series() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    write(&server, "weather,city=東京 t=20\nweather,city=大阪 t=30\nweather,city=京都 t=10\nwetter,wo=außen t=5");
    let wanted =
        [("weather/京都/t", 10.0), ("weather/大阪/t", 30.0), ("weather/東京/t", 20.0), ("wetter/außen/t", 5.0)];
    assert_eq!(values(&server), BTreeMap::from(wanted.map(|(name, value)| (name.to_owned(), value))));
}

#[test]
fn sources_with_one_readable_name_get_series_of_their_own_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut server = TestServer::start(data.path());
    let sources = [
        "disk,path=/var/lib used=",
        "disk,path=_var_lib used=",
        "disk,mount=_var_lib used=",
        "disk,path=_var%lib used=",
        r"disk,path=_var\ lib used=",
        "cpu,host=a,cpu=b idle=",
        "cpu,core=b,host=a idle=",
        "my_disk x=",
        r"my\ disk x=",
        "my_disk x/=",
        "my_disk x_=",
        "m,a=1,b=2,c=3,d=4,e=5,f=6,g=7 x=",
        "m,a=1,b=2,c=3,d=4,e=5,f=6:7 x=",
        "m,a=1,b=2,c=3,d=4,e=5,f=6,h=7 x=",
        "geo,city=Zürich t=",
        "geo,city=Zu\u{308}rich t=",
    ];
    let lines = |round: usize| -> String {
        let line = |(n, source): (usize, &&str)| format!("{source}{}\n", n * 10 + round);
        sources.iter().enumerate().map(line).collect()
    };
    write(&server, &lines(0));
    let first = values(&server);
    assert_eq!(first.len(), sources.len(), "{first:?}");
    for name in ["disk/_var_lib/used", "cpu/b/a/idle", "my_disk/x", "m/1/2/3/4/5/6:7/x", "geo/Zürich/t"] {
        assert!(first.contains_key(name), "the first source has the readable name {name}: {first:?}");
    }
    for round in 1..3 {
        // One source per push, in another order.
        let lines = lines(round);
        let mut lines: Vec<_> = lines.lines().collect();
        lines.rotate_left(round * 5);
        lines.iter().for_each(|line| write(&server, line));
        let now = values(&server);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let wanted: BTreeMap<_, _> = first.iter().map(|(name, value)| (name.clone(), value + round as f64)).collect();
        assert_eq!(now, wanted, "each value is in the series of its source");
        server.kill();
        server = TestServer::start(data.path());
    }
    // The order of the tags in a line does not matter.
    write(&server, "cpu,cpu=b,host=a idle=500");
    assert_eq!(values(&server)["cpu/b/a/idle"], 500.0);
}

#[test]
fn line_does_not_push_into_a_series_that_somebody_named_and_a_push_by_name_goes_where_it_says() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("weather/berlin/t", "1").status, 204);
    write(&server, "weather,city=berlin t=2");
    let now = values(&server);
    assert_eq!(now["weather/berlin/t"], 1.0);
    let (apart, value) = now.iter().find(|(name, _)| *name != "weather/berlin/t").unwrap();
    assert_eq!(*value, 2.0);
    assert!(apart.starts_with("weather/berlin-") && apart.ends_with("/t"), "{apart}");
    // A push by name reaches it.
    assert_eq!(server.push(apart, "3").status, 204);
    write(&server, "rain,city=berlin mm=4");
    assert_eq!(server.push("rain/berlin/mm", "5").status, 204);
    assert_eq!((values(&server)[apart], values(&server)["rain/berlin/mm"]), (3.0, 5.0));
}

#[test]
fn folder_of_an_earlier_version_keeps_its_merged_series_and_later_sources_are_told_apart() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (series, value) in [("weather/__/t", "7"), ("disk/_var_lib/used", "7"), ("cpu/a/idle", "7")] {
        assert_eq!(server.push(series, value).status, 204);
    }
    server.kill();
    let database = rusqlite::Connection::open(data.path().join("pulseboard.sqlite")).unwrap();
    database.execute_batch("ALTER TABLE series DROP COLUMN source").unwrap();
    drop(database);

    let server = TestServer::start(data.path());
    write(&server, "disk,path=_var_lib used=1\ncpu,host=a idle=1");
    write(&server, "disk,path=/var/lib used=2\nweather,city=東京 t=2");
    for _ in 0..2 {
        let now = values(&server);
        assert_eq!(now["weather/__/t"], 7.0, "the merged series stays");
        assert_eq!(now["weather/東京/t"], 2.0);
        assert_eq!((now["disk/_var_lib/used"], now["cpu/a/idle"]), (1.0, 1.0), "the first source goes on with it");
        assert_eq!(now.len(), 5, "{now:?}");
        write(&server, "disk,path=_var_lib used=1\ncpu,host=a idle=1\ndisk,path=/var/lib used=2");
    }
    let history = server.get("/api/history?series=cpu/a/idle&points=1").json();
    let count: u64 = history[0]["buckets"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 4, "with its past");
}

#[test]
fn names_of_any_script_work_in_addresses_whether_they_are_escaped_and_composed_or_not() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let escaped = |text: &str| -> String {
        let byte = |byte: u8| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect()
    };
    let (composed, apart) = ("haus/küche/temp", "haus/ku\u{308}che/temp");
    assert_eq!(server.post(&format!("/in/{}", escaped(composed)), "1", &[]).status, 204);
    assert_eq!(server.post(&format!("/in/{}", escaped(apart)), "2", &[]).status, 204);
    let answer = server.raw(&format!("POST /in/{composed} HTTP/1.1"), b"3");
    assert!(answer.starts_with("HTTP/1.1 204 "), "as curl sends it: {answer}");
    let batch = format!("{{\"series\":\"{apart}\",\"value\":4}}\n{{\"series\":\"日誌/東京\",\"text\":\"起動\"}}");
    assert_eq!(server.post("/in", &batch, &[]).status, 204);
    let list = server.get(&format!("/api/series?prefix={}", escaped("haus/ku\u{308}"))).json();
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["name"], &list[0]["value"]),
        (1, &json!(composed), &json!(4.0))
    );
    for selector in [composed, apart, "haus/*/temp", "haus/ku\u{308}che/**"] {
        let history = server.get(&format!("/api/history?series={}&points=1", escaped(selector))).json();
        assert_eq!(history[0]["series"], json!(composed), "{selector}");
        let mut stream = server.stream(&format!("series={}", escaped(selector)), None);
        stream.event();
        let shared::Event::Snapshot { series, .. } = stream.event() else { panic!("a snapshot comes second") };
        assert_eq!(series[0].name.as_str(), composed, "{selector}");
    }

    let board = json!({"title": "Küche", "widgets": [{"id": "wärme", "type": "stat", "series": [apart]}]}).to_string();
    let path = format!("/api/boards/{}", escaped("küche"));
    let made = server.put(&path, &board, &[("Content-Type", "application/json"), ("If-None-Match", "*")]);
    assert_eq!((made.status, made.header("location")), (201, path.as_str()), "{}", made.text);
    assert_eq!(server.get(&format!("/api/boards/{}", escaped("ku\u{308}che"))).text, board, "as it was sent");
    let mut stream = server.stream(&format!("board={}", escaped("ku\u{308}che")), None);
    stream.event();
    let shared::Event::Snapshot { series, .. } = stream.event() else { panic!("a snapshot comes second") };
    assert_eq!(series[0].name.as_str(), composed);
    let page = server.get(&format!("/b/{}", escaped("küche")));
    assert_eq!(page.status, 200);
    if !page.header("link").is_empty() {
        assert!(page.header("link").contains(&format!("{path}?form=json")), "{}", page.header("link"));
    }

    let long = "東".repeat(64);
    assert_eq!(server.post(&format!("/in/{}", escaped(&long)), "1", &[]).status, 204);
    for wrong in ["東".repeat(65), "ops/a\u{a0}b".to_owned(), "ops/→".to_owned(), "ops/😀".to_owned()] {
        let answer = server.post(&format!("/in/{}", escaped(&wrong)), "1", &[]);
        assert_eq!(answer.status, 422, "{wrong}");
    }
}

/// A line without its values: measurement, tags, field.
type Line = (String, Vec<(String, String)>, String);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    // Few distinct parts, so that many readable names are the same; and any text.
    let part = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "_", "/", "é", "e\u{301}", "..", "%", "a b", "a,b", "a=b", "a_b", "-", ":"])
            .prop_map(str::to_owned),
        1 => "[^\\\\\\p{C}\"#]{1,70}",
        1 => "[a-c/_]{60,70}",
    ];
    let tags = prop::collection::btree_map(part.clone(), part.clone(), 0..9);
    let line = (part.clone(), tags, part)
        .prop_map(|(measurement, tags, field)| (measurement, tags.into_iter().collect::<Vec<_>>(), field));
    prop::collection::vec(line, 1..30)
}

fn escape(text: &str) -> String {
    text.replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ")
}

fn written((measurement, tags, field): &Line, turned: bool) -> String {
    let mut tags: Vec<_> = tags.iter().map(|(key, value)| format!(",{}={}", escape(key), escape(value))).collect();
    if turned {
        tags.reverse();
    }
    let measurement = measurement.replace(',', "\\,").replace(' ', "\\ ");
    format!("{measurement}{} {}=1", tags.concat(), escape(field))
}

/// Pushes lines and returns the series of each.
fn series_of(store: &mut Store, lines: &[String], names: &mut HashMap<SeriesId, SeriesName>) -> Vec<SeriesId> {
    let directory = store.directory();
    let mut share = Share::unbounded();
    let accepted = Acceptance { now: Millis(1_732_399_200_000), late_ms: 1_000 };
    let builder = BatchBuilder::by_default(&directory, &mut share);
    let reading = influx::read(lines.join("\n").as_bytes(), Precision::default(), accepted, builder);
    let points = reading.expect("the lines are right").batch.points;
    let push = Push { points, key: None, atomicity: Atomicity::Partial };
    let outcome = store.commit(vec![push], Now { wall: accepted.now, up: Uptime(0) });
    assert_eq!(outcome.results, [Ok(())]);
    for point in &outcome.committed {
        if let Some(name) = &point.begins {
            assert_eq!(names.insert(point.series, name.clone()), None, "a series begins once");
        }
    }
    outcome.committed.iter().map(|point| point.series).collect()
}

/// Opens a store that was just closed. Another test of this program may be starting a server: until the exec, its
/// process has the lock of the folder, too.
fn reopen(folder: &Path) -> Store {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Store::open(folder) {
            Err(OpenError::InUse(_)) if Instant::now() < deadline => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
            Ok(store) => return store,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The law: two lines share a series if and only if InfluxDB holds them in one series.
    #[test]
    fn lines_share_a_series_exactly_if_measurement_tags_and_field_are_the_same(lines in lines(), cut in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut names = HashMap::new();
        let cut = cut.index(lines.len());
        let texts: Vec<_> = lines.iter().map(|line| written(line, false)).collect();
        let mut series = series_of(&mut store, &texts[..cut.max(1)], &mut names);
        if cut.max(1) < texts.len() {
            series.extend(series_of(&mut store, &texts[cut.max(1)..], &mut names));
        }
        for (a, line) in lines.iter().enumerate() {
            for (b, other) in lines.iter().enumerate() {
                prop_assert_eq!(series[a] == series[b], line == other, "{:?} and {:?}", line, other);
            }
        }
        let distinct: std::collections::HashSet<_> = names.values().collect();
        prop_assert_eq!(distinct.len(), names.len(), "no two series have one name");
        for name in names.values() {
            prop_assert_eq!(&name.as_str().parse::<SeriesName>().unwrap(), name);
        }
        // After a restart, with the tags in another order.
        drop(store);
        let mut store = reopen(folder.path());
        let turned: Vec<_> = lines.iter().map(|line| written(line, true)).collect();
        prop_assert_eq!(series_of(&mut store, &turned, &mut names), series);
    }
}

#[test]
fn the_same_lines_in_the_same_order_get_the_same_names_on_every_node() {
    let now = now_ms();
    let lines: Vec<_> = (0..200).map(|n| format!("m,k{}=a{} v=1 {now}000000", n % 7, ["/", "_", "%"][n % 3])).collect();
    let names = |pieces: usize| {
        let data = tempfile::tempdir().unwrap();
        let server = TestServer::start(data.path());
        lines.chunks(pieces).for_each(|lines| write(&server, &lines.join("\n")));
        values(&server).into_keys().collect::<Vec<_>>()
    };
    let all = names(200);
    assert_eq!(all.len(), 21);
    assert_eq!(names(7), all);
}
