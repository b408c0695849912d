//! A store that fails, is damaged, or loses its file: the server reports it and serves as much as it can.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use harness::{BINARY, TestServer};
use shared::Event;

/// Starts a server that logs to a file.
fn start_logged(data: &Path, log: &Path) -> TestServer {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--log", "info"]).stderr(File::create(log).unwrap());
    TestServer::start_with(&mut command, "127.0.0.1:0", data)
}

fn count(log: &Path, text: &str) -> usize {
    std::fs::read_to_string(log).unwrap().lines().filter(|line| line.contains(text)).count()
}

#[test]
fn readiness_follows_the_last_commit_and_only_changes_are_logged() {
    let (data, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = logs.path().join("log");
    let server = start_logged(data.path(), &log);
    assert_eq!(server.push("ops/n", "1").status, 204);
    let other = rusqlite::Connection::open(data.path().join("pulseboard.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..3 {
        assert_eq!(server.push("ops/n", "2").status, 503);
    }
    let answer = server.get("/readyz");
    assert_eq!((answer.status, answer.text.starts_with("not ready: the database is locked")), (503, true));
    assert!(server.metric("pulseboard_ready") < 0.5);
    other.execute_batch("ROLLBACK").unwrap();
    // Nobody pushes: the server itself finds out.
    assert_eq!(server.ready_when(|answer| answer.status == 200).text, "ready\n");
    assert_eq!(server.push("ops/n", "3").status, 204);
    assert_eq!((count(&log, "cannot write to the database"), count(&log, "can be written again")), (1, 1));
}

#[test]
fn full_disk_makes_it_not_ready_and_room_makes_it_ready_again() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    // The limit on the size of a file stands in for a full disk.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 1024; exec \"$@\"", "sh", BINARY, "serve", "--log", "info"]);
    command.stderr(File::create(&log).unwrap());
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let text = serde_json::json!({"text": "x".repeat(4_000)}).to_string();
    let refused = (0..10_000).any(|_| server.push("ops/log", &text).status == 503);
    assert!(refused, "the disk never gets full");
    let answer = server.get("/readyz");
    assert!(answer.status == 503 && answer.text.starts_with("not ready: the d"), "{}", answer.text);
    for _ in 0..20 {
        assert_eq!(server.push("ops/log", &text).status, 503);
    }
    let limit =
        Command::new("prlimit").args(["--pid", &server.id().to_string(), "--fsize=unlimited:unlimited"]).status();
    assert!(limit.unwrap().success());
    server.ready_when(|answer| answer.status == 200);
    assert_eq!(server.push("ops/log", &text).status, 204);
    assert_eq!((count(&log, "cannot write to the database"), count(&log, "can be written again")), (1, 1));
}

#[test]
fn deleted_database_stops_pushes_and_history_but_not_streams() {
    let (data, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = logs.path().join("log");
    let server = start_logged(data.path(), &log);
    assert_eq!(server.push("ops/n", "1").status, 204);
    std::fs::remove_file(data.path().join("pulseboard.sqlite")).unwrap();
    let answer = server.ready_when(|answer| answer.status == 503);
    assert!(answer.text.contains("was deleted while the server ran"), "{}", answer.text);
    for _ in 0..3 {
        let answer = server.push("ops/n", "2");
        assert_eq!(answer.status, 503);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("was deleted while the server ran; start the server again"), "{detail}");
    }
    assert_eq!(server.put("/api/boards/ops", "{\"title\":\"x\"}", &[("Content-Type", "application/json")]).status, 503);
    assert_eq!(server.get("/api/history?series=ops/n&from=-1h").status, 503);
    assert_eq!(count(&log, "pushes are refused until the server is started again"), 1);
    let mut stream = server.stream("series=ops/n", None);
    assert!(matches!(stream.event(), Event::Hello { .. }));
    assert!(matches!(stream.event(), Event::Snapshot { series, .. } if series.len() == 1), "known points are shown");
}

#[test]
fn damaged_rows_are_named_and_everything_else_is_served() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for series in ["ops/a", "ops/b", "ops/c"] {
        assert_eq!(server.push(series, "1").status, 204);
    }
    server.kill();
    let conn = rusqlite::Connection::open(data.path().join("pulseboard.sqlite")).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM series WHERE name = 'ops/a'").unwrap();
    conn.execute("UPDATE log SET data = x'ff' WHERE last = 2", []).unwrap();
    drop(conn);
    let server = TestServer::start(data.path());
    let ready = server.get("/readyz");
    assert!(ready.status == 200 && ready.text.starts_with("ready\nwarning: the database is damaged"), "{}", ready.text);
    assert!(server.metric("pulseboard_warnings") > 0.5);
    for series in ["ops/a", "ops/b", "ops/c", "ops/d"] {
        assert_eq!(server.push(series, "2").status, 204, "{series}");
    }
    let mut stream = server.stream("series=ops/**", None);
    stream.event();
    let Event::Snapshot { series, .. } = stream.event() else { panic!("a snapshot comes second") };
    assert_eq!(series.len(), 4);
}

#[test]
fn start_long_after_the_last_write_is_ready_with_a_warning() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("ops/n", "1").status, 204);
    server.kill();
    let conn = rusqlite::Connection::open(data.path().join("pulseboard.sqlite")).unwrap();
    conn.execute("UPDATE clock SET at = at - 1000 * 86400 * 365", []).unwrap();
    drop(conn);
    let server = TestServer::start(data.path());
    let ready = server.ready_when(|answer| answer.text.contains("warning"));
    assert_eq!(ready.status, 200);
    assert!(ready.text.contains("365 days after the last write"), "{}", ready.text);
}

#[test]
fn only_the_owner_may_use_the_files_also_in_an_older_folder() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let private = || {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| mode(file) != 0o600).collect::<Vec<_>>()
    };
    let server = TestServer::start(&folder);
    assert_eq!(server.push("ops/n", "1").status, 204);
    assert_eq!((mode(&folder), private()), (0o700, Vec::new()));
    server.kill();
    for file in std::fs::read_dir(&folder).unwrap() {
        std::fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    let server = TestServer::start(&folder);
    assert_eq!(server.push("ops/n", "1").status, 204);
    assert_eq!(private(), Vec::<std::path::PathBuf>::new());
}
