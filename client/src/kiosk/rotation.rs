//! The rotation of boards on a wall screen: which board is on, and which one to prepare. Has no clock.

use std::time::Duration;

/// Time before its turn at which a board is mounted, unseen.
const AHEAD: Duration = Duration::from_secs(3);

/// The state of the rotation. The number of turns only grows; turn `n` shows board `n` modulo the number of boards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    boards: usize,
    every: Duration,
    /// Time for which the current board has been on.
    on_for: Duration,
    turn: usize,
}

impl Rotation {
    /// Starts a rotation of `boards` boards, each shown for `every`.
    #[must_use]
    pub fn new(boards: usize, every: Duration) -> Self {
        Self { boards: boards.max(1), every, on_for: Duration::ZERO, turn: 0 }
    }

    /// Advances the time.
    pub fn pass(&mut self, time: Duration) {
        self.on_for += time;
        if self.boards > 1 && self.on_for >= self.every {
            self.on_for = Duration::ZERO;
            self.turn += 1;
        }
    }

    /// Number of the current turn.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn
    }

    /// Index of the board that a turn shows.
    #[must_use]
    pub fn board(&self, turn: usize) -> usize {
        turn % self.boards
    }

    /// Returns the turns whose boards must be mounted: the current one, and the next one shortly before it begins.
    #[must_use]
    pub fn mounted_turns(&self) -> Vec<usize> {
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
        let mut rotation = Rotation::new(2, 5 * second);
        let mut seen = Vec::new();
        for _ in 0..11 {
            seen.push((rotation.board(rotation.turn()), rotation.mounted_turns().len()));
            rotation.pass(second);
        }
        let wanted = [(0, 1), (0, 1), (0, 2), (0, 2), (0, 2), (1, 1), (1, 1), (1, 2), (1, 2), (1, 2), (0, 1)];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn a_board_alone_stays() {
        let mut rotation = Rotation::new(1, Duration::from_secs(5));
        rotation.pass(Duration::from_secs(500));
        assert_eq!(rotation.mounted_turns(), [0]);
    }
}
