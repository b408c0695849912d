//! The selection of a subscriber: selectors and a rate.

use std::num::NonZeroU32;

use shared::{Selector, SeriesName};

/// Default maximum number of updates per second.
pub const DEFAULT_HZ: u32 = 20;

/// Maximum of `?hz=`. Above it, a client can only ask for every change (`hz=0`).
pub const MAX_HZ: u32 = 1_000;

/// Selectors and a rate. Two subscribers with equal selections share their frames.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    /// A series is selected if one of these matches it. Sorted and without repeats, so that selections that differ only
    /// in order are equal.
    pub selectors: Vec<Selector>,
    /// The maximum rate of frames.
    pub rate: Rate,
}

/// The maximum rate of frames for series that change all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// A frame for each change.
    EveryChange,
    /// At most this many frames per second, each with all changes since the last one. The first change after a quiet
    /// time is sent at once.
    AtMost(NonZeroU32),
}

impl Rate {
    /// Converts `?hz=`; `None` where it is over [`MAX_HZ`].
    #[must_use]
    pub fn of_hz(hz: u32) -> Option<Self> {
        (hz <= MAX_HZ).then(|| NonZeroU32::new(hz).map_or(Self::EveryChange, Self::AtMost))
    }

    /// The minimum time between two frames, in milliseconds.
    #[must_use]
    pub fn interval_ms(self) -> u64 {
        match self {
            Self::EveryChange => 0,
            Self::AtMost(hz) => 1_000 / u64::from(hz.get()),
        }
    }
}

impl Selection {
    /// Makes the selection of these selectors, in any order.
    #[must_use]
    pub fn new(mut selectors: Vec<Selector>, rate: Rate) -> Self {
        selectors.sort();
        selectors.dedup();
        Self { selectors, rate }
    }

    /// Returns true if it selects the series.
    #[must_use]
    pub fn matches(&self, name: &SeriesName) -> bool {
        self.selectors.iter().any(|selector| selector.matches(name))
    }
}
