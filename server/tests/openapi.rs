//! `GET /api/openapi.json` describes the server. Besides these tests, every other test checks the answers that it gets
//! against it.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::collections::BTreeSet;
use std::process::Command;

use axum::response::IntoResponse as _;
use harness::contract::{self, DOCUMENT, hold_to, is};
use harness::{BINARY, TestServer};
use http_body_util::BodyExt as _;
use pulseboard::board::Refusal;
use pulseboard::http::foreign_page::ForeignPage;
use pulseboard::http::openapi;
use pulseboard::http::problem::ApiError;
use pulseboard::ingest::batch_builder::BatchBuilder;
use pulseboard::ingest::fields::Acceptance;
use pulseboard::ingest::{batch, body};
use pulseboard::limits::push_memory::Share;
use pulseboard::log::{TokenRefusal, UserRefusal};
use pulseboard::store::Directory;
use serde_json::{Value as Json, json};
use shared::Millis;
use shared::board::keyword::Keyword as _;
use shared::board::widget::WidgetType;
use shared::board::{Board, Etag};

#[test]
fn it_is_served_with_a_tag_and_also_to_pages_that_may_read() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--allow-origin", "http://a.example"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let got = server.get_with("/api/openapi.json", &[("Origin", "http://a.example")]);
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
    assert_eq!(got.header("access-control-allow-origin"), "http://a.example");
    assert_eq!(got.json(), openapi::document());
    assert_eq!(got.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    let tag = got.header("etag");
    for known in [tag, "\"other\", *", &format!("W/{tag}")] {
        let again = server.get_with("/api/openapi.json", &[("If-None-Match", known)]);
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag), "{known}");
    }
    assert_eq!(server.get_with("/api/openapi.json", &[("If-None-Match", "\"other\"")]).status, 200);
    assert_eq!(server.head("/api/openapi.json", &[]).get("etag").unwrap(), tag);
}

#[test]
fn each_path_takes_the_methods_that_are_described_and_no_other() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (template, item) in DOCUMENT["paths"].as_object().unwrap() {
        let path = template.replace("{series}", "ops/temp").replace("{id}", "ops");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = server.raw(&format!("{method} {path} HTTP/1.1"), b"");
            let described = item.get(method.to_lowercase()).is_some();
            assert_eq!(answer.starts_with("HTTP/1.1 405 "), !described, "{method} {path}: {answer}");
        }
    }
}

/// Calls `see` for each object inside, with the pointer to it.
fn each_object<'a>(json: &'a Json, pointer: &str, see: &mut impl FnMut(&str, &'a Json)) {
    let escaped = |key: &str| format!("{pointer}/{}", key.replace('/', "~1"));
    match json {
        Json::Object(object) => {
            see(pointer, json);
            object.iter().for_each(|(key, value)| each_object(value, &escaped(key), see));
        }
        Json::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| each_object(value, &escaped(&at.to_string()), see));
        }
        _ => {}
    }
}

#[test]
fn every_schema_is_one_and_takes_its_own_examples() {
    let mut seen = 0;
    each_object(&DOCUMENT, "", &mut |pointer, object| {
        let (is_schema, in_schemas) = (pointer.ends_with("/schema"), pointer.starts_with("/components/schemas/"));
        if is_schema || (in_schemas && pointer.matches('/').count() == 3) {
            // Compiling a schema validates it against the meta-schema.
            let _compiled = contract::mistakes(pointer, &Json::Null);
        }
        if object.get("schema").is_some() {
            let one = object.get("example").into_iter();
            let several = object.get("examples").and_then(Json::as_object).into_iter().flatten();
            for example in one.chain(several.map(|(_, example)| &example["value"])) {
                hold_to(&format!("{pointer}/schema"), example);
                seen += 1;
            }
        } else if in_schemas {
            for example in
                object.get("examples").and_then(Json::as_array).into_iter().flatten().chain(object.get("example"))
            {
                hold_to(pointer, example);
                seen += 1;
            }
        }
    });
    assert!(seen > 15, "{seen} examples");
}

#[test]
fn the_events_of_the_contract_are_described_and_nothing_is_missing_from_one() {
    let examples = include_str!("../../shared/src/contract.ndjson");
    assert_eq!(examples.lines().count(), DOCUMENT["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap().len());
    for line in examples.lines() {
        let event: Json = serde_json::from_str(line).unwrap();
        hold_to("/components/schemas/Event", &event);
        for key in event.as_object().unwrap().keys().filter(|key| *key != "boards") {
            let mut lacking = event.clone();
            lacking.as_object_mut().unwrap().remove(key);
            assert!(!is("Event", &lacking), "{line} without {key}");
        }
    }
}

#[test]
fn whatever_is_refused_is_refused_as_described() {
    let data = tempfile::tempdir().unwrap();
    let boards = tempfile::tempdir().unwrap();
    std::fs::write(boards.path().join("filed.json"), "{}").unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--max-readers", "1", "--boards"]).arg(boards.path());
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    assert_eq!(server.put("/api/boards/ops", "{}", &[]).status, 201);
    let _reader = server.stream("series=a", None);
    let mut seen = BTreeSet::new();
    let key = [("Idempotency-Key", "once")];
    assert_eq!(server.post("/in/a", "1", &key).status, 204);
    for (answer, status) in [
        (server.post("/in/a", "2", &key), 422),
        (server.push("a", "hot"), 422),
        (server.push("a", "{"), 400),
        (server.post("/in/a", "1", &[("Content-Encoding", "br")]), 415),
        (server.post("/in/a", "1", &[("Origin", "http://evil.example")]), 403),
        (server.get_with("/in/a?value=1", &[("Sec-Purpose", "prefetch")]), 403),
        (server.get_with("/api/series", &[("Host", "evil.example")]), 421),
        (server.post("/in", "", &[]), 400),
        (server.post("/in", "{}\n7", &[]), 422),
        (server.post("/write", "a", &[]), 400),
        (server.get("/nothing"), 404),
        (server.delete("/api/series/none", &[]), 404),
        (server.delete("/api/series/a%20b", &[]), 422),
        (server.delete("/api/series", &[]), 405),
        (server.get("/sse?series=a"), 503),
        (server.get("/sse/probe?frames=0"), 422),
        (server.get("/api/history"), 422),
        (server.post("/api/doctor", "{}", &[]), 400),
        (server.get("/api/boards/none"), 404),
        (server.get("/api/boards/a%20b"), 422),
        (server.get_with("/api/boards/ops", &[("Accept", "text/html")]), 406),
        (server.put("/api/boards/ops", "{\"title\":\"\"}", &[]), 428),
        (server.put("/api/boards/ops", "{}", &[("If-None-Match", "*")]), 412),
        (server.put("/api/boards/ops", "{}", &[("Content-Type", "text/html")]), 415),
        (server.put("/api/boards/ops", "{\"no\":1}", &[]), 422),
        (server.put("/api/boards/filed", "{}", &[]), 409),
        (server.delete("/api/boards/filed", &[]), 409),
        (server.delete("/api/boards/none", &[]), 404),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        seen.insert(answer.json()["type"].as_str().unwrap().to_owned());
    }
    // Those that take long, need a full disk, or have a body whose sender may find the connection closed.
    let rest = [
        "/problems/limit-reached",
        "/problems/too-slow",
        "/problems/unavailable",
        "/problems/too-many",
        "/problems/too-large",
        // In tests/access.rs.
        "/problems/unauthorized",
        "/problems/forbidden",
        "/problems/token-exists",
        "/problems/user-exists",
    ];
    seen.extend(rest.map(str::to_owned));
    let described = DOCUMENT["components"]["schemas"]["ProblemType"]["enum"].as_array().unwrap();
    assert_eq!(seen, described.iter().map(|one| one.as_str().unwrap().to_owned()).collect());
}

#[tokio::test]
async fn every_error_is_a_problem_as_described() {
    let id: shared::BoardId = "ops".parse().unwrap();
    let (text, current) = (|| "x".to_owned(), Etag::stored(1));
    let refusals = [
        Refusal::NotMade(id.clone()),
        Refusal::Changed { id: id.clone(), current },
        Refusal::Absent(id.clone()),
        Refusal::Unconditional { id: id.clone(), current },
        Refusal::FromFile { id, file: "ops.toml".into() },
        Refusal::TooMany,
        Refusal::TooLarge,
        Refusal::UnknownForm(text()),
        Refusal::NotAcceptable(text()),
    ];
    let errors = [
        ApiError::field("ts", text(), text()),
        ApiError::Malformed(text()),
        ApiError::PartialWrite { detail: text(), errors: Vec::new() },
        ApiError::TooLarge(1),
        ApiError::UnknownEncoding(text()),
        ApiError::NotFound(text()),
        ApiError::NoSeries("ops/temp".parse().unwrap()),
        ApiError::MethodNotAllowed { method: text(), path: text(), allowed: "GET".to_owned() },
        ApiError::ForeignPage(Box::default()),
        ApiError::ForeignPage(Box::new(ForeignPage { origin: Some(text()), ..ForeignPage::default() })),
        ApiError::UnknownPage,
        ApiError::Speculative,
        ApiError::Unauthorized,
        ApiError::Forbidden { detail: text(), errors: Vec::new() },
        ApiError::Token(TokenRefusal::TooMany),
        ApiError::User(UserRefusal::TooMany),
        ApiError::Misdirected(text()),
        ApiError::TooSlow(30),
        ApiError::Full { readers: 1, retry_after: 1 },
        ApiError::Unavailable(text()),
        ApiError::Overloaded(text()),
        ApiError::Unreadable(text()),
    ];
    for error in errors.into_iter().chain(refusals.map(ApiError::Board)) {
        let body = error.into_response().into_body().collect().await.unwrap().to_bytes();
        hold_to("/components/schemas/Problem", &serde_json::from_slice(&body).unwrap());
    }
}

/// Values that may be at a place by mistake, or rightly.
fn values() -> Vec<Json> {
    let numbers = [json!(-1), json!(0), json!(1), json!(1.5), json!(49), json!(201), json!(1001), json!(10_001)];
    let words =
        ["", "x", "60s", "0s", "a//b", "ops/**", "**/ops", "..", "log", "p50", "green", "warn", "counter", "text"];
    let texts = words.map(Json::from).into_iter().chain([json!("x".repeat(201)), json!("x".repeat(20_000))]);
    let lists = [
        json!([]),
        json!(["a"]),
        json!(["p50", "p50"]),
        json!(["name"]),
        json!([[]]),
        json!([{}]),
        json!(vec!["a"; 33]),
    ];
    let tables = [json!({}), json!({"x": 1}), json!({"above": 1, "below": 2, "level": "ok"}), json!({"up": "mauve"})];
    numbers.into_iter().chain(texts).chain(lists).chain(tables).chain([json!(true)]).collect()
}

/// Variants of the document: with each value at each of its places, with each key of its objects removed, and with an
/// unknown key.
fn spoilt(document: &Json) -> Vec<Json> {
    let mut all = vec![document.clone()];
    each_place(document, "", &mut |pointer, json| {
        let mut with = |value: &Json| {
            let mut copy = document.clone();
            *copy.pointer_mut(pointer).unwrap() = value.clone();
            all.push(copy);
        };
        values().iter().for_each(&mut with);
        for key in json.as_object().into_iter().flat_map(|object| object.keys()) {
            let mut less = json.clone();
            less.as_object_mut().unwrap().remove(key);
            with(&less);
        }
        if json.is_object() {
            let mut more = json.clone();
            more["fireworks"] = json!("green");
            with(&more);
        }
    });
    all
}

fn each_place(json: &Json, pointer: &str, see: &mut impl FnMut(&str, &Json)) {
    see(pointer, json);
    match json {
        Json::Object(object) => {
            object.iter().for_each(|(key, value)| each_place(value, &format!("{pointer}/{key}"), see));
        }
        Json::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| each_place(value, &format!("{pointer}/{at}"), see));
        }
        _ => {}
    }
}

#[test]
fn a_board_is_described_just_where_it_can_be_stored() {
    let options = json!({
        "stat": [{"sparkline": false, "change": "1h"}],
        "line": [{"band": "min-max", "quantiles": ["p50", "p99"], "y_min": 1, "y_scale": "log"}, {"y_max": 10}],
        "area": [{"stack": "sum", "y_max": 10, "y_scale": "linear"}],
        "bar": [{"across": "time", "y_min": -1}],
        "gauge": [{"min": 0}, {"max": 100}],
        "states": [{"colours": {"up": "green", "going down": "red"}}],
        "table": [{"columns": ["name", "value"], "sort": "value", "order": "falling", "rows": 10}],
        "log": [{"lines": 100}],
        "heatmap": [{"y_scale": "log", "y_max": 10}],
        "text": [{"markdown": "# Notes"}],
    });
    let (mut taken, mut refused) = (0, 0);
    for (word, kind) in WidgetType::ALL {
        for options in options[word].as_array().unwrap() {
            let mut widget = json!({"id": "a", "type": word, "title": "A", "place": {"x": 0, "y": 0, "w": 1, "h": 1}});
            if *kind != WidgetType::Text {
                let source = json!({
                    "series": ["ops/**", "dev/*/temp"], "expect": "60s", "unit": "rpm", "decimals": 2, "show": "mean",
                    "thresholds": [{"above": 250, "level": "warn"}, {"below": 5.5, "level": "bad"}],
                });
                widget.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
            }
            widget.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            let document = json!({"title": "Ops", "columns": 48, "range": "6h", "widgets": [widget]});
            hold_to("/components/schemas/Board", &document);
            for document in spoilt(&document) {
                let read = Board::read(&document).strict();
                assert_eq!(is("Board", &document), read.is_ok(), "{document}: {read:?}");
                *if read.is_ok() { &mut taken } else { &mut refused } += 1;
            }
        }
    }
    assert!(taken > 500 && refused > 5_000, "{taken} were taken, {refused} refused");
}

#[test]
fn a_push_is_described_just_where_it_is_taken() {
    let now = Millis(1_732_399_200_123);
    let accepted = Acceptance { now, late_ms: 86_400_000 };
    let (number, text) =
        (json!({"value": 1, "ts": now, "kind": "gauge"}), json!({"text": "up", "ts": now, "kind": "text"}));
    let one = "/paths/~1in~1{series}/post/requestBody/content/application~1json/schema";
    let directory = Directory::default();
    let below = json!({"temp": 21.5, "on": true, "ts": now, "kind": "counter"});
    for point in spoilt(&below).iter().filter(|point| point.is_object()) {
        let taken = body::read(point.to_string().as_bytes(), accepted);
        assert_eq!(contract::mistakes(one, point).is_none(), taken.is_ok(), "{point}: {taken:?}");
    }
    for point in [&number, &text] {
        for point in spoilt(point).iter().filter(|point| point.is_object()) {
            let taken = body::read(point.to_string().as_bytes(), accepted);
            assert_eq!(contract::mistakes(one, point).is_none(), taken.is_ok(), "{point}: {taken:?}");
        }
        let mut line = point.clone();
        line["series"] = json!("ops/temp");
        for line in spoilt(&line).iter().filter(|line| !line.is_array()) {
            let mut share = Share::unbounded();
            let builder = BatchBuilder::by_default(&directory, &mut share);
            let taken = batch::points(line.to_string().as_bytes(), accepted, builder);
            assert_eq!(is("PushedPoint", line), taken.is_ok(), "{line}: {taken:?}");
        }
    }
    for text in [
        "42.5", " 1\n", "+1", "-.5", "1.", "1e5", "2.5E-3", "007", "", " ", "-", ".", "e5", "1e", "inf", "NaN", "0x10",
        "1_000", "1 2", "--1", "1,5", "hot", "١", "true", " false\n", "True", "TRUE", "tRUE", "truest", "null", "on",
        "\"42.5\"", "\" 1 \"", "\"\"", "\"hot\"", "\"1", "1\"", "\"true\"", "\"inf\"",
    ] {
        let taken = body::read(text.as_bytes(), accepted);
        assert_eq!(is("PlainNumber", &json!(text)), taken.is_ok(), "{text:?}: {taken:?}");
    }
}

#[test]
fn what_a_query_may_not_say_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut tried = 0;
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let resolved = |one: &'static Json| match one["$ref"].as_str() {
            Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
            None => one,
        };
        for parameter in parameters.map(resolved).filter(|one| one["in"] == "query") {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let wrong = |value: String| {
                let others = if *path == "/sse/probe" || name == "series" { "" } else { "series=a&" };
                let path = path.replace("{series}", "a");
                let others = if path.starts_with("/in/") { "value=1&" } else { others };
                let answer = server.get(&format!("{path}?{others}{name}={value}"));
                assert_eq!((answer.status, answer.first_error().0.as_str()), (422, name), "{path} {name}={value}");
            };
            if let (Some(least), Some(most)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
                [least - 1, most + 1].into_iter().for_each(|value| wrong(value.to_string()));
                tried += 1;
            } else if schema.get("enum").is_some() || schema["type"] == "array" {
                wrong("a%20b".to_owned());
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 16);
}

#[test]
fn the_name_of_a_series_may_have_its_slashes_escaped() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("ops%2Fapi/temp", "1").status, 204);
    assert_eq!(server.get("/api/series").json()[0]["name"], "ops/api/temp");
}

#[test]
fn what_the_doctor_measures_and_finds_is_described() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let doctor = Command::new(BINARY).args(["doctor", "--json", &server.url]).output().unwrap();
    let report: Json = serde_json::from_slice(&doctor.stdout).unwrap();
    hold_to("/components/schemas/Measurements", &report["measurements"]);
    let judged = server.post("/api/doctor", &report["measurements"].to_string(), &[]);
    assert_eq!((judged.status, judged.json()), (200, report["findings"].clone()));
}
