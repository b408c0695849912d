//! State that only the leader has: the tab that holds the stream.

use shared::{Cursor, Event};

use super::interest::Interest;
use super::message::{RelayedFrame, TabId, TabMessage};
use crate::json;
use crate::stream::refusal::Refusal;

/// The leader's state.
#[derive(Clone, Debug)]
pub(super) struct LeaderState {
    /// The other tabs, the interest of each, and whether it spoke since the last roll call.
    others: Vec<(TabId, Interest, bool)>,
    /// Interest that the current or last stream was opened with. All frames are about exactly this.
    held: Interest,
    /// Cursor up to which the stream has sent everything; `None` before its snapshot.
    cursor: Option<Cursor>,
    /// True once the server sent `hello`, until the connection is lost.
    greeted: bool,
    /// Present while the connection is lost, with the refusal if there was one.
    trouble: Option<Option<Refusal>>,
}

impl LeaderState {
    /// Continues from a cursor, if there is one.
    pub(super) fn from(cursor: Option<Cursor>) -> Self {
        Self { others: Vec::new(), held: Interest::default(), cursor, greeted: false, trouble: None }
    }

    /// Cursor up to which the stream has sent everything.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Sets the interest that the stream is opened with.
    pub(super) fn hold(&mut self, interest: Interest) {
        self.held = interest;
    }

    /// Makes the next opening start with a snapshot.
    pub(super) fn start_over(&mut self) {
        self.cursor = None;
    }

    /// Records that the connection to the server is lost.
    pub(super) fn lost(&mut self, refusal: Option<Refusal>) {
        self.greeted = false;
        self.trouble = Some(refusal);
    }

    /// Adds a tab, or updates it.
    pub(super) fn meet(&mut self, tab: TabId, interest: Interest) {
        self.part(&tab);
        self.others.push((tab, interest, true));
    }

    /// Removes a tab.
    pub(super) fn part(&mut self, tab: &TabId) {
        self.others.retain(|(other, ..)| other != tab);
    }

    /// Removes the tabs that did not speak since the last call, and returns the interests of the rest.
    pub(super) fn present(&mut self) -> impl Iterator<Item = &Interest> {
        self.others.retain_mut(|(.., spoke)| std::mem::take(spoke));
        self.others.iter().map(|(_, interest, _)| interest)
    }

    /// Returns the message that describes the leader's connection.
    pub(super) fn sign(&self) -> TabMessage {
        match &self.trouble {
            Some(refusal) => TabMessage::Trouble { refusal: refusal.clone() },
            None => TabMessage::Leading { at: self.cursor.filter(|_| self.greeted) },
        }
    }

    /// Takes in a frame of the stream, and makes the claim to pass on to the other tabs. Returns `None` where the
    /// frame cannot be read or does not continue the ones before.
    pub(super) fn take(&mut self, id: &str, data: String) -> Option<(Event, RelayedFrame)> {
        let after = self.cursor;
        let event: Event = json::read(&data)?;
        match &event {
            Event::Hello { .. } => {
                (self.greeted, self.trouble) = (true, None);
                self.cursor = self.cursor.zip(id.parse().ok()).map(|(known, hello)| known.continued_by(hello));
            }
            Event::Gap { .. } => self.start_over(),
            Event::Bye { .. } => self.greeted = false,
            Event::Snapshot { .. } => self.cursor = Some(id.parse().ok()?),
            Event::Update { .. } | Event::Heartbeat { .. } => {
                let (id, known) = (id.parse::<Cursor>().ok()?, self.cursor?);
                if id.epoch != known.epoch {
                    return None;
                }
                self.cursor = Some(if id.seq > known.seq { id } else { known });
            }
            Event::Board(_) | Event::Warnings { .. } | Event::Unknown => {}
        }
        Some((event, RelayedFrame { interest: self.held.clone(), after, id: id.to_owned(), data }))
    }
}
