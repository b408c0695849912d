//! Answers of `GET /api/history` that are long, whose request is reset, or that the client does not read.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use socket2::{Domain, Socket, Type};

use harness::{BINARY, PATIENCE, TestServer, now_ms};

/// Number of series with [`SECONDS`] buckets each, which make an answer of over 10 MB.
const SERIES: u64 = 10;
const SECONDS: u64 = 6_000;

fn start(flags: &[&str], data: &std::path::Path) -> TestServer {
    TestServer::start_with(Command::new(BINARY).arg("serve").args(flags), "127.0.0.1:0", data)
}

/// Pushes the points of a long answer. Returns the path that requests it.
fn fill(server: &TestServer) -> String {
    let from = now_ms() / 1_000 * 1_000 - SECONDS * 1_000;
    for series in 0..SERIES {
        let point =
            |second| format!("{{\"series\":\"m/{series}\",\"ts\":{},\"value\":{second}.25}}\n", from + second * 1_000);
        let body: String = (0..SECONDS).map(point).collect();
        assert_eq!(server.post("/in", &body, &[]).status, 204);
    }
    format!("/api/history?series=m/**&from={from}&to={}&points={SECONDS}", from + SECONDS * 1_000)
}

/// Waits until a line of `/metrics` has this value.
fn await_metric(server: &TestServer, name: &str, wanted: f64) {
    let since = Instant::now();
    loop {
        // A counter that is still 0 has no line.
        let text = server.get("/metrics").text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value: f64 = line.map_or(0.0, |value| value.parse().unwrap());
        if (value - wanted).abs() < 0.5 {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{name} is {value}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reads a long answer whole, without checking it against the OpenAPI document, which takes a minute.
fn read(server: &TestServer, path: &str) -> (ureq::http::HeaderMap, String) {
    let mut answer = ureq::get(format!("{}{path}", server.url)).call().unwrap();
    let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    (answer.headers().clone(), text)
}

/// Sends a request over HTTP/1.1 and reads nothing of the answer.
fn ask(server: &TestServer, path: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // A small buffer, so that the kernel does not receive the answer in place of the client.
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&server.addr().parse::<SocketAddr>().unwrap().into()).unwrap();
    let mut socket: TcpStream = socket.into();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr()).unwrap();
    socket
}

#[test]
fn long_answer_is_streamed_and_complete() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&[], data.path());
    let path = fill(&server);
    let (headers, text) = read(&server, &path);
    let series: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(series.as_array().unwrap().len() as u64, SERIES);
    for one in series.as_array().unwrap() {
        assert_eq!(one["buckets"].as_array().unwrap().len() as u64, SECONDS);
    }
    assert_eq!(headers["transfer-encoding"], "chunked");
    let short = server.get("/api/history?series=m/1&points=10");
    assert_eq!(short.header("content-length"), short.text.len().to_string());
    await_metric(&server, "pulseboard_history_open", 0.0);
}

#[test]
fn unread_answers_take_little_memory_and_are_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--heartbeat", "1"], data.path());
    let path = fill(&server);
    read(&server, &path);
    let before = server.resident_kilobytes();
    let mut unread: Vec<TcpStream> = (0..20).map(|_| ask(&server, &path)).collect();
    // Every answer has begun.
    unread.iter_mut().for_each(|socket| socket.read_exact(&mut [0]).unwrap());
    let more = server.resident_kilobytes().saturating_sub(before);
    assert!(more < 64 << 10, "20 unread answers take {more} KiB");
    await_metric(&server, "pulseboard_history_open", 0.0);
    // The client can see that the part it reads later is not the whole answer.
    let mut text = Vec::new();
    let _reset = unread[0].read_to_end(&mut text);
    assert!(text.starts_with(b"TTP/1.1 200") && !text.ends_with(b"\r\n0\r\n\r\n"));
    assert!(read(&server, &path).1.ends_with("]}]"));
}

#[test]
fn answer_beyond_max_history_is_refused_and_names_the_flag() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-history", "1", "--heartbeat", "2"], data.path());
    let path = fill(&server);
    let _unread = ask(&server, &path);
    await_metric(&server, "pulseboard_history_open", 1.0);
    let refused = server.get("/api/history?series=m/1");
    assert_eq!((refused.status, refused.header("retry-after")), (503, "2"));
    assert!(refused.text.contains("--max-history"), "{}", refused.text);
    await_metric(&server, "pulseboard_refused_total{limit=\"max-history\"}", 1.0);
    // The unread answer is cut off and makes room.
    await_metric(&server, "pulseboard_history_open", 0.0);
    assert_eq!(server.get("/api/history?series=m/1").status, 200);
}

#[test]
fn answer_over_the_bound_in_bytes_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--max-history-bytes", "500000"], data.path());
    let path = fill(&server);
    let mut socket = ask(&server, &path);
    let mut text = Vec::new();
    let _reset = socket.read_to_end(&mut text);
    assert!(text.starts_with(b"HTTP/1.1 200") && text.len() < 600_000, "{}", text.len());
    assert!(!text.ends_with(b"\r\n0\r\n\r\n"));
    await_metric(&server, "pulseboard_refused_total{limit=\"max-history-bytes\"}", 1.0);
}

// With several threads, so that the connection makes progress while the test blocks.
#[tokio::test(flavor = "multi_thread")]
async fn unread_answer_on_a_live_connection_ends_and_is_counted() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&["--heartbeat", "1"], data.path());
    let url = format!("{}{}", server.url, fill(&server));
    let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let (mut http, connection) =
        http2::Builder::new(TokioExecutor::new()).initial_stream_window_size(65_535).handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = || Request::get(&url).body(Empty::<Bytes>::new()).unwrap();
    let unread = [http.send_request(request()).await.unwrap(), http.send_request(request()).await.unwrap()];
    await_metric(&server, "pulseboard_refused_total{limit=\"history-unread\"}", 2.0);
    await_metric(&server, "pulseboard_history_open", 0.0);
    for answer in unread {
        assert_eq!(answer.status(), 200);
        assert!(answer.into_body().collect().await.is_err(), "the part that was sent is not the whole answer");
    }
    connection.abort();
}

// With several threads, so that the connection makes progress while the test blocks.
#[tokio::test(flavor = "multi_thread")]
async fn reset_request_does_not_keep_running() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&[], data.path());
    let path = fill(&server);
    let before = server.resident_kilobytes();
    let url = format!("{}{path}", server.url);
    for round in 0..20 {
        // A new connection each time: the server closes a connection on which many requests are reset.
        let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
        let (http, connection) = http2::handshake(TokioExecutor::new(), socket).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut asked = Vec::new();
        for _ in 0..20 {
            let request = Request::get(&url).body(Empty::<Bytes>::new()).unwrap();
            let mut http = http.clone();
            http.ready().await.unwrap();
            asked.push(tokio::spawn(async move { http.send_request(request).await.map(drop) }));
        }
        // Some requests are reset before they start, some while the store is read, some while the answer is sent.
        tokio::time::sleep(Duration::from_millis(round)).await;
        asked.iter().for_each(tokio::task::JoinHandle::abort);
        // Lets the resets go out before the connection ends.
        tokio::time::sleep(Duration::from_millis(20)).await;
        connection.abort();
    }
    assert!(server.metric("pulseboard_history_reading") <= 4.0);
    await_metric(&server, "pulseboard_history_open", 0.0);
    await_metric(&server, "pulseboard_history_reading", 0.0);
    let more = server.resident_kilobytes().saturating_sub(before);
    assert!(more < 128 << 10, "400 requests that were reset take {more} KiB");
    assert_eq!(server.get("/api/history?series=m/1").status, 200);
}
