//! The mailbox of a writing thread: new streams and notifications from other threads.

use mio::{Poll, Token, Waker};
use parking_lot::Mutex;

use super::connection::Connection;
use crate::hub::driver::Watcher;
use crate::hub::topic::TopicId;

/// The token of the waker; connections have the tokens below it.
pub(super) const WAKE: Token = Token(usize::MAX);

/// Everything that arrived since the thread last collected it.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// New streams to serve.
    #[expect(clippy::vec_box, reason = "boxed where it is made, a connection moves twice and then stays")]
    pub(super) connections: Vec<Box<Connection>>,
    /// Topics that have a new frame.
    pub(super) topics: Vec<TopicId>,
    /// The hub is closing: the next step of every stream returns `bye`.
    pub(super) closing: bool,
    /// The thread must end.
    pub(super) stop: bool,
}

/// The mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    waker: Waker,
}

impl Mailbox {
    pub(super) fn new(poll: &Poll) -> std::io::Result<Self> {
        Ok(Self { mail: Mutex::default(), waker: Waker::new(poll.registry(), WAKE)? })
    }

    /// Takes everything that arrived, and empties the mailbox.
    pub(super) fn collect(&self) -> Mail {
        std::mem::take(&mut self.mail.lock())
    }

    pub(super) fn bring(&self, connection: Box<Connection>) {
        self.leave(|mail| mail.connections.push(connection));
    }

    pub(super) fn stop(&self) {
        self.leave(|mail| mail.stop = true);
    }

    fn leave(&self, put: impl FnOnce(&mut Mail)) {
        let mut mail = self.mail.lock();
        let was_empty = mail.connections.is_empty() && mail.topics.is_empty() && !mail.closing && !mail.stop;
        put(&mut mail);
        drop(mail);
        // If it was not empty, the thread was woken already and has not collected yet.
        if was_empty && let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot wake a writing thread");
        }
    }
}

impl Watcher for Mailbox {
    fn flushed(&self, topics: &[TopicId]) {
        self.leave(|mail| mail.topics.extend_from_slice(topics));
    }

    fn closing(&self) {
        self.leave(|mail| mail.closing = true);
    }
}
