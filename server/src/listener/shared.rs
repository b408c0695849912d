//! The state that all connections share.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{mpsc, watch};

use super::renewal::Certificate;
use super::timeouts::Timeouts;
use crate::limits::client::ClientSlot;
use crate::stream::writer::{Open, Writers};

/// State that all connections share.
pub(super) struct Shared {
    pub(super) encrypt: Option<Certificate>,
    pub(super) service: Router,
    /// Time after which a peer that does not answer counts as vanished.
    pub(super) patience: Duration,
    pub(super) timeouts: Timeouts,
    /// Maximum number of concurrent streams of one HTTP/2 connection.
    pub(super) streams: u32,
    /// The threads that write streams.
    pub(super) writers: Arc<Writers>,
    /// Signals all connections to finish their current requests.
    pub(super) stopping: watch::Sender<()>,
    /// Dropped with the last connection; streams have clones of their own.
    pub(super) ended: mpsc::Sender<()>,
}

impl Shared {
    /// Makes the guard that a connection holds until it ends.
    pub(super) fn open(&self, slot: ClientSlot) -> Open {
        Open::new(self.ended.clone(), slot)
    }
}
