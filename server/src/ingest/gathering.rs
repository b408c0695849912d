//! Points as they are read from a body, within bounds, and what is wrong with the others.

use std::mem::size_of;

use shared::problem::FieldError;

use super::fields::Wrong;
use crate::limits::{Limit, Limits};
use crate::problem::ApiError;
use crate::push_memory::Share;
use crate::store::commit::Committed;
use crate::store::directory::Look;
use crate::store::{Directory, Pushed};

/// Most wrong lines that an answer lists; it says how many more there are. A body can hold two million.
const MAX_LISTED: usize = 1_000;

/// Most points that room is made for before any is read: a body may hold nothing but mistakes.
const EXPECTED: usize = 1_024;

/// After so many lines, series that begin may come in.
const LINES_AT_ONCE: usize = 512;

/// Bytes of points after which the share grows.
const STEP: usize = 16 << 10;

/// What a point takes until its push is answered: as it is read, as it is committed, and packed for the log.
const POINT_BYTES: usize = size_of::<Pushed>() + size_of::<u32>() + size_of::<Committed>() + 24;

/// The points of a body, all of them right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The points; at least one.
    pub points: Vec<Pushed>,
    /// Of each point the line, from 1.
    pub lines: Vec<u32>,
}

/// The points of a body as they are read, and what is wrong with others.
#[derive(Debug)]
pub struct Gathering<'a> {
    look: Look<'a>,
    /// Most points that there may be.
    most: usize,
    share: &'a mut Share,
    /// Bytes of points that the share has not grown by yet.
    owed: usize,
    lines: usize,
    good: Batch,
    bad: Vec<FieldError>,
    /// All wrong lines, also those that are not kept.
    wrong: usize,
}

impl<'a> Gathering<'a> {
    /// Nothing yet. At most `most` points may come, which `share` pays for; `directory` has the series.
    #[must_use]
    pub fn new(directory: &'a Directory, most: usize, share: &'a mut Share) -> Self {
        let (good, bad) = (Batch::default(), Vec::new());
        Self { look: directory.look(), most, share, owed: 0, lines: 0, good, bad, wrong: 0 }
    }

    /// The same with the default bound on points.
    #[must_use]
    pub fn by_default(directory: &'a Directory, share: &'a mut Share) -> Self {
        Self::new(directory, Limits::default().points, share)
    }

    /// Makes room for the points of a body of so many bytes.
    pub(crate) fn expect(&mut self, bytes: usize) {
        // Lines are seldom shorter.
        let expected = (bytes / 32).min(EXPECTED);
        self.good.points.reserve(expected);
        self.good.lines.reserve(expected);
    }

    /// The series.
    pub(crate) fn look(&self) -> &Look<'a> {
        &self.look
    }

    /// How many points may still come.
    pub(crate) fn room(&self) -> usize {
        self.most.saturating_sub(self.good.points.len())
    }

    /// Whether further mistakes are only counted, so that nothing need be said of them.
    pub(crate) fn only_counts(&self) -> bool {
        self.bad.len() >= MAX_LISTED
    }

    /// Forgets all that was taken, to read the same body again in another way.
    pub(crate) fn restart(&mut self) {
        self.good.points.clear();
        self.good.lines.clear();
        self.bad.clear();
        self.wrong = 0;
    }

    /// Takes in what was read at a line, counted from 1.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`] where there are too many points, or no memory for more of them.
    pub fn take(&mut self, line: usize, read: Result<Pushed, Wrong>) -> Result<(), ApiError> {
        self.lines += 1;
        if self.lines.is_multiple_of(LINES_AT_ONCE) {
            self.look.give_way();
        }
        match read {
            Ok(point) => {
                if self.room() == 0 {
                    return Err(too_many(self.most));
                }
                self.owed += POINT_BYTES + point.bytes_beside();
                if self.owed >= STEP {
                    self.share.grow(std::mem::take(&mut self.owed))?;
                }
                self.good.points.push(point);
                self.good.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
            }
            Err(wrong) => {
                self.wrong += 1;
                if !self.only_counts() {
                    self.bad.push(wrong.at(line));
                }
            }
        }
        Ok(())
    }

    /// All points, where nothing is wrong.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong, at most a thousand places; [`ApiError::Malformed`] where there was nothing;
    /// [`ApiError::LimitReached`] where there is no memory for the points.
    pub fn finish(self) -> Result<Batch, ApiError> {
        let Self { good, bad, wrong, share, owed, .. } = self;
        if wrong == 0 && good.points.is_empty() {
            return Err(ApiError::Malformed("there is no point in the body".to_owned()));
        }
        if wrong == 0 {
            share.grow(owed)?;
            return Ok(good);
        }
        let mut detail = format!("{wrong} of {} lines are wrong, so nothing was stored", wrong + good.points.len());
        if wrong > bad.len() {
            detail = format!("{detail}; the first {} are listed", bad.len());
        }
        Err(ApiError::Invalid { detail, errors: bad })
    }
}

/// One point outside of a batch, paid for by `share`.
///
/// # Errors
/// [`ApiError::LimitReached`] where there is no memory for it.
pub fn single(point: Pushed, share: &mut Share) -> Result<Batch, ApiError> {
    share.grow(POINT_BYTES + point.bytes_beside())?;
    Ok(Batch { points: vec![point], lines: vec![1] })
}

fn too_many(most: usize) -> ApiError {
    ApiError::LimitReached {
        limit: Limit::Points,
        detail: format!(
            "the body has over {most} points, which is the most of a push (--max-points); send it in several; nothing of this was stored"
        ),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push_memory::PushMemory;
    use shared::{Millis, Number, Point, Value};

    fn point() -> Pushed {
        let value = Value::Number(Number::new(1.0).unwrap());
        Point { series: "a".parse().unwrap(), ts: Millis(1), value }.into()
    }

    #[test]
    fn points_over_the_bound_are_refused_and_never_kept() {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        let mut gathering = Gathering::new(&directory, 3, &mut share);
        for line in 1..=3 {
            gathering.take(line, Ok(point())).unwrap();
        }
        let Err(ApiError::LimitReached { limit, detail, retry_after }) = gathering.take(4, Ok(point())) else {
            panic!("it is one too many")
        };
        assert_eq!((limit, retry_after), (Limit::Points, None));
        assert!(detail.contains("over 3 points") && detail.contains("--max-points"), "{detail}");
    }

    #[test]
    fn points_are_paid_for_while_they_are_read() {
        let (directory, memory) = (Directory::default(), PushMemory::new(1 << 20));
        let mut share = memory.share();
        let mut gathering = Gathering::new(&directory, usize::MAX, &mut share);
        let (kept, error) = (1..).find_map(|line| Some((line - 1, gathering.take(line, Ok(point())).err()?))).unwrap();
        assert_eq!(error.limit(), Some(Limit::Queue));
        assert!(kept * POINT_BYTES < 1 << 20, "{kept} points");
        drop(gathering);
        assert!(memory.used() > (1 << 20) * 3 / 4);
        drop(share);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn mistakes_beyond_the_first_thousand_are_counted_and_not_kept() {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        let mut gathering = Gathering::by_default(&directory, &mut share);
        for line in 1..=5_000 {
            gathering.take(line, Err(Wrong::new("value", "a number", "nothing"))).unwrap();
        }
        assert!(gathering.bad.capacity() < 2 * MAX_LISTED);
        let Err(ApiError::Invalid { detail, errors }) = gathering.finish() else { panic!("it is wrong") };
        assert_eq!(errors.len(), MAX_LISTED);
        assert_eq!(detail, "5000 of 5000 lines are wrong, so nothing was stored; the first 1000 are listed");
    }
}
