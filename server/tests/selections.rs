//! The cost of selections: selectors that match little or much, and many selections at a time.

#![expect(clippy::unwrap_used, reason = "tests")]

mod harness;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::{BINARY, TestServer};
use shared::Event;

fn start(flags: &[&str], data: &Path) -> TestServer {
    let mut command = Command::new(BINARY);
    TestServer::start_with(command.arg("serve").args(flags), "127.0.0.1:0", data)
}

/// Pushes a point of each of `racks * 100 * 10` series.
fn fill(server: &TestServer, racks: u32) {
    for rack in 0..racks {
        let mut batch = String::new();
        for host in 0..100 {
            for metric in 0..10 {
                writeln!(batch, r#"{{"series":"r{rack}/h{host}/m{metric}","value":1}}"#).unwrap();
            }
        }
        assert_eq!(server.post("/in", &batch, &[]).status, 204);
    }
}

/// Makes a query of `count` selectors.
fn query(count: u32, selector: impl Fn(u32) -> String) -> String {
    let all: Vec<_> = (0..count).map(|n| format!("series={}", selector(n))).collect();
    all.join("&")
}

fn refused(server: &TestServer, limit: &str) -> f64 {
    server.metric(&format!("pulseboard_refused_total{{limit=\"{limit}\"}}"))
}

#[test]
fn selectors_without_matches_are_cheap_and_costly_ones_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-match-steps", "20000"], data.path());
    fill(&server, 20);
    // The attacker knows names and has pushed one, so that most segments exist at their place.
    assert_eq!(server.push("a/b/c/x/y/z/w/n1", "1").status, 204);
    let steps = || server.metric("pulseboard_match_steps_total");
    let before = steps();
    for _ in 0..10 {
        let mut stream = server.stream(&query(256, |n| format!("*/*/*/x/y/z/w/none{n}")), None);
        assert!(matches!(stream.event(), Event::Hello { .. }));
        assert!(matches!(stream.event(), Event::Snapshot { series, .. } if series.is_empty()));
    }
    assert!(steps() - before < 1_000.0, "{} steps", steps() - before);

    let costly = format!("/sse?{}", query(256, |n| format!("*/h{n}/*/**")));
    let done = AtomicBool::new(false);
    let before = steps();
    let asked = std::thread::scope(|scope| {
        let attacks: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut asked = 0;
                    while !done.load(Ordering::Relaxed) {
                        let answer = server.get(&costly);
                        assert_eq!(answer.status, 413, "{}", answer.text);
                        assert!(answer.text.contains("--max-match-steps"), "{}", answer.text);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        for n in 0..50 {
            assert_eq!(server.push(&format!("new/s{n}"), "1").status, 204);
        }
        done.store(true, Ordering::Relaxed);
        attacks.into_iter().map(|attack| attack.join().unwrap()).sum::<u32>()
    });
    assert!(asked > 0);
    // Each match is first tried on the calling thread, and a walk checks its bound only every few thousand steps.
    assert!(steps() - before < f64::from(asked) * 30_000.0, "{} steps for {asked}", steps() - before);
    assert!((refused(&server, "max-match-steps") - f64::from(asked)).abs() < 0.5);
}

#[test]
fn stream_over_max_selected_is_refused_and_one_at_the_bound_is_served() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-selected", "1000"], data.path());
    fill(&server, 2);
    for query in ["series=**", "series=r0/**&series=r1/h1/m1", "series=*/*/*"] {
        let answer = server.get(&format!("/sse?{query}"));
        assert_eq!(answer.status, 413, "{query}");
        assert!(answer.text.contains("over 1000 series") && answer.text.contains("--max-selected"), "{}", answer.text);
    }
    let mut stream = server.stream("series=r0/**&series=r0/h1/*&series=r0/h1/m1", None);
    assert!(matches!(stream.event(), Event::Hello { .. }));
    assert!(matches!(stream.event(), Event::Snapshot { series, .. } if series.len() == 1_000));
    assert!((refused(&server, "max-selected") - 3.0).abs() < 0.5);
}

#[test]
fn a_stream_of_boards_with_too_many_selectors_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&[], data.path());
    let mut boards = Vec::new();
    for board in 0..5 {
        let widget = |widget: u32| {
            let series: Vec<_> = (0..32).map(|n| format!("\"b{board}/w{widget}/s{n}\"")).collect();
            format!(r#"{{"id":"w{widget}","type":"stat","series":[{}]}}"#, series.join(","))
        };
        let widgets: Vec<_> = (0..8).map(widget).collect();
        let document = format!(r#"{{"widgets":[{}]}}"#, widgets.join(","));
        let answer = server.put(&format!("/api/boards/b{board}"), &document, &[]);
        assert_eq!(answer.status, 201, "{}", answer.text);
        boards.push(format!("board=b{board}"));
    }
    let answer = server.get(&format!("/sse?{}", boards.join("&")));
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert!(answer.text.contains("1280 selectors together"), "{}", answer.text);
    assert!(matches!(server.stream(&boards[..4].join("&"), None).event(), Event::Hello { .. }));
}

#[test]
fn selections_stay_within_max_topic_memory_and_more_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-topic-memory", "1MiB"], data.path());
    let mut batch = String::new();
    for n in 0..50 {
        writeln!(batch, r#"{{"series":"s/{n}","value":1}}"#).unwrap();
    }
    assert_eq!(server.post("/in", &batch, &[]).status, 204);
    let mut streams = Vec::new();
    let refusal = loop {
        assert!(streams.len() < 1_000, "there is no bound");
        let path = format!("series=s/*&series=other/{}", streams.len());
        let answer = server.opens(&path);
        match answer {
            Ok(stream) => streams.push(stream),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.status, 503);
    assert!(refusal.text.contains("--max-topic-memory") && !refusal.header("retry-after").is_empty());
    assert!(streams.len() > 10, "some are served: {}", streams.len());
    for _ in 0..20 {
        assert_eq!(server.post("/in", &batch, &[]).status, 204);
    }
    assert!(server.metric("pulseboard_topic_bytes") <= f64::from(1 << 20));
    assert!(refused(&server, "max-topic-memory") > 0.5);
    drop(streams);
    let back_by = std::time::Instant::now() + harness::PATIENCE;
    while server.metric("pulseboard_readers") > 0.5 {
        assert!(std::time::Instant::now() < back_by, "the memory is not freed");
    }
    assert!(server.metric("pulseboard_topic_bytes") < 0.5);
    assert!(server.opens("series=s/*").is_ok());
}

#[test]
fn series_are_listed_page_by_page_in_the_order_of_their_names() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&[], data.path());
    fill(&server, 2);
    assert_eq!(server.push("r0-a/h", "1").status, 204);
    let names = |query: &str| -> Vec<String> {
        let listed = server.get(&format!("/api/series{query}")).json();
        listed.as_array().unwrap().iter().map(|series| series["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = names("");
    assert_eq!(all.len(), 2_001);
    assert!(all.is_sorted(), "by name");
    let mut paged = names("?limit=300");
    loop {
        let page = names(&format!("?limit=300&after={}", paged.last().unwrap()));
        paged.extend_from_slice(&page);
        if page.len() < 300 {
            break;
        }
    }
    assert_eq!(paged, all);
    let under = names("?prefix=r0/h1&after=r0/h10/m8&limit=3");
    assert_eq!(under, ["r0/h10/m9", "r0/h11/m0", "r0/h11/m1"]);
    assert_eq!(names("?prefix=r0-").len(), 1);
    assert!(names("?prefix=none").is_empty() && names("?after=z").is_empty());
    let answer = server.get("/api/series?limit=0");
    assert_eq!((answer.status, answer.first_error().0.as_str()), (422, "limit"));
}

#[test]
fn new_readers_are_refused_while_a_stalled_one_holds_a_large_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-topic-memory", "4MiB"], data.path());
    let line = "x".repeat(4_000);
    for series in 0..60 {
        let mut batch = String::new();
        for _ in 0..100 {
            writeln!(batch, r#"{{"series":"log/{series}","text":"{line}"}}"#).unwrap();
        }
        assert_eq!(server.post("/in", &batch, &[]).status, 204);
    }
    let slow = server.stream("series=log/**", None);
    let asked = std::time::Instant::now();
    // The server encodes the snapshot some time after the stream has begun.
    let refusal = loop {
        assert!(asked.elapsed() < harness::PATIENCE, "all are served");
        match server.opens("series=log/1") {
            Ok(stream) => drop(stream),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.status, 503);
    assert!(refusal.text.contains("--max-topic-memory"), "{}", refusal.text);
    drop(slow);
    while server.opens("series=log/1").is_err() {
        assert!(asked.elapsed() < 2 * harness::PATIENCE, "no reader is served any more");
    }
}
