//! The threads that write streams, each for many readers.
//!
//! A thread sleeps until the hub has something new, a socket can take more or a heartbeat is due, and then walks the
//! readers concerned: it steps each (see [`crate::hub::reader`]) and writes what it gets, one system call for each.

mod line;
mod mailbox;
mod walk;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::handover::Taken;
use crate::hub::driver::HubHandle;
use crate::places::Place;
use mailbox::Mailbox;

/// Most threads. They do little else than system calls.
const MOST: usize = 8;

/// Bytes that a socket takes beyond what its peer has room for. The kernel would keep megabytes for each peer that is slow
/// or has stopped, all of it old once it is read: the hub has newer. What is on its way does not count, so this slows
/// nobody down.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 << 10;

/// The threads. They end, and close all streams, when this is dropped.
#[derive(Debug)]
pub struct Writers {
    mailboxes: Vec<Arc<Mailbox>>,
    next: AtomicUsize,
}

/// Held by each connection, and then by the stream that it becomes.
#[derive(Debug)]
pub struct Open {
    /// Dropped with the connection; the last one tells the listener that all connections have ended.
    _ended: mpsc::Sender<()>,
    /// Its place among the connections.
    _place: Place,
}

impl Open {
    /// For a connection that has this place; `ended` is dropped with it.
    #[must_use]
    pub fn new(ended: mpsc::Sender<()>, place: Place) -> Self {
        Self { _ended: ended, _place: place }
    }
}

impl Writers {
    /// Starts a thread for each processor but one, which reads pushes meanwhile. With one for that too, an event costs an
    /// eighth more: they get into each other's way within the kernel. A socket that takes no byte for `patience` is closed.
    ///
    /// # Errors
    /// Where the system refuses a thread or an event queue.
    pub fn start(hub: &HubHandle, patience: Duration) -> std::io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).clamp(1, MOST);
        let mut mailboxes = Vec::with_capacity(count);
        for number in 0..count {
            let poll = mio::Poll::new()?;
            let mailbox = Arc::new(Mailbox::new(&poll)?);
            let thread = walk::Walk::new(poll, mailbox.clone(), hub.clone(), patience);
            thread::Builder::new().name(format!("writer-{number}")).spawn(move || thread.run())?;
            hub.watch(mailbox.clone());
            mailboxes.push(mailbox);
        }
        Ok(Self { mailboxes, next: AtomicUsize::new(0) })
    }

    /// Gives a stream to one of the threads, in turn. `open` is dropped when it has ended.
    ///
    /// # Errors
    /// Where the system does not let the socket be moved.
    pub fn take(&self, socket: TcpStream, taken: Taken, open: Open) -> std::io::Result<()> {
        #[cfg(target_os = "linux")]
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
        let socket = mio::net::TcpStream::from_std(socket.into_std()?);
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.mailboxes.len();
        self.mailboxes[next].bring(Box::new(line::Line::new(socket, taken, open)));
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
