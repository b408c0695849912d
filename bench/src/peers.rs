//! The servers that are measured side by side: this project's, and those that it is compared with.

pub(crate) mod bare;
pub(crate) mod plain_axum;
mod restart;

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum;
use tempfile::TempDir;

/// A measured server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// This project.
    Pulseboard,
    /// The same, pushed to in `InfluxDB`'s line protocol.
    PulseboardWrite,
    /// One write for each reader and event, in a loop over epoll, with nothing else.
    Bare,
    /// axum's `Sse` over tokio's broadcast, as tutorials have it.
    Axum,
    /// nginx with Nchan.
    Nchan,
    /// `VictoriaMetrics`, for what it takes in.
    Victoria,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pulseboard => "pulseboard",
            Self::PulseboardWrite => "pulseboard, /write",
            Self::Bare => "bare epoll loop",
            Self::Axum => "plain axum Sse",
            Self::Nchan => "nginx with Nchan",
            Self::Victoria => "VictoriaMetrics",
        })
    }
}

impl Peer {
    /// Returns true if the peer can be started here. If not, prints which package to install.
    pub(crate) fn is_installed(self) -> bool {
        let (file, package) = match self {
            Self::Nchan => ("/usr/lib/nginx/modules/ngx_nchan_module.so", "libnginx-mod-nchan"),
            Self::Victoria => ("/usr/bin/victoria-metrics", "victoria-metrics"),
            Self::Pulseboard | Self::PulseboardWrite | Self::Bare | Self::Axum => return true,
        };
        let installed = Path::new(file).exists();
        if !installed {
            eprintln!("{self} is left out; Debian's package {package} has it");
        }
        installed
    }
}

/// A running peer with an empty store. It ends on drop.
pub(crate) struct Server {
    child: Child,
    /// The address on which it listens.
    pub(crate) addr: SocketAddr,
    /// The kind of peer.
    pub(crate) peer: Peer,
    data: TempDir,
}

impl Server {
    /// Starts a peer. `binary` is this project's.
    pub(crate) fn start(peer: Peer, binary: &Path) -> anyhow::Result<Self> {
        Self::start_with(peer, binary, &[])
    }

    /// Starts a peer with additional flags.
    pub(crate) fn start_with(peer: Peer, binary: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("pulseboard-bench").tempdir()?;
        let mut command = match peer {
            Peer::Pulseboard | Peer::PulseboardWrite => pulseboard(binary, data.path()),
            Peer::Bare | Peer::Axum => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["peer", if peer == Peer::Bare { "bare" } else { "axum" }]);
                command
            }
            Peer::Nchan => nchan(data.path())?,
            Peer::Victoria => {
                let mut command = Command::new("victoria-metrics");
                command.arg(format!("-storageDataPath={}", data.path().display()));
                command.arg(format!("-httpListenAddr=127.0.0.1:{}", free_port()?)).arg("-loggerLevel=ERROR");
                command
            }
        };
        let known = match peer {
            Peer::Pulseboard | Peer::PulseboardWrite | Peer::Bare | Peer::Axum => None,
            Peer::Nchan => Some(std::fs::read_to_string(data.path().join("port"))?.parse()?),
            Peer::Victoria => {
                let flag =
                    command.get_args().filter_map(|arg| arg.to_str()).find_map(|arg| arg.rsplit_once("=127.0.0.1:"));
                Some(flag.context("no port")?.1.parse()?)
            }
        };
        let mut child = command
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {peer} ({})", command.get_program().display()))?;
        let addr = match known {
            Some(port) => SocketAddr::from(([127, 0, 0, 1], port)),
            None => {
                let mut first = String::new();
                BufReader::new(child.stdout.take().context("it has no output")?).read_line(&mut first)?;
                let addr = first.trim().rsplit('/').next().unwrap_or_default();
                addr.parse().with_context(|| format!("{peer} said {first:?}"))?
            }
        };
        let server = Self { child, addr, peer, data };
        server.answers()?;
        Ok(server)
    }

    fn answers(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(self.addr).is_err() {
            anyhow::ensure!(Instant::now() < deadline, "{} does not listen", self.peer);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The path that readers read: every change separately, as the other peers do.
    pub(crate) fn stream(&self) -> &'static str {
        match self.peer {
            Peer::Pulseboard => "/sse?series=bench/**&hz=0",
            _ => "/sub",
        }
    }

    /// The path to which a text is pushed.
    pub(crate) fn inlet(&self) -> &'static str {
        match self.peer {
            Peer::Pulseboard => "/in/bench/text",
            Peer::Victoria | Peer::PulseboardWrite => "/write",
            _ => "/pub",
        }
    }

    /// The body of the push of an event.
    pub(crate) fn body(&self, number: u64, bytes: usize) -> Vec<u8> {
        let text = format!("@{number} {}", "x".repeat(bytes.saturating_sub(8)));
        match self.peer {
            Peer::Pulseboard => format!("{{\"text\":\"{text}\"}}").into_bytes(),
            _ => text.into_bytes(),
        }
    }

    /// The processor time that the peer and its workers have used.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.processes()?.iter().map(|&pid| processor_time(pid)).sum()
    }

    /// The memory of the peer and its workers, in KiB.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        self.processes()?.iter().map(|&pid| resident(pid)).sum()
    }

    /// The bytes that the peer has written to the disk.
    pub(crate) fn written(&self) -> anyhow::Result<u64> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id()))?;
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("no write_bytes")?;
        Ok(line.trim().parse()?)
    }

    /// Ends the peer, and returns its data.
    pub(crate) fn stop(mut self) -> anyhow::Result<TempDir> {
        Ok(std::mem::replace(&mut self.data, tempfile::tempdir()?))
    }

    /// The process ids of the peer and its children.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let mut all = vec![pid];
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        Ok(all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx's master process ends its workers only if it is ended with SIGTERM.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ended = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The command of this project's server on a free port.
fn pulseboard(binary: &Path, data: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["serve", "--addr", "127.0.0.1:0", "--log", "warn", "--max-readers", "20000", "--data"]).arg(data);
    command
}

/// The command of nginx with one worker for each processor, as in its packages, and with enough memory for the
/// channel.
fn nchan(folder: &Path) -> anyhow::Result<Command> {
    let port = free_port()?;
    std::fs::write(folder.join("port"), port.to_string())?;
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; worker_processes auto; worker_rlimit_nofile 20000; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 15000; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /sub {{ nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
    location = /pub {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 10000; }}
  }}
}}\n"
    );
    std::fs::write(folder.join("nginx.conf"), config)?;
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
    Ok(command)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Reads fields 14 and 15 of `proc_pid_stat`(5), in ticks. Linux has 100 ticks a second.
fn processor_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').context("no name")?.1;
    let field = |number: usize| -> anyhow::Result<u64> {
        Ok(after_name.split_whitespace().nth(number - 3).context("too few fields")?.parse()?)
    };
    Ok(Duration::from_millis(10 * (field(14)? + field(15)?)))
}

fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
