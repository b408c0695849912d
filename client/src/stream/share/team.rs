//! The tabs of this browser that can hear each other.

use std::fmt;
use std::rc::Rc;

use super::channel::Channel;
use super::lock::{Lock, Manner, Turn};
use super::message::Said;

/// What is heard of the others.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// One of them said something.
    Said(Said),
    /// What became of the lock that the leader has.
    Lock(Turn),
}

/// A place among the tabs. Dropping it gives the place up.
pub struct Team {
    name: String,
    channel: Channel,
    lock: Option<Lock>,
    tell: Rc<dyn Fn(Turn)>,
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Team {
    /// Joins the tabs that go by `name`; nothing where this browser keeps tabs apart.
    #[must_use]
    pub fn join(name: &str, tell: impl Fn(Heard) + Copy + 'static) -> Option<Self> {
        let channel = Channel::open(name, move |said| tell(Heard::Said(said)))?;
        let tell: Rc<dyn Fn(Turn)> = Rc::new(move |turn| tell(Heard::Lock(turn)));
        let lock = Lock::request(name, Manner::Queue, tell.clone())?;
        Some(Self { name: name.to_owned(), channel, lock: Some(lock), tell })
    }

    /// Says it to all others.
    pub fn say(&self, said: &Said) {
        self.channel.say(said);
    }

    /// Asks for the lead in another manner than before.
    pub fn ask(&mut self, manner: Manner) {
        // First out of the line: one lock is enough.
        self.lock = None;
        self.lock = Lock::request(&self.name, manner, self.tell.clone());
    }
}
