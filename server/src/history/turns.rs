//! Limits the number of answers in progress, and the number that are read from the disk at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limit;
use crate::places::{Bounded, Place, Places};
use crate::problem::ApiError;

/// Number of answers that are read at once; the others wait for their turn. Each takes a thread and a connection to the
/// database.
const READ_AT_ONCE: usize = 4;

/// Seconds after which a client may retry a refused request.
const RETRY_AFTER: u32 = 2;

/// The places for answers, and their turns to read.
#[derive(Clone, Debug)]
pub struct Turns {
    most: usize,
    places: Arc<Semaphore>,
    /// Places of each address, half of all.
    by_client: Places,
    turns: Arc<Semaphore>,
}

/// A place among the answers in progress, from the request to the last byte; released when dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    _own: Option<Place>,
}

/// A turn to read. The work owns it, so it is released when the work ends, even if the request ended earlier.
#[derive(Debug)]
pub struct Turn {
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

impl Turns {
    /// Creates places for `most` answers at a time.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let by_client = Places::new(usize::MAX, most.div_ceil(2));
        Self { most, places: Arc::new(Semaphore::new(most)), by_client, turns: Arc::new(Semaphore::new(READ_AT_ONCE)) }
    }

    /// Takes a place for a client.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`] if all are taken, or half of them by this client.
    pub fn open(&self, Bounded(client): Bounded) -> Result<Slot, ApiError> {
        let own = client.map(|client| self.by_client.take(client)).transpose().map_err(|_| ApiError::LimitReached {
            limit: Limit::History,
            detail: format!(
                "{} answers of /api/history to your address are in progress, half of the most at a time (--max-history); try again in {RETRY_AFTER} s, or raise --max-history",
                self.by_client.most_per_client()
            ),
            retry_after: Some(RETRY_AFTER),
        })?;
        let permit = self.places.clone().try_acquire_owned().map_err(|_| ApiError::LimitReached {
            limit: Limit::History,
            detail: format!(
                "{} answers of /api/history are in progress, the most at a time (--max-history); try again in {RETRY_AFTER} s, or raise --max-history",
                self.most
            ),
            retry_after: Some(RETRY_AFTER),
        })?;
        Ok(Slot { _permit: permit, _own: own })
    }

    /// Waits for a turn to read. Turns are given in the order of the requests.
    pub async fn next(&self) -> Turn {
        let permit = self.turns.clone().acquire_owned().await.expect("the semaphore is never closed");
        Turn { _permit: permit }
    }

    /// Returns the number of answers in progress, and the number of them that are being read.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            open: self.most - self.places.available_permits(),
            reading: READ_AT_ONCE - self.turns.available_permits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Client;

    #[tokio::test]
    async fn places_and_turns_are_bounded_and_released() {
        let turns = Turns::new(2);
        let open = || turns.open(Bounded::default());
        let slots = [open().unwrap(), open().unwrap()];
        let refused = open().unwrap_err();
        assert_eq!(refused.limit(), Some(Limit::History));
        assert!(refused.to_string().contains("--max-history"), "{refused}");
        let mut held = Vec::new();
        for _ in 0..READ_AT_ONCE {
            held.push(turns.next().await);
        }
        assert_eq!(turns.counts(), Counts { open: 2, reading: READ_AT_ONCE });
        let waiting = turns.clone();
        let waiting = tokio::spawn(async move { waiting.next().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        held.pop();
        drop(waiting.await.unwrap());
        drop((slots, held));
        assert_eq!(turns.counts(), Counts { open: 0, reading: 0 });
    }

    #[test]
    fn one_address_leaves_half_of_the_places_to_others() {
        let turns = Turns::new(4);
        let of = |last| Bounded(Some(Client::at([10, 0, 0, last].into())));
        let own = [turns.open(of(1)).unwrap(), turns.open(of(1)).unwrap()];
        let refused = turns.open(of(1)).unwrap_err();
        assert!(refused.to_string().contains("to your address"), "{refused}");
        let other = [turns.open(of(2)).unwrap(), turns.open(Bounded::default()).unwrap()];
        drop((own, other));
        assert!(turns.open(of(1)).is_ok());
    }
}
