//! The guard that lets the server see when all connections have ended.

use tokio::sync::mpsc;

use crate::limits::client::ClientSlot;

/// Held by each connection, and then by the stream that it becomes.
#[derive(Debug)]
pub struct Open {
    /// Dropped with the connection; the last one signals the listener that all connections have ended.
    _ended: mpsc::Sender<()>,
    /// Its slot among the connections.
    _slot: ClientSlot,
}

impl Open {
    /// Makes the guard of a connection that has this slot; `ended` is dropped with it.
    #[must_use]
    pub fn new(ended: mpsc::Sender<()>, slot: ClientSlot) -> Self {
        Self { _ended: ended, _slot: slot }
    }
}
