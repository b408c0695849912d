//! HTTPS: streams and pushes over TLS, with HTTP/1.1 and HTTP/2, and the errors where it cannot be used.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use harness::{BINARY, PATIENCE, TestServer, wait_for};

/// A certificate for `localhost` and its key, in files.
struct Made {
    cert: PathBuf,
    key: PathBuf,
    folder: TempDir,
}

fn made() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Made { cert, key, folder }
}

impl Made {
    fn flags(&self) -> [String; 4] {
        let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
        ["--tls-cert".into(), path(&self.cert), "--tls-key".into(), path(&self.key)]
    }

    fn start(&self, more: &[&str]) -> TestServer {
        let mut command = Command::new(BINARY);
        command.arg("serve").args(self.flags()).args(more);
        let server = TestServer::start_with(&mut command, "127.0.0.1:0", &self.folder.path().join("data"));
        assert!(server.url.starts_with("https://"), "{}", server.url);
        server
    }
}

/// A client that trusts only that certificate.
enum Client {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    async fn connect(server: &TestServer, made: &Made, version: Version) -> Self {
        Self::try_connect(server, &made.cert, version).await.expect("its certificate is trusted")
    }

    /// Returns `None` if the server has another certificate than this one.
    async fn try_connect(server: &TestServer, trusted: &Path, version: Version) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        let wanted: &[u8] = if version == Version::HTTP_2 { b"h2" } else { b"http/1.1" };
        config.alpn_protocols = vec![wanted.to_vec()];
        let socket = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let socket = TlsConnector::from(Arc::new(config)).connect(name, socket).await.ok()?;
        assert_eq!(socket.get_ref().1.alpn_protocol(), Some(wanted));
        if version == Version::HTTP_2 {
            let (http, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
            tokio::spawn(connection);
            Some(Self::Two(http))
        } else {
            let (http, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
            tokio::spawn(connection);
            Some(Self::One(http))
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: &'static str) -> Response<Incoming> {
        let request = Request::builder().method(method).header("host", "localhost");
        let request = request.uri(format!("https://localhost{path}")).body(Full::new(Bytes::from(body))).unwrap();
        match self {
            Self::One(http) => http.send_request(request).await.unwrap(),
            Self::Two(http) => http.send_request(request).await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_after_sighup_and_who_is_connected_goes_on() {
    let (old, new) = (made(), made());
    let server = old.start(&[]);
    let mut reader = Client::connect(&server, &old, Version::HTTP_2).await;
    let mut body = reader.send("GET", "/sse?series=ops/**", "").await.into_body();
    wait_for(&mut body, "\"snapshot\"").await;
    // The certificate is there before its key: for that moment the two do not match, and the old ones stay.
    let trusted = new.cert.clone();
    std::fs::copy(&new.cert, &old.cert).unwrap();
    server.signal("HUP");
    std::fs::copy(&new.key, &old.key).unwrap();
    server.signal("HUP");
    let began = std::time::Instant::now();
    while Client::try_connect(&server, &trusted, Version::HTTP_2).await.is_none() {
        assert!(began.elapsed() < PATIENCE, "the new certificate is not served");
    }
    let mut pusher = Client::connect(&server, &new, Version::HTTP_11).await;
    assert_eq!(pusher.send("POST", "/in/ops/n", "7").await.status(), 204);
    wait_for(&mut body, "\"value\":7").await;
}

// With threads, so that the clients' tasks go on while the test waits for the server to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_over_tls_begins_flows_and_ends_over_both_versions_of_http() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let made = made();
        let server = made.start(&[]);
        let mut reader = Client::connect(&server, &made, version).await;
        let answer = reader.send("GET", "/sse?series=ops/**", "").await;
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut body = answer.into_body();
        wait_for(&mut body, "\"hello\"").await;
        wait_for(&mut body, "\"snapshot\"").await;
        let mut pusher = Client::connect(&server, &made, version).await;
        assert_eq!(pusher.send("POST", "/in/ops/n", "7").await.status(), 204);
        wait_for(&mut body, "\"value\":7").await;
        let (status, took) = server.terminate();
        assert!(status.success() && took < Duration::from_secs(2), "{version:?}: {took:?}");
        wait_for(&mut body, "\"bye\"").await;
        let rest = body.collect().await.expect("the stream ends well").to_bytes();
        assert!(rest.is_empty(), "{version:?}: nothing comes after it");
    }
}

/// Number of sockets that the server has open.
#[cfg(target_os = "linux")]
fn sockets(server: &TestServer) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
    let is_socket = |link: &PathBuf| link.to_string_lossy().starts_with("socket:");
    files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()).filter(is_socket).count()
}

#[cfg(target_os = "linux")]
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn reader_over_tls_that_takes_nothing_is_closed() {
    let made = made();
    let server = made.start(&["--heartbeat", "1"]);
    let rest = sockets(&server);
    let mut pusher = Client::connect(&server, &made, Version::HTTP_2).await;
    // A snapshot of more bytes than the buffers of both ends hold.
    let text = "x".repeat(4_000);
    for n in 0..30 {
        let line = format!("{{\"series\":\"ops/s{n}\",\"text\":\"{text}\"}}\n");
        assert_eq!(pusher.send("POST", "/in", line.repeat(100).leak()).await.status(), 204);
    }
    drop(pusher);
    until("the pusher's connection is closed", || sockets(&server) == rest).await;
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&made.cert).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let to: std::net::SocketAddr = server.addr().parse().unwrap();
        socket.connect(&to.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = tokio::net::TcpStream::from_std(socket.into()).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut socket = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
        let request: &[u8] = if protocol == b"h2" {
            // The preface, SETTINGS, a window of 2^30 bytes for the connection, and `GET /sse?series=ops/**` with the
            // static table of HPACK.
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x3f\xff\xff\xff\
              \x00\x00\x04\x08\x00\x00\x00\x00\x00\x3f\xff\x00\x00\
              \x00\x00\x21\x01\x05\x00\x00\x00\x01\x82\x87\x41\x09localhost\x04\x12/sse?series=ops/**"
        } else {
            b"GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\n\r\n"
        };
        tokio::io::AsyncWriteExt::write_all(&mut socket, request).await.unwrap();
        tokio::io::AsyncWriteExt::flush(&mut socket).await.unwrap();
        let mut first = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut socket, &mut first).await.expect("it is answered");
        assert_eq!(sockets(&server), rest + 1);
        until("the reader that takes nothing is closed", || sockets(&server) == rest).await;
        drop(socket);
    }
}

#[test]
fn who_speaks_http_in_the_plain_is_told_to_write_https() {
    let made = made();
    let server = made.start(&[]);
    let mut socket = TcpStream::connect(server.addr()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_agent_reaches_it_over_tls() {
    let made = made();
    let server = made.start(&["--agent"]);
    let mut reader = Client::connect(&server, &made, Version::HTTP_2).await;
    let mut body = reader.send("GET", "/sse?series=host/**", "").await.into_body();
    wait_for(&mut body, "\"update\"").await;
}

#[test]
fn a_command_pushes_over_tls_to_a_server_that_the_machine_trusts() {
    let made = made();
    let server = made.start(&[]);
    let push = |trusted: &PathBuf| {
        let url = server.url.replace("127.0.0.1", "localhost");
        let mut command = Command::new(BINARY);
        command.args(["push", "ops/n", "--to", &url]).env("SSL_CERT_FILE", trusted).stdin(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"1\n").unwrap();
        child
    };
    assert!(push(&made.cert).wait().unwrap().success());
    // With another certificate it would retry for long: it is enough that it has not pushed by then.
    let mut stranger = push(&self::made().cert);
    let mut reader = push(&made.cert);
    assert!(reader.wait().unwrap().success());
    assert!(stranger.try_wait().unwrap().is_none_or(|status| !status.success()));
    let _ended = stranger.kill();
    stranger.wait().unwrap();
}

/// Runs `serve` with these arguments and expects it to fail. Returns its exit code and the one line that it printed.
fn failed_start(args: &[&str]) -> (Option<i32>, String) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--addr", "127.0.0.1:0", "--data"]).arg(data.path()).args(args);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    (output.status.code(), said)
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_in_one_line() {
    let (first, second) = (made(), made());
    let empty = first.folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    let damaged = first.folder.path().join("damaged.pem");
    let pem = std::fs::read_to_string(&first.cert).unwrap();
    std::fs::write(&damaged, pem.replace("-----END", "!-----END")).unwrap();
    let [fifo, huge] = ["fifo", "huge.pem"].map(|name| first.folder.path().join(name));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::fs::File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    let folder = first.folder.path().to_path_buf();
    let [cert, key, other, empty, damaged, fifo, huge, folder] =
        [&first.cert, &first.key, &second.key, &empty, &damaged, &fifo, &huge, &folder]
            .map(|path| path.to_str().unwrap());
    for (flags, wanted) in [
        (vec!["--tls-cert", cert], vec!["--tls-key"]),
        (vec!["--tls-key", key], vec!["--tls-cert"]),
        (vec!["--tls-cert", "/nowhere.pem", "--tls-key", key], vec!["cannot read /nowhere.pem", "--tls-cert"]),
        (vec!["--tls-cert", empty, "--tls-key", key], vec!["no certificate in", "-----BEGIN CERTIFICATE-----"]),
        (vec!["--tls-cert", cert, "--tls-key", empty], vec!["no private key in", "--tls-key"]),
        (vec!["--tls-cert", damaged, "--tls-key", key], vec!["damaged", "--tls-cert"]),
        (vec!["--tls-cert", fifo, "--tls-key", key], vec!["fifo is not a regular file", "--tls-cert"]),
        (vec!["--tls-cert", cert, "--tls-key", fifo], vec!["fifo is not a regular file", "--tls-key"]),
        (vec!["--tls-cert", "/dev/zero", "--tls-key", key], vec!["/dev/zero is not a regular file", "--tls-cert"]),
        (vec!["--tls-cert", folder, "--tls-key", key], vec!["is not a regular file", "--tls-cert"]),
        (vec!["--tls-cert", huge, "--tls-key", key], vec!["huge.pem is too large", "--tls-cert", "1048576 bytes"]),
        (vec!["--tls-cert", cert, "--tls-key", other], vec!["is not that of the certificate", "--tls-key"]),
    ] {
        let (code, said) = failed_start(&flags);
        assert_eq!(code, Some(1), "{said}");
        for part in wanted {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}
