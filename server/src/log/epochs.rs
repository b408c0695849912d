//! Decides which cursors can be continued after a restart, also when an earlier copy of the data was restored.
//!
//! Each start draws a new epoch and ends the previous one at the head that it finds. A cursor of an earlier epoch is
//! valid up to the end of that epoch: up to there, all runs have the same past. An earlier copy of the data has its
//! own epoch still open and does not know the later ones. So after it is restored and started, a cursor from the lost
//! future lies beyond the end of its epoch or belongs to an unknown epoch, and its subscriber begins with a gap and a
//! snapshot.
//!
//! A cursor beyond the end of its epoch must never be accepted. So the row that ends the previous epoch is on the
//! disk before the first commit of the next one.

use std::collections::HashMap;

use shared::{Cursor, Epoch, GapReason, Seq};

/// The epoch of this run, and where earlier ones ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    current: Epoch,
    /// The head at which each earlier epoch ended.
    ended: HashMap<Epoch, Seq>,
}

impl From<Epoch> for Epochs {
    /// Starts with the first epoch of a store.
    fn from(current: Epoch) -> Self {
        Self { current, ended: HashMap::new() }
    }
}

impl Epochs {
    /// Returns the epoch of all cursors that this run gives out.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.current
    }

    /// Returns true if this is the current epoch or a known earlier one.
    #[must_use]
    pub fn contains(&self, epoch: Epoch) -> bool {
        self.current == epoch || self.ended.contains_key(&epoch)
    }

    /// Returns the epochs after a restart: the current one ended at `head`, and `next` is the new one.
    #[must_use]
    pub fn followed_by(mut self, next: Epoch, head: Seq) -> Self {
        self.ended.insert(self.current, head);
        self.ended.remove(&next);
        Self { current: next, ..self }
    }

    /// Checks that a picture at `cursor` equals the state of this store at that cursor; `head` is the newest seq.
    ///
    /// # Errors
    /// The reason why the subscriber must begin with a snapshot.
    pub fn check(&self, cursor: Cursor, head: Seq) -> Result<(), GapReason> {
        let last = if cursor.epoch == self.current { Some(head) } else { self.ended.get(&cursor.epoch).copied() };
        match last {
            None => Err(GapReason::OtherEpoch),
            Some(last) if cursor.seq > last.min(head) => Err(GapReason::Ahead),
            Some(_) => Ok(()),
        }
    }

    /// Records that an earlier epoch ended at `head`.
    pub(crate) fn end(&mut self, epoch: Epoch, head: Seq) {
        self.ended.insert(epoch, head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u32, seq: u64) -> Cursor {
        Cursor { epoch: Epoch(epoch), seq: Seq(seq) }
    }

    #[test]
    fn cursor_of_an_earlier_epoch_is_valid_up_to_its_end() {
        let epochs = Epochs::from(Epoch(1)).followed_by(Epoch(2), Seq(10)).followed_by(Epoch(3), Seq(10));
        for good in [at(1, 10), at(2, 4), at(2, 10), at(3, 12)] {
            assert_eq!(epochs.check(good, Seq(12)), Ok(()), "{good}");
        }
        for ahead in [at(1, 11), at(2, 11), at(3, 13)] {
            assert_eq!(epochs.check(ahead, Seq(12)), Err(GapReason::Ahead), "{ahead}");
        }
        assert_eq!(epochs.check(at(4, 1), Seq(12)), Err(GapReason::OtherEpoch));
    }
}
