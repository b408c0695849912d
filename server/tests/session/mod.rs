//! Runs the command blocks of one document against a real server.
//!
//! The words after the fence of a block decide how it runs. A plain `sh` block must succeed; an HTTP error of curl is a
//! failure. `sh fails: TEXT` must fail and print the text. `sh endless` runs until the server has received points from it, `sh stream` until it
//! has printed an update, while the test pushes. `sh serve` has a server on each line, which must start. `crontab` and
//! `yaml ci-step` hold commands in the form of another program. `json output` is the output of the block before it. A TOML block
//! whose first line is `# NAME`, and a block with the mark `file=NAME`, is written to that file. `sh no-test: REASON` does not
//! run. Blocks of one document run in order, in one folder.

#![expect(clippy::unwrap_used, reason = "a test's helpers")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::harness::programs::{Group, without_proxy};
use crate::harness::{BINARY, PATIENCE, TestServer};
use crate::markdown::{Block, root};

/// Makes every curl of a block fail on an HTTP error, and show the body of the answer.
const CURL: &str = r#"#!/bin/sh
export PATH="$PATH_WITHOUT_THIS"
case " $* " in *" -sf "* | *" --fail "*) exec curl "$@" ;; esac
exec curl --silent --show-error --fail-with-body "$@"
"#;

/// The folder, the server and the environment in which the blocks of one document run.
pub(crate) struct Session {
    server: TestServer,
    folder: TempDir,
    /// The standard output of the last block.
    output: String,
}

impl Session {
    /// Starts a server and makes the folders.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(BINARY);
        command.args(["serve", "--log", "error"]);
        let server = TestServer::start_with(&mut command, "127.0.0.1:0", &folder.path().join("work/pulseboard-data"));
        let bin = folder.path().join("bin");
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("curl"), CURL).unwrap();
        std::fs::set_permissions(bin.join("curl"), PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(BINARY, bin.join("pulseboard")).unwrap();
        // The certificate that the documents name.
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("work/board.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("work/board.key"), made.signing_key.serialize_pem()).unwrap();
        Self { server, folder, output: String::new() }
    }

    /// The folder in which commands run.
    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Replaces the addresses of the documents with the address of the server.
    fn adapt(&self, text: &str) -> String {
        let text = text.replace("http://localhost:7878", &self.server.url);
        let text = text.replace("https://board.example.com", &self.server.url);
        text.replace("localhost:7878", self.server.addr())
    }

    /// Copies the examples into the folder.
    pub(crate) fn copy_examples(&self) {
        for entry in std::fs::read_dir(root().join("examples")).unwrap() {
            let entry = entry.unwrap();
            let text = self.adapt(&std::fs::read_to_string(entry.path()).unwrap());
            let copy = self.work().join(entry.file_name());
            std::fs::write(&copy, text).unwrap();
            std::fs::set_permissions(&copy, entry.metadata().unwrap().permissions()).unwrap();
        }
    }

    /// A shell that runs this script in the folder, in a process group of its own.
    fn shell(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(self.work()).process_group(0);
        command.env("PATH", format!("{}/bin:{path}", self.folder.path().display()));
        command.env("PATH_WITHOUT_THIS", path).env("HOME", self.work());
        command.env("PULSEBOARD_TO", &self.server.url).env("GITHUB_REF_NAME", "v1.2");
        without_proxy(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// Starts a shell whose output goes to files.
    fn spawn(&self, script: &str) -> Running {
        let [out, err] = ["stdout", "stderr"].map(|name| self.folder.path().join(name));
        let mut command = self.shell(script);
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Running { group: Group(command.spawn().unwrap()), out, err }
    }

    /// Runs a script, which must end with success.
    fn run(&mut self, script: &str) -> Result<(), String> {
        let (status, printed) = self.run_to_end(script)?;
        if status.success() { Ok(()) } else { Err(format!("{status}: {printed}")) }
    }

    /// Runs a script, which must fail and print this text.
    fn run_refused(&mut self, script: &str, wanted: &str) -> Result<(), String> {
        let (status, printed) = self.run_to_end(script)?;
        let is_refused = !status.success() && printed.contains(wanted);
        if is_refused { Ok(()) } else { Err(format!("does not fail with {wanted:?}: {status}: {printed}")) }
    }

    /// Runs a script to its end, and returns its status and all that it printed.
    fn run_to_end(&mut self, script: &str) -> Result<(ExitStatus, String), String> {
        let mut running = self.spawn(script);
        let deadline = Instant::now() + 6 * PATIENCE;
        let status = loop {
            if let Some(status) = running.group.0.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                return Err(format!("does not end: {}", running.printed()));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.output = std::fs::read_to_string(&running.out).unwrap();
        Ok((status, running.printed()))
    }

    /// Runs a script that does not end until `is_done`, which is called with all that the script has printed.
    fn run_until(&self, script: &str, is_done: impl Fn(&str) -> bool) -> Result<(), String> {
        let mut running = self.spawn(script);
        let deadline = Instant::now() + 3 * PATIENCE;
        while !is_done(&running.printed()) {
            let ended = running.group.0.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                return Err(format!("ended: {ended:?}; printed: {}", running.printed()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs a script until the server has received points from it.
    fn run_endless(&self, script: &str) -> Result<(), String> {
        let points = || self.server.metric("pulseboard_points_total");
        let before = points();
        self.run_until(script, |_| points() >= before + 2.0)
    }

    /// Pushes while a script reads the stream, until the script has printed an update.
    fn run_reader(&self, script: &str) -> Result<(), String> {
        self.run_until(script, |printed| {
            for series in ["ops/pushed", "example/pushed"] {
                assert_eq!(self.server.push(series, "1").status, 204);
            }
            printed.contains("update")
        })
    }

    /// Starts a server with the flags of a command, on a free port.
    fn serve(&self, command: &str) -> Result<(), String> {
        let data = tempfile::tempdir().unwrap();
        let mut shell = self.shell(&format!("{command} --addr 127.0.0.1:0 --data {}", data.path().display()));
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let _running = Group(child);
        let mut first = String::new();
        BufReader::new(stdout).read_line(&mut first).unwrap();
        if first.starts_with("listening on ") { Ok(()) } else { Err(format!("{command} does not start")) }
    }

    /// Runs one block as its marks say.
    pub(crate) fn run_block(&mut self, block: &Block) -> Result<(), String> {
        if let Some(name) = block.file_name() {
            std::fs::write(self.work().join(name), &block.text).unwrap();
        }
        let text = self.adapt(&block.text);
        match (block.language.as_str(), block.marks.as_str()) {
            ("sh", "") => self.run(&text),
            ("sh", "endless") => self.run_endless(&text),
            ("sh", "stream") => self.run_reader(&text),
            ("sh", "serve") => text.lines().try_for_each(|line| self.serve(line)),
            ("sh" | "powershell", marks) => match marks.split_once(": ") {
                Some(("no-test", reason)) if !reason.is_empty() => Ok(()),
                Some(("fails", wanted)) => self.run_refused(&text, wanted),
                _ => Err(format!("{marks:?} is no mark; a block that cannot run needs `no-test: REASON`")),
            },
            ("crontab", _) => {
                text.lines().try_for_each(|line| self.run(line.splitn(6, ' ').last().unwrap_or_default()))
            }
            ("yaml", "ci-step") => {
                text.lines().try_for_each(|line| self.run(line.strip_prefix("- run: ").ok_or("not a step")?))
            }
            ("json", "output") => {
                let parse = serde_json::from_str::<Json>;
                let (documented, printed) = (parse(&block.text), parse(&self.output));
                let is_same = matches!((&documented, &printed), (Ok(documented), Ok(printed)) if documented == printed);
                if is_same { Ok(()) } else { Err(format!("the block before it prints {}", self.output)) }
            }
            ("json" | "toml" | "html" | "nginx" | "caddyfile" | "apache", "") => Ok(()),
            (_, marks) if marks.starts_with("file=") => Ok(()),
            (language, marks) => Err(format!("no test knows a block of {language:?} with the mark {marks:?}")),
        }
    }
}

/// A process and its group; killed when dropped.
struct Running {
    group: Group,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Returns all that it has printed so far.
    fn printed(&self) -> String {
        [&self.out, &self.err].map(|file| std::fs::read_to_string(file).unwrap_or_default()).concat()
    }
}
