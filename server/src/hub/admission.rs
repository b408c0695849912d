//! Adds and removes subscribers, moves them to another topic when their boards change, and adds new series to topics.
//!
//! Selectors are matched against the series names without the hub's lock ([`crate::names`]). Under the lock, the hub
//! only adds the series that began since. So the lock is held for a time that depends on the number of selected series,
//! and not on the number of all series.

use shared::{BoardId, ByeReason, Selector};

use super::boards::MAX_SELECTORS;
use super::memory::{cost_of_member, cost_of_reader, cost_of_topic};
use super::reader::Follow;
use super::{Hub, Reader, Resume, Selection, Subscription, Topic, TopicId};
use crate::clock::Now;
use crate::log::WarmSeries;
use crate::names::{Budget, Matched};
use crate::rollup::SeriesIndex;

/// Budget for matching under the hub's lock, when a board changes: one or two milliseconds. A subscriber whose boards
/// need more gets `bye` and reconnects, so that its selectors are matched without the lock.
const FOLLOW: Budget = Budget { steps: 16_384, series: 4_096 };

/// Delay after which a subscriber whose permission ended may come back, in milliseconds. It needs another credential.
const DENIED_RETRY_MS: u32 = 1_000;

/// Maximum number of series that may have begun since a selection was matched. With more, the caller must [catch
/// up](crate::names::Names::catch_up) first.
const BEHIND: usize = 256;

/// A selection and the series that it matches.
#[derive(Clone, Debug)]
pub struct Match {
    /// The selection.
    pub selection: Selection,
    /// The series that it matches.
    pub matched: Matched,
}

/// Reason why the hub does not admit a subscriber, now or at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No topic has this selection: match its selectors, then try again.
    Unmatched(Selection),
    /// Too many series began since the selection was matched: catch up, then try again.
    Behind,
    /// These selected series must be [rehydrated](Hub::rehydrate) first.
    Warm(Vec<WarmSeries>),
    /// The topics, tracks and frames of all subscribers have reached their memory bound.
    NoRoom,
    /// The subscriber's series and boards have more than [`MAX_SELECTORS`] selectors together.
    TooManySelectors(usize),
    /// The permission of the subscriber has ended.
    Denied,
}

impl Hub {
    /// Admits a subscriber and returns its topic. `found` holds the series that its selection matches, if the caller
    /// has matched it.
    ///
    /// # Errors
    /// [`Refused`]; the hub is unchanged then.
    pub fn admit(
        &mut self,
        subscription: &Subscription,
        found: Option<&Match>,
        resume: &Resume,
        now: Now,
    ) -> Result<(TopicId, Reader), Refused> {
        // Under the lock: a lease that ends later ends the stream.
        if subscription.scope.lease().is_over() {
            return Err(Refused::Denied);
        }
        let selection = self.selection(subscription).map_err(Refused::TooManySelectors)?;
        let cost = cost_of_reader(subscription);
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
        for board in &subscription.boards {
            *self.followers.entry(board.clone()).or_default() += 1;
        }
        Ok((id, Reader::new(subscription.clone(), &self.boards, resume.clone(), self.heartbeat, now.up)))
    }

    /// Admits a subscriber like [`Hub::admit`], and matches its selection itself, however long that takes.
    ///
    /// # Errors
    /// The series that must be [rehydrated](Hub::rehydrate) first.
    ///
    /// # Panics
    /// If the subscriber has more than [`MAX_SELECTORS`] selectors, or there is no memory for it.
    pub fn subscribe(
        &mut self,
        subscription: &Subscription,
        resume: &Resume,
        now: Now,
    ) -> Result<(TopicId, Reader), Vec<WarmSeries>> {
        let mut found = None;
        loop {
            match self.admit(subscription, found.as_ref(), resume, now) {
                Ok(taken_in) => return Ok(taken_in),
                Err(Refused::Warm(missing)) => return Err(missing),
                Err(Refused::Unmatched(selection)) => {
                    let matched = self.names().select(&selection.selectors, Budget::UNLIMITED);
                    found = Some(Match { selection, matched: matched.expect("there is no bound") });
                }
                Err(refused) => panic!("{refused:?}"),
            }
        }
    }

    /// Removes a subscriber of topic `id`, and the topic with its last subscriber.
    pub fn unsubscribe(&mut self, id: TopicId, reader: &Reader) {
        if !self.topics.contains_key(&id) {
            return;
        }
        self.readers -= 1;
        self.memory.remove_fixed(cost_of_reader(reader.subscription()));
        for board in &reader.subscription().boards {
            if let Some(followers) = self.followers.get_mut(board) {
                *followers -= 1;
                if *followers == 0 {
                    self.followers.remove(board);
                }
            }
        }
        self.leave(id);
    }

    /// Returns the series that must be rehydrated before the selectors of `board` become `selectors`. Empty if the
    /// board has no subscribers, or if matching needs so much work that its subscribers will have to reconnect.
    #[must_use]
    pub fn warm_series(&self, board: &BoardId, selectors: &[Selector]) -> Vec<WarmSeries> {
        if !self.followers.contains_key(board) {
            return Vec::new();
        }
        let matched = self.names().select(selectors, FOLLOW).unwrap_or_default();
        self.rollup.warm_series(&matched.series)
    }

    /// Updates a subscriber after its boards changed: moves it to another topic if they select other series now.
    pub(super) fn follow(&mut self, id: &mut TopicId, reader: &mut Reader) {
        if reader.is_abreast_of(&self.boards) {
            return;
        }
        if reader.subscription().scope.lease().is_over() {
            return reader.leave(ByeReason::Denied, DENIED_RETRY_MS);
        }
        if reader.subscription().boards.is_empty() {
            reader.follow(&self.boards, Follow::SameSeries);
            return;
        }
        // A subscriber that selects too much must reconnect, and so must one whose rehydrated series were evicted again
        // before its turn.
        let Ok(selection) = self.selection(reader.subscription()) else { return reader.leave(ByeReason::Moved, 0) };
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

    /// Returns the present selection of a subscription.
    ///
    /// # Errors
    /// The number of its selectors, if there are more than [`MAX_SELECTORS`].
    fn selection(&self, subscription: &Subscription) -> Result<Selection, usize> {
        // Counted first, since narrowing very many selectors takes long.
        let count = self.boards.count(subscription);
        if count > MAX_SELECTORS {
            return Err(count);
        }
        let selection = self.boards.selection(subscription);
        let count = selection.selectors.len();
        if count > MAX_SELECTORS { Err(count) } else { Ok(selection) }
    }

    /// Adds a series that has just begun to the topics that select it.
    pub(super) fn introduce(&mut self, index: SeriesIndex) {
        let ids = self.listeners.of(self.rollup.name(index));
        for id in &ids {
            if let Some(topic) = self.topics.get_mut(id) {
                topic.admit(index);
            }
        }
        self.memory.add_fixed(ids.len() * cost_of_member());
        if !ids.is_empty() {
            self.rollup.mark_hot(index);
            self.listening.insert(index, ids);
        }
    }

    /// Returns the series of a match, and those selected series that began since.
    fn members_now(&self, found: &Match) -> Result<Vec<SeriesIndex>, Refused> {
        let Match { selection, matched } = found;
        let (upto, count) = (matched.upto as usize, self.rollup.len());
        if count - upto > BEHIND {
            return Err(Refused::Behind);
        }
        let begun = (matched.upto..).take(count - upto).map(SeriesIndex);
        let begun = begun.filter(|&index| selection.matches(self.rollup.name(index)));
        // Some may have been removed since they were matched.
        let members = matched.series.iter().copied().chain(begun);
        Ok(members.filter(|&index| !self.rollup.is_removed(index)).collect())
    }

    fn join(&mut self, id: TopicId) -> TopicId {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.readers += 1;
        }
        id
    }

    /// Creates a topic with its first subscriber.
    fn begin(&mut self, selection: Selection, members: Vec<SeriesIndex>) -> Result<TopicId, Refused> {
        let missing = self.rollup.warm_series(&members);
        if !missing.is_empty() {
            return Err(if self.has_room_for_tracks() { Refused::Warm(missing) } else { Refused::NoRoom });
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
        self.topics.insert(id, Topic::new(selection, members, self.rollup.head(), self.removed));
        Ok(self.join(id))
    }

    /// Removes a subscriber from the topic, and the topic with its last subscriber.
    fn leave(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        topic.readers -= 1;
        if topic.readers == 0 {
            self.take_apart(id);
            self.topics.remove(&id);
        }
    }

    /// Removes a topic from all indexes and frees its memory.
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
