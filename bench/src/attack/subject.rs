//! The server under attack: a process with its own data folder.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::client::{ATTACKER, Answer, Client, OTHER};
use super::outcome::Measured;
use super::probe::Probe;
use super::tally::Tally;

/// The limit of the server's address space, so that a successful attack does not take down the machine.
const ADDRESS_SPACE: u64 = 8 << 30;

/// The timeout of a start.
const START: Duration = Duration::from_secs(120);

/// The settings with which a server is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    flags: Vec<(&'static str, String)>,
    env: Vec<(&'static str, String)>,
    descriptors: Option<u64>,
}

impl Setup {
    /// Adds a flag, without its dashes. A flag that the binary does not know is left out.
    pub(crate) fn flag(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.flags.push((name, value.to_string()));
        self
    }

    /// Adds an environment variable.
    pub(crate) fn env(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.env.push((name, value.to_string()));
        self
    }

    /// Sets the limit of file descriptors (`ulimit -n`).
    pub(crate) fn descriptors(mut self, most: u64) -> Self {
        self.descriptors = Some(most);
        self
    }
}

/// A running server, killed on drop.
pub(crate) struct Subject {
    child: Child,
    /// The address on which it listens.
    pub(crate) addr: SocketAddr,
    /// The data folder.
    pub(crate) data: PathBuf,
    log: PathBuf,
}

impl Subject {
    /// Starts `binary` on the folder `data`, with its log in the file `log`. `help` is the output of `serve --help`.
    pub(crate) fn start(binary: &Path, help: &str, setup: &Setup, data: &Path, log: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={ADDRESS_SPACE}"));
        if let Some(most) = setup.descriptors {
            command.arg(format!("--nofile={most}:{most}"));
        }
        // The server is killed if this program is killed.
        command.args(["setpriv", "--pdeathsig", "KILL"]);
        command.arg(binary).args(["serve", "--addr", "127.0.0.1:0", "--data"]).arg(data);
        for (name, value) in &setup.flags {
            if help.contains(&format!("--{name} "))
                || help.contains(&format!("--{name}="))
                || help.contains(&format!("--{name}["))
            {
                command.arg(format!("--{name}={value}"));
            }
        }
        command.envs(setup.env.iter().map(|(name, value)| (name, value)));
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().context("cannot run prlimit, of Debian's package util-linux")?;
        let out = child.stdout.take().context("the server has no output")?;
        let (tell, first) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _read = BufReader::new(out).read_line(&mut line);
            let _told = tell.send(line);
        });
        let said = first.recv_timeout(START).unwrap_or_default();
        let addr = said.trim().rsplit('/').next().unwrap_or_default().parse();
        let Ok(addr) = addr else {
            let _ended = child.kill();
            let _reaped = child.wait();
            let log = std::fs::read_to_string(log).unwrap_or_default();
            anyhow::bail!("the server does not start: {}", log.lines().next_back().unwrap_or("it says nothing"));
        };
        Ok(Self { child, addr, data: data.to_owned(), log: log.to_owned() })
    }

    /// The attacking client.
    pub(crate) fn attacker(&self) -> Client {
        Client { source: ATTACKER, server: self.addr, patience: Duration::from_secs(20) }
    }

    /// A client without bad intent.
    pub(crate) fn other(&self) -> Client {
        Client { source: OTHER, server: self.addr, patience: Duration::from_secs(20) }
    }

    /// Pushes a body. Fails if the server refuses it.
    pub(crate) fn push(&self, path: &str, body: &[u8]) -> anyhow::Result<()> {
        let Answer { status, text } = self.other().post(path, body)?;
        anyhow::ensure!((200..300).contains(&status), "{path}: {text}");
        Ok(())
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The whole log.
    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The exit status; `None` while it runs.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Ends the server with SIGTERM and waits for the end. Returns its data folder.
    pub(crate) fn end(mut self) -> anyhow::Result<PathBuf> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + START;
        while self.ended().is_none() {
            anyhow::ensure!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(self.data.clone())
    }

    /// Measures the server and another client while `attack` runs.
    pub(crate) fn under(&mut self, attack: impl FnOnce(&Tally) -> anyhow::Result<()>) -> anyhow::Result<Measured> {
        self.measure(attack, true)
    }

    /// Measures an attack after which the server refuses pushes: the other client only requests `/healthz`.
    pub(crate) fn under_without_pushes(
        &mut self,
        attack: impl FnOnce(&Tally) -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        self.measure(attack, false)
    }

    fn measure(&mut self, attack: impl FnOnce(&Tally) -> anyhow::Result<()>, pushes: bool) -> anyhow::Result<Measured> {
        let pid = self.pid();
        // Waits, so that the memory at rest does not include temporary memory of the start.
        std::thread::sleep(Duration::from_millis(1_500));
        let rest = memory(pid, "VmRSS:").context("the server has ended before the attack")?;
        let _reset = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        let tally = Tally::default();
        let push = pushes.then(|| Probe::Push.start(self.addr));
        let health = Probe::Health.start(self.addr);
        let (peak, done) = (AtomicU64::new(rest), AtomicBool::new(false));
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    match memory(pid, "VmHWM:") {
                        Some(now) => peak.fetch_max(now, Ordering::Relaxed),
                        None => {
                            tally.over.store(true, Ordering::Relaxed);
                            break;
                        }
                    };
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let result = attack(&tally);
            done.store(true, Ordering::Relaxed);
            result
        });
        result?;
        let push = push.map(super::probe::Running::finish);
        let health = health.finish();
        // Memory for work that was queued at the end of the attack counts as well.
        peak.fetch_max(memory(pid, "VmHWM:").unwrap_or(0), Ordering::Relaxed);
        Ok(Measured { rest, peak: peak.into_inner(), push, health, answers: tally.counts(), ended: self.ended() })
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The value of a line of `/proc/PID/status`, in KiB; `None` for a process that has ended, even as a zombie.
fn memory(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Calls `each` repeatedly on several threads, until the time is up or the server is gone. Its arguments are the
/// number of the thread, and the number of earlier calls on that thread.
pub(crate) fn storm(tally: &Tally, threads: usize, lasts: Duration, each: impl Fn(usize, usize) + Sync) {
    let until = Instant::now() + lasts;
    let each = &each;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for turn in 0.. {
                    if Instant::now() >= until || !tally.goes_on() {
                        break;
                    }
                    each(thread, turn);
                }
            });
        }
    });
}
