//! Untrusted text (titles, answers of servers, file names) cannot control a terminal, a log or a spreadsheet.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use harness::{BINARY, PATIENCE, TestServer, now_ms};
use serde_json::json;

/// Clears the screen, forges a line, sets a colour by a C1 control, and turns the direction of text.
const EVIL: &str = "a\u{1b}[2J\nb\u{9b}31m\u{202e}c";

/// The same text, escaped.
const PLAIN: &str = "a\\u001b[2J\\u000ab\\u009b31m\\u202ec";

#[test]
fn board_title_is_escaped_in_the_list_of_boards() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.put("/api/boards/ops", &json!({"title": EVIL, "widgets": []}).to_string(), &[]).status, 201);
    let listed = Command::new(BINARY).args(["board", "list", "--url", &server.url]).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), format!("ops\tstored\t{PLAIN}\n"));
}

/// Runs a command against a server that answers every request with a problem.
fn refused(args: &[&str], input: &str) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = [0; 4_096];
        let _length = socket.read(&mut request).unwrap();
        let error = json!({"field": EVIL, "expected": EVIL, "got": EVIL});
        let problem = json!({"type": "x", "title": "t", "status": 422, "detail": EVIL, "errors": [error]}).to_string();
        let head = format!(
            "HTTP/1.1 422 X\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            problem.len()
        );
        socket.write_all((head + &problem).as_bytes()).unwrap();
    });
    let mut command = Command::new(BINARY)
        .args(args)
        .args(["--url", &url])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    command.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = command.wait_with_output().unwrap();
    serving.join().unwrap();
    output
}

#[test]
fn detail_of_a_server_is_escaped_on_the_terminal() {
    for (args, input) in [(&["push", "ops/n"][..], "1\n"), (&["board", "list"], "")] {
        let said = String::from_utf8(refused(args, input).stderr).unwrap();
        assert!(said.contains(PLAIN), "{said}");
        let lines: Vec<_> = said.lines().collect();
        assert!(
            matches!(lines[..], [_, error] if error.starts_with("  a") && error.matches(PLAIN).count() == 3),
            "{said}"
        );
    }
}

#[test]
fn name_of_a_file_cannot_forge_a_line_of_the_log() {
    let (data, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(boards.path().join("x\n2026-01-01 ERROR forged \u{1b}[31m.toml"), "").unwrap();
    std::fs::write(boards.path().join("ok.json"), r#"{"title": 1, "a\nb": 2}"#).unwrap();
    let log = data.path().join("log");
    let mut command = Command::new(BINARY);
    command.arg("serve").arg("--boards").arg(boards.path()).stderr(File::create(&log).unwrap());
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    server.terminate();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("x\\u000a2026-01-01 ERROR forged \\u001b[31m.toml"), "{log}");
    assert!(log.lines().all(|line| !line.starts_with("2026-01-01 ERROR")) && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn text_that_begins_like_a_formula_is_guarded_in_csv_and_a_negative_number_is_not() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ts = now_ms() - 5_000;
    for text in ["=1+1", "+1", "-1", "@a", "\t=1"] {
        let body = json!({"text": text, "ts": ts}).to_string();
        assert_eq!(server.push("ops/state", &body).status, 204);
    }
    assert_eq!(server.push("ops/n", &json!({"value": -7.5, "ts": ts}).to_string()).status, 204);
    assert_eq!(server.push("-2", "1").status, 204);
    let csv = server.get_with("/api/history?series=**&points=500", &[("Accept", "text/csv")]).text;
    for line in csv.lines().filter(|line| line.starts_with("ops/state")) {
        let cell = line.rsplit(',').next().unwrap();
        assert!(cell.starts_with("\"'"), "{line}");
    }
    assert!(csv.contains("\"'=1+1\"") && csv.contains(",-7.5,") && csv.contains("\n'-2,"), "{csv}");
}
