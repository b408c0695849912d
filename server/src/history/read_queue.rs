//! Limits the number of answers in progress, and the number that are read from the disk at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{HistoryError, Of};
use crate::limits::client::{ClientSlot, ClientSlots, LimitedClient};

/// Number of answers that are read at once; the others wait for a permit. Each takes a thread and a connection to the
/// database.
const READ_AT_ONCE: usize = 4;

/// The slots for answers, and the permits to read.
#[derive(Clone, Debug)]
pub struct ReadQueue {
    most: usize,
    slots: Arc<Semaphore>,
    /// Slots of each address, half of all.
    by_client: ClientSlots,
    permits: Arc<Semaphore>,
}

/// A slot among the answers in progress, from the request to the last byte; released when dropped.
#[derive(Debug)]
pub struct AnswerSlot {
    _permit: OwnedSemaphorePermit,
    _own: Option<ClientSlot>,
}

/// A permit to read. The work owns it, so it is released when the work ends, even if the request ended earlier.
#[derive(Debug)]
pub struct ReadPermit {
    _permit: OwnedSemaphorePermit,
}

/// The numbers of answers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Answers in progress.
    pub open: usize,
    /// Answers that are being read from the disk.
    pub reading: usize,
}

impl ReadQueue {
    /// Creates slots for `most` answers at a time.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let by_client = ClientSlots::new(usize::MAX, most.div_ceil(2));
        Self { most, slots: Arc::new(Semaphore::new(most)), by_client, permits: Arc::new(Semaphore::new(READ_AT_ONCE)) }
    }

    /// Takes a slot for a client.
    ///
    /// # Errors
    /// [`HistoryError::Full`] if all are taken, or half of them by this client.
    pub fn open(&self, LimitedClient(client): LimitedClient) -> Result<AnswerSlot, HistoryError> {
        let full = |most, of| HistoryError::Full { most, of };
        let own = client.map(|client| self.by_client.take(client)).transpose();
        let own = own.map_err(|_| full(self.by_client.most_per_client(), Of::Client))?;
        let permit = self.slots.clone().try_acquire_owned().map_err(|_| full(self.most, Of::All))?;
        Ok(AnswerSlot { _permit: permit, _own: own })
    }

    /// Waits for a permit to read. Permits are given in the order of the requests.
    pub async fn next(&self) -> ReadPermit {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        ReadPermit { _permit: permit }
    }

    /// Returns the number of answers in progress, and the number of them that are being read.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            open: self.most - self.slots.available_permits(),
            reading: READ_AT_ONCE - self.permits.available_permits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;
    use crate::limits::client::Client;

    #[tokio::test]
    async fn slots_and_permits_are_bounded_and_released() {
        let queue = ReadQueue::new(2);
        let open = || queue.open(LimitedClient::default());
        let slots = [open().unwrap(), open().unwrap()];
        let refused = open().unwrap_err();
        assert_eq!(refused.limit(), Some(Limit::History));
        assert!(refused.to_string().contains("--max-history"), "{refused}");
        let mut held = Vec::new();
        for _ in 0..READ_AT_ONCE {
            held.push(queue.next().await);
        }
        assert_eq!(queue.counts(), Counts { open: 2, reading: READ_AT_ONCE });
        let waiting = queue.clone();
        let waiting = tokio::spawn(async move { waiting.next().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        held.pop();
        drop(waiting.await.unwrap());
        drop((slots, held));
        assert_eq!(queue.counts(), Counts { open: 0, reading: 0 });
    }

    #[test]
    fn one_address_leaves_half_of_the_slots_to_others() {
        let queue = ReadQueue::new(4);
        let of = |last| LimitedClient(Some(Client::at([10, 0, 0, last].into())));
        let own = [queue.open(of(1)).unwrap(), queue.open(of(1)).unwrap()];
        let refused = queue.open(of(1)).unwrap_err();
        assert!(refused.to_string().contains("to your address"), "{refused}");
        let other = [queue.open(of(2)).unwrap(), queue.open(LimitedClient::default()).unwrap()];
        drop((own, other));
        assert!(queue.open(of(1)).is_ok());
    }
}
