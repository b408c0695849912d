//! Limits pushes to the speed at which events are delivered. A server that accepts pushes faster than any reader can
//! read would have to drop some, while the measurement asks how many events it delivers.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The most events that may be in flight.
const AHEAD: u64 = 1_000;

/// An additional reader that tracks the delivery.
pub(crate) struct Pace {
    socket: TcpStream,
    heard: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Pace {
    /// Starts to read `path`.
    pub(crate) fn start(addr: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut socket = TcpStream::connect(addr)?;
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut reading = socket.try_clone()?;
        let heard = Arc::new(AtomicU64::new(0));
        let thread = std::thread::spawn({
            let heard = heard.clone();
            move || {
                let mut piece = vec![0; 64 << 10];
                while let Ok(len @ 1..) = reading.read(&mut piece) {
                    if let Some(newest) = newest(&piece[..len]) {
                        heard.fetch_max(newest, Ordering::Relaxed);
                    }
                }
            }
        });
        Ok(Self { socket, heard, thread: Some(thread) })
    }

    /// Waits until event `number` may be sent. Gives up after about two seconds, in case the reader's stream broke
    /// off.
    pub(crate) fn wait(&self, number: u64) {
        for _ in 0..10_000 {
            if number <= self.heard.load(Ordering::Relaxed) + AHEAD {
                return;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        let _closed = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// The greatest complete number after an `@`.
fn newest(piece: &[u8]) -> Option<u64> {
    let numbers = memchr::memchr_iter(b'@', piece).filter_map(|at| {
        let rest = &piece[at + 1..];
        let len = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        std::str::from_utf8(&rest[..len]).ok()?.parse().ok()
    });
    numbers.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_cut_is_not_taken_for_a_smaller_one() {
        assert_eq!(newest(b"data: @12 x\n\ndata: @9 x\n\ndata: @13"), Some(12));
        assert_eq!(newest(b": hi"), None);
    }
}
