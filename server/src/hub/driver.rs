//! The hub with a clock, a lock and wake-ups: what the rest of the program holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use shared::{BoardId, ByeReason, Declared, Selector, Seq, SeriesName, Track};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use super::frame::{Frame, live_bytes};
use super::publishing::{Drafts, Group};
use super::selecting::Selecting;
use super::topic::TopicId;
use super::{Counts, Hub, Interest, Lacking, Match, Reader, Refused, Resume, Shown, Step};
use crate::clock::{self, Now, Uptime};
use crate::limits::Limits;
use crate::names::Budget;
use crate::places::{Bounded, Client, Holdings, Place};
use crate::rollup::SeriesIndex;
use crate::store::SeriesId;
use crate::store::commit::Committed;

/// Readers that are sent away come back within so many seconds, each at a time of its own.
const RETRY_SPREAD_SECONDS: u32 = 10;

/// How often some series are looked at, whether they rest.
const REST_EVERY: Duration = Duration::from_secs(1);

/// In how many such steps all of them are.
const REST_STEPS: usize = 60;

/// How many are looked at under one lock: a millisecond or two.
const REST_AT_ONCE: usize = 512;

/// Bytes that the tracks of selected series may take at least, however little memory the topics may have.
const LEAST_TRACK_MEMORY: usize = 64 << 20;

/// Names that are visited in one hold of the lock: some tens of microseconds.
const NAMES_AT_ONCE: usize = 1_024;

/// The hub of a running server. Clones are the same one.
#[derive(Clone, Debug)]
pub struct HubHandle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Mutex<Hub>,
    /// Wakes the pacer: something is due earlier than it knew.
    sooner: Notify,
    /// For each topic that has readers with a task of their own: a change means that they should ask again.
    wakers: Mutex<HashMap<TopicId, watch::Sender<()>>>,
    /// The same for those that walk many readers.
    watchers: Mutex<Vec<Arc<dyn Watcher>>>,
    /// Says to every stream that it is to end. A `watch`, because axum waits for open streams for ever otherwise.
    closing: watch::Sender<Option<Closing>>,
    /// Most readers at once: those that are there are served well rather than all of them badly.
    max_readers: usize,
    /// Bytes of frames in memory above which no more readers are admitted.
    max_frame_bytes: usize,
    /// Bytes of snapshots and the like that readers of each address have not taken yet; at most half of that for each.
    unread: Holdings,
    /// Matches the selectors of a reader, before the hub admits it.
    selecting: Selecting,
}

/// Who wants to know what the hub has to say, on the spot. Called with nothing locked; must not block.
pub trait Watcher: std::fmt::Debug + Send + Sync {
    /// These topics have something new.
    fn flushed(&self, topics: &[TopicId]);
    /// All streams are to end: their next step says so.
    fn closing(&self);
}

/// The streams are to end.
#[derive(Clone, Copy, Debug)]
struct Closing {
    reason: ByeReason,
    /// Readers come back at some time between 0 and this many milliseconds, each at its own.
    spread_ms: u32,
}

impl HubHandle {
    /// The hub, with nobody to pace it yet: spawn [`HubHandle::pace`].
    #[must_use]
    pub fn new(hub: Hub, limits: &Limits) -> Self {
        let budget = Budget { steps: limits.match_steps, series: limits.selected };
        let selecting = Selecting::new(hub.names().clone(), budget);
        let max_frame_bytes = limits.topic_memory.saturating_add(limits.topic_memory / 4);
        let most_tracks = limits.topic_memory.saturating_mul(2).max(LEAST_TRACK_MEMORY);
        Self(Arc::new(Inner {
            hub: Mutex::new(hub.with_memory(limits.topic_memory, most_tracks)),
            sooner: Notify::new(),
            wakers: Mutex::new(HashMap::new()),
            watchers: Mutex::new(Vec::new()),
            closing: watch::Sender::new(None),
            max_readers: limits.readers,
            max_frame_bytes,
            unread: Holdings::new(max_frame_bytes / 2),
            selecting,
        }))
    }

    /// Takes in committed points. To be called in the order of their numbers, from any thread.
    pub fn publish(&self, points: Vec<Committed>) {
        let mut group = Group::new(points);
        while !group.is_done() {
            self.write_frames(|hub| hub.draft(&mut group, clock::now()));
        }
    }

    /// Encodes the frames that `draft` returns without the lock, adds them to their topics and wakes the readers.
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
        let due = hub.due();
        let result = work(&mut hub);
        let sooner = hub.due().is_some_and(|now| due.is_none_or(|before| now < before));
        drop(hub);
        if sooner {
            self.0.sooner.notify_one();
        }
        result
    }

    /// From now on the board is this. To be called in the order of the numbers, as [`HubHandle::publish`] is; `head` is that of
    /// the change.
    pub fn set_board(&self, id: BoardId, shown: Shown, head: Seq) {
        let topics = self.0.hub.lock().set_board(id, shown, head);
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

    /// Does what time brings, until dropped: writes frames that are due, and packs what does not change.
    pub async fn pace(self) {
        tokio::join!(self.flush(), self.rest());
    }

    /// Looks at all series in a minute; one that has not changed in the minute before is packed.
    async fn rest(&self) {
        let mut every = tokio::time::interval(REST_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let mut share = self.0.hub.lock().counts().series / REST_STEPS + 1;
            while share > 0 {
                // A little at a time: nothing is published meanwhile.
                let step = share.min(REST_AT_ONCE);
                self.0.hub.lock().rest(step);
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
                            // More may be due; other tasks get this thread in between.
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

    /// Admits a reader. `found` holds the series that its selection matches, if the caller has matched it.
    ///
    /// # Errors
    /// [`NotNow`]. Readers that are there are never sent away for a new one.
    pub fn subscribe(
        &self,
        interest: &Interest,
        found: Option<&Match>,
        resume: &Resume,
        Bounded(client): Bounded,
    ) -> Result<Subscription, NotNow> {
        let mut hub = self.0.hub.lock();
        if hub.readers() >= self.0.max_readers {
            return Err(NotNow::Full { readers: self.0.max_readers, retry_after: self.retry_after() });
        }
        // Topics keep within their own bound; frames beyond it wait for sockets that do not take them.
        if self.has_too_much_unread(client) {
            return Err(NotNow::Refused(Refused::NoRoom));
        }
        let (topic, reader) = hub.admit(interest, found, resume, clock::now()).map_err(NotNow::Refused)?;
        drop(hub);
        Ok(Subscription { hub: self.clone(), topic, reader, client, place: None })
    }

    /// Tells whether frames wait that exceed a bound, of all readers or of this client's.
    fn has_too_much_unread(&self, client: Option<Client>) -> bool {
        live_bytes() > self.0.max_frame_bytes || client.is_some_and(|client| self.0.unread.is_over(client))
    }

    /// After how many seconds one that is sent away may try again: drawn by chance, so that not all try at once.
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        1 + draw_below(RETRY_SPREAD_SECONDS)
    }

    /// What readers of a board would lack that selects these from now on; nothing where it has no readers.
    #[must_use]
    pub fn lacking(&self, board: &BoardId, selectors: &[Selector]) -> Lacking {
        self.0.hub.lock().lacking(board, selectors)
    }

    /// Whether all of a series' track is in memory.
    #[must_use]
    pub fn is_whole(&self, series: SeriesId) -> bool {
        self.0.hub.lock().is_whole(series)
    }

    /// Tells whether further tracks may be recalled for a reader.
    #[must_use]
    pub fn has_room_for_tracks(&self) -> bool {
        self.0.hub.lock().has_room_for_tracks()
    }

    /// Puts in the track of a series as the store has it; see [`Hub::recall`].
    pub fn recall(&self, series: SeriesId, track: Option<Track>) {
        self.0.hub.lock().recall(series, track);
    }

    /// Ends every stream, those to come included, with a `bye`.
    pub fn close(&self, reason: ByeReason, spread_ms: u32) {
        self.0.closing.send_replace(Some(Closing { reason, spread_ms }));
        for watcher in self.0.watchers.lock().iter() {
            watcher.closing();
        }
    }

    /// From now on `watcher` hears what is new.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.0.watchers.lock().push(watcher);
    }

    /// Lets many subscriptions be stepped under one lock, all at the same time.
    pub fn stepping<R>(&self, steps: impl FnOnce(&mut Stepping<'_>) -> R) -> R {
        let closing = *self.0.closing.borrow();
        let mut hub = self.0.hub.lock();
        let looked_at = hub.looked_at();
        steps(&mut Stepping { handle: self, hub: &mut hub, closing, looked_at, now: clock::now() })
    }

    /// How much of everything there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.hub.lock().counts()
    }

    /// Calls `look` for the name of every series, in no particular order. Releases the lock every `NAMES_AT_ONCE`
    /// names.
    pub fn each_name(&self, mut look: impl FnMut(SeriesIndex, &SeriesName)) {
        let mut from = 0;
        loop {
            let hub = self.0.hub.lock();
            let some = hub.names_from(from).take(NAMES_AT_ONCE);
            let mut seen = 0;
            for (index, name) in some {
                seen += 1;
                if let Some(name) = name {
                    look(index, name);
                }
            }
            if seen < NAMES_AT_ONCE {
                return;
            }
            from += seen;
        }
    }

    /// Calls `look` for each of these series, with its name, its declared properties and at least its newest entry; not for
    /// those that were removed. The hub is locked meanwhile, so pass few.
    pub fn each_newest(&self, series: &[SeriesIndex], mut look: impl FnMut(&SeriesName, Option<Declared>, &Track)) {
        let hub = self.0.hub.lock();
        for &index in series {
            if let Some((name, declared, track)) = hub.newest(index) {
                look(name, declared, &track);
            }
        }
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

/// The hub while it is locked, to step readers.
pub struct Stepping<'a> {
    handle: &'a HubHandle,
    hub: &'a mut Hub,
    closing: Option<Closing>,
    /// [`Hub::looked_at`] when the hub was locked.
    looked_at: usize,
    now: Now,
}

impl Stepping<'_> {
    /// What the reader of `subscription` has to do now. It may be in another topic afterwards, where a board of it
    /// changed.
    pub fn step(&mut self, subscription: &mut Subscription) -> Step {
        let client = subscription.client;
        let is_catching_up = subscription.reader.is_catching_up();
        if let Some(Closing { reason, spread_ms }) = self.closing {
            subscription.reader.leave(reason, draw_below(spread_ms));
        } else if is_catching_up && self.handle.has_too_much_unread(client) {
            // Too many frames wait for sockets that do not take them.
            subscription.reader.leave(ByeReason::Moved, draw_below(RETRY_SPREAD_SECONDS * 1_000));
        }
        let step = self.hub.next(&mut subscription.topic, &mut subscription.reader, self.now);
        if let (Step::Send(frame), Some(client), true) = (&step, client, is_catching_up) {
            frame.charge(|size| self.handle.0.unread.take(client, size));
        }
        step
    }

    /// Tells whether the next step collects tracks for a frame that no other reader has had.
    #[must_use]
    pub fn is_costly(&self, subscription: &Subscription) -> bool {
        self.hub.is_costly(subscription.topic, &subscription.reader)
    }

    /// Series that were looked at for snapshots and for returning readers since the hub was locked.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.hub.looked_at() - self.looked_at
    }
}

/// Why a reader cannot be taken in now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// There are as many readers as may be.
    Full {
        /// How many there are.
        readers: usize,
        /// After how many seconds to try again; drawn by chance, so that not all try at once.
        retry_after: u32,
    },
    /// The hub refused the reader, now or at all.
    Refused(Refused),
}

/// A reader's place at the hub; given up when dropped.
#[derive(Debug)]
pub struct Subscription {
    hub: HubHandle,
    topic: TopicId,
    reader: Reader,
    /// The client, if bounds for each address apply to it.
    client: Option<Client>,
    /// Its place among the streams of its client.
    place: Option<Place>,
}

impl Subscription {
    /// Keeps `place` until the subscription ends.
    pub fn hold(&mut self, place: Option<Place>) {
        self.place = place;
    }

    /// What it reads.
    #[must_use]
    pub fn topic(&self) -> TopicId {
        self.topic
    }

    /// The frames as they come, for a task of its own.
    #[must_use]
    pub fn listen(self) -> Listener {
        let wake = self.hub.waker(self.topic);
        Listener { wake, closing: self.hub.0.closing.subscribe(), subscription: self }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.0.hub.lock().unsubscribe(self.topic, &self.reader);
    }
}

/// A subscription that is woken by itself.
#[derive(Debug)]
pub struct Listener {
    subscription: Subscription,
    wake: watch::Receiver<()>,
    closing: watch::Receiver<Option<Closing>>,
}

impl Listener {
    /// What to write next, once there is something; nothing when the stream is to be closed.
    ///
    /// It is asked only when the socket has taken what came before. So nothing queues up for a reader that is slow:
    /// it goes on with what is newest then.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            // Seen before asking, so that a frame that comes right after wakes this again.
            self.wake.mark_unchanged();
            self.closing.mark_unchanged();
            let before = self.subscription.topic;
            let subscription = &mut self.subscription;
            let hub = subscription.hub.clone();
            let step = hub.stepping(|hub| hub.step(subscription));
            let moved = self.subscription.topic != before;
            if moved {
                self.forget_waker(before);
                self.wake = hub.waker(self.subscription.topic);
            }
            match step {
                Step::Send(frame) => return Some(frame),
                Step::End => return None,
                // A frame of the new topic may have gone by before its waker was there.
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

    /// This one reads `topic` no longer: where nobody else does, its waker goes.
    fn forget_waker(&self, topic: TopicId) {
        let mut wakers = self.subscription.hub.0.wakers.lock();
        // This one is still counted.
        if wakers.get(&topic).is_some_and(|waker| waker.receiver_count() <= 1) {
            wakers.remove(&topic);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.forget_waker(self.subscription.topic);
    }
}

async fn sleep_until(due: Uptime) {
    let wait = due.0.saturating_sub(clock::now().up.0);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}

/// A number from 0 to below `bound`. Where there is no source of chance, half of it: a spread is a courtesy.
fn draw_below(bound: u32) -> u32 {
    getrandom::u32().map_or(bound / 2, |random| random % bound.max(1))
}
