//! One clock for all processes of a measurement.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment, in nanoseconds since the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// The present one.
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        // Neither is ever negative.
        Self(now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs())
    }

    /// How long it is since `earlier`; nothing where that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// So much later.
    pub(crate) fn plus(self, later: Duration) -> Self {
        Self(self.0 + u64::try_from(later.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Waits for it.
    pub(crate) fn wait(self) {
        std::thread::sleep(self.since(Self::now()));
    }
}

/// When each event is meant to be sent, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// When number 0 would be.
    pub(crate) start: Moment,
    /// From one to the next.
    pub(crate) gap: Duration,
}

impl Schedule {
    /// When this number is due.
    pub(crate) fn due(self, number: u64) -> Moment {
        self.start.plus(self.gap * u32::try_from(number).unwrap_or(u32::MAX))
    }
}
