//! The threads that write streams. Each serves many subscribers.
//!
//! A thread sleeps until the hub has a new frame, a socket can take more bytes, or a heartbeat is due. Then it goes
//! through the subscribers concerned: it steps each (see [`crate::hub::reader`]) and writes the frame that it gets,
//! with one system call each. `event_loop` is the event loop, `connection` is the connection of one subscriber, and `mailbox`
//! brings new streams and notifications to the thread. `open` is the guard of a connection.

mod connection;
mod event_loop;
mod mailbox;
mod open;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::TcpStream;

use super::takeover::UpgradedStream;
use crate::hub::driver::HubHandle;
use mailbox::Mailbox;
pub use open::Open;

/// Maximum number of threads. They do hardly anything but system calls.
const MAX_THREADS: usize = 8;

/// Bytes that a socket takes beyond the peer's receive window. The kernel would otherwise buffer megabytes for each
/// peer that is slow or has stopped. All of it would be old once it is read, while the hub has newer frames. Bytes in
/// flight do not count, so this slows nobody down.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 << 10;

/// The threads. When this is dropped, they close all streams and end.
#[derive(Debug)]
pub struct Writers {
    mailboxes: Vec<Arc<Mailbox>>,
    next: AtomicUsize,
}

impl Writers {
    /// Starts a thread for each processor except one, which is left for reading pushes. A thread on that processor too
    /// would make each event cost an eighth more, because the threads contend within the kernel. A socket that takes no
    /// byte for `patience` is closed.
    ///
    /// # Errors
    /// Where the system refuses a thread or an event queue.
    pub fn start(hub: &HubHandle, patience: Duration) -> std::io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).clamp(1, MAX_THREADS);
        let mut mailboxes = Vec::with_capacity(count);
        for number in 0..count {
            let poll = mio::Poll::new()?;
            let mailbox = Arc::new(Mailbox::new(&poll)?);
            let thread = event_loop::EventLoop::new(poll, mailbox.clone(), hub.clone(), patience);
            thread::Builder::new().name(format!("writer-{number}")).spawn(move || thread.run())?;
            hub.watch(mailbox.clone());
            mailboxes.push(mailbox);
        }
        Ok(Self { mailboxes, next: AtomicUsize::new(0) })
    }

    /// Gives a stream to one of the threads, in turn. `open` is dropped when the stream has ended.
    ///
    /// # Errors
    /// Where the system does not let the socket be moved.
    pub fn take(&self, socket: TcpStream, taken: UpgradedStream, open: Open) -> std::io::Result<()> {
        #[cfg(target_os = "linux")]
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
        let socket = mio::net::TcpStream::from_std(socket.into_std()?);
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.mailboxes.len();
        self.mailboxes[next].bring(Box::new(connection::Connection::new(socket, taken, open)));
        Ok(())
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        for mailbox in &self.mailboxes {
            mailbox.stop();
        }
    }
}
