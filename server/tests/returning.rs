//! The maximum number of subscribers, which all come back at once with the cursor that they had.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use harness::{PATIENCE, TestServer};
use shared::{Event, sse};
use socket2::{Domain, Socket, Type};

const READERS: u16 = 10_000;

/// Number of subscribers per client address, which has its own ports.
const OF_AN_ADDRESS: u16 = 2_500;

fn connect(server: SocketAddr, number: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let [_, own] = (number / OF_AN_ADDRESS + 1).to_be_bytes();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 2, 0, own), 0)).into()).unwrap();
    // The events for a subscriber are small, and there are many subscribers.
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.connect(&server.into()).unwrap();
    let socket: TcpStream = socket.into();
    socket.set_read_timeout(Some(3 * PATIENCE)).unwrap();
    socket
}

/// Returns the next `count` events.
fn hear(socket: &mut TcpStream, count: usize) -> Vec<Event> {
    let mut parser = sse::Parser::default();
    let mut events = Vec::new();
    let mut piece = [0; 4_096];
    // The parser ignores the head of the answer and the sizes of chunks, since they are not like any field of an event
    // stream.
    while events.len() < count {
        let len = socket.read(&mut piece).unwrap();
        assert!(len > 0, "it ended after {events:?}");
        let messages = parser.feed(&piece[..len]);
        events.extend(messages.iter().map(|message| serde_json::from_str::<Event>(&message.data).unwrap()));
    }
    events
}

#[test]
fn ten_thousand_readers_that_come_back_at_once_all_get_what_they_missed_and_no_more() {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    if files < u64::from(READERS) + 100 {
        eprintln!("skipped: only {files} files may be open, too few for {READERS} sockets");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let before = TestServer::start(data.path());
    for n in 0..300 {
        before.push("ops/n", &n.to_string());
    }
    let mut stream = before.stream("series=ops/**", None);
    while !matches!(stream.event(), Event::Snapshot { .. }) {}
    let cursor = stream.last_id.clone();
    before.push("ops/n", "4242.5");
    // A restart: when the subscribers come, their series are not in memory.
    before.kill();
    let server = TestServer::start(data.path());
    let addr: SocketAddr = server.addr().parse().unwrap();
    let request = format!(
        "GET /sse?series=ops/** HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\nLast-Event-ID: {cursor}\r\n\r\n"
    );
    let mut readers: Vec<TcpStream> = (0..READERS).map(|number| connect(addr, number)).collect();
    for reader in &mut readers {
        reader.write_all(request.as_bytes()).unwrap();
    }
    for reader in &mut readers {
        let events = hear(reader, 2);
        let [Event::Hello { .. }, Event::Update { series, .. }, rest @ ..] = &events[..] else { panic!("{events:?}") };
        // On a slow machine, heartbeats may come before this test reads the connection.
        assert!(rest.iter().all(|event| matches!(event, Event::Heartbeat { .. })), "{rest:?}");
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].track.latest(), shared::track::Latest::Number(4_242.5));
    }
    assert!((server.metric("pulseboard_readers") - f64::from(READERS)).abs() < 0.5);
}
