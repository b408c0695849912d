//! What only the tab knows that has the stream.

use shared::{Cursor, Event};

use super::interest::Interest;
use super::message::{Relayed, Said, TabId};
use crate::json;
use crate::stream::refusal::Refusal;

/// What the leader knows.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// The other tabs, what they show, and whether they spoke since the last roll call.
    others: Vec<(TabId, Interest, bool)>,
    /// What the stream that is open, or was last, was opened with: what comes is of this and nothing else.
    held: Interest,
    /// Up to where the stream told all; nothing before its snapshot.
    cursor: Option<Cursor>,
    /// The server introduced itself, and has not been lost since.
    greeted: bool,
    /// What is wrong, where anything is.
    trouble: Option<Option<Refusal>>,
}

impl Lead {
    /// Goes on from a cursor, if there is one.
    pub(super) fn from(cursor: Option<Cursor>) -> Self {
        Self { others: Vec::new(), held: Interest::default(), cursor, greeted: false, trouble: None }
    }

    /// Up to where the stream told all.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The stream is opened with this from now on.
    pub(super) fn hold(&mut self, interest: Interest) {
        self.held = interest;
    }

    /// The next opening is a fresh one.
    pub(super) fn start_over(&mut self) {
        self.cursor = None;
    }

    /// The line to the server is lost.
    pub(super) fn lost(&mut self, refusal: Option<Refusal>) {
        self.greeted = false;
        self.trouble = Some(refusal);
    }

    /// Notes a tab.
    pub(super) fn meet(&mut self, tab: TabId, interest: Interest) {
        self.part(&tab);
        self.others.push((tab, interest, true));
    }

    /// Forgets a tab.
    pub(super) fn part(&mut self, tab: &TabId) {
        self.others.retain(|(other, ..)| other != tab);
    }

    /// Forgets the tabs that did not speak since this was last called, and gives what the others show.
    pub(super) fn present(&mut self) -> impl Iterator<Item = &Interest> {
        self.others.retain_mut(|(.., spoke)| std::mem::take(spoke));
        self.others.iter().map(|(_, interest, _)| interest)
    }

    /// How things stand.
    pub(super) fn sign(&self) -> Said {
        match &self.trouble {
            Some(refusal) => Said::Trouble { refusal: refusal.clone() },
            None => Said::Leading { at: self.cursor.filter(|_| self.greeted) },
        }
    }

    /// Takes in what the stream said, and makes a claim of it to pass on; nothing where it cannot be read or does not
    /// continue what was said before.
    pub(super) fn take(&mut self, id: &str, data: String) -> Option<(Event, Relayed)> {
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
        Some((event, Relayed { interest: self.held.clone(), after, id: id.to_owned(), data }))
    }
}
