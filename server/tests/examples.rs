//! Runs each program in `examples/` against a real server. Readers go on through `kill -9` of the server.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

#[expect(dead_code, reason = "this test uses a part of it")]
mod clients;
mod harness;
#[expect(dead_code, reason = "this test uses a part of it")]
mod markdown;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use harness::{BINARY, PATIENCE, TestServer};
use serde_json::Value as Json;

/// The path of an example.
fn example(name: &str) -> PathBuf {
    markdown::root().join("examples").join(name)
}

fn start(addr: &str, data: &Path) -> TestServer {
    TestServer::start_with(Command::new(BINARY).args(["serve", "--log", "error"]), addr, data)
}

/// Returns the newest value or text of a series.
fn newest(server: &TestServer, name: &str) -> Json {
    let list = server.get("/api/series").json();
    let found = list.as_array().unwrap().iter().find(|series| series["name"] == name);
    let series = found.unwrap_or_else(|| panic!("no {name} in {list}"));
    if series["text"].is_null() { series["value"].clone() } else { series["text"].clone() }
}

/// A command that is not sent through a proxy of the machine.
fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    harness::programs::without_proxy(&mut command);
    command
}

fn push_with_curl(server: &TestServer) {
    let output = program(example("push.sh")).arg(&server.url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn push_sh_stores_its_points() {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    push_with_curl(&server);
    assert_eq!(newest(&server, "example/temp"), 42.5);
    assert_eq!(newest(&server, "example/requests"), 1807.0);
    assert_eq!(newest(&server, "example/deploy"), "deploying");
    assert_eq!(newest(&server, "example/cpu/1"), 80.25);
}

#[test]
fn push_py_stores_each_line_once_although_the_server_was_away() {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    let (addr, url) = (server.addr().to_owned(), server.url.clone());
    let mut command = program("python3");
    command.arg(example("push.py")).args(["example/steps", &url]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    input.write_all(b"1\n").unwrap();
    server.kill();
    input.write_all(b"2\n3\n").unwrap();
    drop(input);
    assert!(errors.next().unwrap().unwrap().starts_with("cannot reach"));
    let server = start(&addr, data.path());
    let rest: Vec<_> = errors.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    assert_eq!(newest(&server, "example/steps"), 3.0);
    let history = server.get("/api/history?series=example/steps&points=1").json();
    assert_eq!(history[0]["buckets"][0]["count"], 3, "{history}");
}

#[test]
fn push_py_shows_why_a_push_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    let mut command = program("python3");
    command.arg(example("push.py")).args(["example//steps", &server.url]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"1\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("segment 2 is empty"), "{errors}");
}

/// A reader at work; ended when dropped.
struct Reader {
    child: Child,
    lines: Receiver<String>,
}

impl Reader {
    fn start(mut command: Command, url: &str) -> Self {
        command.args(["example/**", url]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let printed = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || printed.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// Returns the next line.
    fn line(&self) -> String {
        self.lines.recv_timeout(3 * PATIENCE).expect("the reader prints a line")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Asserts that the reader prints the snapshot, an update, and after `kill -9` only the update that it missed.
fn reads_through_a_restart(command: Command) {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    let addr = server.addr().to_owned();
    assert_eq!(server.push("example/temp", r#"{"value":1,"ts":1795824199378}"#).status, 204);
    assert_eq!(server.push("example/deploy", r#"{"text":"done"}"#).status, 204);
    let reader = Reader::start(command, &server.url);
    let snapshot = [reader.line(), reader.line()];
    assert!(snapshot.iter().any(|line| line.starts_with("snapshot example/temp 1")), "{snapshot:?}");
    assert!(snapshot.iter().any(|line| line.starts_with("snapshot example/deploy done ")), "{snapshot:?}");
    assert_eq!(server.push("example/temp", "2").status, 204);
    let update = reader.line();
    assert!(update.starts_with("update example/temp 2"), "{update}");
    server.kill();

    let server = start(&addr, data.path());
    assert_eq!(server.push("example/temp", "3").status, 204);
    let missed = reader.line();
    assert!(missed.starts_with("update example/temp 3"), "{missed}");
}

#[test]
fn read_py_continues_after_kill_9() {
    let mut command = program("python3");
    command.arg(example("read.py"));
    reads_through_a_restart(command);
}

#[test]
fn read_mjs_continues_after_kill_9() {
    // As after `npm install eventsource@4` beside the example.
    let folder = tempfile::tempdir().unwrap();
    let packages = harness::programs::clients().join("node/node_modules");
    std::fs::create_dir(folder.path().join("node_modules")).unwrap();
    std::os::unix::fs::symlink(packages.join("eventsource4"), folder.path().join("node_modules/eventsource")).unwrap();
    let script = folder.path().join("read.mjs");
    std::fs::copy(example("read.mjs"), &script).unwrap();
    let mut command = program(clients::node_program());
    command.arg(script);
    reads_through_a_restart(command);
}

#[test]
fn board_toml_is_stored_without_a_warning_once_its_series_are_there() {
    let data = tempfile::tempdir().unwrap();
    let server = start("127.0.0.1:0", data.path());
    push_with_curl(&server);
    let document = std::fs::read_to_string(example("board.toml")).unwrap();
    let answer = server.put("/api/boards/example-board", &document, &[("content-type", "application/toml")]);
    assert_eq!((answer.status, answer.text.as_str()), (201, ""));
    let stored = server.get_with("/api/boards/example-board", &[("accept", "application/toml")]);
    assert_eq!(stored.text, document);
}

#[test]
fn reader_html_is_the_page_of_the_documents() {
    let page = std::fs::read_to_string(example("reader.html")).unwrap();
    let blocks = markdown::blocks(&markdown::read(Path::new("docs/read-the-stream.md")));
    let documented = blocks.iter().find(|block| block.language == "html").expect("a page in docs/read-the-stream.md");
    assert_eq!(
        documented.text, page,
        "examples/reader.html and docs/read-the-stream.md; the browser tests run the latter"
    );
}
