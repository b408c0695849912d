//! Bounds on the cost of pushes, and the service that remains for others when a push reaches them.

mod harness;

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{BINARY, PATIENCE, TestServer, now_ms};

/// Makes `count` fields of a line.
fn fields(count: usize) -> String {
    (0..count).map(|n| format!("b{n}=1")).collect::<Vec<_>>().join(",")
}

/// Makes a body for each way to push this number of points to one series.
fn bodies(points: usize) -> [(&'static str, String); 4] {
    let element = r#"{"series":"a","value":1}"#;
    [
        ("/in", vec![element; points].join("\n")),
        ("/in", format!("[{}]", vec![element; points].join(","))),
        ("/write", "a b=1\n".repeat(points)),
        ("/write", format!("a {}", fields(points))),
    ]
}

#[expect(clippy::unwrap_used, reason = "in a test that is how to fail")]
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn start(data: &Path, args: &[&str]) -> TestServer {
    TestServer::start_with(Command::new(BINARY).arg("serve").args(args), "127.0.0.1:0", data)
}

#[test]
fn push_of_too_many_points_is_refused_whole_and_counted_and_the_answer_names_the_flag() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &["--max-points", "10"]);
    for (path, body) in bodies(11) {
        let answer = server.post(path, &body, &[]);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 413, "{detail}");
        assert!(detail.contains("over 10 points") && detail.contains("--max-points"), "{detail}");
    }
    assert_eq!(server.get("/api/series").text, "[]");
    assert_eq!(server.refused("max-points"), 4);
    for (path, body) in bodies(10) {
        assert_eq!(server.post(path, &body, &[]).status, 204, "{path}");
    }
}

#[test]
fn full_body_of_an_ordinary_sender_is_taken() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let fields = ["user", "system", "idle", "nice", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];
    let (mut body, now) = (String::new(), now_ms());
    let mut points = 0;
    while body.len() < (4 << 20) - 1_000 {
        let values = fields.map(|field| format!("usage_{field}={}.25", points % 100));
        body += &format!("cpu,cpu=cpu{},host=web {} {now}000000\n", points % 64, values.join(","));
        points += fields.len();
    }
    assert!(points > 150_000, "{points}");
    assert_eq!(server.post("/write", &body, &[]).status, 204);
    let line = |n: usize| format!("{{\"series\":\"bench/s{}\",\"value\":{n}.5}}\n", n % 1_000);
    let batch: String = (0..25_000).map(line).collect();
    assert_eq!(server.post("/in", &batch, &[]).status, 204);
}

#[test]
fn small_gzip_bodies_do_not_become_gigabytes_of_points() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let line = format!("a {}\n", fields(25));
    let tiny = gzip(line.repeat((4 << 20) / line.len()).as_bytes());
    assert!(tiny.len() < 20_000, "{}", tiny.len());
    let before = server.resident_kilobytes();
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let answer = server.raw("POST /write HTTP/1.1\r\nContent-Encoding: gzip", &tiny);
                assert!(answer.starts_with("HTTP/1.1 413 ") || answer.starts_with("HTTP/1.1 503 "), "{answer}");
                let bounds = ["--max-points", "--max-queue", "all threads that parse large bodies"];
                assert!(bounds.iter().any(|bound| answer.contains(bound)), "{answer}");
            });
        }
    });
    let grown = server.peak_kilobytes() - before;
    assert!(grown < 200_000, "{grown} KB");
    assert!(server.refused("max-points") > 0);
}

#[test]
fn gzipped_wrong_lines_are_counted_and_not_kept_in_memory() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let before = server.resident_kilobytes();
    for (path, body, status) in [("/write", "x\n".repeat(2 << 20), 400), ("/in", "x\n".repeat(1 << 19), 422)] {
        let tiny = gzip(body.as_bytes());
        let answer = server.raw(&format!("POST {path} HTTP/1.1\r\nContent-Encoding: gzip"), &tiny);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let lines = body.len() / 2;
        let counted = [format!("{lines} of {lines} lines are wrong"), format!("dropped={lines}")];
        assert!(counted.iter().any(|counted| answer.contains(counted)), "{answer}");
        assert!(answer.len() < 300_000, "{}", answer.len());
    }
    let grown = server.peak_kilobytes() - before;
    assert!(grown < 50_000, "{grown} KB");
}

#[test]
fn points_of_the_wrong_kind_are_counted_and_a_thousand_listed() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("a", r#"{"text":"up"}"#).status, 204);
    let answer = server.post("/in", &bodies(5_000)[0].1, &[]);
    assert_eq!((answer.status, answer.json()["errors"].as_array().unwrap().len()), (422, 1_000));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("5000 of its points") && detail.ends_with("the first 1000 are listed"), "{detail}");
}

#[test]
fn large_pushes_are_refused_while_others_hold_the_memory_and_small_ones_go_on() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &["--max-queue", "1MiB"]);
    // Sends most of a body, and never its end.
    let mut stuck = TcpStream::connect(server.addr()).unwrap();
    let head = format!("POST /in HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n", server.addr());
    stuck.write_all(head.as_bytes()).unwrap();
    stuck.write_all(&vec![b'\n'; 800_000]).unwrap();
    let begun = Instant::now();
    while server.metric("pulseboard_queue_bytes") < 800_000.0 {
        assert!(begun.elapsed() < PATIENCE, "the body does not arrive");
    }
    let large = bodies(5_000)[0].1.clone();
    let refused = server.post("/in", &large, &[]);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{detail}");
    assert!(detail.contains("--max-queue") && detail.contains("nothing of this was stored"), "{detail}");
    assert_eq!(server.refused("max-queue"), 1);
    assert_eq!(server.push("b", "1").status, 204, "a push of one point is not refused");

    // The sender disconnects, and its memory is released.
    drop(stuck);
    while server.metric("pulseboard_queue_bytes") > 10_000.0 {
        assert!(begun.elapsed() < PATIENCE, "the memory is not released");
    }
    assert_eq!(server.get("/api/series").json().as_array().unwrap().len(), 1);
}

#[test]
fn no_series_starts_beyond_max_series_also_after_a_restart_and_existing_ones_go_on() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path(), &["--max-series", "2"]);
    assert_eq!(server.post("/in", "{\"series\":\"a\",\"value\":1}\n{\"series\":\"b\",\"value\":1}", &[]).status, 204);
    for value in [2, 3] {
        let refused = server.post("/in", "{\"series\":\"a\",\"value\":9}\n{\"series\":\"c\",\"value\":9}", &[]);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!((refused.status, refused.header("retry-after")), (503, "60"), "{detail}");
        assert!(detail.contains("there are 2 series") && detail.contains("--max-series"), "{detail}");
        assert_eq!(server.push("c/d", "1").status, 503);
        assert_eq!(server.refused("max-series"), 2);
        assert_eq!(server.push("a", &value.to_string()).status, 204);
        let series = server.get("/api/series").json();
        assert_eq!((series.as_array().unwrap().len(), series[0]["value"].as_f64()), (2, Some(f64::from(value))));
        server.terminate();
        server = start(data.path(), &["--max-series", "2"]);
    }
}

#[test]
fn pushes_are_refused_at_max_data_and_boards_can_still_be_changed() {
    let data = tempfile::tempdir().unwrap();
    let args = ["--max-data", "24MB"];
    let mut server = start(data.path(), &args);
    let line = format!("{{\"series\":\"log\",\"text\":\"{}\"}}\n", "x".repeat(4_000));
    let batch = line.repeat(200);
    for restarts in 0..2 {
        let mut kept = 0;
        let refused = loop {
            let answer = server.post("/in", &batch, &[]);
            if answer.status != 204 {
                break answer;
            }
            kept += 1;
            assert!(kept < 60, "it is never full");
        };
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!((refused.status, refused.header("retry-after")), (503, "60"), "{detail}");
        assert!(detail.contains("--max-data") && detail.contains("nothing of this was stored"), "{detail}");
        assert!(server.refused("max-data") > 0);
        assert!(server.metric("pulseboard_data_bytes") < 24e6);
        let board = format!("/api/boards/b{restarts}");
        assert_eq!(server.put(&board, "title = \"full\"\n", &[]).status, 201);
        assert_eq!(server.delete(&board, &[("If-Match", "*")]).status, 204);
        server.terminate();
        server = start(data.path(), &args);
    }
    let size = std::fs::metadata(data.path().join("pulseboard.sqlite")).unwrap().len();
    assert!(size < 24_000_000, "{size}");
}

#[test]
fn bytes_of_all_boards_together_are_bounded() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let board = format!("title = \"large\"\n# {}\n", "x".repeat(250_000));
    let refused = (0..200).find_map(|n| {
        let answer = server.put(&format!("/api/boards/b{n}"), &board, &[]);
        (answer.status != 201).then_some((n, answer))
    });
    let (n, refused) = refused.expect("there is a bound");
    assert_eq!((n, refused.status), (134, 413), "{}", refused.text);
    assert_eq!(server.refused("boards"), 1);
    assert_eq!(server.delete("/api/boards/b0", &[("If-Match", "*")]).status, 204);
    assert_eq!(server.put("/api/boards/b200", &board, &[]).status, 201);
}
