//! The hub with a clock, a lock and wake-ups: what the rest of the program holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use shared::{ByeReason, SeriesName, Track};
use tokio::sync::{Notify, watch};

use super::topic::TopicId;
use super::{Counts, Hub, Reader, Resume, Selection, Step};
use crate::clock::{self, Uptime};
use crate::store::commit::Committed;

/// Readers that are sent away come back within so many seconds, each at a time of its own.
const RETRY_SPREAD_SECONDS: u32 = 10;

/// The hub of a running server. Clones are the same one.
#[derive(Clone, Debug)]
pub struct HubHandle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Wakes the pacer: something is due that was not before.
    changed: Notify,
    /// Says to every stream that it is to end. A `watch`, because axum waits for open streams for ever otherwise.
    closing: watch::Sender<Option<Closing>>,
    /// Most readers at once: those that are there are served well rather than all of them badly.
    max_readers: usize,
}

#[derive(Debug)]
struct State {
    hub: Hub,
    /// One for each topic: a change means that its readers should ask again.
    wakers: HashMap<TopicId, watch::Sender<()>>,
}

impl State {
    fn wake(&self, topics: &[TopicId]) {
        for topic in topics {
            if let Some(waker) = self.wakers.get(topic) {
                waker.send_replace(());
            }
        }
    }
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
    pub fn new(hub: Hub, max_readers: usize) -> Self {
        let state = Mutex::new(State { hub, wakers: HashMap::new() });
        Self(Arc::new(Inner { state, changed: Notify::new(), closing: watch::Sender::new(None), max_readers }))
    }

    /// Takes in committed points. To be called in the order of their numbers, from any thread.
    pub fn publish(&self, points: Vec<Committed>) {
        let mut state = self.0.state.lock();
        let flushed = state.hub.publish(points, clock::now());
        state.wake(&flushed);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Writes frames when their time comes, until dropped.
    pub async fn pace(self) {
        loop {
            let due = self.0.state.lock().hub.due();
            let changed = self.0.changed.notified();
            match due {
                None => changed.await,
                Some(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {
                            let mut state = self.0.state.lock();
                            let flushed = state.hub.tick(clock::now());
                            state.wake(&flushed);
                        }
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// Starts to read.
    ///
    /// # Errors
    /// [`Full`] where there are as many readers as may be. Those that are there are never sent away for a new one.
    pub fn subscribe(&self, selection: Selection, resume: Resume) -> Result<Subscription, Full> {
        let mut state = self.0.state.lock();
        if state.hub.readers() >= self.0.max_readers {
            return Err(Full { readers: self.0.max_readers, retry_after: 1 + draw_below(RETRY_SPREAD_SECONDS) });
        }
        let (topic, reader) = state.hub.subscribe(selection, resume, clock::now());
        let wake = state.wakers.entry(topic).or_insert_with(|| watch::Sender::new(())).subscribe();
        drop(state);
        Ok(Subscription { hub: self.clone(), topic, reader, wake, closing: self.0.closing.subscribe() })
    }

    /// Ends every stream, those to come included, with a `bye`.
    pub fn close(&self, reason: ByeReason, spread_ms: u32) {
        self.0.closing.send_replace(Some(Closing { reason, spread_ms }));
    }

    /// How much of everything there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.state.lock().hub.counts()
    }

    /// Looks at every series, in no particular order. Nothing is published meanwhile, so be quick.
    pub fn each_series(&self, mut look: impl FnMut(&SeriesName, &Track)) {
        self.0.state.lock().hub.series().for_each(|(name, track)| look(name, track));
    }
}

/// There are as many readers as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many there are.
    pub readers: usize,
    /// After how many seconds to try again; drawn by chance, so that not all try at once.
    pub retry_after: u32,
}

/// A reader's place at the hub; given up when dropped.
#[derive(Debug)]
pub struct Subscription {
    hub: HubHandle,
    topic: TopicId,
    reader: Reader,
    wake: watch::Receiver<()>,
    closing: watch::Receiver<Option<Closing>>,
}

impl Subscription {
    /// What to write next, once there is something; nothing when the stream is to be closed.
    ///
    /// It is asked only when the socket has taken what came before. So nothing queues up for a reader that is slow:
    /// it goes on with what is newest then.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let closing = *self.closing.borrow_and_update();
            if let Some(Closing { reason, spread_ms }) = closing {
                self.reader.leave(reason, u64::from(draw_below(spread_ms)));
            }
            // Seen before asking, so that a frame that comes right after wakes this again.
            self.wake.mark_unchanged();
            let step = self.hub.0.state.lock().hub.next(self.topic, &mut self.reader, clock::now());
            match step {
                Step::Send(bytes) => return Some(bytes),
                Step::End => return None,
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
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.0.state.lock();
        state.hub.unsubscribe(self.topic);
        // Counted under the same lock, so nobody else subscribes in between.
        if state.hub.is_gone(self.topic) {
            state.wakers.remove(&self.topic);
        }
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
