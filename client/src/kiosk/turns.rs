//! Whose turn it is.

use std::time::Duration;

/// How long before its turn a board is made ready, unseen.
const AHEAD: Duration = Duration::from_secs(3);

/// Which board is on, and which one comes. Turns are counted on and on; a board is on again after all the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    boards: usize,
    every: Duration,
    /// For how long the one that is on has been.
    on_for: Duration,
    turn: usize,
}

impl Turns {
    /// The first of so many boards is on, each for so long.
    #[must_use]
    pub fn new(boards: usize, every: Duration) -> Self {
        Self { boards: boards.max(1), every, on_for: Duration::ZERO, turn: 0 }
    }

    /// Time has passed.
    pub fn pass(&mut self, time: Duration) {
        self.on_for += time;
        if self.boards > 1 && self.on_for >= self.every {
            self.on_for = Duration::ZERO;
            self.turn += 1;
        }
    }

    /// The turn that is on.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn
    }

    /// Which board has a turn.
    #[must_use]
    pub fn board(&self, turn: usize) -> usize {
        turn % self.boards
    }

    /// The turns that must be there: the one that is on, and the next one shortly before.
    #[must_use]
    pub fn there(&self) -> Vec<usize> {
        let soon = self.boards > 1 && self.on_for + AHEAD >= self.every;
        (self.turn..=self.turn + usize::from(soon)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_board_has_its_turn_and_the_next_is_there_before_it() {
        let second = Duration::from_secs(1);
        let mut turns = Turns::new(2, 5 * second);
        let mut seen = Vec::new();
        for _ in 0..11 {
            seen.push((turns.board(turns.turn()), turns.there().len()));
            turns.pass(second);
        }
        let wanted = [(0, 1), (0, 1), (0, 2), (0, 2), (0, 2), (1, 1), (1, 1), (1, 2), (1, 2), (1, 2), (0, 1)];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn a_board_alone_stays() {
        let mut turns = Turns::new(1, Duration::from_secs(5));
        turns.pass(Duration::from_secs(500));
        assert_eq!(turns.there(), [0]);
    }
}
