//! A PostgreSQL server of a test's own: on a free port, in a folder of its own, and stopped by its process id on drop.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

/// The user of the database.
const USER: &str = "pulseboard";

/// A running PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

/// Returns the folder of the newest installed version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    newest.expect("PostgreSQL is not installed: apt-get install postgresql")
}

/// A command of PostgreSQL. Its servers refuse to run as root, so root runs them as the user of Debian's package.
fn command(program: &str) -> Command {
    let program = programs().join(program);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Returns the ids of the user `postgres`.
fn postgres_user() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
    let mut ids = line.split(':').skip(2).map(|id| id.parse().unwrap());
    (ids.next().unwrap(), ids.next().unwrap())
}

/// A folder that the server can write to.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        let (user, group) = postgres_user();
        chown(folder.path(), Some(user), Some(group)).unwrap();
    }
    folder
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Postgres {
    /// Creates an empty database and starts its server.
    pub fn start() -> Self {
        let folder = folder();
        let made = command("initdb")
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", USER, "-D"])
            .arg(folder.path().join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { folder, port: free_port(), child: None };
        server.run();
        server
    }

    /// Copies a running server into a standby of it, and starts that.
    pub fn standby_of(primary: &Self) -> Self {
        let folder = folder();
        let copied = command("pg_basebackup")
            .args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "-U", USER, "-h", "127.0.0.1", "-p"])
            .arg(primary.port.to_string())
            .arg("-D")
            .arg(folder.path().join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let mut server = Self { folder, port: free_port(), child: None };
        server.run();
        server
    }

    /// Starts the server, also after [`Postgres::kill`]. Waits until it answers.
    pub fn run(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut child = self.spawn();
            loop {
                if self.is_ready() {
                    self.child = Some(child);
                    return;
                }
                // After a kill, its children may still hold the shared memory for a moment.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", self.log());
                std::thread::sleep(Duration::from_millis(30));
            }
            assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn spawn(&self) -> Child {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        // A crash of the process alone loses nothing without fsync, and the tests are faster.
        command("postgres")
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-p"])
            .arg(self.port.to_string())
            .arg("-c")
            .arg(format!("unix_socket_directories={}", self.folder.path().display()))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .current_dir("/")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let args = ["-q", "-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", "postgres"];
        Command::new(programs().join("pg_isready")).args(args).status().unwrap().success()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The address for `--cluster`.
    pub fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// The address of the same database behind another port, such as a proxy's.
    pub fn url_at(port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/postgres")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL and returns what it prints.
    pub fn sql(&self, sql: &str) -> String {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", sql];
        let ran = Command::new(programs().join("psql")).args(args).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// Sends a signal to the server's main process, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Sends a signal to the main process and to all of its children.
    pub fn signal_all(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let ids = children.split_whitespace().map(str::to_owned).chain([id.to_string()]);
        let sent = Command::new("kill").arg(format!("-{name}")).args(ids).stderr(Stdio::null()).status();
        // A child may have ended meanwhile.
        let _some_ended = sent.unwrap();
    }

    /// Kills the server with all of its processes.
    pub fn kill(&mut self) {
        self.signal_all("KILL");
        self.child.take().unwrap().wait().unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // An immediate shutdown, which also ends the children. A stopped process must go on to receive it.
            for signal in ["CONT", "QUIT"] {
                let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
                let _ended_already = sent.map(|status| status.success());
            }
            let _reaped = child.wait();
        }
    }
}

/// What a [`Proxy`] does with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Passes everything on.
    Pass = 0,
    /// Passes the commit on, and cuts the connection when the answer comes.
    LoseAnswer = 1,
    /// Cuts the connection instead of passing the commit on.
    LoseCommit = 2,
}

/// A proxy in front of PostgreSQL that can lose a commit or its answer.
pub struct Proxy {
    port: u16,
    fate: Arc<AtomicU8>,
}

impl Proxy {
    /// Listens on a free port until the process ends.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, fate) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU8::new(Fate::Pass as u8)));
        std::thread::spawn({
            let fate = fate.clone();
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    // The server may be away; then the client sees a closed connection.
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", to)) {
                        serve(client, server, &fate);
                    }
                }
            }
        });
        Self { port, fate }
    }

    pub fn url(&self) -> String {
        Postgres::url_at(self.port)
    }

    /// Decides about the next commit.
    pub fn next(&self, fate: Fate) {
        self.fate.store(fate as u8, Ordering::SeqCst);
    }

    /// Returns true if a commit met the fate that was decided.
    pub fn is_done(&self) -> bool {
        self.fate.load(Ordering::SeqCst) == Fate::Pass as u8
    }
}

/// Passes bytes both ways on threads of their own.
fn serve(client: TcpStream, server: TcpStream, fate: &Arc<AtomicU8>) {
    let loses_answer = Arc::new(AtomicU8::new(0));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let cut = move |one: &TcpStream, other: &TcpStream| {
        let _closed_already = one.shutdown(std::net::Shutdown::Both);
        let _closed_already = other.shutdown(std::net::Shutdown::Both);
    };
    std::thread::spawn({
        let (fate, loses_answer) = (fate.clone(), loses_answer.clone());
        move || {
            let mut piece = [0; 64 << 10];
            while let Ok(length @ 1..) = from_client.read(&mut piece) {
                let piece = &piece[..length];
                let commits = piece.windows(6).any(|bytes| bytes == b"COMMIT");
                let now = if commits { fate.swap(Fate::Pass as u8, Ordering::SeqCst) } else { Fate::Pass as u8 };
                if now == Fate::LoseCommit as u8 {
                    break;
                }
                if now == Fate::LoseAnswer as u8 {
                    loses_answer.store(1, Ordering::SeqCst);
                }
                if to_server.write_all(piece).is_err() {
                    break;
                }
            }
            cut(&from_client, &to_server);
        }
    });
    let (mut from_server, mut to_client) = (server, client);
    std::thread::spawn(move || {
        let mut piece = [0; 64 << 10];
        while let Ok(length @ 1..) = from_server.read(&mut piece) {
            if loses_answer.load(Ordering::SeqCst) == 1 {
                // The end of the transaction: the commit is done.
                if piece[..length].windows(6).any(|bytes| bytes == b"COMMIT") {
                    break;
                }
                continue;
            }
            if to_client.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        cut(&from_server, &to_client);
    });
}
