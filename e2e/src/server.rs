//! Starts, stops and restarts the real binary, and pushes to it.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use shared::sse::Parser;
use shared::{Cursor, Event, Picture};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{Child, until};

/// The time within which it must end, even with connected pages.
const STOP: Duration = Duration::from_secs(1);

/// A database that was moved away: pairs of the original path and the present one.
#[derive(Debug)]
pub struct LostDatabase([(PathBuf, PathBuf); 3]);

impl LostDatabase {
    /// Moves it back. The server must not be running.
    ///
    /// # Panics
    /// If that fails.
    pub fn put_back(self) {
        for (file, away) in self.0 {
            std::fs::rename(away, file).expect("it is where it was moved");
        }
    }
}

/// A process `pulseboard serve` on its own port.
#[derive(Debug)]
pub struct Server {
    child: Child,
    base: String,
    folder: PathBuf,
    flags: Vec<String>,
}

impl Server {
    /// Starts the binary that `PULSEBOARD_BIN` names, with its data in `folder`.
    ///
    /// # Panics
    /// If there is none, or it does not start.
    pub async fn start(folder: &Path, flags: &[String]) -> Self {
        let (child, base) = start(folder, "127.0.0.1:0", flags).await;
        Self { child, base, folder: folder.to_owned(), flags: flags.to_owned() }
    }

    /// The base URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Ends the server with SIGTERM, as a supervisor does.
    ///
    /// # Panics
    /// If that takes longer than a second.
    pub async fn stop(&mut self) -> ExitStatus {
        self.child.terminate(STOP).await
    }

    /// Stops the process with SIGSTOP: its connections stay open, and nothing comes any more.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn pause(&self) {
        self.child.signal(Signal::STOP);
    }

    /// Lets the process go on with SIGCONT.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn resume(&self) {
        self.child.signal(Signal::CONT);
    }

    /// Kills the server with SIGKILL, like a power cut.
    ///
    /// # Panics
    /// If it has ended before.
    pub async fn kill(&mut self) {
        self.child.kill().await;
    }

    /// Moves the database away while the server runs.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn lose_database(&self) -> LostDatabase {
        let moved = |end: &str| {
            let file = self.folder.join(format!("pulseboard.sqlite{end}"));
            let away = self.folder.join(format!("kept.sqlite{end}"));
            (file, away)
        };
        let files = ["", "-wal", "-shm"].map(moved);
        for (file, away) in &files {
            std::fs::rename(file, away).expect("there is a database");
        }
        LostDatabase(files)
    }

    /// Starts the server again with the same port and the same data.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub async fn start_again(&mut self) {
        let addr = self.base.trim_start_matches("http://").to_owned();
        (self.child, self.base) = start(&self.folder, &addr, &self.flags).await;
    }

    /// Pushes a value with curl.
    ///
    /// # Panics
    /// If the answer is not 204.
    pub async fn push(&self, series: &str, value: &str) {
        let status = curl(&["-d", value, &format!("{}/in/{series}", self.base), "-w", "%{http_code}"]).await;
        assert_eq!(status, "204", "pushing {value:?} to {series}");
    }

    /// Pushes a batch of NDJSON.
    ///
    /// # Panics
    /// If the answer is not 204.
    pub async fn push_batch(&self, lines: &str) {
        let file = self.folder.with_extension("ndjson");
        std::fs::write(&file, lines).expect("the folder of the test is writable");
        let body = format!("@{}", file.display());
        let status = curl(&["--data-binary", &body, &format!("{}/in", self.base), "-w", "%{http_code}"]).await;
        assert_eq!(status, "204", "pushing a batch");
    }

    /// Opens a new stream of a board, and returns its picture after the first snapshot.
    ///
    /// # Panics
    /// If the stream does not begin with a snapshot in time.
    pub async fn snapshot(&self, board: &str) -> Picture {
        let url = format!("{}/sse?board={board}", self.base);
        let mut curl = Command::new("curl");
        curl.args(["-sN", &url]).stdout(std::process::Stdio::piped()).kill_on_drop(true);
        let mut curl = curl.spawn().expect("curl is installed");
        let mut stdout = curl.stdout.take().expect("it is piped");
        let reading = async {
            let (mut parser, mut picture, mut bytes) = (Parser::default(), Picture::default(), [0; 4096]);
            loop {
                let read = stdout.read(&mut bytes).await.expect("curl can be read from");
                assert_ne!(read, 0, "the stream of {url} ended before its snapshot");
                for message in parser.feed(&bytes[..read]) {
                    let event: Event = serde_json::from_str(&message.data).expect("each event is JSON");
                    let whole = matches!(event, Event::Snapshot { .. });
                    let id: Cursor = message.id.parse().expect("each event has a cursor");
                    picture.apply(id, event).expect("the stream is in step");
                    if whole {
                        return picture;
                    }
                }
            }
        };
        timeout(Duration::from_secs(10), reading).await.expect("a snapshot comes at once")
    }

    /// Waits until the number of open streams is `wanted`.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn has_readers(&self, wanted: u32) {
        until(&format!("the server has {wanted} readers"), async || {
            let metrics = curl(&[&format!("{}/metrics", self.base)]).await;
            let readers = metrics.lines().find_map(|line| line.strip_prefix("pulseboard_readers "));
            let readers = readers.expect("the metrics tell of readers");
            if readers.parse() == Ok(wanted) { Ok(()) } else { Err(format!("{readers} of them")) }
        })
        .await;
    }

    /// The JSON answer of `GET path`.
    ///
    /// # Panics
    /// If it is not JSON.
    pub async fn get(&self, path: &str) -> Value {
        let body = curl(&[&format!("{}{path}", self.base)]).await;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path} is not JSON ({error}): {body}"))
    }
}

/// Runs curl quietly and returns its output.
///
/// # Panics
/// If it fails.
pub async fn curl(args: &[&str]) -> String {
    let output = Command::new("curl").args(["-sS", "--max-time", "10"]).args(args).output().await;
    let output = output.expect("curl is installed");
    assert!(output.status.success(), "curl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the server answers in UTF-8")
}

async fn start(folder: &Path, addr: &str, flags: &[String]) -> (Child, String) {
    let binary = std::env::var_os("PULSEBOARD_BIN").expect(
        "PULSEBOARD_BIN must name the server's binary; `make test-e2e` builds it and sets that, or: \
         make client && cargo build -p pulseboard-server && \
         PULSEBOARD_BIN=$PWD/target/debug/pulseboard cargo test -p pulseboard-e2e",
    );
    let mut command = Command::new(binary);
    command.args(["serve", "--addr", addr, "--data"]).arg(folder).args(flags);
    let ready = |line: &str| Some(line.strip_prefix("listening on ")?.trim_end_matches('/').to_owned());
    Child::start("pulseboard", command, folder.with_extension("log"), ready).await
}
