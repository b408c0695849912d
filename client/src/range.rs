//! Which stretch of time a board shows.

use shared::Millis;
use shared::board::Span;

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last so long, up to now: it moves.
    Live(Span),
    /// From a moment to a later one: it stands.
    Fixed {
        /// Its first moment.
        from: Millis,
        /// The moment after its last.
        to: Millis,
    },
}

impl Range {
    /// Its two ends where it is `now`, in milliseconds.
    #[must_use]
    pub fn at(self, now: u64) -> (u64, u64) {
        match self {
            Self::Live(span) => (now.saturating_sub(span.millis()), now),
            Self::Fixed { from, to } => (from.0, to.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_range_moves_and_a_fixed_one_stands() {
        assert_eq!(Range::Live(Span::HOUR).at(4_000_000), (400_000, 4_000_000));
        assert_eq!(Range::Fixed { from: Millis(1), to: Millis(2) }.at(4_000_000), (1, 2));
    }
}
