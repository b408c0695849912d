//! The events that a client receives over a real connection.

mod harness;

use std::process::Command;
use std::time::{Duration, Instant};

use harness::{BINARY, PATIENCE, Stream, TestServer};
use shared::track::Latest;
use shared::{ByeReason, Event, GapReason, Picture, contract};

fn value(event: &Event) -> f64 {
    let (Event::Snapshot { series, .. } | Event::Update { series, .. }) = event else { panic!("{event:?}") };
    match series[0].track.latest() {
        Latest::Number(value) => value,
        Latest::Text(text) => panic!("a text: {text}"),
    }
}

fn assert_hello(stream: &mut Stream) {
    let Event::Hello { contract, heartbeat_ms, .. } = stream.event() else { panic!("hello comes first") };
    assert_eq!(contract, contract::hash());
    assert_eq!(heartbeat_ms, 15_000);
}

#[test]
fn a_stream_begins_with_hello_and_a_snapshot_and_goes_on_with_updates() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/temp", "42.5");
    server.push("dev/temp", "1");
    let mut stream = server.stream("series=ops/**", None);
    assert_hello(&mut stream);
    let snapshot = stream.event();
    assert!((value(&snapshot) - 42.5).abs() < 1e-9, "{snapshot:?}");
    server.push("ops/temp", "43");
    assert!((value(&stream.event()) - 43.0).abs() < 1e-9);
    // A series that begins while the stream is open is sent too.
    server.push("ops/new", "7");
    assert!((value(&stream.event()) - 7.0).abs() < 1e-9);
}

#[test]
fn a_push_that_was_acknowledged_is_in_the_next_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for i in 0..50 {
        server.push("ops/n", &i.to_string());
        let mut stream = server.stream("board=ops", None);
        stream.event();
        assert!((value(&stream.event()) - f64::from(i)).abs() < 1e-9);
    }
}

#[test]
fn a_reader_that_comes_back_after_a_restart_hears_exactly_what_it_missed() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut picture = Picture::default();
    let fold = |picture: &mut Picture, stream: &mut Stream| {
        let event = stream.event();
        picture.apply(stream.last_id.parse().unwrap(), event.clone()).unwrap();
        event
    };
    for i in 0..5 {
        server.push("ops/n", &i.to_string());
    }
    let mut stream = server.stream("series=ops/**", None);
    fold(&mut picture, &mut stream);
    fold(&mut picture, &mut stream);
    let last_id = stream.last_id.clone();
    server.push("ops/n", "5");
    server.kill();
    let server = TestServer::start(data.path());
    server.push("ops/other", "1");
    let mut stream = server.stream("series=ops/**", Some(&last_id));
    assert!(matches!(fold(&mut picture, &mut stream), Event::Hello { .. }));
    assert!(matches!(fold(&mut picture, &mut stream), Event::Update { .. }), "no snapshot");

    let mut afresh = Picture::default();
    let mut stream = server.stream("series=ops/**", None);
    fold(&mut afresh, &mut stream);
    fold(&mut afresh, &mut stream);
    assert_eq!(picture, afresh);
    assert_eq!(picture.series().len(), 2);
}

#[test]
fn the_cursor_can_also_be_in_the_address_but_the_header_goes_before_it() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/n", "1");
    let mut stream = server.stream("series=ops/n", None);
    stream.event();
    stream.event();
    let old = stream.last_id.clone();
    server.push("ops/n", "2");
    stream.event();
    let new = stream.last_id.clone();
    let query = format!("series=ops/n&last_event_id={old}");
    let mut from_address = server.stream(&query, None);
    from_address.event();
    assert!(matches!(from_address.event(), Event::Update { .. }));
    let mut from_header = server.stream(&query, Some(&new));
    from_header.event();
    assert!(matches!(from_header.event(), Event::Heartbeat { .. }), "2 was not missed, so it is not sent again");
    server.push("ops/n", "3");
    assert!((value(&from_header.event()) - 3.0).abs() < 1e-9);
}

#[test]
fn a_cursor_of_another_store_is_a_gap_and_a_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/n", "1");
    for (id, wanted) in [("0000beef-9", GapReason::OtherEpoch), ("what?", GapReason::Malformed)] {
        let mut stream = server.stream("series=ops/n", Some(id));
        assert_hello(&mut stream);
        let Event::Gap { from, reason, .. } = stream.event() else { panic!("a gap comes second") };
        assert_eq!((from.as_str(), reason), (id, wanted));
        assert!((value(&stream.event()) - 1.0).abs() < 1e-9);
    }
}

#[test]
fn on_sigterm_readers_hear_bye_and_the_server_is_gone_within_a_second() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut streams: Vec<Stream> = (0..20).map(|_| server.stream("series=ops/**", None)).collect();
    for stream in &mut streams {
        assert_hello(stream);
    }
    let (status, took) = server.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let mut waits = Vec::new();
    for stream in &mut streams {
        let bye = std::iter::from_fn(|| stream.next()).find(|event| matches!(event, Event::Bye { .. }));
        let Some(Event::Bye { reason, retry_ms }) = bye else { panic!("no bye") };
        assert_eq!(reason, ByeReason::Shutdown);
        waits.push(retry_ms);
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 10 && waits.iter().all(|&wait| wait < 2_000), "spread out: {waits:?}");
}

#[test]
fn a_reader_that_goes_away_is_forgotten() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut stream = server.stream("series=ops/**", None);
    stream.event();
    assert!((server.metric("pulseboard_readers") - 1.0).abs() < 1e-9);
    drop(stream);
    let gone_by = Instant::now() + PATIENCE;
    while server.metric("pulseboard_readers") > 0.5 {
        assert!(Instant::now() < gone_by, "the reader is still counted");
    }
    assert!(server.metric("pulseboard_topics") < 0.5);
}

#[test]
fn at_the_limit_a_new_reader_is_sent_away_and_those_that_are_there_stay() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.args(["serve", "--max-readers", "2"]), "127.0.0.1:0", data.path());
    let mut first = server.stream("series=ops/**", None);
    let second = server.stream("series=**", None);
    assert_hello(&mut first);
    let mut waits = std::collections::HashSet::new();
    for _ in 0..20 {
        let answer = server.get("/sse?series=ops/**");
        assert_eq!((answer.status, answer.json()["type"].as_str()), (503, Some("/problems/full")));
        waits.insert(answer.header("retry-after").parse::<u32>().unwrap());
    }
    assert!(waits.len() > 1 && waits.iter().all(|wait| (1..=10).contains(wait)), "spread out: {waits:?}");
    drop(second);
    let back_by = Instant::now() + PATIENCE;
    while server.metric("pulseboard_readers") > 1.5 {
        assert!(Instant::now() < back_by, "the place is not given up");
    }
    assert_hello(&mut server.stream("series=ops/**", None));
    first.event();
    server.push("ops/n", "1");
    assert!((value(&first.event()) - 1.0).abs() < 1e-9);
}

#[test]
fn only_pages_of_origins_that_are_allowed_may_read() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--allow-origin", "http://127.0.0.1:9999"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let allowed = server.get_with("/api/series", &[("Origin", "http://127.0.0.1:9999")]);
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, "http://127.0.0.1:9999"));
    let refused = server.get_with("/api/series", &[("Origin", "http://127.0.0.1:9998")]);
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, ""));
}

#[test]
fn a_page_of_another_site_cannot_push_unless_it_may() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--allow-origin", "http://127.0.0.1:9999"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let own = server.url.clone();
    for (origin, status) in [("http://127.0.0.1:9999", 204), (own.as_str(), 204), ("https://evil.example", 403)] {
        let answer = server.post("/in/ops/n", "1", &[("Origin", origin)]);
        assert_eq!(answer.status, status, "{origin}: {}", answer.text);
    }
    assert!((server.metric("pulseboard_points_total") - 2.0).abs() < 1e-9, "nothing of it was stored");
    assert_eq!(server.post("/in/ops/n", "1", &[]).status, 204, "curl says no origin");
}

#[test]
fn a_reader_of_every_change_that_missed_nothing_is_told_of_no_gap() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/n", "1");
    let mut stream = server.stream("series=ops/n&hz=0", None);
    assert_hello(&mut stream);
    stream.event();
    let cursor = stream.last_id.clone();
    drop(stream);
    server.push("other/n", "1");
    let mut stream = server.stream("series=ops/n&hz=0", Some(&cursor));
    assert_hello(&mut stream);
    assert!(matches!(stream.event(), Event::Heartbeat { .. }), "it is told that nothing changed");
    server.push("ops/n", "2");
    assert!((value(&stream.event()) - 2.0).abs() < 1e-9, "and then of what is new");
}

#[test]
fn a_wrong_query_says_what_to_write() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let (field, expected, got) = server.get("/sse").first_error();
    assert_eq!(field, "query");
    assert!(expected.contains("series=SELECTOR") && got.contains("neither"), "{expected} {got}");
    assert_eq!(server.get("/sse?series=a%20b").first_error().0, "series");
    assert_eq!(server.get("/sse?board=ops&hz=often").first_error().0, "hz");
}
