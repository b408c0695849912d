//! Starts the measured server for the measurements of the page.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A server on a free port with an empty store. It ends on drop.
pub(crate) struct Server {
    _child: Child,
    /// The address on which it listens.
    pub(crate) addr: SocketAddr,
    _data: TempDir,
}

impl Server {
    /// Starts `binary`.
    pub(crate) async fn start(binary: &Path) -> anyhow::Result<Self> {
        Self::with(binary, &[]).await
    }

    /// Starts `binary` with flags.
    pub(crate) async fn with(binary: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--addr", "127.0.0.1:0", "--log", "warn", "--max-readers", "20000", "--data"]);
        command.arg(data.path()).args(flags).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}; run make build", binary.display()))?;
        let mut first = String::new();
        let out = child.stdout.take().context("it has no output")?;
        BufReader::new(out).read_line(&mut first).await?;
        let addr = first
            .trim()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .parse()
            .with_context(|| format!("it said {first:?}"))?;
        Ok(Self { _child: child, addr, _data: data })
    }

    /// Opens a persistent connection for pushes.
    pub(crate) async fn pusher(&self) -> anyhow::Result<Pusher> {
        Pusher::connect(self.addr).await
    }
}

/// A connection for pushes.
pub(crate) struct Pusher {
    socket: TcpStream,
}

impl Pusher {
    /// Connects to a server.
    pub(crate) async fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(addr).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket })
    }

    /// Pushes a body to a series, and waits for the 204.
    pub(crate) async fn push(&mut self, series: &str, body: &str) -> anyhow::Result<()> {
        self.post(&format!("/in/{series}"), body).await
    }

    /// Pushes a batch of NDJSON, and waits for the 204.
    pub(crate) async fn batch(&mut self, lines: &str) -> anyhow::Result<()> {
        self.post("/in", lines).await
    }

    async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<()> {
        let len = body.len();
        let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n\r\n{body}");
        self.socket.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(self.socket.read_u8().await?);
        }
        anyhow::ensure!(answer.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer));
        Ok(())
    }
}
