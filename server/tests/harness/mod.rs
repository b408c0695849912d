//! The test harness: starts the real binary on a port of its own, and has the requests that tests need. Every answer is
//! checked against the server's own description ([`contract`]).

#![expect(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared by tests; each uses its own part of it")]

pub mod contract;
pub mod node;
pub mod postgres;
pub mod programs;
pub mod replay;

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value as Json;
use shared::{Event, sse};

/// Time limit for anything that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_pulseboard");

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap()
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct TestServer {
    child: Child,
    pub url: String,
}

impl TestServer {
    /// Starts on a free port.
    pub fn start(data: &Path) -> Self {
        Self::start_with(Command::new(BINARY).arg("serve"), "127.0.0.1:0", data)
    }

    /// Starts `command`, to which the address and the data folder are added.
    pub fn start_with(command: &mut Command, addr: &str, data: &Path) -> Self {
        command.args(["--addr", addr, "--data"]).arg(data).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.strip_prefix("listening on ").expect("the first line says where it listens").trim().to_owned();
        Self { child, url }
    }

    /// The address that it listens on, in the form of `--addr`.
    pub fn addr(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    pub fn push(&self, series: &str, body: &str) -> Answer {
        self.post(&format!("/in/{series}"), body, &[])
    }

    /// Creates a token with the credential of an administrator, and returns its secret.
    pub fn token(&self, admin: &str, name: &str, grants: &[&str]) -> String {
        let body = serde_json::json!({ "name": name, "grants": grants }).to_string();
        let bearer = format!("Bearer {admin}");
        let made = self.post("/api/tokens", &body, &[("Authorization", &bearer), ("Content-Type", "application/json")]);
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["token"].as_str().unwrap().to_owned()
    }

    pub fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = http().post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send(body).unwrap()).held("post", path, Some(body))
    }

    /// Sends a request whose body need not be text. Returns the whole answer.
    pub fn raw(&self, head: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.addr()).unwrap();
        let length = body.len();
        let head = format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn put(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = http().put(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send(body).unwrap()).held("put", path, Some(body))
    }

    pub fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = http().delete(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.call().unwrap()).held("delete", path, None)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = http().get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.call().unwrap()).held("get", path, None)
    }

    /// Returns the headers of the answer to HEAD.
    pub fn head(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::HeaderMap {
        let mut request = http().head(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap().headers().clone()
    }

    pub fn stream(&self, query: &str, last_event_id: Option<&str>) -> Stream {
        let response = open(&self.url, query, last_event_id);
        assert_eq!(response.headers().get("x-accel-buffering").unwrap(), "no");
        Stream::of(response)
    }

    /// Opens a stream. Returns the answer instead if it is refused.
    pub fn opens(&self, query: &str) -> Result<Stream, Box<Answer>> {
        self.opens_with(query, &[])
    }

    /// Opens a stream with these headers. Returns the answer instead if it is refused.
    pub fn opens_with(&self, query: &str, headers: &[(&str, &str)]) -> Result<Stream, Box<Answer>> {
        let path = format!("/sse?{query}");
        let mut request = http_for(6 * PATIENCE).get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap();
        if response.status() == 200 {
            return Ok(Stream::of(response));
        }
        Err(Box::new(Answer::of(response).held("get", &path, None)))
    }

    /// The value of one line of `/metrics`.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text;
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).split(' ').next_back().unwrap().parse().unwrap()
    }

    /// Returns the number of points of a series within the last hour, and their sum; 0 if there is no such series.
    pub fn totals(&self, series: &str) -> (u64, f64) {
        let history = self.get(&format!("/api/history?series={series}&points=1")).json();
        let buckets = history[0]["buckets"].as_array().cloned().unwrap_or_default();
        let count = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
        (count, buckets.iter().map(|bucket| bucket["sum"].as_f64().unwrap()).sum())
    }

    /// Its resident memory in KiB (Linux's `VmRSS`).
    pub fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Its peak resident memory in KiB (Linux's `VmHWM`).
    pub fn peak_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Returns the number of requests that were refused by this limit.
    pub fn refused(&self, limit: &str) -> u64 {
        let text = self.get("/metrics").text;
        let start = format!("pulseboard_refused_total{{limit=\"{limit}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |count| count.parse().unwrap())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Requests `/readyz` until `is_wanted` returns true, and returns the answer.
    pub fn ready_when(&self, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get("/readyz");
            if is_wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "still {}: {}", answer.status, answer.text);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends it a signal, such as `TERM` or `HUP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Stops it with SIGTERM, as a service manager does. Returns its exit status, and the time that it took.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.signal("TERM");
        (self.child.wait().unwrap(), asked.elapsed())
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    fn of(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    fn held(self, method: &str, path: &str, body: Option<&str>) -> Self {
        contract::hold(method, path, body, &self);
        self
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first wrong field of a problem: its name, the expected value, the received value.
    pub fn first_error(&self) -> (String, String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        let error = &problem["errors"][0];
        let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("no {key} in {problem}")).to_owned();
        (text("field"), text("expected"), text("got"))
    }
}

/// An open stream.
pub struct Stream {
    body: Box<dyn Read + Send>,
    parser: sse::Parser,
    read: std::vec::IntoIter<sse::Message>,
    /// The last id of the stream.
    pub last_id: String,
}

impl Stream {
    /// Opens a stream at an address that is not the server's own, such as a proxy's.
    pub fn at(url: &str, query: &str, last_event_id: Option<&str>) -> Self {
        Self::of(open(url, query, last_event_id))
    }

    fn of(response: ureq::http::Response<ureq::Body>) -> Self {
        let body = Box::new(response.into_body().into_reader());
        Self { body, parser: sse::Parser::default(), read: Vec::new().into_iter(), last_id: String::new() }
    }

    /// Returns the next event; `None` if the stream has ended.
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(message) = self.read.next() {
                contract::hold_event(&message);
                self.last_id = message.id;
                return Some(serde_json::from_str(&message.data).unwrap());
            }
            let mut piece = [0; 4096];
            match self.body.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(len) => self.read = self.parser.feed(&piece[..len]).into_iter(),
            }
        }
    }

    /// Returns the next event, which must come.
    pub fn event(&mut self) -> Event {
        self.next().expect("the stream goes on")
    }
}

fn open(url: &str, query: &str, last_event_id: Option<&str>) -> ureq::http::Response<ureq::Body> {
    let mut request = http_for(6 * PATIENCE).get(format!("{url}/sse?{query}"));
    if let Some(id) = last_event_id {
        request = request.header("Last-Event-ID", id);
    }
    let response = request.call().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-cache");
    response
}

/// Reads a body until this text arrives.
pub async fn wait_for(body: &mut Incoming, text: &str) {
    let mut all = String::new();
    while !all.contains(text) {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time").expect("it goes on").unwrap();
        all.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
}

fn http() -> ureq::Agent {
    http_for(PATIENCE)
}

/// Makes a client for answers that take at most `longest`, from their first byte to their last.
fn http_for(longest: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_recv_body(Some(longest))
        .build()
        .into()
}
