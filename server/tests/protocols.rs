//! The stream over each version of HTTP, byte by byte where that matters, and to many clients at once.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};

use harness::{PATIENCE, TestServer, wait_for};

fn ask(server: &TestServer, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.addr()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    socket
}

/// Reads until this text arrives; returns everything that was read.
fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4_096];
    while !String::from_utf8_lossy(&all).contains(text) {
        let len = socket.read(&mut piece).unwrap();
        assert!(len > 0, "it ended: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..len]);
    }
    String::from_utf8(all).unwrap()
}

fn read_to_end(socket: &mut TcpStream) -> String {
    let mut all = String::new();
    socket.read_to_string(&mut all).unwrap();
    all
}

/// Decodes a chunked body (RFC 9112, 7.1), which must be complete.
fn dechunk(mut body: &str) -> String {
    let mut text = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").expect("a chunk begins with its size");
        let size = usize::from_str_radix(size, 16).expect("the size is hexadecimal");
        if size == 0 {
            assert_eq!(rest, "\r\n", "nothing comes after the last chunk");
            return text;
        }
        text.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").expect("a chunk ends with a line end");
    }
}

#[test]
fn over_http_1_1_a_stream_is_chunked_and_ends_as_it_should() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut socket = ask(&server, "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = read_until(&mut socket, "\"snapshot\"");
    let (status, _) = server.terminate();
    assert!(status.success());
    answer.push_str(&read_to_end(&mut socket));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    for line in ["transfer-encoding: chunked", "content-type: text/event-stream", "cache-control: no-cache", "date: "] {
        assert!(head.contains(&format!("\r\n{line}")), "{line} in {head}");
    }
    let body = dechunk(body);
    assert!(body.contains("\"hello\"") && body.contains("\"bye\""), "{body}");
}

#[test]
fn over_http_1_0_a_stream_is_plain_and_ends_with_the_connection() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut socket = ask(&server, "GET /sse?series=ops/** HTTP/1.0\r\n\r\n");
    let mut answer = read_until(&mut socket, "\"snapshot\"");
    server.push("ops/n", "7");
    answer.push_str(&read_until(&mut socket, "\"update\""));
    server.terminate();
    answer.push_str(&read_to_end(&mut socket));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    assert!(body.starts_with("retry: ") && body.trim_end().ends_with('}'), "{body}");
}

// With threads, so that the client answers while the test waits for the server to end.
#[tokio::test(flavor = "multi_thread")]
async fn over_http_2_streams_and_pushes_share_a_connection() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let (mut http, connection) = http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut send = async |method: &str, path: &str, body: &'static str| {
        let uri = format!("{}{path}", server.url);
        let request = Request::builder().method(method).uri(uri).body(Full::new(Bytes::from(body))).unwrap();
        http.send_request(request).await.unwrap()
    };
    let mut streams = Vec::new();
    for selector in ["ops/**", "ops/n"] {
        let answer = send("GET", &format!("/sse?series={selector}"), "").await;
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut body = answer.into_body();
        wait_for(&mut body, "\"snapshot\"").await;
        streams.push(body);
    }
    assert_eq!(send("POST", "/in/ops/n", "7").await.status(), 204);
    for body in &mut streams {
        wait_for(body, "\"value\":7").await;
    }
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(2), "{took:?}");
    for body in &mut streams {
        wait_for(body, "\"bye\"").await;
        let rest = body.collect().await.expect("the stream ends well").to_bytes();
        assert!(rest.is_empty(), "nothing comes after it");
    }
    connection.abort();
}

#[test]
fn whoever_asks_nothing_is_not_answered_and_harms_nobody() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(server.addr()).unwrap()).collect();
    assert_eq!(server.push("ops/n", "1").status, 204);
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(2), "the silent do not hold it up: {took:?}");
    drop(silent);
}

#[test]
fn three_thousand_readers_that_come_at_once_are_all_served() {
    rlimit::increase_nofile_limit(20_000).unwrap();
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let request = "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut readers: Vec<_> = (0..3_000).map(|_| ask(&server, request)).collect();
    for reader in &mut readers {
        read_until(reader, "\"snapshot\"");
    }
    assert!((server.metric("pulseboard_readers") - 3_000.0).abs() < 0.5);
    server.push("ops/n", "42");
    for reader in &mut readers {
        read_until(reader, "\"value\":42");
    }
}

#[test]
fn head_tells_of_a_stream_without_opening_one() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut socket = ask(&server, "HEAD /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = read_until(&mut socket, "\r\n\r\n").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("\r\ncontent-type: text/event-stream\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "nothing comes after the head: {head}");
    assert!(server.metric("pulseboard_readers").abs() < 0.5);
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(read_until(&mut socket, "\r\n\r\n").starts_with("HTTP/1.1 200 "), "the connection goes on");
}

#[test]
fn a_stream_may_follow_other_requests_on_its_connection() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let push = "POST /in/ops/n HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n7";
    let stream = "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Sent at once, before any answer; requests after the stream cannot get an answer.
    let mut socket = ask(&server, &format!("{push}{push}{stream}{push}"));
    let answers = read_until(&mut socket, "\"snapshot\"");
    let statuses: Vec<&str> =
        answers.match_indices("HTTP/1.1 ").map(|(at, text)| &answers[at + text.len()..][..3]).collect();
    assert_eq!(statuses, ["204", "204", "200"], "{answers}");
    assert!(answers.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answers}");
    server.push("ops/n", "8");
    read_until(&mut socket, "\"value\":8");
    assert!((server.metric("pulseboard_points_total") - 3.0).abs() < 0.5, "two, and the one just now");
}

#[test]
fn an_answer_that_was_not_taken_yet_comes_whole_before_the_stream_behind_it() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    // More than the buffers of both ends hold.
    let lines: String = (0..20_000).map(|n| format!("{{\"series\":\"ops/s{n}\",\"value\":1}}\n")).collect();
    assert_eq!(server.post("/in", &lines, &[]).status, 204);
    let whole = server.get("/api/series").text;
    let addr: std::net::SocketAddr = server.addr().parse().unwrap();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&addr.into()).unwrap();
    let mut socket: TcpStream = socket.into();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let requests =
        "GET /api/series HTTP/1.1\r\nHost: localhost\r\n\r\nGET /sse?series=ops/s7 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    socket.write_all(requests.as_bytes()).unwrap();
    // Its last pieces are still with the server when the stream is taken over.
    let all = read_until(&mut socket, "\"snapshot\"");
    let (_, rest) = all.split_once("\r\n\r\n").unwrap();
    let (first, _) =
        rest.split_once("\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n").expect("the stream comes right after the first answer");
    assert!(dechunk(&format!("{first}\r\n0\r\n\r\n")) == whole, "the first answer is whole");
}

#[test]
fn a_reader_that_has_nothing_more_to_say_still_hears() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut socket = ask(&server, "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_until(&mut socket, "\"snapshot\"");
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    // The server finds out that the client is still there by a comment, which `EventSource` ignores.
    read_until(&mut socket, ":\n\n");
    server.push("ops/n", "7");
    read_until(&mut socket, "\"value\":7");
}

#[test]
fn a_reader_that_leaves_is_gone_before_the_next_event() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let readers: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut socket = ask(&server, "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n");
            read_until(&mut socket, "\"snapshot\"");
            socket
        })
        .collect();
    assert!((server.metric("pulseboard_readers") - 20.0).abs() < 0.5);
    drop(readers);
    let began = std::time::Instant::now();
    while server.metric("pulseboard_readers") > 0.5 {
        assert!(began.elapsed() < Duration::from_secs(5), "long before a heartbeat");
    }
}

#[test]
fn at_the_limit_who_comes_is_asked_to_come_back_at_a_time_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(harness::BINARY);
    let server = TestServer::start_with(command.args(["serve", "--max-readers", "200"]), "127.0.0.1:0", data.path());
    let request = "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut sockets: Vec<_> = (0..500).map(|_| ask(&server, request)).collect();
    let mut waits = std::collections::BTreeSet::new();
    let mut served = Vec::new();
    let mut refused = 0;
    for mut socket in sockets.drain(..) {
        let head = read_until(&mut socket, "\r\n\r\n").to_ascii_lowercase();
        if head.starts_with("http/1.1 200 ") {
            served.push(socket);
            continue;
        }
        assert!(head.starts_with("http/1.1 503 "), "{head}");
        refused += 1;
        let after = head.split_once("\r\nretry-after: ").expect("it says when").1;
        waits.insert(after.split("\r\n").next().unwrap().parse::<u32>().unwrap());
    }
    assert_eq!((served.len(), refused), (200, 300), "all who were there stay, and nobody is cut");
    assert!(waits.len() > 3 && waits.iter().all(|wait| (1..=10).contains(wait)), "{waits:?}");
    server.push("ops/n", "7");
    for socket in &mut served {
        read_until(socket, "\"value\":7");
    }
}
