//! The past of series, as `GET /api/history` returns it.

mod harness;

use std::process::Command;

use harness::{BINARY, TestServer, now_ms};
use serde_json::{Value as Json, json};
use shared::{Event, Millis, TimeRange};

/// The start of a recent minute that has ended, so that no more points fall into it.
fn last_minute() -> u64 {
    (now_ms() / 60_000 - 2) * 60_000
}

fn push(server: &TestServer, series: &str, points: &[(u64, f64)]) {
    let line = |(ts, value): &(u64, f64)| json!({"series": series, "ts": ts, "value": value}).to_string();
    let lines: Vec<String> = points.iter().map(line).collect();
    let answer = server.post("/in", &lines.join("\n"), &[]);
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// The buckets of the only series in an answer, and their width.
fn buckets(server: &TestServer, query: &str) -> (u64, Vec<Json>) {
    let answer = server.get(&format!("/api/history?{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let series = &answer.json()[0];
    let buckets = series["buckets"].as_array().expect("a series of numbers");
    (series["tier_ms"].as_u64().expect("a width"), buckets.clone())
}

#[test]
fn history_is_there_at_once_in_every_width_and_also_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let minute = last_minute();
    let points: Vec<(u64, f64)> = (1..=100_u32).map(|i| (minute + u64::from(i) * 10, f64::from(i))).collect();
    push(&server, "ops/ms", &points);
    push(&server, "ops/ms", &[(minute + 5_000, 500.0)]);
    let (from, to) = (minute, minute + 60_000);
    let ask =
        |server: &TestServer, points| buckets(server, &format!("series=ops/ms&from={from}&to={to}&points={points}"));
    let (width, seconds) = ask(&server, 60);
    assert_eq!((width, seconds.len()), (1_000, 3), "empty ones are left out");
    assert_eq!(seconds[0]["ts"], json!(minute));
    let (width, minutes) = ask(&server, 1);
    assert_eq!((width, minutes.len()), (60_000, 1));
    let bucket = &minutes[0];
    for (field, wanted) in [
        ("count", 101.0),
        ("sum", 5_550.0),
        ("min", 1.0),
        ("max", 500.0),
        ("first", 1.0),
        ("last", 500.0),
        ("increase", 499.0),
    ] {
        assert!((bucket[field].as_f64().unwrap() - wanted).abs() < 1e-9, "{field} of {bucket}");
    }
    assert_eq!((&bucket["first_ts"], &bucket["last_ts"]), (&json!(minute + 10), &json!(minute + 5_000)));
    for (field, wanted) in [("p50", 51.0), ("p95", 96.0), ("p99", 100.0)] {
        assert!((bucket[field].as_f64().unwrap() / wanted - 1.0).abs() <= 0.01, "{field} of {bucket}");
    }
    let before = [1, 6, 60].map(|points| ask(&server, points));
    server.kill();
    let server = TestServer::start(data.path());
    assert_eq!([1, 6, 60].map(|points| ask(&server, points)), before);
    // A late point is counted in its own bucket, before and after the kill.
    push(&server, "ops/ms", &[(minute + 1, -7.0)]);
    let (_, minutes) = ask(&server, 1);
    assert_eq!((&minutes[0]["count"], &minutes[0]["first"]), (&json!(102), &json!(-7.0)));
}

#[test]
fn value_before_the_range_is_in_the_answer_however_old_it_is() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let minute = last_minute();
    let (old, older) = (minute - 3_600_000, minute - 7_200_000);
    push(&server, "ops/ms", &[(older, 1.0), (old, 2.0), (old + 10, 3.0), (minute, 4.0)]);
    let ask = |more: &str| {
        let query = format!("series=ops/ms&from={minute}&to={}&points=60{more}", minute + 60_000);
        let answer = server.get(&format!("/api/history?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()[0].clone()
    };
    let told = ask("&before=1");
    assert_eq!(told["buckets"].as_array().unwrap().len(), 1);
    let before = |told: &Json| {
        let each = told["before"].as_array().unwrap().iter();
        each.map(|bucket| (bucket["last"].clone(), bucket["last_ts"].clone(), bucket["tier_ms"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(before(&told), [(json!(3.0), json!(old + 10), json!(1_000))]);
    assert_eq!(before(&ask("&before=300")).len(), 2, "all that there are");
    assert_eq!(ask("").get("before"), None, "only where it is asked for");
    let csv = server.get(&format!("/api/history?series=ops/ms&from={minute}&before=1&format=csv"));
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    let refused = server.get("/api/history?series=ops/ms&before=301");
    assert_eq!(refused.status, 422, "{}", refused.text);
}

#[test]
fn a_counter_that_was_reset_has_counted_on() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let minute = last_minute();
    push(&server, "shop/orders_total", &[(minute, 100.0), (minute + 20_000, 140.0), (minute + 40_000, 5.0)]);
    let query = format!("series=shop/*&from={minute}&to={}", minute + 60_000);
    let increases = |points| -> Vec<f64> {
        let (_, buckets) = buckets(&server, &format!("{query}&points={points}"));
        buckets.iter().map(|bucket| bucket["increase"].as_f64().unwrap()).collect()
    };
    assert_eq!(increases(60), [0.0, 40.0, 5.0]);
    assert_eq!(increases(1), [45.0]);
}

#[test]
fn texts_tell_their_lines_and_what_was_before() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let minute = last_minute();
    for (offset, text) in [(0, "up"), (1_000, "say \"no\", twice"), (2_000, "down")] {
        let body = json!({"text": text, "ts": minute + offset});
        assert_eq!(server.push("ops/state", &body.to_string()).status, 204);
    }
    let ask = |more: &str| server.get(&format!("/api/history?series=ops/**&from={}{more}", minute + 500)).json();
    let line = |offset: u64, text: &str| json!({"ts": minute + offset, "text": text});
    let lines = json!([line(1_000, "say \"no\", twice"), line(2_000, "down")]);
    assert_eq!(ask("")[0], json!({"series": "ops/state", "lines": lines, "before": line(0, "up"), "more": false}));
    let newest = json!([line(2_000, "down")]);
    let before = line(1_000, "say \"no\", twice");
    assert_eq!(ask("&points=1")[0], json!({"series": "ops/state", "lines": newest, "before": before, "more": true}));
    let answer = ureq::get(format!("{}/api/history?series=ops/state&from={}", server.url, minute + 500));
    let csv = answer.header("Accept", "text/csv").call().unwrap().body_mut().read_to_string().unwrap();
    let row = format!("ops/state,{},,,,,,,,,,,,,\"say \"\"no\"\", twice\"\r\n", minute + 1_000);
    assert!(csv.contains(&row), "{csv}");
}

#[test]
fn csv_has_a_line_for_each_bucket_and_sketch_tells_the_bins() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let minute = last_minute();
    push(&server, "a", &[(minute, 1.0), (minute + 1, 2.0), (minute + 2, 2.0)]);
    let query = format!("series=a&from={minute}&to={}&points=60", minute + 60_000);
    let (_, buckets) = buckets(&server, &format!("{query}&sketch=1"));
    let bins = buckets[0]["bins"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin[1].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert!((bins[1][0].as_f64().unwrap() / 2.0 - 1.0).abs() <= 0.01);
    let answer = ureq::get(format!("{}/api/history?{query}", server.url)).header("Accept", "text/csv").call();
    let mut answer = answer.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = answer.body_mut().read_to_string().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "series,ts,tier_ms,count,sum,min,max,first,last,p50,p95,p99,increase,last_ts,text");
    assert_eq!((lines.len(), lines[1].starts_with(&format!("a,{minute},1000,3,5,1,2,1,2,2,"))), (2, true), "{csv}");
}

#[test]
fn a_question_that_cannot_be_answered_says_what_to_change() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (query, field, expected) in [
        ("series=a&from=now&to=-1h", "to", "a time after from"),
        ("series=a&points=1000000000", "points", "from 1 to 10000"),
        ("series=**/a", "series", "a selector like"),
        ("series=a&from=1732399200", "from", "a time"),
        ("from=-1h", "query", "series=SELECTOR"),
    ] {
        let answer = server.get(&format!("/api/history?{query}"));
        assert_eq!(answer.status, 422, "{query}");
        let error = answer.first_error();
        assert_eq!(error.0, field, "{query}");
        assert!(error.1.contains(expected), "{error:?}");
    }
    let many: Vec<String> = (0..30).map(|i| format!("{{\"series\":\"m/{i}\",\"value\":1}}")).collect();
    assert_eq!(server.post("/in", &many.join("\n"), &[]).status, 204);
    let (field, expected, got) = server.get("/api/history?series=m/**&points=10000").first_error();
    assert_eq!((field.as_str(), got.as_str()), ("series", "30 series"));
    assert!(expected.contains("at most 20 series with points=10000"), "{expected}");
    assert_eq!(server.get("/api/history?series=nobody").text, "[]");
    assert_eq!(server.get("/api/history?series=m/**").json().as_array().unwrap().len(), 30);
}

#[test]
fn a_point_can_be_as_late_as_the_server_says() {
    let data = tempfile::tempdir().unwrap();
    let late = TestServer::start_with(Command::new(BINARY).args(["serve", "--late", "1h"]), "127.0.0.1:0", data.path());
    let body = |ago: u64| json!({"value": 1, "ts": now_ms() - ago}).to_string();
    assert_eq!(late.push("a", &body(3_590_000)).status, 204);
    let (field, expected, _) = late.push("a", &body(3_700_000)).first_error();
    assert_eq!(field, "ts");
    assert!(expected.contains("at most 1h ago"), "{expected}");
}

#[test]
fn an_open_page_hears_that_the_past_before_its_window_changed_also_when_it_comes_back_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let now = now_ms();
    let late = now / 1_000 * 1_000 - 3_600_000;
    push(&server, "ops/n", &[(now, 1.0)]);
    let mut stream = server.stream("series=ops/n", None);
    assert!(matches!((stream.event(), stream.event()), (Event::Hello { .. }, Event::Snapshot { .. })));
    let cursor = stream.last_id.clone();
    push(&server, "ops/n", &[(late + 7, 2.0)]);
    let revised = Some(TimeRange { from: Millis(late), to: Millis(late + 1_000) });
    let Event::Update { series, .. } = stream.event() else { panic!("an update comes") };
    assert_eq!(series[0].revised, revised);
    server.kill();
    let server = TestServer::start(data.path());
    let mut stream = server.stream("series=ops/n", Some(&cursor));
    let heard = loop {
        match stream.event() {
            Event::Hello { .. } => {}
            Event::Update { series, .. } => break series[0].revised,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(heard, revised);
    let mut fresh = server.stream("series=ops/n", None);
    fresh.event();
    let Event::Snapshot { series, .. } = fresh.event() else { panic!("a snapshot comes second") };
    assert_eq!(series[0].revised, None, "who starts afresh has nothing that is out of date");
}

#[test]
fn point_ahead_of_now_is_not_the_newest_of_its_series_until_its_time_has_come() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let newest = |server: &TestServer| server.get("/api/series").json()[0]["value"].as_f64().unwrap();
    push(&server, "ops/n", &[(now_ms() - 2_000, 1.0)]);
    let soon = now_ms() + 6_000;
    push(&server, "ops/n", &[(soon, 3.0), (now_ms() + 299_000, 4.0)]);
    assert!((newest(&server) - 1.0).abs() < 1e-9 || now_ms() > soon, "it does not hide earlier points");
    push(&server, "ops/n", &[(now_ms(), 2.0)]);
    assert!((newest(&server) - 2.0).abs() < 1e-9 || now_ms() > soon, "nor later ones");
    let since = std::time::Instant::now();
    while (newest(&server) - 3.0).abs() > 1e-9 {
        assert!(since.elapsed() < harness::PATIENCE);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(now_ms() + 1_000 >= soon, "it is once its time has come");
    server.kill();
    let server = TestServer::start(data.path());
    assert!((newest(&server) - 3.0).abs() < 1e-9, "also after a restart");
}

#[test]
fn overview_knows_the_levels_of_numbers_over_the_range() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let now = now_ms();
    // More points than a track has, and the worst before them.
    let recent = (1..=400_u32).map(|s| (now - u64::from(s) * 1_000, 1.0));
    let worst = (now - 40 * 60_000, 900.0);
    push(&server, "ops/ms", &std::iter::once(worst).chain(recent).collect::<Vec<_>>());
    let rising = (1..=60_u32).rev().map(|s| (now - u64::from(s) * 1_000, 20.0 * f64::from(60 - s)));
    push(&server, "ops/sent", &rising.collect::<Vec<_>>());
    let state = |series: &str, kind: &str, show: &str| {
        let widget = json!({
            "id": "w", "type": kind, "series": [series], "show": show,
            "thresholds": [{ "above": 10, "level": "warn" }, { "above": 500, "level": "bad" }],
        });
        let id = format!("{}-{kind}-{show}", series.rsplit('/').next().unwrap());
        let answer = server.put(&format!("/api/boards/{id}"), &json!({ "widgets": [widget] }).to_string(), &[]);
        assert_eq!(answer.status, 201, "{}", answer.text);
        id
    };
    let wanted = [
        (state("ops/ms", "stat", "max"), json!("bad")),
        (state("ops/ms", "table", "p99"), Json::Null),
        (state("ops/ms", "gauge", "sum"), json!("bad")),
        (state("ops/ms", "line", "max"), Json::Null),
        (state("ops/sent", "stat", "rate"), json!("warn")),
    ];
    let overview = server.get("/api/overview").json();
    for (id, level) in wanted {
        let board = overview["boards"].as_array().unwrap().iter().find(|board| board["id"] == json!(id)).unwrap();
        assert_eq!((&board["level"], &board["unknown"]), (&level, &Json::Null), "{board}");
    }
}
