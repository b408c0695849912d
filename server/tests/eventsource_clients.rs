//! EventSource clients from npm and `PyPI`: each reads through a `kill -9` of the server and ends with the server's
//! state, without receiving again what it has.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod clients;
mod harness;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clients::table::{self, Row};
use harness::{BINARY, PATIENCE, TestServer};
use parking_lot::Mutex;
use serde::Deserialize;
use shared::{Event, Picture};

/// npm clients, by their names in `clients/eventsource.mjs`, and their names in the table.
const NPM: [(&str, &str); 6] = [
    ("eventsource2", "npm eventsource 2"),
    ("eventsource4", "npm eventsource 4"),
    ("eventsource5", "npm eventsource 5"),
    ("event-source-polyfill", "npm event-source-polyfill"),
    ("reconnecting-eventsource", "npm reconnecting-eventsource"),
    ("@microsoft/fetch-event-source", "npm @microsoft/fetch-event-source"),
];

/// `PyPI` clients, likewise.
const PYPI: [(&str, &str); 3] =
    [("sseclient-py", "PyPI sseclient-py"), ("httpx-sse", "PyPI httpx-sse"), ("aiosseclient", "PyPI aiosseclient")];

/// A line that a script prints.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Version { version: String },
    Message { id: String, data: String },
}

/// Everything that one client has received so far.
#[derive(Debug, Default)]
struct Seen {
    version: String,
    /// The types of all events, in their order.
    types: Vec<&'static str>,
    picture: Picture,
    /// The reason why it cannot go on.
    fault: Option<String>,
}

impl Seen {
    fn take(&mut self, line: &str) -> Result<(), String> {
        match serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))? {
            Line::Version { version } => self.version = version,
            Line::Message { id, data } => {
                let event: Event = serde_json::from_str(&data).map_err(|error| format!("{error}: {data}"))?;
                self.types.push(type_of(&event));
                let cursor = id.parse().map_err(|_| format!("no cursor: {id:?}"))?;
                self.picture.apply(cursor, event).map_err(|error| format!("{error:?} at {id}"))?;
            }
        }
        Ok(())
    }

    fn count(&self, kind: &str) -> usize {
        self.types.iter().filter(|seen| **seen == kind).count()
    }
}

fn type_of(event: &Event) -> &'static str {
    match event {
        Event::Hello { .. } => "hello",
        Event::Snapshot { .. } => "snapshot",
        Event::Update { .. } => "update",
        Event::Gap { .. } => "gap",
        Event::Bye { .. } => "bye",
        _ => "other",
    }
}

/// A running client; killed when dropped.
struct Reader {
    name: &'static str,
    child: Child,
    seen: Arc<Mutex<Seen>>,
}

impl Reader {
    fn start(name: &'static str, mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let seen = Arc::<Mutex<Seen>>::default();
        let taking = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut seen = taking.lock();
                if let Err(fault) = seen.take(&line) {
                    seen.fault.get_or_insert(fault);
                }
            }
        });
        Self { name, child, seen }
    }

    /// Waits until the received events are as wanted.
    fn wait(&self, what: &str, is_wanted: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + 2 * PATIENCE;
        loop {
            let seen = self.seen.lock();
            assert!(seen.fault.is_none(), "{}: {seen:#?}", self.name);
            if is_wanted(&seen) {
                return;
            }
            assert!(Instant::now() < deadline, "{} does not get to {what}: {seen:#?}", self.name);
            drop(seen);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn start(addr: &str, data: &Path) -> TestServer {
    TestServer::start_with(Command::new(BINARY).args(["serve", "--log", "warn"]), addr, data)
}

/// Returns the picture of a new subscriber.
fn snapshot(server: &TestServer) -> Picture {
    let mut stream = server.stream("series=readers/**", None);
    let mut picture = Picture::default();
    while picture.cursor().is_none() {
        let event = stream.event();
        picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
    }
    picture
}

#[test]
fn every_client_comes_back_after_kill_9_and_is_sent_only_what_it_missed() {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    let addr = server.addr().to_owned();
    assert_eq!(server.push("readers/temp", "1").status, 204);
    assert_eq!(server.push("readers/last", r#"{"text":"zwölf"}"#).status, 204);

    // Many clients add a parameter against caches.
    let url = format!("{}/sse?series=readers/**&_=1732399200123", server.url);
    let of_npm = NPM.iter().map(|(client, name)| {
        let mut command = clients::node("eventsource.mjs");
        command.args([client, url.as_str()]);
        Reader::start(name, command)
    });
    let of_pypi = PYPI.iter().map(|(client, name)| {
        let mut command = clients::python("eventsource.py");
        command.args([client, url.as_str()]);
        Reader::start(name, command)
    });
    let readers: Vec<Reader> = of_npm.chain(of_pypi).collect();
    for reader in &readers {
        reader.wait("its snapshot", |seen| seen.count("snapshot") == 1);
    }
    server.push("readers/temp", "2");
    for reader in &readers {
        reader.wait("an update", |seen| seen.count("update") >= 1);
    }

    server.kill();
    let server = start(&addr, data.path());
    for value in 3..10 {
        assert_eq!(server.push("readers/temp", &value.to_string()).status, 204);
    }
    server.push("readers/last", r#"{"text":"dreizehn"}"#);
    let wanted = snapshot(&server);
    for reader in &readers {
        reader.wait("what it missed", |seen| seen.picture.series() == wanted.series());
        let seen = reader.seen.lock();
        assert_eq!((seen.count("snapshot"), seen.count("gap")), (1, 0), "{}: {:?}", reader.name, seen.types);
        assert_eq!(seen.count("hello"), 2, "{}: {:?}", reader.name, seen.types);
    }

    let result = "reads on through `kill -9`, nothing lost or sent twice";
    let row = |reader: &Reader| Row {
        client: reader.name.to_owned(),
        version: reader.seen.lock().version.clone(),
        result: result.to_owned(),
    };
    table::assert_recorded("EventSource", &readers.iter().map(row).collect::<Vec<_>>());
}
