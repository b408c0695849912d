//! Requests of programs that a test cannot run, byte for byte as they send them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::{PATIENCE, TestServer};

/// A connection that is kept open between requests, as these senders keep theirs.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(server: &TestServer) -> Self {
        let socket = TcpStream::connect(server.addr()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(socket))
    }

    /// Sends a request; its body only once the server says so, if the head asks it to. Returns the status and the body of
    /// the answer.
    pub fn send(&mut self, head: &str, body: &[u8]) -> (u16, String) {
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
        if head.contains("Expect: 100-continue") {
            let (status, length) = self.head();
            assert_eq!((status, length), (100, 0));
        }
        self.0.get_mut().write_all(body).unwrap();
        let (status, length) = self.head();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    /// Reads the head of an answer. Returns its status and the length of its body.
    fn head(&mut self) -> (u16, usize) {
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            if line == "\r\n" {
                return (status, length);
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
    }
}

/// A head of these lines, and an empty one.
pub fn head(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\r\n")).chain(["\r\n".to_owned()]).collect()
}
