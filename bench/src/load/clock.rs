//! A clock that all processes of a measurement share.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment, in nanoseconds since the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// The present moment.
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        // Neither value is ever negative.
        Self(now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs())
    }

    /// The time since `earlier`; zero if that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment that is this much later.
    pub(crate) fn plus(self, later: Duration) -> Self {
        Self(self.0 + u64::try_from(later.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Sleeps until this moment.
    pub(crate) fn wait(self) {
        std::thread::sleep(self.since(Self::now()));
    }
}

/// The due time of each event, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// The due time of event 0.
    pub(crate) start: Moment,
    /// The interval between two events.
    pub(crate) gap: Duration,
}

impl Schedule {
    /// The due time of an event.
    pub(crate) fn due(self, number: u64) -> Moment {
        self.start.plus(self.gap * u32::try_from(number).unwrap_or(u32::MAX))
    }
}
