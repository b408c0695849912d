//! Programs of others: those that listen on a port of their own, such as a proxy or a broker, and clients.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

/// A running program with its files; killed and removed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    pub folder: TempDir,
}

impl Program {
    /// Starts a program that keeps its files in `folder`, and waits until it listens on `port`.
    pub fn start(mut command: Command, folder: TempDir, port: u16) -> Self {
        let log = folder.path().join("log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let mut program = Self { child: command.spawn().unwrap(), folder };
        let patient_until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = program.child.try_wait().unwrap();
            let log = || fs::read_to_string(&log).unwrap();
            assert!(ended.is_none(), "{command:?} ended: {}", log());
            assert!(Instant::now() < patient_until, "{command:?} does not listen: {}", log());
            // A third-party program gives no signal when it is ready, so this polls; it takes a few rounds.
            std::thread::sleep(Duration::from_millis(10));
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A process that leads a process group of its own; the whole group is killed when this is dropped.
#[derive(Debug)]
pub struct Group(pub Child);

impl Drop for Group {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let group = format!("-{}", self.0.id());
        let _killed = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _reaped = self.0.wait();
    }
}

/// Finds a free port below the range that the system uses for outgoing connections. A connection to a free port of that
/// range may get that very port as its own, connect to itself, and so block the port for the program.
pub fn free_port() -> u16 {
    /// The first port that this process tries, so that two processes at once do not try the same.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new((std::process::id() % 9_000) as u16));
    let ports = || 20_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 9_000;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(ports).take(9_000).find(free).expect("one of thousands of ports is free")
}

/// Finds the file of a program. `part` is the part of `tools/setup.sh` that installs it.
pub fn find(name: &str, part: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The last two are not in the path of everyone.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("there is no {name}; `make test` installs it, or tools/setup.sh {part}"))
}

/// Returns the version that a program prints.
pub fn version(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let is_version = |word: &&str| word.matches('.').count() >= 1 && word.starts_with(|c: char| c.is_ascii_digit());
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.find(is_version).unwrap_or_else(|| panic!("{command:?}: {text}")).trim_end_matches('.').to_owned()
}

/// Returns the folder that the clients from npm and `PyPI` are installed in.
///
/// # Panics
/// If they are not installed.
pub fn clients() -> PathBuf {
    let target = Path::new(super::BINARY).ancestors().nth(2).unwrap();
    let folder = target.join("clients");
    let installed = folder.join("python/bin/python").exists() && folder.join("node/node_modules").exists();
    assert!(installed, "the clients are not installed; `make test` does that, or tools/setup.sh clients");
    folder
}

/// Removes the proxies from the environment. The clients read it, but all their connections stay on this machine.
pub fn without_proxy(command: &mut Command) {
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
}
