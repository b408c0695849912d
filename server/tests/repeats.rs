//! Clients that send a batch again after a lost answer: points with a time of their sender count once.

mod harness;

use harness::{TestServer, now_ms};
use serde_json::{Value as Json, json};

/// Count, sum and median of all points of a series.
fn totals(server: &TestServer, series: &str) -> (u64, f64, Json) {
    let history = server.get(&format!("/api/history?series={series}&points=1")).json();
    let buckets = history[0]["buckets"].as_array().expect("it has buckets");
    let count = buckets.iter().map(|bucket| bucket["count"].as_u64().expect("a count")).sum();
    let sum = buckets.iter().map(|bucket| bucket["sum"].as_f64().expect("a sum")).sum();
    (count, sum, buckets.iter().map(|bucket| bucket["p50"].clone()).collect())
}

/// Lines of line protocol that belong together, each with a time in nanoseconds.
fn lines(from: u64, count: u64) -> Vec<String> {
    let line = |n: u64| format!("job,host=a seconds={}.5 {}", n % 7, from * 1_000_000 + n * 137);
    (0..count).map(line).collect()
}

#[test]
fn batch_that_is_sent_again_changes_nothing_however_it_is_cut_also_after_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let all = lines(now_ms() - 5_000, 3_000);
    let post = |server: &TestServer, lines: &[String]| {
        let answer = server.post("/api/v2/write?bucket=b&org=o", &lines.join("\n"), &[]);
        assert_eq!(answer.status, 204, "{}", answer.text);
    };
    post(&server, &all[..2_000]);
    let first = totals(&server, "job/a/seconds");
    assert_eq!(first.0, 2_000);
    post(&server, &all[..2_000]);
    assert_eq!(totals(&server, "job/a/seconds"), first, "byte for byte");
    for part in all[..2_000].chunks(300) {
        post(&server, part);
    }
    assert_eq!(totals(&server, "job/a/seconds"), first, "in other batches");
    assert_eq!(server.metric("pulseboard_repeated_points_total"), 4_000.0);

    server.kill();
    let server = TestServer::start(data.path());
    post(&server, &all[..2_000]);
    assert_eq!(totals(&server, "job/a/seconds"), first, "after kill -9");
    // A client continues with the points that it has gathered since.
    post(&server, &all[1_000..]);
    assert_eq!(totals(&server, "job/a/seconds").0, 3_000);

    let (status, _) = server.terminate();
    assert!(status.success());
    let server = TestServer::start(data.path());
    post(&server, &all);
    assert_eq!(totals(&server, "job/a/seconds").0, 3_000, "after a restart");
}

#[test]
fn points_of_other_instants_or_values_or_without_a_time_are_points_of_their_own() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms() - 1_000;
    let push = |path: &str, body: &str| {
        let answer = server.post(path, body, &[]);
        assert_eq!(answer.status, 204, "{path} {body}: {}", answer.text);
    };
    let count = |series: &str| totals(&server, series).0;
    for _ in 0..2 {
        // The same millisecond, and another nanosecond.
        push("/write", &format!("a x=1 {ms}000000\na x=1 {ms}000001\na x=2 {ms}000000\na x=1 {ms}999999"));
        push("/write?precision=us", &format!("b x=1 {ms}000\nb x=1 {ms}001"));
        push("/write?precision=ms", &format!("c x=1 {ms}"));
        push("/write", &format!("c x=1 {ms}000000"));
        push("/in/c/x", &format!(r#"{{"value":1,"ts":{ms}}}"#));
        push("/in", &format!(r#"{{"series":"d","value":1,"ts":{ms}}}"#));
        push("/in", &format!(r#"[{{"series":"d","value":1,"ts":{ms}}}]"#));
        push("/in", &format!(r#"{{"series":"log","text":"up","ts":{ms}}}"#));
        for _ in 0..3 {
            push("/in/e", "1");
            push("/in", r#"{"series":"e","value":1}"#);
            push("/write", "f x=1");
        }
    }
    assert_eq!((count("a/x"), count("b/x"), count("c/x"), count("d")), (4, 2, 1, 1));
    assert_eq!((count("e"), count("f/x")), (12, 6), "the server set their times");
    let log = server.get("/api/history?series=log").json();
    assert_eq!(log[0]["lines"].as_array().map(Vec::len), Some(1), "{log}");
}

#[test]
fn readers_hear_of_a_repeat_only_once() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let body = format!(r#"{{"value":1,"ts":{}}}"#, now_ms());
    assert_eq!(server.push("ops/a", &body).status, 204);
    let mut stream = server.stream("series=ops/**&hz=0", None);
    stream.event();
    stream.event();
    assert_eq!(server.push("ops/a", &body).status, 204);
    assert_eq!(server.push("ops/a", "2").status, 204);
    let shared::Event::Update { series, .. } = stream.event() else { panic!("an update comes next") };
    let shared::Track::Numbers(buckets) = &series[0].track else { panic!("it holds numbers") };
    assert!(buckets.iter().all(|bucket| bucket.last.value == 2.0 || bucket.count == 1), "{buckets:?}");
    assert_eq!(totals(&server, "ops/a").0, 2);
    assert_eq!(server.get("/api/series").json()[0]["value"], json!(2.0));
}
