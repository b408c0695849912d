//! What a reader wants.

use std::num::NonZeroU32;

use shared::{Selector, SeriesName};

/// Most updates of a series a second, where the reader does not say.
pub const DEFAULT_HZ: u32 = 20;

/// Most updates of a series a second that a reader can ask for, short of every change by itself.
pub const MAX_HZ: u32 = 1_000;

/// Which series, and how often. Two readers with equal selections share their frames.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    /// A series is selected where one of these matches it; sorted and without repeats, so that order does not tell
    /// readers apart.
    pub selectors: Vec<Selector>,
    /// How often.
    pub rate: Rate,
}

/// How often a reader hears of a series that changes all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Every change by itself.
    EveryChange,
    /// At most so many times a second, with all that changed in between; the first change after a quiet time at once.
    AtMost(NonZeroU32),
}

impl Rate {
    /// The rate of `?hz=`; nothing where it is over [`MAX_HZ`].
    #[must_use]
    pub fn of_hz(hz: u32) -> Option<Self> {
        (hz <= MAX_HZ).then(|| NonZeroU32::new(hz).map_or(Self::EveryChange, Self::AtMost))
    }

    /// The least time between two frames, in milliseconds.
    #[must_use]
    pub fn interval_ms(self) -> u64 {
        match self {
            Self::EveryChange => 0,
            Self::AtMost(hz) => 1_000 / u64::from(hz.get()),
        }
    }
}

impl Selection {
    /// The selection of these, in any order.
    #[must_use]
    pub fn new(mut selectors: Vec<Selector>, rate: Rate) -> Self {
        selectors.sort();
        selectors.dedup();
        Self { selectors, rate }
    }

    /// Whether it has the series.
    #[must_use]
    pub fn matches(&self, name: &SeriesName) -> bool {
        self.selectors.iter().any(|selector| selector.matches(name))
    }
}
