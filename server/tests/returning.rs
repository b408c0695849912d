//! The maximum number of subscribers, which all come back at once with the cursor that they had.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use harness::{PATIENCE, TestServer, now_ms};
use shared::{Bucket, Event, Track, sse};
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

/// A subscriber with the events that it has received and that the test has not looked at.
struct Reader {
    socket: TcpStream,
    parser: sse::Parser,
    events: VecDeque<Event>,
}

impl Reader {
    /// Returns the next event.
    fn next(&mut self) -> Event {
        let mut piece = [0; 4_096];
        // The parser ignores the head of the answer and the sizes of chunks, since they are not like any field of an
        // event stream.
        while self.events.is_empty() {
            let len = self.socket.read(&mut piece).unwrap();
            assert!(len > 0, "the stream ended");
            let messages = self.parser.feed(&piece[..len]);
            self.events.extend(messages.iter().map(|message| serde_json::from_str::<Event>(&message.data).unwrap()));
        }
        self.events.pop_front().unwrap()
    }

    /// Returns the buckets of the only series in the next event, which must be an update. On a slow machine, heartbeats
    /// may come before.
    fn next_update(&mut self) -> VecDeque<Bucket> {
        loop {
            match self.next() {
                Event::Heartbeat { .. } => {}
                Event::Update { mut series, .. } if series.len() == 1 => match series.remove(0).track {
                    Track::Numbers(buckets) => return buckets,
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }
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
    // A point in each of 300 seconds: what the readers missed is one bucket of many.
    let first = now_ms() - 400_000;
    let line = |n: u64| format!("{{\"series\":\"ops/n\",\"value\":{n},\"ts\":{}}}\n", first + n * 1_000);
    assert_eq!(before.post("/in", &(0..300).map(line).collect::<String>(), &[]).status, 204);
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
    let connected =
        |number| Reader { socket: connect(addr, number), parser: sse::Parser::default(), events: VecDeque::new() };
    let mut readers: Vec<Reader> = (0..READERS).map(connected).collect();
    for reader in &mut readers {
        reader.socket.write_all(request.as_bytes()).unwrap();
    }
    for reader in &mut readers {
        assert!(matches!(reader.next(), Event::Hello { .. }));
        let buckets = reader.next_update();
        let values: Vec<_> = buckets.iter().map(|bucket| (bucket.count, bucket.last.value)).collect();
        assert_eq!(values, [(1, 4_242.5)], "only the bucket that changed");
    }
    assert!((server.metric("pulseboard_readers") - f64::from(READERS)).abs() < 0.5);
    // Nothing else came: the next event of each reader is of the next push.
    server.push("ops/n", "7");
    for reader in &mut readers {
        assert_eq!(reader.next_update().back().map(|bucket| bucket.last.value), Some(7.0));
    }
}
