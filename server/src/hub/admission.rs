//! Who reads what: readers come and go, follow their boards, and find new series in their topics.
//!
//! What a selection matches is found without the hub's lock ([`crate::names`]). The hub only adds the series that began
//! since, so that the time for which it is locked does not depend on how many series there are.

use shared::{BoardId, ByeReason, Selector};

use super::boards::MAX_SELECTORS;
use super::memory::{cost_of_member, cost_of_reader, cost_of_topic};
use super::reader::Follow;
use super::{Hub, Interest, Reader, Resume, Selection, Topic, TopicId};
use crate::clock::Now;
use crate::names::{Budget, Matched};
use crate::rollup::{Absent, SeriesIndex};

/// What may be matched while the hub is locked, where a board changes: one or two milliseconds. A reader that needs more is
/// sent away with `bye`, and comes back with a new request.
const FOLLOW: Budget = Budget { steps: 16_384, series: 4_096 };

/// Most series that may have begun since a selection was matched; with more it is to be caught up first.
const BEHIND: usize = 256;

/// What a selection matches.
#[derive(Clone, Debug)]
pub struct Match {
    /// The selection.
    pub selection: Selection,
    /// Its series.
    pub matched: Matched,
}

/// A selection has series that are not all in memory. They are to be [recalled](Hub::recall) first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking(pub Vec<Absent>);

/// Why a reader is not taken in yet, or at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody reads this selection, and what it matches is not known: find that, and come again.
    Unmatched(Selection),
    /// Many series began since the selection was matched: catch up, and come again.
    Behind,
    /// Some of what it selects is to be recalled first.
    Lacking(Lacking),
    /// All topics together take as much memory as they may.
    NoRoom,
    /// The reader's series and boards have more than [`MAX_SELECTORS`] selectors together.
    TooManySelectors(usize),
}

impl Hub {
    /// Takes a reader in, and gives the topic that it reads. `found` is what its selection matches, where that was looked
    /// for.
    ///
    /// # Errors
    /// [`Refused`]; then it is as if it had not come.
    pub fn admit(
        &mut self,
        interest: &Interest,
        found: Option<&Match>,
        resume: &Resume,
        now: Now,
    ) -> Result<(TopicId, Reader), Refused> {
        let selectors = self.boards.count(interest);
        if selectors > MAX_SELECTORS {
            return Err(Refused::TooManySelectors(selectors));
        }
        let selection = self.boards.selection(interest);
        let cost = cost_of_reader(interest);
        if !self.memory.has_room_for(cost) {
            return Err(Refused::NoRoom);
        }
        let id = match (self.by_selection.get(&selection), found) {
            (Some(&id), _) => self.join(id),
            (None, Some(found)) if found.selection == selection => {
                let members = self.members_now(found)?;
                self.begin(selection, members)?
            }
            (None, _) => return Err(Refused::Unmatched(selection)),
        };
        self.readers += 1;
        self.memory.add_fixed(cost);
        for board in &interest.boards {
            *self.followers.entry(board.clone()).or_default() += 1;
        }
        Ok((id, Reader::new(interest.clone(), &self.boards, resume.clone(), self.heartbeat, now.up)))
    }

    /// The same where what the selection matches is found on the spot, however long that takes.
    ///
    /// # Errors
    /// [`Lacking`].
    ///
    /// # Panics
    /// Where the reader names more than [`MAX_SELECTORS`] selectors.
    pub fn subscribe(&mut self, interest: &Interest, resume: &Resume, now: Now) -> Result<(TopicId, Reader), Lacking> {
        let mut found = None;
        loop {
            match self.admit(interest, found.as_ref(), resume, now) {
                Ok(taken_in) => return Ok(taken_in),
                Err(Refused::Lacking(lacking)) => return Err(lacking),
                Err(Refused::Unmatched(selection)) => {
                    let matched = self.names().select(&selection.selectors, Budget::UNLIMITED);
                    found = Some(Match { selection, matched: matched.expect("there is no bound") });
                }
                Err(refused) => panic!("{refused:?}"),
            }
        }
    }

    /// A reader of `id` has gone. The last one takes the topic along.
    pub fn unsubscribe(&mut self, id: TopicId, reader: &Reader) {
        if !self.topics.contains_key(&id) {
            return;
        }
        self.readers -= 1;
        self.memory.remove_fixed(cost_of_reader(reader.interest()));
        for board in &reader.interest().boards {
            if let Some(followers) = self.followers.get_mut(board) {
                *followers -= 1;
                if *followers == 0 {
                    self.followers.remove(board);
                }
            }
        }
        self.leave(id);
    }

    /// What readers of a board would lack that selects these from now on; nothing where it has no readers, or selects so
    /// much that they will have to come back.
    #[must_use]
    pub fn lacking(&self, board: &BoardId, selectors: &[Selector]) -> Lacking {
        if !self.followers.contains_key(board) {
            return Lacking(Vec::new());
        }
        let matched = self.names().select(selectors, FOLLOW).unwrap_or_default();
        Lacking(self.rollup.lacking(&matched.series))
    }

    /// Takes the reader along to where its boards have gone.
    pub(super) fn follow(&mut self, id: &mut TopicId, reader: &mut Reader) {
        if reader.is_abreast_of(&self.boards) {
            return;
        }
        if reader.interest().boards.is_empty() {
            reader.follow(&self.boards, Follow::SameSeries);
            return;
        }
        // One that selects too much, or was so slow that what was recalled for it is gone again, comes back with a new request.
        if self.boards.count(reader.interest()) > MAX_SELECTORS {
            return reader.leave(ByeReason::Moved, 0);
        }
        let selection = self.boards.selection(reader.interest());
        if self.topics.get(id).is_none_or(|topic| *topic.selection() == selection) {
            reader.follow(&self.boards, Follow::SameSeries);
            return;
        }
        let joined = match self.by_selection.get(&selection) {
            Some(&id) => Some(self.join(id)),
            None => {
                let found = self.names().select(&selection.selectors, FOLLOW).ok();
                found.and_then(|found| self.begin(selection, found.series).ok())
            }
        };
        let Some(joined) = joined else { return reader.leave(ByeReason::Moved, 0) };
        reader.follow(&self.boards, Follow::OtherSeries);
        self.leave(*id);
        *id = joined;
    }

    /// A series has begun: the topics that select it take it in.
    pub(super) fn introduce(&mut self, index: SeriesIndex) {
        let ids = self.listeners.of(self.rollup.name(index));
        for id in &ids {
            if let Some(topic) = self.topics.get_mut(id) {
                topic.admit(index);
            }
        }
        self.memory.add_fixed(ids.len() * cost_of_member());
        if !ids.is_empty() {
            self.rollup.hold(index);
            self.listening.insert(index, ids);
        }
    }

    /// The series that were found, and those that began since.
    fn members_now(&self, found: &Match) -> Result<Vec<SeriesIndex>, Refused> {
        let Match { selection, matched } = found;
        let (upto, count) = (matched.upto as usize, self.rollup.len());
        if count - upto > BEHIND {
            return Err(Refused::Behind);
        }
        let begun = (matched.upto..).take(count - upto).map(SeriesIndex);
        let begun = begun.filter(|&index| selection.matches(self.rollup.name(index)));
        Ok(matched.series.iter().copied().chain(begun).collect())
    }

    fn join(&mut self, id: TopicId) -> TopicId {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.readers += 1;
        }
        id
    }

    /// Makes a topic, with its first reader.
    fn begin(&mut self, selection: Selection, members: Vec<SeriesIndex>) -> Result<TopicId, Refused> {
        let lacking = self.rollup.lacking(&members);
        if !lacking.is_empty() {
            return Err(Refused::Lacking(Lacking(lacking)));
        }
        let cost = cost_of_topic(&selection, members.len());
        if !self.memory.has_room_for(cost) {
            return Err(Refused::NoRoom);
        }
        self.memory.add_fixed(cost);
        let id = self.next_topic;
        self.next_topic = id.next();
        for &index in &members {
            self.listening.entry(index).or_default().push(id);
        }
        for selector in &selection.selectors {
            self.listeners.add(selector, id);
        }
        self.by_selection.insert(selection.clone(), id);
        self.topics.insert(id, Topic::new(selection, members, self.rollup.head()));
        Ok(self.join(id))
    }

    /// A reader of the topic has gone. The last one takes the topic along.
    fn leave(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        topic.readers -= 1;
        if topic.readers == 0 {
            self.take_apart(id);
            self.topics.remove(&id);
        }
    }

    /// Takes a topic out of all lists, and lets go of what it holds.
    pub(super) fn take_apart(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id).filter(|topic| !topic.is_dissolved()) else { return };
        for index in topic.members() {
            if let Some(ids) = self.listening.get_mut(index) {
                ids.retain(|&other| other != id);
                if ids.is_empty() {
                    self.listening.remove(index);
                }
            }
        }
        for selector in &topic.selection().selectors {
            self.listeners.remove(selector, id);
        }
        self.by_selection.remove(topic.selection());
        self.memory.remove_fixed(cost_of_topic(topic.selection(), topic.members().len()));
        self.memory.spare_changed(topic.spare(), 0);
        topic.dissolve();
    }
}
