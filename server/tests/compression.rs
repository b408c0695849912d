//! Compressed streams: compressed once for all subscribers, and still event by event.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;
mod proxies;

use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use flate2::write::GzDecoder;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use harness::{BINARY, PATIENCE, TestServer};
use proxies::Proxy;

const QUERY: &str = "/sse?series=ops/**";

/// A client that accepts gzip, and reads the raw bytes.
struct Reader {
    socket: TcpStream,
    head: String,
    chunked: bool,
    /// Bytes of the body that are not decoded yet.
    body: Vec<u8>,
    decoder: GzDecoder<Vec<u8>>,
}

impl Reader {
    fn open(addr: &str, version: &str) -> Self {
        let mut socket = TcpStream::connect(addr).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {QUERY} HTTP/{version}\r\nHost: localhost\r\nAccept-Encoding: gzip, br\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut reader = Self {
            socket,
            head: String::new(),
            chunked: version == "1.1",
            body: Vec::new(),
            decoder: GzDecoder::new(Vec::new()),
        };
        while !reader.head.ends_with("\r\n\r\n") {
            let mut byte = [0];
            reader.socket.read_exact(&mut byte).unwrap();
            reader.head.push(byte[0].into());
        }
        reader
    }

    /// Reads a piece. Returns false at the end.
    fn read(&mut self) -> bool {
        let mut piece = [0; 4_096];
        let len = self.socket.read(&mut piece).unwrap();
        self.body.extend_from_slice(&piece[..len]);
        let whole = if self.chunked { dechunk(&mut self.body) } else { std::mem::take(&mut self.body) };
        self.decoder.write_all(&whole).unwrap();
        self.decoder.flush().unwrap();
        len > 0
    }

    fn read_until(&mut self, text: &str) {
        while !String::from_utf8_lossy(self.decoder.get_ref()).contains(text) {
            assert!(self.read(), "it ended: {}", String::from_utf8_lossy(self.decoder.get_ref()));
        }
    }

    /// Reads to the end, which must be the end of a whole gzip stream.
    fn finish(mut self) -> String {
        while self.read() {}
        assert!(self.body.is_empty(), "no part of a chunk is left");
        String::from_utf8(self.decoder.finish().expect("with a trailer that fits")).unwrap()
    }
}

/// Takes the complete chunks out of the received bytes.
fn dechunk(body: &mut Vec<u8>) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        let whole = end + 2 + size + 2;
        if body.len() < whole {
            break;
        }
        content.extend_from_slice(&body[end + 2..end + 2 + size]);
        body.drain(..whole);
    }
    content
}

#[test]
fn a_reader_that_takes_gzip_gets_it_event_by_event_and_with_a_proper_end() {
    for version in ["1.1", "1.0"] {
        let data = tempfile::tempdir().unwrap();
        let server = TestServer::start(data.path());
        server.push("ops/n", "1");
        let mut readers: Vec<Reader> = (0..3).map(|_| Reader::open(server.addr(), version)).collect();
        for reader in &mut readers {
            let head = reader.head.to_ascii_lowercase();
            assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{head}");
            assert!(head.contains("\r\nvary: accept-encoding\r\n"), "{head}");
            reader.read_until("\"snapshot\"");
        }
        for value in ["2.25", "3.25"] {
            server.push("ops/n", value);
            readers.iter_mut().for_each(|reader| reader.read_until(&format!("\"value\":{value}")));
        }
        server.terminate();
        for reader in readers {
            let text = reader.finish();
            assert!(text.starts_with("retry: ") && text.contains("\"hello\"") && text.contains("\"bye\""), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_2_it_is_the_same() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let socket = TokioIo::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let (mut http, connection) = http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("{}{QUERY}", server.url)).header("accept-encoding", "gzip");
    let answer = http.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let mut body = answer.into_body();
    let mut decoder = GzDecoder::new(Vec::new());
    while !String::from_utf8_lossy(decoder.get_ref()).contains("\"snapshot\"") {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time").expect("it goes on").unwrap();
        decoder.write_all(frame.data_ref().unwrap()).unwrap();
        decoder.flush().unwrap();
    }
    server.terminate();
    decoder.write_all(&body.collect().await.unwrap().to_bytes()).unwrap();
    let text = String::from_utf8(decoder.finish().expect("with a trailer that fits")).unwrap();
    assert!(text.contains("\"bye\""), "{text}");
}

#[test]
fn who_does_not_take_gzip_or_where_it_is_switched_off_gets_plain_text() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let head = |server: &TestServer, accepted: &str| server.head(QUERY, &[("accept-encoding", accepted)]);
    assert_eq!(head(&server, "gzip").get("content-encoding").unwrap(), "gzip");
    for accepted in ["identity", "br, zstd", "gzip;q=0"] {
        let headers = head(&server, accepted);
        assert!(!headers.contains_key("content-encoding"), "{accepted}");
        assert_eq!(headers.get("vary").unwrap(), "accept-encoding", "caches must tell it apart all the same");
    }
    let mut command = Command::new(BINARY);
    let other = tempfile::tempdir().unwrap();
    let off = TestServer::start_with(command.args(["serve", "--compress=false"]), "127.0.0.1:0", other.path());
    assert!(!head(&off, "gzip").contains_key("content-encoding"));
}

/// curl, which decompresses; killed when dropped.
struct Curl(Child);

impl Curl {
    fn open(url: &str) -> Self {
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--compressed", &format!("{url}{QUERY}")]);
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn read_until(&mut self, text: &str) {
        let out = self.0.stdout.as_mut().unwrap();
        let mut all = Vec::new();
        let mut piece = [0; 4_096];
        while !String::from_utf8_lossy(&all).contains(text) {
            let len = out.read(&mut piece).unwrap();
            assert!(len > 0, "curl ended: {}", String::from_utf8_lossy(&all));
            all.extend_from_slice(&piece[..len]);
        }
    }
}

impl Drop for Curl {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn curl_reads_it_straight_and_through_proxies_that_compress_by_themselves() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let nginx = Proxy::nginx(&server, "gzip on; gzip_types *; gzip_min_length 1;");
    let caddy = Proxy::caddy(&server, "encode gzip\nreverse_proxy {to}");
    for url in [&server.url, &nginx.url, &caddy.url] {
        let mut curl = Curl::open(url);
        curl.read_until("\"snapshot\"");
        for value in ["2.25", "3.25"] {
            server.push("ops/n", value);
            curl.read_until(&format!("\"value\":{value}"));
        }
    }
}
