//! Ends and restarts this project's server on the same data.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{Server, pulseboard};

impl Server {
    /// Kills the server.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends the server with SIGTERM and waits for the end.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts the server again after its end. Returns the time until it reported that it listens.
    pub(crate) fn restart(&mut self, binary: &Path) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.child = pulseboard(binary, self.data.path()).stdout(Stdio::piped()).spawn()?;
        let mut first = String::new();
        BufReader::new(self.child.stdout.take().context("it has no output")?).read_line(&mut first)?;
        let took = begun.elapsed();
        self.addr = first.trim().rsplit('/').next().unwrap_or_default().parse().context("it does not say where")?;
        Ok(took)
    }

    /// The value of a line of `/metrics`.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut socket = TcpStream::connect(self.addr)?;
        socket.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let line = answer.lines().find(|line| line.split(' ').next() == Some(name));
        let value = line.and_then(|line| line.rsplit(' ').next()).with_context(|| format!("no {name} in {answer}"))?;
        Ok(value.parse()?)
    }
}
