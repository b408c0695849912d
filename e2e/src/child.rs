//! A process that ends with its test.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

/// The time within which a process must report that it is ready.
const START: Duration = Duration::from_secs(30);

/// A running process. Drop kills it and all that it started.
#[derive(Debug)]
pub struct Child {
    name: &'static str,
    process: tokio::process::Child,
    /// The process id, kept after its end, since other members of its group may live on.
    pid: Pid,
    /// The file of its stderr, which is printed if the test fails.
    log: PathBuf,
}

impl Child {
    /// Starts `command` and waits until it prints a line for which `ready` returns a value.
    ///
    /// # Panics
    /// If it cannot be started, or if it ends or the time runs out before such a line.
    pub async fn start<T>(
        name: &'static str,
        command: Command,
        log: PathBuf,
        ready: impl Fn(&str) -> Option<T>,
    ) -> (Self, T) {
        let (child, found) = Self::spawn(name, command, log, ready).await;
        let found = found.unwrap_or_else(|| panic!("{name} did not start; what it said: {}", child.said()));
        (child, found)
    }

    /// As [`Child::start`], but returns `None` with a process that ends, or says nothing for too long.
    ///
    /// # Panics
    /// If it cannot be started.
    pub(crate) async fn spawn<T>(
        name: &'static str,
        mut command: Command,
        log: PathBuf,
        ready: impl Fn(&str) -> Option<T>,
    ) -> (Self, Option<T>) {
        let stderr = std::fs::File::options().create(true).append(true).open(&log).expect("a log can be made");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        // A process group of its own, so that its children end with it.
        command.process_group(0).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let pid = process.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it runs, so it has a number");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let child = Self { name, process, pid, log };
        let found = timeout(START, first(&mut lines, ready)).await.ok().flatten();
        // Reads on: a full pipe would block the process, and a closed one might end it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        (child, found)
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// If it still runs after `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        kill_process(self.pid, Signal::TERM).expect("it runs and is ours");
        let ended = timeout(limit, self.process.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{} was still running {limit:?} after SIGTERM", self.name));
        ended.expect("a child of ours can be waited for")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("it runs and is ours");
    }

    /// Kills it at once, in the middle of its work (SIGKILL).
    ///
    /// # Panics
    /// If it has ended before.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("it runs and is ours");
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails if all processes of the group are gone.
        let _ = kill_process_group(self.pid, Signal::KILL);
        if std::thread::panicking() {
            eprintln!("--- stderr of {}:\n{}", self.name, self.said());
        }
    }
}

async fn first<T>(lines: &mut Lines<BufReader<ChildStdout>>, ready: impl Fn(&str) -> Option<T>) -> Option<T> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(found) = ready(&line) {
            return Some(found);
        }
    }
    None
}
