//! Collects the points of a body within bounds, and the errors of its wrong lines.

use std::mem::size_of;

use shared::problem::FieldError;

use super::fields::Wrong;
use super::lookup::SeriesLookup;
use crate::http::problem::ApiError;
use crate::limits::push_memory::Share;
use crate::limits::{Limit, Limits};
use crate::log::{Committed, Fingerprint, Pushed};
use crate::store::Directory;
use crate::store::number_log::LoggedNumber;

/// The most wrong lines that an answer lists; it also gives their total. A body can hold two million.
pub(crate) const MAX_LISTED: usize = 1_000;

/// The most points for which capacity is reserved before any is read: a body may hold only wrong lines.
const EXPECTED: usize = 1_024;

/// Lines that are read before the lock on the directory is offered to a waiting writer.
const LINES_AT_ONCE: usize = 512;

/// Bytes of points between two reservations of memory.
const STEP: usize = 16 << 10;

/// Bytes that a point takes until its push is answered: as parsed, its line, as committed, as a log entry, and as
/// packed for the log.
const POINT_BYTES: usize =
    size_of::<Pushed>() + size_of::<u32>() + size_of::<Committed>() + size_of::<LoggedNumber>() + 24;

/// The points of a body, all of them valid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The points.
    pub points: Vec<Pushed>,
    /// The line of each point, counted from 1.
    pub lines: Vec<u32>,
    /// The hash of the request, if its sender gave an idempotency key.
    pub request: Option<Fingerprint>,
}

/// The lines of a body that are wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrongLines {
    /// The number of such lines.
    pub count: usize,
    /// The number of those whose series the sender may not push to.
    pub forbidden: usize,
    /// The first wrong lines, at most a thousand.
    pub listed: Vec<FieldError>,
}

/// The points read from a body so far, and the errors of its wrong lines.
#[derive(Debug)]
pub struct BatchBuilder<'a> {
    look: SeriesLookup<'a>,
    /// The most points that the body may have.
    most: usize,
    share: &'a mut Share,
    /// Bytes of points for which the share has not grown yet.
    owed: usize,
    /// Bytes that the share held before the first point.
    held_before: usize,
    lines: usize,
    good: Batch,
    bad: WrongLines,
}

impl<'a> BatchBuilder<'a> {
    /// Starts empty. Takes at most `most` points and reserves their memory in `share`; `look` resolves names of series.
    #[must_use]
    pub fn new(look: SeriesLookup<'a>, most: usize, share: &'a mut Share) -> Self {
        let (good, bad, held_before) = (Batch::default(), WrongLines::default(), share.held());
        Self { look, most, share, owed: 0, held_before, lines: 0, good, bad }
    }

    /// Starts empty, with the default bound on points, for code that no request runs.
    #[must_use]
    pub fn by_default(directory: &'a Directory, share: &'a mut Share) -> Self {
        Self::new(SeriesLookup::unrestricted(directory), Limits::default().points, share)
    }

    /// Reserves capacity for the points of a body of `bytes` bytes.
    pub(crate) fn expect(&mut self, bytes: usize) {
        // Lines are rarely shorter than 32 bytes.
        let expected = (bytes / 32).min(EXPECTED);
        self.good.points.reserve(expected);
        self.good.lines.reserve(expected);
    }

    /// Returns the locked directory of series.
    pub(crate) fn look(&self) -> &SeriesLookup<'a> {
        &self.look
    }

    /// Returns true if no point was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.good.points.is_empty()
    }

    /// Returns how many more points may be added.
    pub(crate) fn room(&self) -> usize {
        self.most.saturating_sub(self.good.points.len())
    }

    /// Returns true once the list of errors is full, so that further errors are only counted.
    pub(crate) fn only_counts(&self) -> bool {
        self.bad.listed.len() >= MAX_LISTED
    }

    /// Reserves memory for this many bytes besides the points.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`] if there is no memory for them.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), ApiError> {
        Ok(self.share.grow(bytes)?)
    }

    /// Drops all points and errors, to read the same body again in another way.
    pub(crate) fn restart(&mut self) {
        self.owed = 0;
        self.share.shrink(self.share.held().saturating_sub(self.held_before));
        self.good.points.clear();
        self.good.lines.clear();
        self.bad = WrongLines::default();
    }

    /// Adds the point or the error of a line, counted from 1.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`] if there are too many points, or no memory for more.
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
                self.bad.count += 1;
                self.bad.forbidden += usize::from(wrong.is_forbidden());
                if !self.only_counts() {
                    self.bad.listed.push(wrong.at(line));
                }
            }
        }
        Ok(())
    }

    /// Returns all points if every line was valid.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with the wrong lines, at most a thousand, or [`ApiError::Forbidden`] if the sender may not
    /// push to some of the series; [`ApiError::Malformed`] if the body has no point; [`ApiError::LimitReached`] if there
    /// is no memory for the points.
    pub fn finish(self) -> Result<Batch, ApiError> {
        let (good, WrongLines { count, forbidden, listed }) = self.finish_partly()?;
        if count == 0 && good.points.is_empty() {
            return Err(ApiError::Malformed("there is no point in the body".to_owned()));
        }
        if count == 0 {
            return Ok(good);
        }
        let what = if forbidden > 0 { "wrong, or of series that the sender may not push to" } else { "wrong" };
        let mut detail = format!("{count} of {} lines are {what}, so nothing was stored", count + good.points.len());
        if count > listed.len() {
            detail = format!("{detail}; the first {} are listed", listed.len());
        }
        let errors = listed;
        Err(if forbidden > 0 { ApiError::Forbidden { detail, errors } } else { ApiError::Invalid { detail, errors } })
    }

    /// Returns the points of the valid lines, perhaps none, and the wrong lines.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`] if there is no memory for the points.
    pub fn finish_partly(self) -> Result<(Batch, WrongLines), ApiError> {
        let Self { good, bad, share, owed, .. } = self;
        share.grow(owed)?;
        Ok((good, bad))
    }
}

/// Makes a batch of one point and reserves its memory in `share`.
///
/// # Errors
/// [`ApiError::LimitReached`] if there is no memory for it.
pub fn single(point: Pushed, share: &mut Share) -> Result<Batch, ApiError> {
    share.grow(POINT_BYTES + point.bytes_beside())?;
    Ok(Batch { points: vec![point], lines: vec![1], request: None })
}

fn too_many(most: usize) -> ApiError {
    ApiError::LimitReached {
        limit: Limit::Points,
        detail: format!(
            "the body has over {most} points, the most that one push may have (--max-points); send it in several pushes; nothing of this was stored"
        ),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::push_memory::PushMemory;
    use shared::{Millis, Number, Point, Value};

    fn point() -> Pushed {
        let value = Value::Number(Number::new(1.0).unwrap());
        Point { series: "a".parse().unwrap(), ts: Millis(1), value }.into()
    }

    #[test]
    fn points_over_the_bound_are_refused_and_never_kept() {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        let mut builder = BatchBuilder::new(SeriesLookup::unrestricted(&directory), 3, &mut share);
        for line in 1..=3 {
            builder.take(line, Ok(point())).unwrap();
        }
        let Err(ApiError::LimitReached { limit, detail, retry_after }) = builder.take(4, Ok(point())) else {
            panic!("it is one too many")
        };
        assert_eq!((limit, retry_after), (Limit::Points, None));
        assert!(detail.contains("over 3 points") && detail.contains("--max-points"), "{detail}");
    }

    #[test]
    fn memory_is_reserved_while_points_are_read() {
        let (directory, memory) = (Directory::default(), PushMemory::new(1 << 20));
        let mut share = memory.share();
        let mut builder = BatchBuilder::new(SeriesLookup::unrestricted(&directory), usize::MAX, &mut share);
        let (kept, error) = (1..).find_map(|line| Some((line - 1, builder.take(line, Ok(point())).err()?))).unwrap();
        assert_eq!(error.limit(), Some(Limit::Queue));
        assert!(kept * POINT_BYTES < 1 << 20, "{kept} points");
        drop(builder);
        assert!(memory.used() > (1 << 20) * 3 / 4);
        drop(share);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn restart_gives_back_the_memory_of_the_points() {
        let (directory, memory) = (Directory::default(), PushMemory::new(1 << 20));
        let mut share = memory.share();
        share.grow(100).unwrap();
        let mut builder = BatchBuilder::new(SeriesLookup::unrestricted(&directory), usize::MAX, &mut share);
        for _ in 0..3 {
            (0..1_000).for_each(|line| builder.take(line, Ok(point())).unwrap());
            builder.restart();
            assert_eq!(memory.used(), 100);
        }
        builder.take(1, Ok(point())).unwrap();
        builder.finish().unwrap();
        assert_eq!(share.held(), 100 + POINT_BYTES + point().bytes_beside());
    }

    #[test]
    fn errors_beyond_the_first_thousand_are_only_counted() {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        let mut builder = BatchBuilder::by_default(&directory, &mut share);
        for line in 1..=5_000 {
            builder.take(line, Err(Wrong::new("value", "a number", "nothing"))).unwrap();
        }
        assert!(builder.bad.listed.capacity() < 2 * MAX_LISTED);
        let Err(ApiError::Invalid { detail, errors }) = builder.finish() else { panic!("it is wrong") };
        assert_eq!(errors.len(), MAX_LISTED);
        assert_eq!(detail, "5000 of 5000 lines are wrong, so nothing was stored; the first 1000 are listed");
    }
}
