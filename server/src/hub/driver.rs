//! Drives the hub with a clock, a lock and wake-ups. The rest of the program uses the hub through [`HubHandle`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use shared::board::Etag;
use shared::{BoardId, ByeReason, Declared, Millis, Selector, Seq, SeriesName, Track};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use super::chunk::live_bytes;
use super::frame::Frame;
use super::publishing::{Drafts, Group};
use super::selecting::Selecting;
use super::topic::TopicId;
use super::{BoardRecord, Counts, Hub, Match, Reader, Refused, Resume, Step, Subscription};
use crate::clock::{self, Now, Uptime};
use crate::limits::Limits;
use crate::limits::client::{Client, ClientQuota, ClientSlot, LimitedClient};
use crate::log::{Committed, SeriesId, WarmSeries};
use crate::names::Budget;
use crate::rollup::SeriesIndex;

/// A disconnected subscriber reconnects within this number of seconds, each at a random time.
const RETRY_SPREAD_SECONDS: u32 = 10;

/// Interval between two steps of the scan for series that do not change.
const EVICT_EVERY: Duration = Duration::from_secs(1);

/// Number of steps of a whole scan.
const EVICT_STEPS: usize = 60;

/// Number of series in one hold of the lock: a millisecond or two.
const EVICT_AT_ONCE: usize = 512;

/// Minimum bound for the tracks of selected series, in bytes, however small the bound of the topics is.
const MIN_TRACK_MEMORY: usize = 64 << 20;

/// Names that are visited in one hold of the lock: some tens of microseconds.
const NAMES_AT_ONCE: usize = 1_024;

/// The hub of a running server. Clones share the same hub.
#[derive(Clone, Debug)]
pub struct HubHandle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Mutex<Hub>,
    /// Wakes the pacer when a frame is due earlier than it knew.
    sooner: Notify,
    /// For each topic with subscribers that have a task of their own: a change wakes those tasks.
    wakers: Mutex<HashMap<TopicId, watch::Sender<()>>>,
    /// The same for threads that serve many subscribers each.
    watchers: Mutex<Vec<Arc<dyn Watcher>>>,
    /// Ends every stream. A `watch`, because otherwise axum waits for open streams for ever.
    closing: watch::Sender<Option<Closing>>,
    /// Maximum number of subscribers: those that are connected are served well, rather than all of them badly.
    max_readers: usize,
    /// Bytes of frames in memory above which no more subscribers are admitted.
    max_frame_bytes: usize,
    /// Bytes of snapshots and catch-up frames that the subscribers of each address have not taken yet. Each address may
    /// hold at most half of `max_frame_bytes`.
    unread: ClientQuota,
    /// Matches the selectors of a subscriber, before the hub admits it.
    selecting: Selecting,
}

/// Receives notifications of the hub at once. The methods are called while nothing is locked, and must not block.
pub trait Watcher: std::fmt::Debug + Send + Sync {
    /// These topics have a new frame.
    fn flushed(&self, topics: &[TopicId]);
    /// All streams must end: the next step of each returns `bye`.
    fn closing(&self);
}

/// Some series with the times of their newest points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The series; removed ones are left out.
    pub series: Vec<(SeriesIndex, SeriesName, Millis)>,
    /// The index from which on there may be more.
    pub next: Option<usize>,
}

/// The order to end all streams.
#[derive(Clone, Copy, Debug)]
struct Closing {
    reason: ByeReason,
    /// Clients reconnect after a random time between 0 and this many milliseconds.
    spread_ms: u32,
}

impl HubHandle {
    /// Wraps a hub. Nothing is paced until [`HubHandle::pace`] is spawned.
    #[must_use]
    pub fn new(hub: Hub, limits: &Limits) -> Self {
        let budget = Budget { steps: limits.match_steps, series: limits.selected };
        let selecting = Selecting::new(hub.names().clone(), budget);
        let max_frame_bytes = limits.topic_memory.saturating_add(limits.topic_memory / 4);
        let most_tracks = limits.topic_memory.saturating_mul(2).max(MIN_TRACK_MEMORY);
        Self(Arc::new(Inner {
            hub: Mutex::new(hub.with_memory(limits.topic_memory, most_tracks)),
            sooner: Notify::new(),
            wakers: Mutex::new(HashMap::new()),
            watchers: Mutex::new(Vec::new()),
            closing: watch::Sender::new(None),
            max_readers: limits.readers,
            max_frame_bytes,
            unread: ClientQuota::new(max_frame_bytes / 2),
            selecting,
        }))
    }

    /// Publishes committed points. Call it in the order of their seqs, from any thread.
    pub fn publish(&self, points: &[Committed]) {
        let mut group = Group::new(points);
        while !group.is_done() {
            self.write_frames(|hub| hub.draft(&mut group, clock::now()));
        }
    }

    /// Drafts frames, encodes them without the lock, adds them to their topics and wakes the subscribers.
    fn write_frames(&self, draft: impl FnOnce(&mut Hub) -> Drafts) {
        let drafts = self.noting_due(draft);
        if !drafts.is_empty() {
            let encoded = drafts.encode();
            let flushed = self.noting_due(|hub| hub.finish(encoded));
            self.wake(&flushed);
        }
    }

    /// Runs `work` under the lock, and wakes the pacer if a frame is due earlier than before.
    fn noting_due<R>(&self, work: impl FnOnce(&mut Hub) -> R) -> R {
        let mut hub = self.0.hub.lock();
        hub.frames_are(live_bytes());
        let due = hub.due();
        let result = work(&mut hub);
        let sooner = hub.due().is_some_and(|now| due.is_none_or(|before| now < before));
        drop(hub);
        if sooner {
            self.0.sooner.notify_one();
        }
        result
    }

    /// Returns the tag of the document of a board; `None` if it has none.
    #[must_use]
    pub fn etag(&self, board: &BoardId) -> Option<Etag> {
        self.0.hub.lock().etag(board)
    }

    /// Replaces the record of a board. Call it in the order of the seqs, like [`HubHandle::publish`]; `head` is the seq
    /// of the change.
    pub fn set_board(&self, id: BoardId, record: BoardRecord, head: Seq) {
        let topics = self.0.hub.lock().set_board(id, record, head);
        self.wake(&topics);
    }

    /// Forgets a board that was deleted; see [`Boards::forget`](super::Boards::forget).
    pub fn forget_board(&self, id: &BoardId, since: Seq) {
        self.0.hub.lock().forget_board(id, since);
    }

    /// Removes a series; see [`Hub::remove`].
    pub fn remove_series(&self, series: SeriesId, at: Seq) {
        let topics = self.0.hub.lock().remove(series, at);
        self.wake(&topics);
    }

    /// Replaces the server's warnings.
    pub fn warn(&self, warnings: Vec<String>) {
        let topics = self.0.hub.lock().warn(warnings);
        if !topics.is_empty() {
            self.wake(&topics);
        }
    }

    /// Ends the streams whose leases are over. Call it after the leases ended.
    pub fn access_changed(&self) {
        let topics = self.0.hub.lock().access_changed();
        self.wake(&topics);
    }

    /// Runs all timed work, until dropped: writes frames that are due, and packs tracks that do not change.
    pub async fn pace(self) {
        tokio::join!(self.flush(), self.evict_idle());
    }

    /// Scans all series once a minute, and packs those that have not changed since the previous scan.
    async fn evict_idle(&self) {
        let mut every = tokio::time::interval(EVICT_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let mut share = self.0.hub.lock().counts().series / EVICT_STEPS + 1;
            while share > 0 {
                // A little at a time: nothing is published while the hub is locked.
                let step = share.min(EVICT_AT_ONCE);
                self.0.hub.lock().evict_idle(step);
                share -= step;
            }
        }
    }

    async fn flush(&self) {
        loop {
            let sooner = self.0.sooner.notified();
            let due = self.0.hub.lock().due();
            match due {
                None => sooner.await,
                Some(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {
                            self.write_frames(|hub| hub.draft_due(clock::now()));
                            // More frames may be due; other tasks get this thread in between.
                            tokio::task::yield_now().await;
                        }
                        () = sooner => {}
                    }
                }
            }
        }
    }

    /// Matches selectors against the names of all series.
    #[must_use]
    pub fn selecting(&self) -> &Selecting {
        &self.0.selecting
    }

    /// Admits a subscriber. `found` holds the series that its selection matches, if the caller has matched it.
    ///
    /// # Errors
    /// [`SubscribeError`]. Connected subscribers are never disconnected for a new one.
    pub fn subscribe(
        &self,
        subscription: &Subscription,
        found: Option<&Match>,
        resume: &Resume,
        LimitedClient(client): LimitedClient,
    ) -> Result<Subscriber, SubscribeError> {
        let mut hub = self.0.hub.lock();
        if hub.readers() >= self.0.max_readers {
            return Err(SubscribeError::Full { readers: self.0.max_readers, retry_after: self.retry_after() });
        }
        // Topics keep within their own bound; frames beyond it wait for sockets that do not take them.
        if self.has_too_much_unread(client) {
            return Err(SubscribeError::Refused(Refused::NoRoom));
        }
        let (topic, reader) = hub.admit(subscription, found, resume, clock::now()).map_err(SubscribeError::Refused)?;
        drop(hub);
        Ok(Subscriber { hub: self.clone(), topic, reader, client, slot: None })
    }

    /// Returns true if the waiting frames exceed a bound: of all subscribers, or of this client.
    fn has_too_much_unread(&self, client: Option<Client>) -> bool {
        live_bytes() > self.0.max_frame_bytes || client.is_some_and(|client| self.0.unread.is_over(client))
    }

    /// Returns the seconds after which a rejected client may try again: a random number, so that not all try at once.
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        1 + draw_below(RETRY_SPREAD_SECONDS)
    }

    /// Returns the series that must be rehydrated before `board` selects `selectors`; empty where it has no
    /// subscribers.
    #[must_use]
    pub fn warm_series(&self, board: &BoardId, selectors: &[Selector]) -> Vec<WarmSeries> {
        self.0.hub.lock().warm_series(board, selectors)
    }

    /// Returns true if the whole track of a series is in memory.
    #[must_use]
    pub fn is_hot(&self, series: SeriesId) -> bool {
        self.0.hub.lock().is_hot(series)
    }

    /// Returns true if further tracks may be rehydrated for a subscriber.
    #[must_use]
    pub fn has_room_for_tracks(&self) -> bool {
        self.0.hub.lock().has_room_for_tracks()
    }

    /// Rehydrates the track of a series from the store; see [`Hub::rehydrate`].
    pub fn rehydrate(&self, series: SeriesId, track: Option<Track>) {
        self.0.hub.lock().rehydrate(series, track);
    }

    /// Ends every stream with a `bye`, including streams that are opened later.
    pub fn close(&self, reason: ByeReason, spread_ms: u32) {
        self.0.closing.send_replace(Some(Closing { reason, spread_ms }));
        for watcher in self.0.watchers.lock().iter() {
            watcher.closing();
        }
    }

    /// Adds a watcher, which is notified from now on.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.0.watchers.lock().push(watcher);
    }

    /// Steps many subscriptions under one lock, with the same time for all.
    pub fn stepping<R>(&self, steps: impl FnOnce(&mut Stepping<'_>) -> R) -> R {
        let closing = *self.0.closing.borrow();
        let mut hub = self.0.hub.lock();
        hub.frames_are(live_bytes());
        let looked_at = hub.looked_at();
        steps(&mut Stepping { handle: self, hub: &mut hub, closing, looked_at, now: clock::now() })
    }

    /// Returns the hub's counters.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.hub.lock().counts()
    }

    /// Calls `look` for the name of every series, in no particular order, some names in one hold of the lock.
    pub fn each_name(&self, mut look: impl FnMut(SeriesIndex, &SeriesName)) {
        let mut next = Some(0);
        while let Some(from) = next {
            next = self.some_names(from, &mut look);
        }
    }

    /// Calls `look` for the names of at most [`NAMES_AT_ONCE`] series from the index `from` on. Returns the index from
    /// which on there may be more.
    fn some_names(&self, from: usize, look: &mut impl FnMut(SeriesIndex, &SeriesName)) -> Option<usize> {
        let hub = self.0.hub.lock();
        let mut seen = 0;
        for (index, name) in hub.names_from(from).take(NAMES_AT_ONCE) {
            seen += 1;
            if let Some(name) = name {
                look(index, name);
            }
        }
        // A thread that waits gets the lock. It would seldom get it otherwise, since this one locks it again at once.
        MutexGuard::unlock_fair(hub);
        (seen == NAMES_AT_ONCE).then_some(from + seen)
    }

    /// Returns the indexes, the names and the times of the newest points of at most `most` series from the index `from` on. The hub is
    /// locked meanwhile, so ask for few. A point that is ahead of `now` is not the newest yet.
    #[must_use]
    pub fn newest_from(&self, from: usize, most: usize, now: Millis) -> Newest {
        let hub = self.0.hub.lock();
        let mut seen = 0;
        let some = hub.names_from(from).take(most).inspect(|_| seen += 1);
        let newest = some.filter_map(|(index, _)| Some((index, hub.newest(index)?)));
        let series = newest.map(|(index, (name, _, track))| (index, name.clone(), track.newest_at(now).0.ts)).collect();
        Newest { series, next: (seen == most).then_some(from + most) }
    }

    /// Calls `look` for each of these series, with its name, its declared properties and at least its newest entry.
    /// Skips removed series. The hub is locked meanwhile, so pass few.
    pub fn each_newest(&self, series: &[SeriesIndex], mut look: impl FnMut(&SeriesName, Option<Declared>, &Track)) {
        let hub = self.0.hub.lock();
        for &index in series {
            if let Some((name, declared, track)) = hub.newest(index) {
                look(name, declared, &track);
            }
        }
    }

    /// Returns the declared metric type of a series and a copy of its track; `None` if it was removed. Subscribe to it first,
    /// so that the whole track is in memory.
    #[must_use]
    pub fn track(&self, index: SeriesIndex) -> Option<(Option<Declared>, Track)> {
        let hub = self.0.hub.lock();
        hub.track(index).map(|(declared, track)| (declared, track.into_owned()))
    }

    fn waker(&self, topic: TopicId) -> watch::Receiver<()> {
        self.0.wakers.lock().entry(topic).or_default().subscribe()
    }

    fn wake(&self, topics: &[TopicId]) {
        if topics.is_empty() {
            return;
        }
        for watcher in self.0.watchers.lock().iter() {
            watcher.flushed(topics);
        }
        let wakers = self.0.wakers.lock();
        for waker in topics.iter().filter_map(|topic| wakers.get(topic)) {
            waker.send_replace(());
        }
    }
}

/// The locked hub, for stepping subscribers.
pub struct Stepping<'a> {
    handle: &'a HubHandle,
    hub: &'a mut Hub,
    closing: Option<Closing>,
    /// [`Hub::looked_at`] when the hub was locked.
    looked_at: usize,
    now: Now,
}

impl Stepping<'_> {
    /// Returns the next step of the subscriber. It may be in another topic afterwards, if one of its boards changed.
    pub fn step(&mut self, subscriber: &mut Subscriber) -> Step {
        let client = subscriber.client;
        let is_catching_up = subscriber.reader.is_catching_up();
        if let Some(Closing { reason, spread_ms }) = self.closing {
            subscriber.reader.leave(reason, draw_below(spread_ms));
        } else if is_catching_up && self.handle.has_too_much_unread(client) {
            // Too many frames wait for sockets that do not take them.
            subscriber.reader.leave(ByeReason::Moved, draw_below(RETRY_SPREAD_SECONDS * 1_000));
        }
        let step = self.hub.next(&mut subscriber.topic, &mut subscriber.reader, self.now);
        if let (Step::Send(frame), Some(client), true) = (&step, client, is_catching_up) {
            frame.charge(|size| self.handle.0.unread.take(client, size));
        }
        step
    }

    /// Returns true if the next step collects tracks for a frame that no other subscriber has received.
    #[must_use]
    pub fn is_costly(&self, subscriber: &Subscriber) -> bool {
        self.hub.is_costly(subscriber.topic, &subscriber.reader)
    }

    /// Number of series that were visited for snapshots and returning subscribers since the hub was locked.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.hub.looked_at() - self.looked_at
    }
}

/// Reason why a subscriber cannot be admitted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// The maximum number of subscribers is reached.
    Full {
        /// The number of subscribers.
        readers: usize,
        /// Seconds after which to try again; a random number, so that not all try at once.
        retry_after: u32,
    },
    /// The hub refused the subscriber, now or at all.
    Refused(Refused),
}

/// The subscriber of one client at the hub; ended when dropped.
#[derive(Debug)]
pub struct Subscriber {
    hub: HubHandle,
    topic: TopicId,
    reader: Reader,
    /// The client, if bounds for each address apply to it.
    client: Option<Client>,
    /// Its slot among the streams of its client.
    slot: Option<ClientSlot>,
}

impl Subscriber {
    /// Keeps `slot` until the subscriber ends.
    pub fn hold(&mut self, slot: Option<ClientSlot>) {
        self.slot = slot;
    }

    /// Its present topic.
    #[must_use]
    pub fn topic(&self) -> TopicId {
        self.topic
    }

    /// Turns it into a [`Listener`], which one task awaits.
    #[must_use]
    pub fn listen(self) -> Listener {
        let wake = self.hub.waker(self.topic);
        Listener { wake, closing: self.hub.0.closing.subscribe(), subscriber: self }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.0.hub.lock().unsubscribe(self.topic, &self.reader);
    }
}

/// A subscriber with wake-ups of its own, for a single task.
#[derive(Debug)]
pub struct Listener {
    subscriber: Subscriber,
    wake: watch::Receiver<()>,
    closing: watch::Receiver<Option<Closing>>,
}

impl Listener {
    /// Waits for the next frame to write; `None` when the stream must be closed.
    ///
    /// The caller asks only when the socket has taken the previous frame. So nothing queues up for a slow subscriber:
    /// it continues with the newest state.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            // Marked before the step, so that a frame that comes right after it wakes this task again.
            self.wake.mark_unchanged();
            self.closing.mark_unchanged();
            let before = self.subscriber.topic;
            let subscriber = &mut self.subscriber;
            let hub = subscriber.hub.clone();
            let step = hub.stepping(|hub| hub.step(subscriber));
            let moved = self.subscriber.topic != before;
            if moved {
                self.leave_waker(before);
                self.wake = hub.waker(self.subscriber.topic);
            }
            match step {
                Step::Send(frame) => return Some(frame),
                Step::End => return None,
                // A frame of the new topic may have passed before the waker was there.
                Step::Wait(_) if moved => {}
                Step::Wait(until) => {
                    tokio::select! {
                        _ = self.wake.changed() => {}
                        _ = self.closing.changed() => {}
                        () = sleep_until(until) => {}
                    }
                }
            }
        }
    }

    /// Gives up the waker of a topic that this listener no longer reads, and removes it if no other listener uses it.
    fn leave_waker(&mut self, topic: TopicId) {
        let mut wakers = self.subscriber.hub.0.wakers.lock();
        // Dropped under the lock: of two listeners that leave at once, the second sees that it is the last.
        self.wake = watch::channel(()).1;
        if wakers.get(&topic).is_some_and(|waker| waker.receiver_count() == 0) {
            wakers.remove(&topic);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.leave_waker(self.subscriber.topic);
    }
}

async fn sleep_until(due: Uptime) {
    let wait = due.0.saturating_sub(clock::now().up.0);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}

/// Returns a random number from 0 to below `bound`. Without a random source, half of `bound`: the spread is only a
/// courtesy.
fn draw_below(bound: u32) -> u32 {
    getrandom::u32().map_or(bound / 2, |random| random % bound.max(1))
}

#[cfg(test)]
mod tests;
