//! Running the server: signals, the log, the version, misspelt variables, metrics, and pushes that were refused.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{BINARY, PATIENCE, TestServer};
use serde_json::Value as Json;

/// A server that logs to a file.
struct Logged {
    server: TestServer,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Logged {
    fn start(configure: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new(BINARY);
        command.arg("serve").stderr(std::fs::File::create(&log).unwrap());
        configure(&mut command);
        let server = TestServer::start_with(&mut command, "127.0.0.1:0", &folder.path().join("data"));
        Self { server, log, _folder: folder }
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect()
    }

    /// Waits for a line of the log that has this text.
    fn line_with(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.lines().into_iter().find(|line| line.contains(text)) {
                return line;
            }
            assert!(Instant::now() < deadline, "no {text:?} in {:?}", self.lines());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn sighup_ends_nothing_and_says_what_is_read_again() {
    let plain = Logged::start(|_| ());
    let _stream = plain.server.stream("series=a", None);
    for _ in 0..3 {
        plain.server.signal("HUP");
    }
    assert!(plain.line_with("SIGHUP").contains("there is nothing to read again"));
    assert_eq!(plain.server.push("a", "1").status, 204);

    let boards = tempfile::tempdir().unwrap();
    let with_boards = Logged::start(|command| {
        command.arg("--boards").arg(boards.path());
    });
    std::fs::write(boards.path().join("ops.toml"), "title = \"Ops\"").unwrap();
    with_boards.server.signal("HUP");
    with_boards.line_with("SIGHUP: reading the folder of boards again");
    let deadline = Instant::now() + PATIENCE;
    while with_boards.server.get("/api/boards/ops").status != 200 {
        assert!(Instant::now() < deadline, "the board is not there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn log_json_gives_an_object_a_line() {
    for given in ["json", "json,debug", "info,json"] {
        let logged = Logged::start(|command| {
            command.args(["--log", given]).env("PULSEBOARD_ADR", "x");
        });
        assert_eq!(logged.server.push("a", "\u{1b}[31mhot\n\u{9b}").status, 422);
        let refused = logged.line_with("refused a push");
        let lines = logged.lines();
        for line in &lines {
            let line: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(
                line["level"].is_string() && line["message"].is_string() && line["timestamp"].is_string(),
                "{line}"
            );
        }
        let refused: Json = serde_json::from_str(&refused).unwrap();
        assert_eq!(
            (&refused["path"], &refused["status"], &refused["level"]),
            (&"/in/a".into(), &422.into(), &"WARN".into())
        );
        assert_eq!(refused["text"], "\\u001b[31mhot\\u000a\\u009b", "nothing that a terminal obeys");
        assert!(lines.iter().any(|line| line.contains("PULSEBOARD_ADR is not known")), "{lines:?}");
    }
}

#[test]
fn unknown_level_is_an_error_that_names_the_known_ones() {
    let data = tempfile::tempdir().unwrap();
    for wrong in ["loud", "info,verbose", "pulseboard=loud"] {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--addr", "127.0.0.1:0", "--log", wrong, "--data"]).arg(data.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("write error, warn, info, debug, trace"), "{wrong}: {said}");
    }
    let file = data.path().join("pulseboard.toml");
    std::fs::write(&file, "log = \"loud\"").unwrap();
    let output = Command::new(BINARY).args(["serve", "--config"]).arg(&file).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("pulseboard.toml:1: cannot log \"loud\""), "{said}");
}

#[test]
fn misspelt_variable_is_told_at_the_start_with_the_one_that_is_meant() {
    let logged = Logged::start(|command| {
        command.env("PULSEBOARD_MAX_READER", "5").env("PULSEBOARD_PORT", "tcp://10.0.0.1:7878");
    });
    let line = logged.line_with("PULSEBOARD_MAX_READER is not known");
    assert!(line.contains("WARN") && line.contains("is PULSEBOARD_MAX_READERS meant?"), "{line}");
    assert!(!logged.lines().iter().any(|line| line.contains("PULSEBOARD_PORT")));

    let output = Command::new(BINARY)
        .args(["board", "list", "--to", &logged.server.url])
        .env("PULSEBOARD_T0", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("warning: ") && said.contains("is PULSEBOARD_TO meant?"),
        "{said}"
    );
}

#[expect(dead_code, reason = "its main runs as the build script")]
#[path = "../build.rs"]
mod build;

#[test]
fn version_has_the_commit_of_a_working_copy_and_of_nothing_else() {
    let output = Command::new(BINARY).arg("--version").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let wanted = format!("pulseboard {}", env!("CARGO_PKG_VERSION"));
    let commit = said.trim().strip_prefix(&wanted).unwrap_or_else(|| panic!("{said}"));
    assert!(commit.is_empty() || (commit.starts_with(" (") && commit.ends_with(')')), "{said}");

    let folder = tempfile::tempdir().unwrap();
    assert_eq!(build::commit_of(folder.path()), None, "a tarball");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        let output = git.arg("-C").arg(folder.path()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    assert_eq!(build::commit_of(folder.path()), None, "without a commit");
    git(&["commit", "-q", "--allow-empty", "-m", "First"]);
    let commit = build::commit_of(folder.path()).unwrap();
    assert!(git(&["rev-parse", "HEAD"]).starts_with(&commit) && commit.len() >= 10, "{commit}");
    git(&["pack-refs", "--all"]);
    assert_eq!(build::commit_of(folder.path()).as_ref(), Some(&commit), "with packed refs");
    let inner = folder.path().join("unpacked");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(build::commit_of(&inner), None, "a tarball that was unpacked within another working copy");
}

#[test]
fn metrics_pass_promtool() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("a", "1").status, 204);
    assert_eq!(server.push("a", "hot").status, 422);
    let _stream = server.stream("series=a", None);
    let answer = server.get("/metrics");
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: tools/setup.sh clients");
    promtool.stdin.take().unwrap().write_all(answer.text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success() && said == ["", ""], "{said:?}\n{}", answer.text);

    let open =
        server.get_with("/metrics", &[("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")]);
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert!(
        open.text.ends_with("# EOF\n") && open.text.contains("# TYPE pulseboard_points counter\n"),
        "{}",
        open.text
    );
}

/// The rejected pushes, newest first.
fn rejected(server: &TestServer) -> Vec<Json> {
    server.get("/api/rejected").json()["rejected"].as_array().unwrap().clone()
}

#[test]
fn refused_push_is_kept_with_its_sender_reason_and_wrong_line() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.get("/api/rejected").text, r#"{"total":0,"rejected":[]}"#);
    let metrics = server.get("/metrics").text;
    for line in ["pulseboard_pushes_total{answer=\"refused\"} 0", "pulseboard_refused_total{limit=\"max-points\"} 0"] {
        assert!(metrics.contains(line), "counters begin at 0, so that the first refusal is an increase: {metrics}");
    }
    let batch = "{\"series\":\"a\",\"value\":1}\n{\"series\":\"a\",\"value\":\"hot\"}\nnonsense\n";
    assert_eq!(server.post("/in", batch, &[("X-Forwarded-For", "203.0.113.9")]).status, 422);
    assert_eq!(
        server.post("/in", "[{\"series\":\"a\",\"value\":1}, {\"series\":\"a\",\"ts\":7,\"value\":2}]", &[]).status,
        422
    );
    assert_eq!(server.post("/write?u=me&p=secret", "a x=1\nb x=oops", &[]).status / 100, 4);
    assert_eq!(server.push("a", "<b>hot</b>").status, 422);
    assert_eq!(server.push("a", "{\"value\":").status, 400);
    assert_eq!(server.post("/in/a", "1", &[("Content-Encoding", "br")]).status, 415);
    assert_eq!(server.post("/in/a", "1", &[("Origin", "http://evil.example")]).status, 403);
    // These are not pushes.
    assert_eq!(server.get("/api/history").status, 422);
    assert_eq!(server.get("/nothing").status, 404);
    let all = rejected(&server);
    let seen: Vec<_> = all
        .iter()
        .rev()
        .map(|one| {
            assert_eq!(one["sender"], "127.0.0.1");
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (text("path"), one["status"].as_u64().unwrap(), text("reason"), one["line"].as_u64(), text("text"))
        })
        .collect();
    let wanted = [
        ("/in", 422, "value", Some(2), r#"{"series":"a","value":"hot"}"#),
        ("/in", 422, "time", Some(2), r#"{"series":"a","ts":7,"value":2}"#),
        ("/write", seen[2].1, seen[2].2.as_str(), Some(2), "b x=oops"),
        ("/in/a", 422, "value", None, "<b>hot</b>"),
        ("/in/a", 400, "malformed", None, "{\"value\":"),
        ("/in/a", 415, "unknown-encoding", None, ""),
        ("/in/a", 403, "foreign-page", None, ""),
    ];
    let seen: Vec<_> = seen.iter().map(|(a, b, c, d, e)| (a.as_str(), *b, c.as_str(), *d, e.as_str())).collect();
    assert_eq!(seen, wanted);
    assert_eq!(all.last().unwrap()["forwarded_for"], "203.0.113.9");
    assert!(!server.get("/api/rejected").text.contains("secret"), "a query may hold a password");
    let metrics = server.get("/metrics").text;
    for line in ["reason=\"value\"} 2", "reason=\"time\"} 1", "reason=\"foreign-page\"} 1"] {
        assert!(metrics.contains(&format!("pulseboard_pushes_refused_total{{{line}\n")), "{line} in {metrics}");
    }
}

#[test]
fn refused_push_of_any_call_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let calls = ["/in", "/in/a", "/write", "/api/v2/write?bucket=b", "/api/v3/write_lp?db=b", "/collectd"];
    for (call, total) in calls.into_iter().zip(1..) {
        let answer = server.post(call, "nonsense", &[]);
        assert_eq!(answer.status / 100, 4, "{call}: {}", answer.text);
        let listed = server.get("/api/rejected").json();
        assert_eq!(
            (&listed["total"], call.starts_with(listed["rejected"][0]["path"].as_str().unwrap())),
            (&total.into(), true)
        );
    }
}

#[test]
fn flood_of_refused_pushes_is_sampled_in_the_log_and_bounded_in_memory() {
    let logged = Logged::start(|_| ());
    let began = Instant::now();
    for n in 0..500 {
        assert_eq!(logged.server.push("a", &format!("no number {n} {}", "x".repeat(20_000))).status, 422);
    }
    logged.line_with("more pushes were refused");
    let seconds = began.elapsed().as_secs() + 2;
    let written = u64::try_from(logged.lines().iter().filter(|line| line.contains("refused a push")).count()).unwrap();
    assert!((1..=5 * seconds).contains(&written), "{written} lines in {seconds} s");
    let answer = logged.server.get("/api/rejected");
    assert_eq!(answer.json()["total"], 500);
    assert_eq!(answer.json()["rejected"].as_array().unwrap().len(), 100);
    assert!(answer.text.len() < 150_000, "{} bytes", answer.text.len());
    assert!(answer.json()["rejected"][0]["text"].as_str().unwrap().starts_with("no number 499 "));
}

#[test]
fn openapi_document_makes_a_python_client_that_works() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let tools = std::env::current_exe().unwrap();
    let tools = tools.ancestors().nth(3).unwrap().join("openapi-client/bin");
    let tool = tools.join("openapi-python-client");
    assert!(tool.exists(), "{} is there: tools/setup.sh clients", tool.display());
    let made = tempfile::tempdir().unwrap();
    // It formats its output with ruff, which is installed beside it.
    let path = std::env::join_paths(
        std::iter::once(tools.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new(&tool)
        .args(["generate", "--meta", "none", "--url", &format!("{}/api/openapi.json", server.url), "--output-path"])
        .arg(made.path().join("pulse"))
        .env("PATH", path.unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // It supports only JSON, forms and texts; everything else must be parsed without an error.
    let count = |text: &str| said.matches(text).count();
    let (bodies, answers) = (count("Unsupported content type"), count("(Unsupported content_type"));
    assert_eq!(count("WARNING"), bodies + answers, "{said}");
    assert_eq!((count("Unable to process"), count("Cannot parse")), (0, answers), "{said}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openapi.py");
    let output = Command::new(tools.join("python"))
        .arg(script)
        .arg(&server.url)
        .env("PYTHONPATH", made.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = server.get("/api/series").json();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["value"], &listed[1]["name"]),
        (&"ops/temp".into(), &42.5.into(), &"ops/up".into())
    );
}
