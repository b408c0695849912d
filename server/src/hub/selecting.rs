//! Matches selectors against the series names, without the hub's lock; long matches run on a blocking thread.

use std::sync::Arc;

use shared::access::SeriesScope;
use shared::board::document::MAX_WIDGETS;
use shared::point::Kind;
use shared::{BoardId, Selector, SeriesName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::client::{ClientSlot, ClientSlots, LimitedClient};
use crate::names::{Budget, Matched, Names, SelectError};

/// Maximum number of steps on the calling thread: they take less time than starting another thread. Longer matches run
/// on a blocking one.
const ON_THE_SPOT: u64 = 2_048;

/// Maximum number of long matches at once. Further ones wait, so that they cannot take all processors.
const AT_ONCE: usize = 2;

/// Maximum number of long matches of one address, including those that wait.
const OF_AN_ADDRESS: usize = 8;

/// Maximum number of steps for an answer that is only a hint to a page.
const HINT: u64 = 16_384;

/// Matches selectors against the names of all series, within a budget. Clones share the bound on long matches.
#[derive(Clone, Debug)]
pub struct Selecting {
    names: Names,
    /// The budget of one match.
    budget: Budget,
    /// Permits for long matches.
    permits: Arc<Semaphore>,
    /// Long matches of each address.
    by_client: ClientSlots,
}

/// A permit for a long match; released when dropped.
#[derive(Debug)]
pub struct MatchPermit {
    _permit: OwnedSemaphorePermit,
    _own: Option<ClientSlot>,
}

/// A selection that was not matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The match would exceed its budget.
    #[error(transparent)]
    TooMuch(#[from] SelectError),
    /// The address of the client has too many long matches already.
    #[error(
        "{OF_AN_ADDRESS} requests of your address are being matched against the names of all series, the most at a time"
    )]
    TooMany,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Stopped,
}

impl Selecting {
    /// Matches against `names`, within `budget` for each match.
    #[must_use]
    pub fn new(names: Names, budget: Budget) -> Self {
        let by_client = ClientSlots::new(usize::MAX, OF_AN_ADDRESS);
        Self { names, budget, permits: Arc::new(Semaphore::new(AT_ONCE)), by_client }
    }

    /// The index of the names.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The budget of one match.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Waits for a permit for long work. Move the permit into the work, which may outlive its request.
    ///
    /// # Errors
    /// [`FindError::TooMany`], [`FindError::Stopped`].
    pub async fn permit(&self, LimitedClient(client): LimitedClient) -> Result<MatchPermit, FindError> {
        let own = client.map(|client| self.by_client.take(client)).transpose().map_err(|_| FindError::TooMany)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| FindError::Stopped)?;
        Ok(MatchPermit { _permit: permit, _own: own })
    }

    /// Finds the series that the selectors match. A long match first waits for a permit.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn find(&self, selectors: &[Selector], client: LimitedClient) -> Result<Matched, FindError> {
        let steps = self.budget.steps.min(ON_THE_SPOT);
        match self.names.select(selectors, Budget { steps, ..self.budget }) {
            Err(SelectError::TooManySteps { .. }) if steps < self.budget.steps => {}
            found => return Ok(found?),
        }
        let permit = self.permit(client).await?;
        let (names, budget, selectors) = (self.names.clone(), self.budget, selectors.to_vec());
        let work = move || {
            let found = names.select(&selectors, budget);
            drop(permit);
            found
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(|_| FindError::Stopped)??)
    }

    /// Returns the selectors that match no series in `scope`. Leaves out a selector that takes too many steps to check.
    #[must_use]
    pub fn without_series(&self, selectors: Vec<Selector>, scope: &SeriesScope) -> Vec<Selector> {
        if scope.is_all() {
            let has = self.names.has_each(&selectors, HINT);
            return selectors.into_iter().zip(has).filter(|(_, has)| !has).map(|(selector, _)| selector).collect();
        }
        let has = |selector: &Selector| {
            let narrowed = scope.narrow(vec![selector.clone()]);
            self.names.has_each(&narrowed, HINT).into_iter().any(|has| has)
        };
        selectors.into_iter().filter(|selector| !has(selector)).collect()
    }

    /// Returns the series under the name of a board that are in `scope`, as a hint to its page. `None` if there are more
    /// than a board may have widgets.
    #[must_use]
    pub fn series_of(&self, board: &BoardId, scope: &SeriesScope) -> Option<Vec<(SeriesName, Kind)>> {
        let budget = Budget { steps: HINT, series: MAX_WIDGETS };
        let found = self.names.select(&scope.narrow(vec![board.selector()]), budget).ok()?;
        Some(self.names.named(&found.series).iter().map(|named| (named.name.clone(), named.kind)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::client::Client;

    #[tokio::test]
    async fn one_address_has_few_long_matches_and_others_get_their_turn() {
        let selecting = Selecting::new(Names::default(), Budget::UNLIMITED);
        let of = |last| LimitedClient(Some(Client::at([10, 0, 0, last].into())));
        let turn = |last| {
            let selecting = selecting.clone();
            tokio::spawn(async move { selecting.permit(of(last)).await })
        };
        let waiting: Vec<_> = (0..OF_AN_ADDRESS).map(|_| turn(1)).collect();
        tokio::task::yield_now().await;
        assert_eq!(selecting.permit(of(1)).await.unwrap_err(), FindError::TooMany);
        let other = turn(2);
        for waits in waiting {
            drop(waits.await.unwrap().unwrap());
        }
        assert!(other.await.unwrap().is_ok() && selecting.permit(of(1)).await.is_ok());
    }
}
