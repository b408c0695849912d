//! The state of the streams, and the slots that bound the streams of each client address.

use super::form::Compression;
use crate::http::problem::ApiError;
use crate::hub::driver::HubHandle;
use crate::limits::Limit;
use crate::limits::client::{Client, ClientSlot, ClientSlots};
use crate::store::Writer;

/// Seconds after which a client may retry if its address has too many streams.
const RETRY_AFTER: u32 = 10;

/// The state of the streams.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Serves subscribers.
    pub hub: HubHandle,
    /// Reads series that are not in memory.
    pub writer: Writer,
    /// Counts the open streams of each client address.
    pub slots: StreamSlots,
    /// Compression of streams.
    pub compression: Compression,
}

/// Counts the streams of each client address, up to a bound.
#[derive(Clone, Debug)]
pub struct StreamSlots {
    slots: ClientSlots,
    /// Applies the bound to loopback too, where a reverse proxy stands for many clients.
    loopback: bool,
}

impl StreamSlots {
    /// Makes at most `per_address` slots for each address; without it half of `readers`, and no bound on loopback.
    #[must_use]
    pub fn new(readers: usize, per_address: Option<usize>) -> Self {
        let most = per_address.unwrap_or(readers / 2).max(1);
        Self { slots: ClientSlots::new(usize::MAX, most), loopback: per_address.is_some() }
    }

    /// Takes a slot for a stream of `client`; `None` if the client has no bound.
    pub(super) fn take(&self, client: Client) -> Result<Option<ClientSlot>, ApiError> {
        if client.is_loopback() && !self.loopback {
            return Ok(None);
        }
        self.slots.take(client).map(Some).map_err(|_| ApiError::LimitReached {
            limit: Limit::ReadersPerAddress,
            detail: format!(
                "there are {} streams to your address already; close some, or raise --max-readers-per-address",
                self.slots.most_per_client()
            ),
            retry_after: Some(RETRY_AFTER),
        })
    }
}
