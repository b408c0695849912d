//! Connections that never finish a phase, or that are too many, do not shut others out.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::{BINARY, PATIENCE, TestServer};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};

/// Starts the server with these flags, and with this limit of open files.
fn start(flags: &[&str], files: Option<u32>) -> (TestServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut command = match files {
        Some(files) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), BINARY]);
            command
        }
        None => Command::new(BINARY),
    };
    let server = TestServer::start_with(command.arg("serve").args(flags), "127.0.0.1:0", data.path());
    (server, data)
}

/// Connects from an address of this machine.
fn connect(server: &TestServer, from: &str) -> TcpStream {
    let to: SocketAddr = server.addr().parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from: SocketAddr = format!("{from}:0").parse().unwrap();
    socket.bind(&from.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let socket: TcpStream = socket.into();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Requests a path and returns the whole answer; empty if the connection was closed.
fn get(mut socket: TcpStream, path: &str) -> String {
    // The server may have closed it already.
    let _written = write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let _ended = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the server has closed the connection, whatever it sends before.
fn wait_for_close(socket: &mut TcpStream, what: &str) {
    let mut piece = [0; 4_096];
    loop {
        match socket.read(&mut piece) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("{what} is kept"),
            Err(_) => return,
        }
    }
}

/// The preface of HTTP/2 with an empty SETTINGS frame.
const WHOLE_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

#[test]
fn every_phase_of_a_plain_connection_ends() {
    let (server, _data) = start(&["--phase-timeout", "300"], None);
    let phases: [(&str, &[u8]); 8] = [
        ("silence", b""),
        ("one byte", b"G"),
        ("an unfinished head", b"GET / HTTP/1.1\r\nHost: localhost\r\n"),
        ("an answered request", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("an unread body", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"),
        ("an unfinished preface", b"PRI "),
        ("a preface without its settings", &WHOLE_PREFACE[..24]),
        ("a connection without streams", WHOLE_PREFACE),
    ];
    let mut sockets = phases.map(|(what, bytes)| {
        let mut socket = connect(&server, "127.0.0.1");
        socket.write_all(bytes).unwrap();
        (what, socket)
    });
    for (what, socket) in &mut sockets {
        wait_for_close(socket, what);
    }
    until("only the connection that asks for the metrics is left", || server.metric("pulseboard_connections") < 1.5);
}

#[test]
fn a_stream_outlasts_every_phase() {
    let (server, _data) = start(&["--phase-timeout", "100", "--heartbeat", "1"], None);
    let mut stream = server.stream("series=ops/**", None);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        stream.event();
    }
}

/// Makes a certificate in files, and a client that trusts it and speaks `protocol`.
fn tls(folder: &std::path::Path, protocol: &[u8]) -> ([String; 4], Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&cert).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    (["--tls-cert".to_owned(), path(&cert), "--tls-key".to_owned(), path(&key)], Arc::new(config))
}

#[test]
fn every_phase_of_an_encrypted_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, config) = tls(folder.path(), b"h2");
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--phase-timeout", "500"]).collect();
    let (server, _data) = start(&flags, None);
    for hello in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut socket = connect(&server, "127.0.0.1");
        socket.write_all(hello).unwrap();
        wait_for_close(&mut socket, &format!("a handshake that stops after {hello:?}"));
    }
    for bytes in [&b""[..], b"PRI ", &WHOLE_PREFACE[..24], WHOLE_PREFACE] {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        let mut socket = StreamOwned::new(connection, connect(&server, "127.0.0.1"));
        // Completes the handshake even if nothing is sent after it.
        while socket.conn.is_handshaking() {
            socket.conn.complete_io(&mut socket.sock).unwrap();
        }
        socket.write_all(bytes).unwrap();
        socket.flush().unwrap();
        let mut piece = [0; 4_096];
        loop {
            match socket.read(&mut piece) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::WouldBlock, "{bytes:?} within TLS is kept");
                    break;
                }
            }
        }
    }
}

#[test]
fn four_hundred_unfinished_prefaces_shut_nobody_out_at_four_hundred_files() {
    let (server, _data) = start(&["--phase-timeout", "3000"], Some(400));
    let prefaces: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut socket = connect(&server, "127.0.0.2");
            // Those over the bound are refused.
            let _written = socket.write_all(b"PRI ");
            socket
        })
        .collect();
    for _ in 0..20 {
        assert!(get(connect(&server, "127.0.0.3"), "/healthz").starts_with("HTTP/1.1 200 "));
        assert_eq!(server.push("ops/n", "1").status, 204);
    }
    let refused = server.metric("pulseboard_refused_total{limit=\"max-connections-per-address\"}");
    assert!(refused > 100.0, "{refused}");
    until("the attacker's own address is served again", || {
        get(connect(&server, "127.0.0.2"), "/api/series").starts_with("HTTP/1.1 200 ")
    });
    drop(prefaces);
}

#[test]
fn connections_that_never_finish_a_request_give_way_to_one_that_does() {
    let flags = ["--max-connections", "40", "--phase-timeout", "60000"];
    let (server, _data) = start(&flags, None);
    let phases: [&[u8]; 5] = [
        b"",
        b"PRI ",
        WHOLE_PREFACE,
        b"GET / HTTP/1.1\r\nHost: ",
        b"POST /in/evil HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n1",
    ];
    let mut stream = server.stream("series=ops/**", None);
    let mut held = Vec::new();
    for round in 0..5 {
        // More than the maximum, from so many addresses that none has reached its own bound.
        for number in 0..100_usize {
            let mut socket = connect(&server, &format!("127.0.1.{}", 1 + number % 20));
            let _written = socket.write_all(phases[number % phases.len()]);
            held.push(socket);
        }
        let answer = get(connect(&server, "127.0.0.3"), "/api/series");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(server.push("ops/n", &round.to_string()).status, 204);
    }
    // Connections with an answered request did not give way.
    while !matches!(stream.event(), shared::Event::Update { .. }) {}
    assert!(server.metric("pulseboard_refused_total{limit=\"max-connections\"}") > 100.0);
    assert!(server.metric("pulseboard_connections") <= 40.0);
    drop(held);
}

#[test]
fn full_server_answers_503_and_still_answers_health_checks() {
    let flags = ["--max-connections", "20", "--max-connections-per-address", "20", "--phase-timeout", "60000"];
    let (server, _data) = start(&flags, None);
    // Once a request is answered, a connection does not give way to others.
    let answered = |_| {
        let mut socket = connect(&server, "127.0.0.2");
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        socket
    };
    let kept: Vec<TcpStream> = (0..20).map(answered).collect();
    until("all are counted", || get(connect(&server, "127.0.0.3"), "/metrics").contains("pulseboard_connections 20"));
    let full = get(connect(&server, "127.0.0.3"), "/api/series");
    assert!(full.starts_with("HTTP/1.1 503 ") && full.contains("retry-after: 5"), "{full}");
    assert!(full.contains("there are 20 connections already") && full.contains("--max-connections"), "{full}");
    assert!(get(connect(&server, "127.0.0.3"), "/healthz").starts_with("HTTP/1.1 200 "));
    // One client cannot take all lanes, and a connection without a lane still gets the 503.
    let silent: Vec<TcpStream> = (0..50).map(|_| connect(&server, "127.0.0.2")).collect();
    assert!(get(connect(&server, "127.0.0.3"), "/healthz").starts_with("HTTP/1.1 200 "));
    let mut told = String::new();
    let mut last = silent.last().unwrap();
    // Nothing was sent here: bytes that the server does not read might reset the connection.
    last.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("--max-connections"), "{told}");
    drop((kept, silent));
    until("there is room again", || get(connect(&server, "127.0.0.3"), "/api/series").starts_with("HTTP/1.1 200 "));
    assert!(server.metric("pulseboard_refused_total{limit=\"max-connections\"}") > 50.0);
}

#[test]
fn too_few_files_prevent_the_start_or_lower_the_bounds_with_a_message() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100; exec \"$0\" serve --addr 127.0.0.1:0 --data \"$1\"", BINARY]).arg(data.path());
    let refused = command.output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.lines().count() == 1 && said.contains("ulimit -n 144"), "{said}");

    let log = data.path().join("log");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 400; exec \"$0\" \"$@\"", BINARY, "serve"]);
    command.stderr(std::fs::File::create(&log).unwrap());
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("--max-readers is 204 instead of 10000"), "{said}");
    assert_eq!(server.push("ops/n", "1").status, 204);
}

#[test]
fn readers_of_one_address_are_bounded() {
    let (server, _data) = start(&["--max-readers-per-address", "3"], None);
    let open = |from: &str| {
        let mut socket = connect(&server, from);
        socket.write_all(b"GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).unwrap();
        (String::from_utf8(status[9..].to_vec()).unwrap(), socket)
    };
    let mut held: Vec<TcpStream> = Vec::new();
    for _ in 0..3 {
        let (status, socket) = open("127.0.0.2");
        assert_eq!(status, "200");
        held.push(socket);
    }
    let refused = get(connect(&server, "127.0.0.2"), "/sse?series=ops/**");
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("--max-readers-per-address"), "{refused}");
    assert_eq!(open("127.0.0.3").0, "200", "another address has places of its own");
    held.pop();
    until("the place is given up", || open("127.0.0.2").0 == "200");
    assert!(server.metric("pulseboard_refused_total{limit=\"max-readers-per-address\"}") > 0.5);
}

// With several threads, so that the client answers while the test waits for the server.
#[tokio::test(flavor = "multi_thread")]
async fn one_http_2_connection_with_a_closed_window_neither_takes_all_slots_nor_keeps_any() {
    let (server, _data) = start(&["--max-readers", "200", "--heartbeat", "1"], None);
    let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let mut client = http2::Builder::new(TokioExecutor::new());
    let (http, connection) = client.initial_stream_window_size(0).handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let answers: Vec<_> = (0..200)
        .map(|_| {
            let mut http = http.clone();
            let request =
                Request::get(format!("{}/sse?series=ops/**", server.url)).body(Empty::<Bytes>::new()).unwrap();
            tokio::spawn(async move { http.send_request(request).await })
        })
        .collect();
    let (server, mut good) = tokio::task::spawn_blocking(move || {
        until("the streams are open", || server.metric("pulseboard_readers") > 99.5);
        assert!(server.metric("pulseboard_readers") < 100.5, "half of all slots for one connection");
        let good = server.stream("series=ops/**", None);
        (server, good)
    })
    .await
    .unwrap();
    let mut cut = 0;
    for answer in answers {
        // The other requests are answered once the first streams are cut; a hundred are enough.
        if cut < 100 {
            let mut body = answer.await.unwrap().unwrap().into_body();
            let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("a stalled stream is cut");
            assert!(frame.unwrap().is_err(), "nothing was taken of it");
            cut += 1;
        } else {
            answer.abort();
        }
    }
    connection.abort();
    tokio::task::spawn_blocking(move || {
        until("only the other reader is left", || server.metric("pulseboard_readers") < 1.5);
        server.push("ops/n", "7");
        while !matches!(good.event(), shared::Event::Update { .. }) {}
    })
    .await
    .unwrap();
}

#[test]
fn connection_whose_client_takes_no_answer_is_closed() {
    let (server, _data) = start(&["--heartbeat", "1"], None);
    // More than the buffers of both ends hold.
    let lines: String = (0..20_000).map(|n| format!("{{\"series\":\"ops/s{n}\",\"value\":1}}\n")).collect();
    assert_eq!(server.post("/in", &lines, &[]).status, 204);
    let to: SocketAddr = server.addr().parse().unwrap();
    let stalled: Vec<TcpStream> = (0..10)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_recv_buffer_size(4_096).unwrap();
            socket.connect(&to.into()).unwrap();
            let mut socket: TcpStream = socket.into();
            socket.write_all(b"GET /api/series HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            socket
        })
        .collect();
    until("the stalled connections are given up", || server.metric("pulseboard_connections") < 1.5);
    drop(stalled);
}
