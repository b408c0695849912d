//! Clients that stall, vanish or read one byte at a time do not hurt the others, nor the server's memory.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{BINARY, PATIENCE, TestServer};
use shared::track::Latest;
use shared::{Event, sse};
use socket2::{Domain, Socket, Type};

/// Opens a stream by hand, with a small window, and reads nothing of it.
fn stalled(server: &TestServer, query: &str) -> TcpStream {
    let addr: std::net::SocketAddr = server.addr().parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(&addr.into()).unwrap();
    let mut socket: TcpStream = socket.into();
    write!(socket, "GET /sse?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    socket
}

fn wait_for_readers(server: &TestServer, wanted: impl Fn(f64) -> bool) -> Duration {
    let began = Instant::now();
    while !wanted(server.metric("pulseboard_readers")) {
        assert!(began.elapsed() < PATIENCE, "there are {} readers", server.metric("pulseboard_readers"));
    }
    began.elapsed()
}

/// Pushes so much that no socket buffer holds it, and returns the number of pushes.
fn flood(server: &TestServer, kilobytes: usize) -> usize {
    let line = serde_json::json!({ "series": "ops/log", "text": "x".repeat(4_000) }).to_string() + "\n";
    let pushes = kilobytes / 4;
    for _ in 0..pushes / 100 {
        assert_eq!(server.post("/in", &line.repeat(100), &[]).status, 204);
    }
    pushes
}

#[test]
fn a_reader_that_takes_nothing_is_gone_within_two_heartbeats() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.args(["serve", "--heartbeat", "1"]), "127.0.0.1:0", data.path());
    let mut good = server.stream("series=none", None);
    let _bad: Vec<TcpStream> = (0..10).map(|_| stalled(&server, "series=ops/**&hz=0")).collect();
    wait_for_readers(&server, |readers| readers > 10.5);
    flood(&server, 8_000);
    let took = wait_for_readers(&server, |readers| readers < 1.5);
    // The kernel's timer is not exact; two heartbeats are two seconds.
    assert!(took < Duration::from_secs(4), "{took:?}");
    for _ in 0..2 {
        assert!(matches!(good.event(), Event::Hello { .. } | Event::Snapshot { .. }));
    }
    assert!(matches!(good.event(), Event::Heartbeat { .. }), "the others stay");
}

/// A network namespace, joined to this one by a virtual cable that can be cut at the far end. After that nothing
/// arrives from there, not even a FIN.
struct FarEnd {
    name: String,
    /// The address of this end.
    here: String,
}

impl FarEnd {
    /// Returns `None` if this machine does not let the test make networks, and prints the reason.
    fn make() -> Option<Self> {
        let number = std::process::id() % 250;
        let (name, near) = (format!("pulse{number}"), format!("pulse{number}a"));
        let far = Self { name: name.clone(), here: format!("10.213.{number}.1") };
        let there = format!("10.213.{number}.2/24");
        let here = format!("{}/24", far.here);
        for command in [
            format!("netns add {name}"),
            format!("link add {near} type veth peer name far netns {name}"),
            format!("addr add {here} dev {near}"),
            format!("link set {near} up"),
            format!("-n {name} addr add {there} dev far"),
            format!("-n {name} link set far up"),
        ] {
            let done = Command::new("ip").args(command.split(' ')).output();
            match done {
                Ok(output) if output.status.success() => {}
                Ok(output) => {
                    eprintln!("skipped: ip {command}: {}", String::from_utf8_lossy(&output.stderr).trim());
                    return None;
                }
                Err(error) => {
                    eprintln!("skipped: there is no command ip: {error}");
                    return None;
                }
            }
        }
        Some(far)
    }

    /// Starts a client over there; it never ends on its own.
    fn read(&self, url: &str) -> std::process::Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "curl", "--silent", "--no-buffer", url]);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    }

    fn cut(&self) {
        let cut = Command::new("ip").args(["-n", &self.name, "link", "set", "far", "down"]).status().unwrap();
        assert!(cut.success());
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        // The cable is deleted with it.
        let _gone = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

#[test]
fn a_peer_whose_line_is_cut_without_a_word_is_gone_within_some_heartbeats() {
    let Some(far) = FarEnd::make() else { return };
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let addr = format!("{}:0", far.here);
    let server = TestServer::start_with(command.args(["serve", "--open", "--heartbeat", "1"]), &addr, data.path());
    let mut good = server.stream("series=ops/**", None);
    let mut peer = far.read(&format!("{}/sse?series=ops/**", server.url));
    wait_for_readers(&server, |readers| readers > 1.5);
    far.cut();
    let took = wait_for_readers(&server, |readers| readers < 1.5);
    // One heartbeat until some bytes are in flight, one until the peer counts as lost, and the kernel's timers are not
    // exact.
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert!(peer.try_wait().unwrap().is_none(), "it has not left by itself");
    peer.kill().unwrap();
    peer.wait().unwrap();
    server.push("ops/n", "7");
    while !matches!(good.event(), Event::Update { .. }) {}
}

#[test]
fn readers_that_never_read_cost_little_memory_and_keep_nobody_else_from_reading() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    flood(&server, 2_000);
    let mut good = server.stream("series=ops/**", None);
    let _bad: Vec<TcpStream> = (0..200).map(|_| stalled(&server, "series=ops/**&hz=0")).collect();
    wait_for_readers(&server, |readers| readers > 200.5);
    let before = server.resident_kilobytes();
    let reading = std::thread::spawn(move || {
        while !latest_texts(&good.event()).contains(&"the end".to_owned()) {}
        good.last_id
    });
    let pushes = flood(&server, 8_000);
    let grown = server.resident_kilobytes().saturating_sub(before);
    // Each of them missed 8 MB; queued for all, that would be 1.6 GB. A few frames are in flight for each.
    assert!(grown < 64 << 10, "{grown} KB more");
    server.push("ops/log", r#"{"text":"the end"}"#);
    let last_id = reading.join().unwrap();
    assert!(last_id.ends_with(&format!("-{}", 500 + pushes + 1)), "{last_id}");
}

#[test]
fn a_reader_that_stops_is_not_given_megabytes_that_are_old_when_it_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/log", r#"{"text":"begin"}"#);
    let mut stopped = stalled(&server, "series=ops/log&hz=1000");
    wait_for_readers(&server, |readers| readers > 0.5);
    // More frames than are kept for a subscriber that is behind, and fewer bytes than the kernel would take.
    for n in 0..300 {
        server.push("ops/log", &serde_json::json!({ "text": format!("{n} {}", "x".repeat(3_000)) }).to_string());
    }
    stopped.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut parser = sse::Parser::default();
    let mut events = Vec::new();
    let mut piece = [0; 4_096];
    while !events.iter().any(|event| latest_texts(event).iter().any(|text| text.starts_with("299 "))) {
        let len = stopped.read(&mut piece).unwrap();
        assert!(len > 0, "it ended");
        let messages = parser.feed(&piece[..len]);
        events.extend(messages.iter().map(|message| serde_json::from_str::<Event>(&message.data).unwrap()));
    }
    let updates = events.iter().filter(|event| matches!(event, Event::Update { .. })).count();
    assert!(events.iter().any(|event| matches!(event, Event::Gap { .. })), "{updates} updates, none skipped");
    assert!(updates < 50, "{updates} old updates");
}

#[test]
fn a_reader_of_one_byte_at_a_time_gets_there() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    server.push("ops/n", r#"{"text":"begin"}"#);
    let mut slow = stalled(&server, "series=ops/n");
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    for i in 0..50 {
        server.push("ops/n", &serde_json::json!({ "text": i.to_string() }).to_string());
    }
    server.push("ops/n", r#"{"text":"the end"}"#);
    // The parser ignores the head of the response and the sizes of chunks, as fields that it does not know.
    let mut parser = sse::Parser::default();
    let mut byte = [0];
    let mut arrived = false;
    while !arrived {
        slow.read_exact(&mut byte).unwrap();
        let messages = parser.feed(&byte);
        arrived = messages
            .iter()
            .any(|message| latest_texts(&serde_json::from_str(&message.data).unwrap()).contains(&"the end".to_owned()));
    }
}

/// The newest text of each series in the event.
fn latest_texts(event: &Event) -> Vec<String> {
    let (Event::Snapshot { series, .. } | Event::Update { series, .. }) = event else { return Vec::new() };
    let text = |part: &shared::SeriesPart| match part.track.latest() {
        Latest::Text(text) => Some(text.to_owned()),
        Latest::Number(_) => None,
    };
    series.iter().filter_map(text).collect()
}
