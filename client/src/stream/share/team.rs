//! Connects this tab to the other tabs of the browser: a channel for messages, and a lock that elects the leader.

use std::fmt;
use std::rc::Rc;

use super::channel::Channel;
use super::lock::{Lock, LockMode, LockOutcome};
use super::message::TabMessage;

/// An event from the other tabs or the lock.
#[derive(Clone, Debug, PartialEq)]
pub enum TeamEvent {
    /// Another tab sent a message.
    Message(TabMessage),
    /// The outcome of the request for the leader's lock.
    Lock(LockOutcome),
}

/// Membership in the group of tabs. Dropping it leaves the group.
pub struct Team {
    name: String,
    channel: Channel,
    lock: Option<Lock>,
    notify: Rc<dyn Fn(LockOutcome)>,
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Team {
    /// Joins the group `name`. Returns `None` where the browser lacks the channel or the lock.
    #[must_use]
    pub fn join(name: &str, notify: impl Fn(TeamEvent) + Copy + 'static) -> Option<Self> {
        let channel = Channel::open(name, move |message| notify(TeamEvent::Message(message)))?;
        let notify: Rc<dyn Fn(LockOutcome)> = Rc::new(move |turn| notify(TeamEvent::Lock(turn)));
        let lock = Lock::request(name, LockMode::Queue, notify.clone())?;
        Some(Self { name: name.to_owned(), channel, lock: Some(lock), notify })
    }

    /// Sends a message to all other tabs.
    pub fn say(&self, message: &TabMessage) {
        self.channel.say(message);
    }

    /// Requests the leader's lock again, in another manner.
    pub fn ask(&mut self, manner: LockMode) {
        // Releases the earlier request first, so that the tab has only one.
        self.lock = None;
        self.lock = Lock::request(&self.name, manner, self.notify.clone());
    }
}
