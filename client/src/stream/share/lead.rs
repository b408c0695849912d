//! What only the tab knows that has the stream.

use std::collections::BTreeMap;

use shared::{Cursor, Event, Millis, Picture, SeriesPart};

use super::interest::Interest;
use super::message::{Relayed, Said, TabId};
use crate::stream::refusal::Refusal;

/// What the leader knows.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// The other tabs, and whether they spoke since the last roll call.
    others: BTreeMap<TabId, (Interest, bool)>,
    /// What the stream that is open, or was last, was opened with: what comes is of this and nothing else.
    held: Interest,
    /// All that the stream told.
    picture: Picture,
    /// Of what the picture has all: after an election only of what this tab showed before.
    whole: Interest,
    /// The server's last introduction, while the line to it is good.
    hello: Option<Event>,
    /// What is wrong, where anything is.
    trouble: Option<Option<Refusal>>,
}

impl Lead {
    /// Goes on from a picture of `mine`, if there is one.
    pub(super) fn from(picture: Option<Picture>, mine: &Interest) -> Self {
        let whole = if picture.is_some() { mine.clone() } else { Interest::default() };
        let picture = picture.unwrap_or_default();
        Self { others: BTreeMap::new(), held: Interest::default(), picture, whole, hello: None, trouble: None }
    }

    /// Up to where the picture is complete.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.picture.cursor()
    }

    /// The stream is opened with this from now on.
    pub(super) fn hold(&mut self, interest: Interest) {
        self.held = interest;
    }

    /// The next opening is a fresh one.
    pub(super) fn start_over(&mut self) {
        self.picture = Picture::default();
        self.whole = Interest::default();
    }

    /// The line to the server is lost.
    pub(super) fn lost(&mut self, refusal: Option<Refusal>) {
        self.hello = None;
        self.trouble = Some(refusal);
    }

    /// Notes a tab.
    pub(super) fn meet(&mut self, tab: TabId, interest: Interest) {
        self.others.insert(tab, (interest, true));
    }

    /// Forgets a tab.
    pub(super) fn part(&mut self, tab: &TabId) {
        self.others.remove(tab);
    }

    /// Forgets the tabs that did not speak since this was last called, and gives what the others show.
    pub(super) fn present(&mut self) -> impl Iterator<Item = &Interest> {
        self.others.retain(|_, (_, spoke)| std::mem::take(spoke));
        self.others.values().map(|(interest, _)| interest)
    }

    /// Whether it has a picture, but not all of what someone shows: only a snapshot helps.
    pub(super) fn lacks(&self, interest: &Interest) -> bool {
        self.cursor().is_some() && !self.whole.covers(interest)
    }

    /// Applies what the stream said, and puts it as a claim to pass on; nothing where it cannot be read or does not
    /// continue the picture.
    pub(super) fn take(&mut self, id: &str, data: &str) -> Option<(Event, Relayed)> {
        let after = self.cursor().map(|cursor| cursor.to_string());
        let event: Event = serde_json::from_str(data).ok()?;
        match &event {
            Event::Hello { .. } => {
                self.hello = Some(event.clone());
                self.trouble = None;
            }
            Event::Gap { .. } => self.start_over(),
            Event::Bye { .. } => self.hello = None,
            Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. } => {
                self.picture.apply(id.parse().ok()?, event.clone()).ok()?;
                if matches!(event, Event::Snapshot { .. }) {
                    self.whole = self.held.clone();
                }
            }
            Event::Unknown => {}
        }
        let relayed =
            Relayed { interest: self.held.clone(), after, to: None, id: id.to_owned(), data: data.to_owned() };
        Some((event, relayed))
    }

    /// Leaves of the picture what belongs to `interest`.
    pub(super) fn narrow(&mut self, interest: &Interest) {
        let Some(cursor) = self.cursor() else { return };
        let series = self.of(interest);
        // A snapshot is always taken.
        _ = self.picture.apply(cursor, Event::Snapshot { now: Millis(0), series });
    }

    /// What to tell a tab that needs a snapshot of `interest`, where the server's time is `now`.
    pub(super) fn answer(&self, tab: &TabId, interest: &Interest, now: Millis) -> Vec<Said> {
        if let Some(refusal) = &self.trouble {
            return vec![Said::Trouble { refusal: refusal.clone() }];
        }
        let (Some(Event::Hello { contract, epoch, heartbeat_ms, .. }), Some(cursor)) = (&self.hello, self.cursor())
        else {
            // When the snapshot comes, all hear it.
            return vec![Said::Leading];
        };
        let hello = Event::Hello { contract: contract.clone(), epoch: *epoch, heartbeat_ms: *heartbeat_ms, now };
        let tell = |event: &Event| {
            let data = serde_json::to_string(event).ok()?;
            let (interest, to) = (interest.clone(), Some(tab.clone()));
            Some(Said::Frame(Relayed { interest, after: None, to, id: cursor.to_string(), data }))
        };
        [hello, Event::Snapshot { now, series: self.of(interest) }].iter().filter_map(tell).collect()
    }

    fn of(&self, interest: &Interest) -> Vec<SeriesPart> {
        let own = self.picture.series().iter().filter(|(name, _)| interest.includes(name));
        own.map(|(name, track)| SeriesPart { name: name.clone(), track: track.clone() }).collect()
    }
}
