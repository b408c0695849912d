//! A client that writes requests by hand, since attackers send what no library would.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// The source address of attacks.
pub(crate) const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The source address of the client whose waits are measured.
pub(crate) const OTHER: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The most bytes that are read of an answer. After that the connection is closed.
const MOST: usize = 4 << 20;

/// A client: its source address and its server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    /// The client's own address.
    pub(crate) source: Ipv4Addr,
    /// The server's address.
    pub(crate) server: SocketAddr,
    /// The timeout for a connection, for each read and for a whole answer.
    pub(crate) patience: Duration,
}

/// An answer, as far as it was read.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The headers and the body. A chunked body still contains the lengths of its chunks.
    pub(crate) text: String,
}

impl Client {
    /// Opens a connection from the client's address.
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((self.source, 0)).into())?;
        socket.connect_timeout(&self.server.into(), self.patience)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        Ok(stream)
    }

    /// Sends a request on a new connection. Reads the whole answer, or only its head if it is a stream.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let mut socket = self.connect()?;
        let written = socket.write_all(&self.request(method, path, headers, body));
        // A server that refuses a request early answers and closes before it has read the whole request.
        match read(&mut socket, self.patience) {
            Ok(answer) => Ok(answer),
            Err(error) => Err(written.err().unwrap_or(error)),
        }
    }

    /// Sends a `GET` without further headers.
    pub(crate) fn get(&self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], b"")
    }

    /// Sends a `POST` without further headers.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> io::Result<Answer> {
        self.send("POST", path, &[], body)
    }

    /// Formats a request. `Host` is the server's address unless `headers` sets it.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("Host: {}\r\n", self.server));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        request
    }
}

/// Reads an answer from a connection that the server closes after it.
pub(crate) fn read(socket: &mut TcpStream, patience: Duration) -> io::Result<Answer> {
    let deadline = Instant::now() + patience;
    let mut bytes = Vec::new();
    let mut piece = [0; 16 << 10];
    while bytes.len() < MOST && Instant::now() < deadline {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
            // The bytes read so far count: a server that resets the connection may have answered.
            Err(_) if status(&bytes).is_some() => break,
            Err(error) => return Err(error),
        }
        if is_complete(&bytes) {
            break;
        }
    }
    let status = status(&bytes).ok_or(ErrorKind::ConnectionAborted)?;
    Ok(Answer { status, text: String::from_utf8_lossy(&bytes).into_owned() })
}

fn status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.strip_prefix(b"HTTP/1.1 ")?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}

/// Returns true once the answer is complete: at the head of a stream, at the end of a known length.
fn is_complete(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4) else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length = header("content-length:").and_then(|length| length.parse::<usize>().ok());
    head.starts_with("http/1.1 204")
        || header("content-type:").is_some_and(|kind| kind.starts_with("text/event-stream"))
        || length.is_some_and(|length| bytes.len() >= end + length)
}
