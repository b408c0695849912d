//! The extra time for each exchange.

use std::time::Duration;

/// Extra time for each exchange, beyond its expected length.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
