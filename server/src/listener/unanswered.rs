//! Connections whose first request is not answered yet. If there is no place for a new connection, one of them gives
//! way, so that connections that never finish a request do not shut others out.
//!
//! The oldest connection of the client that has most of them gives way. So a client that opens many makes room with its
//! own, and a client that sends its request at once is served, however many silent connections there are.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::limits::client::Client;

/// Maximum wait for the end of a connection that gives way. It usually takes microseconds.
const GIVES_WAY_WITHIN: Duration = Duration::from_millis(50);

/// All unanswered connections. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The number of the next connection.
    next: u64,
    /// Connections by number, so the oldest first. The task is `None` until it is started.
    by_client: HashMap<Client, BTreeMap<u64, Option<JoinHandle<()>>>>,
}

/// A connection, as long as its first request is not answered.
#[derive(Debug)]
pub(super) struct Waiting {
    all: Unanswered,
    client: Client,
    number: u64,
    is_answered: AtomicBool,
}

impl Unanswered {
    /// Adds a connection of a client.
    pub(super) fn begin(&self, client: Client) -> Arc<Waiting> {
        let mut state = self.0.lock();
        let number = state.next;
        state.next += 1;
        state.by_client.entry(client).or_default().insert(number, None);
        Arc::new(Waiting { all: self.clone(), client, number, is_answered: AtomicBool::new(false) })
    }

    /// Sets the task that serves the connection, unless it was answered or has ended.
    pub(super) fn started(&self, client: Client, number: u64, task: JoinHandle<()>) {
        let mut state = self.0.lock();
        if let Some(waiting) = state.by_client.get_mut(&client).and_then(|own| own.get_mut(&number)) {
            *waiting = Some(task);
        }
    }

    /// Ends a connection, of this client or of any. Returns true if one has ended, so that its slot is free.
    pub(super) async fn make_room(&self, of: Option<Client>) -> bool {
        let Some(task) = self.take_oldest(of) else { return false };
        task.abort();
        timeout(GIVES_WAY_WITHIN, task).await.is_ok()
    }

    fn take_oldest(&self, of: Option<Client>) -> Option<JoinHandle<()>> {
        let mut state = self.0.lock();
        let most = || state.by_client.iter().max_by_key(|(_, own)| own.len()).map(|(&client, _)| client);
        let client = of.or_else(most)?;
        let own = state.by_client.get_mut(&client)?;
        // Only the newest one may not be started yet.
        let (number, task) = own.pop_first()?;
        if task.is_none() {
            own.insert(number, None);
        }
        if own.is_empty() {
            state.by_client.remove(&client);
        }
        task
    }
}

impl Waiting {
    /// The number of the connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Marks the first request as answered: the connection does not give way any more.
    fn answered(&self) {
        if self.is_answered.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut state = self.all.0.lock();
        if let Some(own) = state.by_client.get_mut(&self.client) {
            own.remove(&self.number);
            if own.is_empty() {
                state.by_client.remove(&self.client);
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.answered();
    }
}

pin_project! {
    /// The answer to a request, after which its connection is no longer unanswered.
    #[derive(Debug)]
    pub(super) struct Answer<F> {
        #[pin]
        answer: F,
        waiting: Option<Arc<Waiting>>,
    }
}

impl<F> Answer<F> {
    /// Marks the connection of `waiting` once `answer` is ready.
    pub(super) fn new(answer: F, waiting: Option<Arc<Waiting>>) -> Self {
        Self { answer, waiting }
    }
}

impl<F: Future> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = this.answer.poll(context);
        if answer.is_ready()
            && let Some(waiting) = this.waiting.take()
        {
            waiting.answered();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(last: u8) -> Client {
        Client::at(IpAddr::from([10, 0, 0, last]))
    }

    /// Makes a connection that holds its slot until it is ended.
    fn connect(all: &Unanswered, of: u8, ended: &Arc<Mutex<Vec<u64>>>) -> Arc<Waiting> {
        struct Place(u64, Arc<Mutex<Vec<u64>>>);
        impl Drop for Place {
            fn drop(&mut self) {
                self.1.lock().push(self.0);
            }
        }
        let waiting = all.begin(client(of));
        let place = Place(waiting.number(), ended.clone());
        let task = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(place);
        });
        all.started(client(of), waiting.number(), task);
        waiting
    }

    #[tokio::test]
    async fn oldest_connection_of_the_client_with_most_gives_way() {
        let (all, ended) = (Unanswered::default(), Arc::default());
        let held: Vec<_> = [1, 2, 2, 3, 2, 1].map(|of| connect(&all, of, &ended)).into();
        assert!(all.make_room(None).await && all.make_room(Some(client(3))).await);
        assert_eq!(*ended.lock(), [1, 3], "its slot is free at once");
        held[2].answered();
        assert!(all.make_room(None).await);
        assert_eq!(ended.lock()[2..], [0], "client 1 has two, and client 2 only one that is not answered");
        assert!(!all.make_room(Some(client(3))).await, "it has none");
        assert!(all.make_room(None).await && all.make_room(None).await && !all.make_room(None).await);
        drop(held);
        assert!(all.0.lock().by_client.is_empty());
    }

    #[tokio::test]
    async fn connection_does_not_give_way_after_its_first_answer() {
        let all = Unanswered::default();
        let (first, second) = (all.begin(client(1)), all.begin(client(1)));
        Answer::new(std::future::ready(()), Some(first.clone())).await;
        drop(second);
        assert!(all.0.lock().by_client.is_empty());
        all.started(client(1), first.number(), tokio::spawn(std::future::pending()));
        assert!(!all.make_room(None).await);
    }
}
