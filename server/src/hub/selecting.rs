//! Finding what a client selects, without the hub's lock and apart from the threads that serve requests.

use std::sync::Arc;

use shared::board::document::MAX_WIDGETS;
use shared::point::Kind;
use shared::{BoardId, Selector};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Tally;
use crate::names::{Budget, Matched, Names, SelectError};

/// Steps that are taken on the spot: less time than another thread needs to begin. More are taken on a thread that may block.
const ON_THE_SPOT: u64 = 2_048;

/// How many long selections are matched at once. More wait, so that they cannot take all processors.
const AT_ONCE: usize = 2;

/// Most steps for what a page is only hinted at.
const HINT: u64 = 16_384;

/// Matches selectors against the names of all series, within a budget. Clones share the budget of time.
#[derive(Clone, Debug)]
pub struct Selecting {
    names: Names,
    /// The most that one selection may cost.
    budget: Budget,
    turns: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The selection would take too much.
    #[error(transparent)]
    TooMuch(#[from] SelectError),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Stopped,
}

impl Selecting {
    /// Over these names, within `budget` each time.
    #[must_use]
    pub fn new(names: Names, budget: Budget) -> Self {
        Self { names, budget, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The index.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The most that one selection may cost.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Waits for a turn at work that takes long. It belongs to the work, which may go on when its request is gone.
    ///
    /// # Errors
    /// [`FindError::Stopped`].
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, FindError> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_| FindError::Stopped)
    }

    /// Finds what the selectors match. Where that takes long, waits for a turn.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn find(&self, selectors: &[Selector]) -> Result<Matched, FindError> {
        let steps = self.budget.steps.min(ON_THE_SPOT);
        match self.names.select(selectors, Budget { steps, ..self.budget }) {
            Err(SelectError::TooManySteps { .. }) if steps < self.budget.steps => {}
            found => return Ok(found?),
        }
        let turn = self.turn().await?;
        let (names, budget, selectors) = (self.names.clone(), self.budget, selectors.to_vec());
        let work = move || {
            let found = names.select(&selectors, budget);
            drop(turn);
            found
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(|_| FindError::Stopped)??)
    }

    /// Those of the selectors that no series matches. Where it would take long to know, none.
    #[must_use]
    pub fn without_series(&self, selectors: Vec<Selector>) -> Vec<Selector> {
        let has = self.names.has_each(&selectors, HINT);
        selectors.into_iter().zip(has).filter(|(_, has)| !has).map(|(selector, _)| selector).collect()
    }

    /// What there is under the name of a board. Counts up to one more than a board shows as widgets.
    #[must_use]
    pub fn tally(&self, board: &BoardId) -> Tally {
        let budget = Budget { steps: HINT, series: MAX_WIDGETS };
        match self.names.select(&[board.selector()], budget) {
            Ok(found) => {
                let texts = self.names.named(&found.series).iter().filter(|named| named.kind == Kind::Text).count();
                Tally { series: found.series.len(), texts }
            }
            Err(_) => Tally { series: MAX_WIDGETS + 1, texts: 0 },
        }
    }
}
