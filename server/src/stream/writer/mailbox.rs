//! What others leave for a writing thread.

use mio::{Poll, Token, Waker};
use parking_lot::Mutex;

use super::line::Line;
use crate::hub::driver::Watcher;
use crate::hub::topic::TopicId;

/// The token of the waker; lines have those below.
pub(super) const WAKE: Token = Token(usize::MAX);

/// What came since the thread looked last.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Streams to serve from now on.
    #[expect(clippy::vec_box, reason = "boxed where it is made, a line moves twice and then stays")]
    pub(super) lines: Vec<Box<Line>>,
    /// Topics that have something new.
    pub(super) topics: Vec<TopicId>,
    /// Every stream has something to hear: the end.
    pub(super) closing: bool,
    /// The thread is to end.
    pub(super) stop: bool,
}

/// Where it is left.
#[derive(Debug)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    waker: Waker,
}

impl Mailbox {
    pub(super) fn new(poll: &Poll) -> std::io::Result<Self> {
        Ok(Self { mail: Mutex::default(), waker: Waker::new(poll.registry(), WAKE)? })
    }

    /// What came; the box is empty then.
    pub(super) fn collect(&self) -> Mail {
        std::mem::take(&mut self.mail.lock())
    }

    pub(super) fn bring(&self, line: Box<Line>) {
        self.leave(|mail| mail.lines.push(line));
    }

    pub(super) fn stop(&self) {
        self.leave(|mail| mail.stop = true);
    }

    fn leave(&self, put: impl FnOnce(&mut Mail)) {
        let mut mail = self.mail.lock();
        let was_empty = mail.lines.is_empty() && mail.topics.is_empty() && !mail.closing && !mail.stop;
        put(&mut mail);
        drop(mail);
        // Where it was not empty, the thread was woken and has not looked yet.
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
