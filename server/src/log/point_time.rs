//! The time of a pushed point, and the party that set it.

use shared::Millis;

/// Nanoseconds of a millisecond.
pub(crate) const NANOS_OF_MILLI: u32 = 1_000_000;

/// The party that set the time of a point: the server, or the sender, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetBy(u32);

impl SetBy {
    /// The server, since the sender gave no time.
    pub const SERVER: Self = Self(0);

    /// The sender, with `nanos` nanoseconds beyond the millisecond.
    #[must_use]
    pub fn sender(nanos: u32) -> Self {
        Self(1 + nanos.min(NANOS_OF_MILLI - 1))
    }

    /// Returns the nanoseconds beyond the millisecond; `None` if the server set the time.
    #[must_use]
    pub fn nanos(self) -> Option<u32> {
        self.0.checked_sub(1)
    }

    /// Returns the code for the log.
    pub(crate) fn code(self) -> u32 {
        self.0
    }

    /// Reads the code from the log; `None` if it is out of range.
    pub(crate) fn of_code(code: u32) -> Option<Self> {
        (code <= NANOS_OF_MILLI).then_some(Self(code))
    }
}

/// The time of a pushed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointTime {
    /// The time in milliseconds.
    pub ts: Millis,
    /// The party that set the time.
    pub set_by: SetBy,
}

impl PointTime {
    /// Creates a time that the server set.
    #[must_use]
    pub fn of_server(ts: Millis) -> Self {
        Self { ts, set_by: SetBy::SERVER }
    }

    /// Creates a time that the sender set, with `nanos` nanoseconds beyond the millisecond.
    #[must_use]
    pub fn of_sender(ts: Millis, nanos: u32) -> Self {
        Self { ts, set_by: SetBy::sender(nanos) }
    }
}
