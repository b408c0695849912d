//! A simulated browser that reads a stream into its picture.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::board::Etag;
use shared::{Applied, BoardEdition, ByeReason, Declared, Event, Picture, SeriesName, Track, sse};

use super::admission::{Editions, subscribe};
use crate::clock::Now;
use crate::hub::topic::TopicId;
use crate::hub::{Hub, Reader, Resume, Selection, Subscription};
use crate::log::Committed;

/// A browser: it keeps the last id of the stream, as `EventSource` does, and the picture.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) subscription: Subscription,
    /// The selection that its picture shows.
    pub(super) selection: Selection,
    /// The edition of the board `s` that it received last.
    pub(super) etag: Option<Etag>,
    pub(super) topic: TopicId,
    pub(super) reader: Reader,
    pub(super) parser: sse::Parser,
    pub(super) last_id: String,
    pub(super) picture: Picture,
    /// A `gap` was received, so a snapshot must come next.
    gapped: bool,
    /// A `bye` was received.
    pub(super) dismissed: bool,
}

/// Each series, and its declared type.
pub(super) type State = BTreeMap<SeriesName, (Track, Option<Declared>)>;

/// Returns the state that a picture shows.
pub(super) fn as_told(picture: &Picture) -> State {
    let declared = |name| picture.declared(name);
    picture.series().iter().map(|(name, track)| (name.clone(), (track.clone(), declared(name)))).collect()
}

impl Browser {
    pub(super) fn open(hub: &mut Hub, points: &[Committed], subscription: Subscription, now: Now) -> Self {
        let (topic, reader) = subscribe(hub, points, &subscription, &Resume::Fresh, now);
        let (parser, picture) = (sse::Parser::default(), Picture::default());
        let selection = Selection::new(Vec::new(), subscription.rate);
        let (etag, last_id, gapped, dismissed) = (None, String::new(), false, false);
        Self { subscription, selection, etag, topic, reader, parser, last_id, picture, gapped, dismissed }
    }

    pub(super) fn connect(&mut self, hub: &mut Hub, points: &[Committed], now: Now) {
        let resume = Resume::parse(Some(&self.last_id));
        self.begin(subscribe(hub, points, &self.subscription, &resume, now));
    }

    pub(super) fn begin(&mut self, taken_in: (TopicId, Reader)) {
        (self.topic, self.reader) = taken_in;
        self.parser = sse::Parser::default();
        self.gapped = false;
        self.dismissed = false;
    }

    pub(super) fn take(&mut self, message: &sse::Message, editions: &Editions) -> Result<(), TestCaseError> {
        self.last_id.clone_from(&message.id);
        let event: Event = serde_json::from_str(&message.data).unwrap();
        let now_selected = |etag| editions.selection(&self.subscription, etag);
        match &event {
            Event::Hello { boards, .. } => self.etag = boards.first().and_then(|edition| edition.etag),
            Event::Board(BoardEdition { etag, .. }) => {
                prop_assert_ne!(self.etag, *etag, "an edition that it knows");
                self.etag = *etag;
            }
            Event::Bye { reason, .. } => {
                prop_assert_eq!(*reason, ByeReason::Moved);
                self.dismissed = true;
            }
            Event::Snapshot { .. } => self.selection = now_selected(self.etag),
            Event::Update { .. } | Event::Heartbeat { .. } => {
                prop_assert_eq!(now_selected(self.etag), self.selection.clone(), "it goes on with other series");
            }
            _ => {}
        }
        let gap = matches!(event, Event::Gap { .. });
        let passing = matches!(event, Event::Board(_) | Event::Bye { .. });
        prop_assert!(
            !self.gapped || passing || matches!(event, Event::Snapshot { .. }),
            "after a gap came {:?}",
            event
        );
        self.gapped = gap || (self.gapped && passing);
        let cursor = message.id.parse().unwrap();
        let update = matches!(event, Event::Update { .. });
        let applied = self.picture.apply(cursor, event).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(!update || matches!(applied, Applied::Changed(_)), "an update with nothing new");
        Ok(())
    }
}
