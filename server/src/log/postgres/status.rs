//! Shows other threads where the shared log is, and how far this node has applied it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shared::{Cursor, Epoch, Millis, Seq};
use tokio::sync::watch;

use super::{Away, Position};

/// The state of the shared log as this node sees it. Clones share it.
#[derive(Clone, Debug)]
pub struct ClusterStatus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// The lag beyond which the node is not ready.
    max_lag: Duration,
    /// The seq of the last applied change.
    applied: watch::Sender<Seq>,
    /// The reason why this node can no longer follow the log.
    stopped: watch::Sender<Option<String>>,
}

#[derive(Debug)]
struct State {
    epoch: Epoch,
    /// The reason why the log cannot be reached, and since when.
    away: Option<Away>,
    /// The reason why this node cannot apply the next row.
    stuck: Option<String>,
    /// The position of the last applied row.
    position: Position,
    /// The last position that this node knows of.
    head: Position,
    /// The time at which this node had last applied everything.
    caught_up: Instant,
}

/// Where this node is in the shared log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The position of the last applied row.
    pub position: Position,
    /// The last position that this node knows of.
    pub head: Position,
    /// The time since this node had last applied everything that the log had.
    pub lag: Duration,
}

impl ClusterStatus {
    pub(super) fn new(epoch: Epoch, head: Position, max_lag: Duration) -> Self {
        let state = State { epoch, away: None, stuck: None, position: 0, head, caught_up: Instant::now() };
        let (applied, stopped) = (watch::Sender::new(Seq::ZERO), watch::Sender::new(None));
        Self(Arc::new(Inner { state: Mutex::new(state), max_lag, applied, stopped }))
    }

    /// Returns the reason why the log cannot be reached; `None` if it can.
    #[must_use]
    pub fn away(&self) -> Option<Away> {
        self.0.state.lock().away.clone()
    }

    /// Returns the reason why this node is not ready: it cannot apply the next row of the log, or is too far behind. A
    /// node whose log is away stays ready, since it can still be read.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let state = self.0.state.lock();
        let lag = state.caught_up.elapsed();
        let is_behind = state.away.is_none() && lag > self.0.max_lag;
        let behind = || {
            let (lag, most) = (lag.as_secs(), self.0.max_lag.as_secs());
            let missing = state.head.saturating_sub(state.position);
            format!(
                "this node is {lag} s behind the shared log (--max-lag {most}s), {missing} changes are to be applied"
            )
        };
        state.stuck.clone().or_else(|| is_behind.then(behind))
    }

    /// Returns the warning for operators and pages; `None` while the log can be reached.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.away().map(|away| format!("pushes are refused, and nothing new comes from other nodes: {away}"))
    }

    /// Returns where this node is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let state = self.0.state.lock();
        Progress { position: state.position, head: state.head, lag: state.caught_up.elapsed() }
    }

    /// Waits until this node has applied everything up to a cursor that another node gave out, at most for `patience`.
    pub async fn reach(&self, cursor: Cursor, patience: Duration) {
        if cursor.epoch == self.0.state.lock().epoch {
            let mut applied = self.0.applied.subscribe();
            let reached = applied.wait_for(|seq| *seq >= cursor.seq);
            // After the time, the reader gets a gap and a snapshot.
            _ = tokio::time::timeout(patience, reached).await;
        }
    }

    pub(super) fn lost(&self, why: &str, now: Millis) {
        let mut state = self.0.state.lock();
        if state.away.is_none() {
            tracing::error!(%why, "the shared log is away; pushes are refused until it is back");
            state.away = Some(Away { since: now, why: why.to_owned() });
        }
    }

    pub(super) fn found(&self, head: Position) {
        let mut state = self.0.state.lock();
        state.head = state.head.max(head);
        if state.away.take().is_some() {
            tracing::info!("the shared log is back; pushes are taken");
        }
    }

    /// Records that rows up to `position` and changes up to `seq` are applied. `is_last` is true if the log has no more
    /// rows.
    pub fn applied(&self, position: Position, seq: Seq, is_last: bool) {
        let mut state = self.0.state.lock();
        state.position = position;
        state.head = state.head.max(position);
        state.stuck = None;
        if is_last {
            state.head = position;
            state.caught_up = Instant::now();
        }
        drop(state);
        self.0.applied.send_if_modified(|applied| std::mem::replace(applied, seq) != seq);
    }

    /// Records that this node can no longer follow the log.
    pub fn stop(&self, why: &str) {
        tracing::error!("{why}");
        self.0.stopped.send_replace(Some(why.to_owned()));
    }

    /// Waits until this node can no longer follow the log, and returns the reason.
    pub async fn stopped(&self) -> String {
        let mut stopped = self.0.stopped.subscribe();
        let why = stopped.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        // The sender lives as long as this.
        why.unwrap_or_default()
    }

    /// Records that the next row cannot be applied now.
    pub fn cannot_apply(&self, why: &str) {
        let mut state = self.0.state.lock();
        if state.stuck.is_none() {
            tracing::error!(%why, "cannot apply the next change of the shared log; trying again");
        }
        state.stuck = Some(why.to_owned());
    }
}
