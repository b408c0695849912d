//! Requests from pages of other sites: through a name that was rebound to this server, or cross-site.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use bytes::Bytes;
use harness::contract::DOCUMENT;
use harness::{BINARY, PATIENCE, TestServer};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::Problem;

fn start(flags: &[&str]) -> (TestServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.arg("serve").args(flags), "127.0.0.1:0", data.path());
    (server, data)
}

/// Sends these lines as the head of a request, and returns status and body of the answer.
fn ask(server: &TestServer, lines: &[&str]) -> (u16, String) {
    let mut socket = TcpStream::connect(server.addr()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = [lines, &["Connection: close", "", ""]].concat().join("\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    // A stream does not end; its head is enough.
    while !String::from_utf8_lossy(&answer).contains("text/event-stream") {
        match socket.read(&mut piece).unwrap() {
            0 => break,
            len => answer.extend_from_slice(&piece[..len]),
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer}")).parse().unwrap();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// One request line for each call of the server and for a file of the page.
fn every_call() -> Vec<String> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let calls = paths.iter().flat_map(|(path, item)| {
        let path = path.replace("{series}", "ops/n").replace("{id}", "ops");
        let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
        methods.map(|method| format!("{} {path} HTTP/1.1", method.to_uppercase())).collect::<Vec<_>>()
    });
    calls.chain(["GET /nothing.js HTTP/1.1".to_owned(), "OPTIONS /in HTTP/1.1".to_owned()]).collect()
}

#[test]
fn every_call_refuses_a_host_that_is_not_the_server() {
    let (server, _data) = start(&["--allow-origin", "https://app.example:8443", "--host", "board.example,B2.example."]);
    for call in every_call() {
        for host in ["evil.example", "localhost.evil.example:7878", "127.0.0.1.evil.example", "203.0.113.9"] {
            let own_page = format!("Origin: http://{host}");
            let (status, body) = ask(&server, &[&call, &format!("Host: {host}"), &own_page]);
            assert_eq!(status, 421, "{call} {host}: {body}");
            let problem: Problem = serde_json::from_str(&body).unwrap();
            let name = host.split(':').next().unwrap();
            assert!(problem.detail.contains(&format!("--host {name}")), "{}", problem.detail);
        }
    }
    let port = server.addr().rsplit(':').next().unwrap();
    for host in
        ["localhost", "a.LOCALHOST.", "127.0.0.1", "127.1.2.3", "[::1]", "app.example", "BOARD.example.", "b2.example"]
    {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            assert_eq!(ask(&server, &["GET /healthz HTTP/1.1", &format!("Host: {host}")]).0, 200, "{host}");
        }
    }
    // The request target takes precedence over Host (RFC 9112, 3.2.2); the server checks both.
    assert_eq!(ask(&server, &["GET http://evil.example/healthz HTTP/1.1", "Host: localhost"]).0, 421);
    assert_eq!(ask(&server, &["GET http://localhost/healthz HTTP/1.1", "Host: evil.example"]).0, 421);
    assert_eq!(ask(&server, &["GET http://localhost/healthz HTTP/1.1", "Host: localhost"]).0, 200);
}

#[test]
fn a_server_on_every_interface_answers_to_addresses_but_not_to_foreign_names() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.args(["serve", "--open"]), "0.0.0.0:0", data.path());
    for (host, status) in [("192.0.2.7:7878", 200), ("[2001:db8::1]", 200), ("evil.example", 421)] {
        assert_eq!(ask(&server, &["GET /healthz HTTP/1.1", &format!("Host: {host}")]).0, status, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_authority_is_checked_like_host() {
    let (server, _data) = start(&[]);
    let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let (mut http, connection) = http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    let connection = tokio::spawn(connection);
    for (authority, host, status) in [
        ("localhost:1", None, 200),
        ("evil.example", None, 421),
        ("evil.example", Some("localhost"), 421),
        ("localhost", Some("evil.example"), 421),
    ] {
        let request = Request::builder().uri(format!("http://{authority}/healthz"));
        let request = host.into_iter().fold(request, |request, host| request.header("host", host));
        let answer = http.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{authority} {host:?}");
        answer.into_body().collect().await.unwrap();
    }
    connection.abort();
}

#[test]
fn a_request_whose_host_or_origin_breaks_the_rules_is_refused() {
    let (server, _data) = start(&[]);
    for lines in [
        &["GET /healthz HTTP/1.1"][..],
        &["GET /healthz HTTP/1.1", "Host: localhost", "Host: localhost"],
        &["GET /healthz HTTP/1.1", "Host: localhost", "Host: evil.example"],
        &["GET /healthz HTTP/1.1", "Host: user@localhost"],
        &["GET /healthz HTTP/1.1", "Host: localhost:x"],
        &["GET /healthz HTTP/1.1", "Host:"],
        &["GET /healthz HTTP/1.1", "Host: localhost", "Origin: http://localhost", "Origin: http://localhost"],
        &["OPTIONS /in HTTP/1.1", "Host: localhost", "Origin: http://localhost", "Origin: http://evil.example"],
    ] {
        let (status, body) = ask(&server, lines);
        assert_eq!(status, 400, "{lines:?}: {body}");
        let problem: Problem = serde_json::from_str(&body).unwrap();
        assert_eq!(problem.kind, "/problems/malformed");
    }
    assert_eq!(ask(&server, &["GET /healthz HTTP/1.0"]).0, 200, "HTTP/1.0 has no Host");
}

#[test]
fn a_page_of_another_site_gets_the_page_but_no_data() {
    let (server, _data) = start(&["--allow-origin", "http://app.example"]);
    for call in every_call() {
        for site in ["cross-site", "same-site"] {
            for mode in ["no-cors", "navigate", "cors"] {
                let lines =
                    [&call, "Host: localhost", &format!("Sec-Fetch-Site: {site}"), &format!("Sec-Fetch-Mode: {mode}")];
                let (status, body) = ask(&server, &lines);
                let path = call.split(' ').nth(1).unwrap();
                let pages = ["/", "/b/ops", "/nothing.js", "/sign-in", "/sign-in.css", "/link/{secret}"];
                let is_page = call.starts_with("GET ") && pages.contains(&path);
                assert_eq!(status == 403, !is_page, "{call} {site} {mode}: {status} {body}");
            }
        }
    }
    // Behind a proxy that changes Host, the page looks like one of another site, and its doctor has to say so.
    let doctor = |more: &str| ask(&server, &["POST /api/doctor HTTP/1.1", "Host: localhost", more]).0;
    assert_ne!(doctor("Origin: http://board.example"), 403);
    assert_eq!(doctor("Sec-Fetch-Site: cross-site"), 403);
    for call in ["GET /api/series HTTP/1.1", "GET /sse?series=ops/** HTTP/1.1", "GET /metrics HTTP/1.1"] {
        let with = |more: &[&str]| ask(&server, &[&[call, "Host: localhost"], more].concat()).0;
        assert_eq!(with(&["Sec-Fetch-Site: cross-site", "Origin: http://app.example"]), 200, "{call}: CORS goes on");
        assert_eq!(with(&["Sec-Fetch-Site: cross-site", "Origin: http://evil.example"]), 403, "{call}");
        assert_eq!(with(&["Origin: http://evil.example"]), 403, "{call}: a browser without Sec-Fetch-Site");
        assert_eq!(with(&["Sec-Fetch-Site: same-origin"]), 200, "{call}");
        assert_eq!(with(&["Sec-Fetch-Site: none"]), 200, "{call}: the user wrote the address");
    }
}
