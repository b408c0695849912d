//! Connections that push, each waiting for an answer before the next push.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::Context as _;

/// A persistent connection.
pub(crate) struct Pusher {
    socket: TcpStream,
    answer: Vec<u8>,
}

impl Pusher {
    /// Opens the connection.
    pub(crate) fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(addr)?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, answer: Vec::new() })
    }

    /// Pushes, and waits for a successful answer.
    pub(crate) fn push(&mut self, path: &str, body: &[u8]) -> anyhow::Result<()> {
        let mut request =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        request.extend_from_slice(body);
        self.socket.write_all(&request)?;
        self.answer.clear();
        let mut piece = [0; 4_096];
        loop {
            let len = self.socket.read(&mut piece)?;
            anyhow::ensure!(len > 0, "the server closed a connection that pushes");
            self.answer.extend_from_slice(&piece[..len]);
            if let Some(whole) = whole(&self.answer)? {
                anyhow::ensure!(self.answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&self.answer));
                anyhow::ensure!(self.answer.len() == whole, "more came than one answer");
                return Ok(());
            }
        }
    }
}

/// The length of the answer, once it is complete.
fn whole(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    let length = match head.split("content-length:").nth(1) {
        Some(rest) => rest.split("\r\n").next().context("no length")?.trim().parse()?,
        None => 0,
    };
    Ok((answer.len() >= end + length).then_some(end + length))
}
