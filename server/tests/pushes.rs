//! Accepted pushes, and the answers to pushes that are not accepted.

mod harness;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use harness::{BINARY, TestServer, now_ms};
use serde_json::json;
use shared::{Declared, Event, Picture};

#[test]
fn a_number_is_acknowledged_and_then_is_there() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let answer = server.push("ops/temp", "42.5");
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let ts = now_ms() - 60_000;
    assert_eq!(server.push("ops/deploy", &format!(r#"{{"text":"deploying","ts":{ts}}}"#)).status, 204);
    let series = server.get("/api/series").json();
    assert_eq!(series[0], json!({"name":"ops/deploy","kind":"text","text":"deploying","ts":ts}));
    assert_eq!((&series[1]["name"], &series[1]["value"]), (&json!("ops/temp"), &json!(42.5)));
}

#[test]
fn a_kind_that_is_declared_with_a_push_is_told_by_the_stream_and_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut server = TestServer::start(data.path());
    assert_eq!(server.push("ops/hits", r#"{"value":7,"kind":"counter"}"#).status, 204);
    assert_eq!(server.push("ops/hits", "9").status, 204);
    assert_eq!(server.push("ops/temp", "9").status, 204);
    for _ in 0..2 {
        let series = server.get("/api/series").json();
        assert_eq!((&series[0]["kind"], &series[0]["declared"]), (&json!("number"), &json!("counter")));
        assert_eq!(series[1].get("declared"), None, "nobody said so");
        let mut stream = server.stream("series=ops/**", None);
        let mut picture = Picture::default();
        while picture.cursor().is_none() {
            let event = stream.event();
            picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
        }
        assert_eq!(picture.declared(&"ops/hits".parse().unwrap()), Some(Declared::Counter));
        assert_eq!(picture.declared(&"ops/temp".parse().unwrap()), None);
        drop(stream);
        server.terminate();
        server = TestServer::start(data.path());
    }
    let wrong = server.push("ops/hits", r#"{"value":7,"kind":"clock"}"#).first_error();
    assert_eq!((wrong.0.as_str(), wrong.2.as_str()), ("kind", "the text \"clock\""));
}

#[test]
fn whatever_is_wrong_with_a_push_is_named_and_nothing_of_it_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let far = u64::MAX / 4;
    let long = "x".repeat(65);
    for (series, body, field, expected, got) in [
        ("ops/temp", "hot", "body", "a finite number", "\"hot\""),
        ("ops/temp", "NaN", "body", "a finite number", "\"NaN\""),
        ("ops/temp", "-inf", "body", "a finite number", "\"-inf\""),
        ("ops/temp", r#"{"value":null}"#, "value", "a finite number", "null"),
        (
            "ops/temp",
            &format!(r#"{{"value":1,"ts":{far}}}"#),
            "ts",
            "at most 300 s ahead",
            "ahead of the server's clock",
        ),
        ("ops/temp", r#"{"value":1,"ts":1732399200123}"#, "ts", "at most 1d ago (--late", "ago"),
        ("ops/te%20mp", "1", "series", "1 to 8 segments", "' '"),
        (&long, "1", "series", "1 to 8 segments", "65 characters"),
        ("1/2/3/4/5/6/7/8/9", "1", "series", "1 to 8 segments", "9 segments"),
    ] {
        let answer = server.push(series, body);
        assert_eq!(answer.status, 422, "{series} {body}");
        let error = answer.first_error();
        assert_eq!(error.0, field);
        assert!(error.1.contains(expected) && error.2.contains(got), "{error:?}");
    }
    let broken = server.push("ops/temp", r#"{"value":"#);
    assert_eq!((broken.status, broken.json()["type"].as_str()), (400, Some("/problems/malformed")));
    let large = server.push("ops/temp", &"1".repeat((1 << 20) + 1));
    assert_eq!((large.status, large.json()["type"].as_str()), (413, Some("/problems/too-large")));
    assert_eq!(server.get("/api/series").text, "[]");
    assert!((server.metric("pulseboard_pushes_total{answer=\"refused\"}") - 11.0).abs() < 0.1);
}

#[test]
fn a_batch_is_kept_whole_or_not_at_all() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let bad = "{\"series\":\"a\",\"value\":1}\n{\"series\":\"b\",\"value\":\"x\"}\n{\"series\":\"c d\",\"value\":1}";
    let answer = server.post("/in", bad, &[]);
    assert_eq!(answer.status, 422);
    let lines: Vec<_> =
        answer.json()["errors"].as_array().unwrap().iter().map(|e| (e["line"].clone(), e["field"].clone())).collect();
    assert_eq!(lines, [(json!(2), json!("value")), (json!(3), json!("series"))]);
    assert_eq!(server.get("/api/series").text, "[]");

    assert_eq!(server.post("/in", r#"[{"series":"a","value":1},{"series":"b","text":"up"}]"#, &[]).status, 204);
    let mixed = server.post("/in", "{\"series\":\"a\",\"value\":2}\n{\"series\":\"b\",\"value\":3}", &[]);
    let (field, expected, got) = mixed.first_error();
    assert_eq!((mixed.status, field.as_str(), got.as_str()), (422, "value", "a number"));
    assert!(expected.contains("which is what b holds"), "{expected}");
    assert_eq!(server.get("/api/series").json()[0]["value"], json!(1.0), "a is as it was");
}

#[test]
fn a_retry_with_an_idempotency_key_counts_once_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let key = [("Idempotency-Key", "job-17")];
    assert_eq!(server.post("/in/jobs/done", "1", &key).status, 204);
    assert_eq!(server.post("/in/jobs/done", "1", &key).status, 204);
    server.kill();
    let server = TestServer::start(data.path());
    assert_eq!(server.post("/in/jobs/done", "1", &key).status, 204);
    let mut stream = server.stream("series=jobs/done", None);
    stream.event();
    let Event::Snapshot { series, .. } = stream.event() else { panic!("a snapshot comes second") };
    let shared::Track::Numbers(buckets) = &series[0].track else { panic!("it holds numbers") };
    assert_eq!(buckets.iter().map(|b| b.count).sum::<u64>(), 1);
}

#[test]
fn idempotency_key_of_another_path_or_body_is_refused_and_nothing_is_taken_for_a_repeat() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let key = [("Idempotency-Key", "2026-11-27")];
    assert_eq!(server.post("/in/backup/db", "1", &key).status, 204);
    let (lines, again) = ("{\"series\":\"backup/files\",\"value\":1}\n", "{\"series\":\"backup/files\",\"value\":2}\n");
    for (path, body) in [
        ("/in/backup/files", "1"),
        ("/in/backup/db", "2"),
        ("/in/backup/db?kind=gauge", "1"),
        ("/in", lines),
        ("/write", "backup files=1"),
    ] {
        let other = server.post(path, body, &key);
        assert_eq!((other.status, other.header("content-type")), (422, "application/problem+json"), "{path} {body}");
        let problem = other.json();
        assert_eq!(problem["type"], "/problems/idempotency-key-reused");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("another address or body") && detail.contains("a key of its own"), "{detail}");
    }
    assert_eq!(server.get("/api/series").json().as_array().unwrap().len(), 1);

    let key = [("Idempotency-Key", "batch")];
    assert_eq!(server.post("/in", lines, &key).status, 204);
    server.kill();
    let server = TestServer::start(data.path());
    assert_eq!((server.post("/in", lines, &key).status, server.post("/in", again, &key).status), (204, 422));
    let count =
        |series: &str| server.get(&format!("/api/history?series={series}")).json()[0]["buckets"][0]["count"].clone();
    assert_eq!((count("backup/db"), count("backup/files")), (json!(1), json!(1)));
}

#[test]
fn a_wrong_method_or_path_says_what_there_is() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let get = server.get("/in");
    assert_eq!((get.status, get.header("allow")), (405, "POST"));
    let lost = server.get("/api/serie");
    assert_eq!((lost.status, lost.header("content-type")), (404, "application/problem+json"));
    assert!(lost.json()["detail"].as_str().unwrap().contains("/api/series"));
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
}

/// Runs `pulseboard push` with this input.
#[expect(clippy::unwrap_used, reason = "in a test that is how to fail")]
fn push_command(server: &TestServer, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("push").args(args).args(["--to", &server.url]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments does not read its input.
    let _read = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_kind_can_be_declared_beside_a_number_as_text() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let declared = || server.get("/api/series").json()[0]["declared"].clone();
    assert_eq!(server.push("ops/hits?kind=counter", "7").status, 204);
    assert_eq!(declared(), json!("counter"));
    assert_eq!(server.push("ops/hits?kind=gauge", r#"{"value":8}"#).status, 204);
    assert_eq!(declared(), json!("gauge"), "the last word holds");
    assert_eq!(server.push("ops/hits", "9").status, 204);
    assert_eq!(declared(), json!("gauge"), "and stays where nothing is said");
    assert_eq!(server.push("ops/hits?kind=counter", r#"{"value":10,"kind":"counter"}"#).status, 204);
    assert_eq!(declared(), json!("counter"));
    for (series, body, field, expected, got) in [
        ("ops/hits?kind=clock", "11", "kind", "gauge or counter", "clock"),
        ("ops/hits?kind=gauge", r#"{"value":11,"kind":"counter"}"#, "kind", "gauge also in the body", "counter"),
        ("ops/up?kind=counter", r#"{"text":"up"}"#, "kind", "text, which a series of texts is", "counter"),
        ("ops/hits?kind=counter&kind=gauge", "11", "kind", "text, and only once", "counter and gauge"),
        ("ops//hits?kind=clock", "11", "series", "1 to 8 segments", "segment 2 is empty"),
    ] {
        let answer = server.push(series, body);
        assert_eq!(answer.status, 422, "{series}");
        let error = answer.first_error();
        assert!(error.0 == field && error.1.contains(expected) && error.2.contains(got), "{series}: {error:?}");
    }
    let batch = server.post("/in?kind=counter", r#"{"series":"ops/hits","value":11}"#, &[]);
    assert_eq!((batch.status, batch.first_error().0.as_str()), (422, "kind"));
    assert!(batch.first_error().1.contains(r#"with each point of a batch, as "kind":"counter""#), "{}", batch.text);
    let series = server.get("/api/series").json();
    assert_eq!((series.as_array().unwrap().len(), &series[0]["value"]), (1, &json!(10.0)), "nothing of it was kept");
}

#[test]
fn what_else_an_address_says_is_passed_over() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("ops/hits?token=abc&kind=counter", "7").status, 204);
    assert_eq!(server.push("ops/hits?knd=gauge", "8").status, 204);
    assert_eq!(server.post("/in?token=abc", r#"{"series":"ops/hits","value":9}"#, &[]).status, 204);
    let series = server.get("/api/series").json();
    assert_eq!((&series[0]["declared"], &series[0]["value"]), (&json!("counter"), &json!(9.0)));
}

#[test]
fn the_command_push_declares_a_kind() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert!(push_command(&server, &["ops/hits", "--kind", "counter"], "7\n9\n").status.success());
    let series = server.get("/api/series").json();
    assert_eq!((&series[0]["declared"], &series[0]["value"]), (&json!("counter"), &json!(9.0)));
    for (args, wanted) in
        [(["--kind", "clock"].as_slice(), "there are gauge and counter"), (&["--kind", "gauge", "--text"], "--text")]
    {
        let refused = push_command(&server, &[&["ops/hits"], args].concat(), "10\n");
        assert!(!refused.status.success());
        assert!(String::from_utf8(refused.stderr).unwrap().contains(wanted), "{args:?}");
    }
}

#[test]
fn the_command_push_sends_each_line_and_names_the_wrong_ones() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let push = |args: &[&str], input: &str| push_command(&server, args, input);
    let output = push(&["ops/ping"], "1\n2.5\n\nfast\n3\n");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("line 4: \"fast\" is not a number"), "{said}");
    assert!(push(&["ops/deploy", "--text"], "building\ndone\n").status.success());
    // Not only the last line of each is there.
    let stored = server.get("/api/history?series=ops/ping").json();
    let buckets = stored[0]["buckets"].as_array().unwrap();
    let sum = |figure: &str| buckets.iter().map(|bucket| bucket[figure].as_f64().unwrap()).sum::<f64>();
    assert_eq!((sum("count"), sum("sum")), (3.0, 6.5), "{stored}");
    let ends = (&buckets[0]["first"], &buckets[buckets.len() - 1]["last"]);
    assert_eq!(ends, (&json!(1.0), &json!(3.0)), "in the order of the lines: {stored}");
    let stored = server.get("/api/history?series=ops/deploy").json();
    let lines: Vec<_> = stored[0]["lines"].as_array().unwrap().iter().map(|line| line["text"].clone()).collect();
    assert_eq!(lines, ["building", "done"], "{stored}");
    let refused = push(&["ops/deploy"], "1\n");
    assert!(String::from_utf8(refused.stderr).unwrap().contains("expected a text"), "the server's reason is shown");
}

/// The number in a line of a file of /proc: the first after `name`, or the first of all where that is empty.
#[cfg(target_os = "linux")]
fn proc_figure(file: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(file).expect("Linux has /proc");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the file has the line");
    line.split_whitespace().next().and_then(|figure| figure.parse().ok()).expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn the_agent_feeds_the_figures_of_the_machine() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start_with(Command::new(BINARY).args(["serve", "--agent"]), "127.0.0.1:0", data.path());
    let mut stream = server.stream("series=host/**", None);
    let mut figures = std::collections::BTreeMap::new();
    let wanted = ["cpu/all_pct", "cpu/core0_pct", "memory/used_bytes", "memory/used_pct", "load/1min", "load/5min"];
    let value = |figures: &std::collections::BTreeMap<String, f64>, name: &str| figures[&format!("host/{name}")];
    while !wanted.iter().all(|name| figures.contains_key(&format!("host/{name}"))) {
        let (Event::Snapshot { series, .. } | Event::Update { series, .. }) = stream.event() else { continue };
        for part in series {
            assert!(part.track.latest_at().ts.0 > 0);
            let shared::track::Latest::Number(value) = part.track.latest() else { panic!("{}: a text", part.name) };
            figures.insert(part.name.as_str().to_owned(), value);
        }
    }
    let total = proc_figure("/proc/meminfo", "MemTotal:") * 1_024.0;
    let used = value(&figures, "memory/used_bytes");
    assert!(used > 0.0 && used < total, "{used} of {total} bytes");
    let share = used / total * 100.0;
    assert!((value(&figures, "memory/used_pct") - share).abs() < 0.2, "{share} % of memory: {figures:?}");
    // The load may have changed since the agent looked, but not by half.
    let load = proc_figure("/proc/loadavg", "");
    let seen = value(&figures, "load/1min");
    assert!(seen > load / 2.0 - 1.0 && seen < load * 2.0 + 1.0, "the load is {load}: {figures:?}");
    for name in ["cpu/all_pct", "cpu/core0_pct"] {
        assert!((0.0..=100.0).contains(&value(&figures, name)), "{name}: {figures:?}");
    }
}

#[test]
fn a_command_that_reaches_no_server_says_so_and_since_when_and_gives_up_when_it_was_told_to() {
    // Bound and closed again: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let to = format!("http://{nobody}");
    let mut command = Command::new(BINARY);
    command.args(["push", "ops/n", "--give-up", "300ms", "--to", &to]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let [first, .., last] = lines[..] else { panic!("{said}") };
    for part in ["cannot push to", &to, "lines wait", "since ", "GMT", "300ms in all (--give-up)"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(last.contains("cannot push to"), "{last}");
}

#[test]
fn time_in_the_address_is_the_time_of_the_point() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ts = now_ms() - 3_600_000;
    let newest = |name: &str| server.get(&format!("/api/series?prefix={name}")).json()[0]["ts"].as_u64();
    for (name, body) in [("plain", "42.5"), ("object", r#"{"value":42.5}"#), ("text", r#"{"text":"up"}"#)] {
        assert_eq!(
            server.push(&format!("{name}?ts={ts}&kind={}", if name == "text" { "text" } else { "gauge" }), body).status,
            204
        );
        assert_eq!(newest(name), Some(ts), "{name}");
    }
    assert_eq!(server.push(&format!("below?ts={ts}"), r#"{"temp":1,"hum":2}"#).status, 204);
    assert_eq!((newest("below/temp"), newest("below/hum")), (Some(ts), Some(ts)));
    let both = format!(r#"{{"value":1,"ts":{ts}}}"#);
    for (query, body) in [("ts=17", "1"), ("ts=soon", "1"), ("ts=1&ts=2", "1"), (&format!("ts={ts}"), both.as_str())] {
        let answer = server.push(&format!("wrong?{query}"), body);
        assert_eq!((answer.status, answer.first_error().0.as_str()), (422, "ts"), "{query}: {}", answer.text);
    }
    let batch = server.post(&format!("/in?ts={ts}"), r#"{"series":"wrong","value":1}"#, &[]);
    assert_eq!((batch.status, batch.first_error().0.as_str()), (422, "ts"), "{}", batch.text);
    assert_eq!(newest("wrong"), None);
}
