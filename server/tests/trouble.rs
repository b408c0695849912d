//! Full disks, locked databases, and starts that fail.

mod harness;

use std::process::{Command, Stdio};

use harness::{BINARY, TestServer};
use serde_json::json;
use shared::{Event, Track};

/// Number of points of a series on the server.
fn count(server: &TestServer, series: &str) -> u64 {
    let mut stream = server.stream(&format!("series={series}"), None);
    stream.event();
    let Event::Snapshot { series, .. } = stream.event() else { panic!("a snapshot comes second") };
    let Some(part) = series.first() else { return 0 };
    let Track::Numbers(buckets) = &part.track else { panic!("it holds numbers") };
    buckets.iter().map(|bucket| bucket.count).sum()
}

#[test]
fn while_another_program_holds_the_database_a_push_gets_503_and_after_it_204() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("ops/n", "1").status, 204);
    let other = rusqlite::Connection::open(data.path().join("pulseboard.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = server.push("ops/n", "2");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("locked by another program") && detail.contains("send it again"), "{detail}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.push("ops/n", "3").status, 204);
    assert_eq!(count(&server, "ops/n"), 2);
}

#[test]
fn when_the_disk_is_full_a_push_gets_503_and_what_was_acknowledged_stays() {
    let data = tempfile::tempdir().unwrap();
    // The limit on the size of a file stands in for a full disk: SQLite's writes fail in the same way. The unit is
    // blocks of 512 bytes: 512 KiB, enough for a new database.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh", BINARY, "serve"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let mut kept = 0;
    let refused = loop {
        let answer = server.push("ops/n", "1");
        match answer.status {
            204 => kept += 1,
            _ => break answer,
        }
        assert!(kept < 10_000, "the disk never gets full");
    };
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.json()["detail"].as_str().unwrap().contains("nothing of this was stored"));
    assert_eq!(count(&server, "ops/n"), kept);
    server.kill();
    let server = TestServer::start(data.path());
    assert_eq!(count(&server, "ops/n"), kept);
    assert_eq!(server.push("ops/n", "1").status, 204, "with room again it goes on");
}

/// Runs `serve` with these arguments and expects it to fail. Returns its exit code and the one line that it printed.
#[expect(clippy::unwrap_used, reason = "test code")]
fn failed_start(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(BINARY).arg("serve").args(args).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = said.lines().filter(|line| !line.contains(" INFO ")).collect();
    assert_eq!(errors.len(), 1, "one line: {said}");
    (output.status.code(), errors[0].to_owned())
}

#[test]
fn a_start_that_fails_says_in_one_line_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let running = TestServer::start(data.path());
    let other = tempfile::tempdir().unwrap();
    let other = other.path().to_str().unwrap();

    let (code, said) = failed_start(&["--addr", running.addr(), "--data", other]);
    assert_eq!(code, Some(1));
    assert!(said.contains("is in use by another program") && said.contains("--addr"), "{said}");

    let (code, said) = failed_start(&["--addr", "127.0.0.1:0", "--data", folder]);
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by another pulseboard") && said.contains("--data"), "{said}");

    let (code, said) = failed_start(&["--addr", "127.0.0.1:0", "--data", "/proc/nowhere"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot write in the data folder /proc/nowhere") && said.contains("--data"), "{said}");

    let (code, said) = failed_start(&["--addr", "0.0.0.0:0", "--data", other]);
    assert_eq!(code, Some(1));
    assert!(said.contains("without a password") && said.contains("--open"), "{said}");

    let file = data.path().join("wrong.toml");
    std::fs::write(&file, "addr = \"127.0.0.1:0\"\nport = 80\n").unwrap();
    let (code, said) = failed_start(&["--config", file.to_str().unwrap(), "--data", other]);
    assert_eq!(code, Some(1));
    assert!(said.contains("wrong.toml:2: there is no key \"port\"") && said.contains("the keys are"), "{said}");
}

#[test]
fn the_environment_and_a_file_configure_it_too() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("pulseboard.toml");
    std::fs::write(&file, "allow_origin = [\"http://a.example\"]\n").unwrap();
    let mut command = Command::new(BINARY);
    command.arg("serve").env("PULSEBOARD_CONFIG", &file).env("PULSEBOARD_LOG", "error");
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let answer = ureq::get(format!("{}/api/series", server.url)).header("Origin", "http://a.example").call().unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], json!("http://a.example").as_str().unwrap());
}
