//! Keeps the condition of the store: whether it accepts pushes, the reason if not, and warnings for the operator.
//!
//! Readiness follows the last commit: after a failed commit the server is not ready, and the next successful one
//! makes it ready again. While commits fail and no client pushes, a probe writes
//! ([`Store::observe`](super::Store::observe)). Only changes are logged.

use std::sync::Arc;

use parking_lot::Mutex;

use super::CommitError;
use super::damage::Damage;

/// The condition of a store. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Condition(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    damage: Damage,
}

#[derive(Debug, Default)]
struct State {
    /// The error of the last commit; `None` if it succeeded.
    failing: Option<String>,
    /// The reason why the file is no longer the one that was opened. Stays set until the server is started again.
    lost: Option<String>,
    /// The error of the last attempt to write buckets or to delete old ones.
    behind: Option<String>,
    /// The warning about the clock.
    clock: Option<String>,
}

impl Condition {
    /// Starts in good condition, apart from `damage`.
    #[must_use]
    pub(super) fn new(damage: Damage) -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), damage }))
    }

    /// Returns the reason why pushes are refused; `None` if they are accepted.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let state = self.0.state.lock();
        state.lost.clone().or_else(|| state.failing.clone())
    }

    /// Returns the reason why the file is no longer the one that was opened; `None` if it is.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        self.0.state.lock().lost.clone()
    }

    /// Returns true if the last commit failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.state.lock().failing.is_some()
    }

    /// Returns warnings for the operator. The store may accept pushes all the same.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let state = self.0.state.lock();
        let behind = state.behind.as_ref().map(|why| format!("buckets cannot be written and stay in memory: {why}"));
        state.clock.clone().into_iter().chain(behind).chain(self.0.damage.warning()).collect()
    }

    pub(super) fn committed(&self) {
        if self.0.state.lock().failing.take().is_some() {
            tracing::info!("the database can be written again; pushes are taken");
        }
    }

    pub(super) fn failed(&self, error: &CommitError) {
        let why = error.to_string();
        let mut state = self.0.state.lock();
        if state.failing.is_none() {
            tracing::error!(%why, "cannot write to the database; pushes are refused until it can be written");
        }
        state.failing = Some(why);
    }

    pub(super) fn lose(&self, why: &str) {
        let mut state = self.0.state.lock();
        if state.lost.is_none() {
            tracing::error!(%why, "pushes are refused until the server is started again");
            state.lost = Some(format!("{why}; start the server again once the right file is there"));
        }
    }

    pub(super) fn maintained(&self, result: rusqlite::Result<()>) {
        let behind = result.err().map(|error| error.to_string());
        let mut state = self.0.state.lock();
        match (&state.behind, &behind) {
            (None, Some(why)) => {
                tracing::warn!(%why, "cannot write buckets or delete old ones; new buckets stay in memory");
            }
            (Some(_), None) => tracing::info!("buckets are written again"),
            _ => {}
        }
        state.behind = behind;
    }

    pub(super) fn warn_of_clock(&self, warning: Option<String>) {
        let mut state = self.0.state.lock();
        match (&state.clock, &warning) {
            (None, Some(warning)) => tracing::warn!("{warning}"),
            (Some(_), None) => tracing::info!("the clock is trusted again"),
            _ => {}
        }
        state.clock = warning;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_follows_the_last_commit_and_a_lost_file_stays_lost() {
        let condition = Condition::default();
        assert_eq!(condition.refusal(), None);
        condition.failed(&CommitError::DiskFull);
        assert_eq!(condition.refusal().as_deref(), Some("the disk is full"));
        condition.committed();
        assert_eq!(condition.refusal(), None);
        condition.lose("the file was deleted");
        condition.committed();
        assert!(condition.refusal().is_some_and(|why| why.starts_with("the file was deleted; start the server again")));
    }

    #[test]
    fn warnings_come_and_go() {
        let condition = Condition::default();
        condition.maintained(Err(rusqlite::Error::InvalidQuery));
        condition.warn_of_clock(Some("the clock jumped".to_owned()));
        assert_eq!(condition.warnings().len(), 2);
        condition.maintained(Ok(()));
        condition.warn_of_clock(None);
        assert_eq!(condition.warnings(), [""; 0]);
    }
}
