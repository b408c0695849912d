//! The points of a block whose senders set their times, by which repeats are recognised ([`super::dedup`]).

use serde::{Deserialize, Serialize};

use super::block_id::BlockId;
use super::damage::Unreadable;
use super::number_log::LoggedNumber;
use crate::log::point_time::NANOS_OF_MILLI;

/// The most points of a block that are kept. Further points count again when they are repeated.
const MAX_OF_BLOCK: usize = 1 << 20;

/// The nanoseconds of a block of the finest tier.
pub(super) const NANOS_OF_BLOCK: u64 = 60_000 * NANOS_OF_MILLI as u64;

/// A point whose sender set its time, relative to its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey {
    /// Nanoseconds from the start of the block.
    at: u64,
    /// The bits of the value.
    value: u64,
}

impl DedupKey {
    /// Returns the point at `block_id`; `None` if the server set its time.
    #[must_use]
    pub fn of(block_id: BlockId, logged: &LoggedNumber) -> Option<Self> {
        let nanos = logged.set_by.nanos()?;
        let ms = logged.at.ts.since(block_id.span().from);
        // Adding zero turns -0.0 into 0.0, so that both zeros are one value.
        let value = (logged.value.get() + 0.0).to_bits();
        Some(Self { at: ms * u64::from(NANOS_OF_MILLI) + u64::from(nanos), value })
    }
}

/// The points of a block whose senders set their times.
#[derive(Clone, Debug, Default)]
pub struct DedupKeys {
    points: Vec<DedupKey>,
    /// The number of leading points that are in order. The others are sorted in at the next lookup.
    in_order: usize,
}

/// The stored form: the nanoseconds of one unit; then for each point the units since the point before it, and the
/// bytes of the value, swapped so that trailing zero bytes make a small number.
#[derive(Serialize, Deserialize)]
struct Packed {
    unit: u32,
    points: Vec<(u64, u64)>,
}

impl DedupKeys {
    /// Adds a point. Returns false if the block already has the most points that are kept.
    pub fn insert(&mut self, point: DedupKey) -> bool {
        if self.points.len() == MAX_OF_BLOCK {
            return false;
        }
        if self.in_order == self.points.len() && self.points.last().is_none_or(|last| *last <= point) {
            self.in_order += 1;
        }
        self.points.push(point);
        true
    }

    /// Returns true if the block has this point.
    pub fn contains(&mut self, point: DedupKey) -> bool {
        self.sort();
        self.points.binary_search(&point).is_ok()
    }

    /// Returns the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns true if there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn sort(&mut self) {
        if self.in_order < self.points.len() {
            // A stable sort merges runs that are in order, which is nearly all of the list.
            self.points.sort();
            self.in_order = self.points.len();
        }
    }

    /// Encodes the points for the table; `None` if there are none.
    pub(crate) fn pack(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut sorted = self.clone();
        sorted.sort();
        let units = [NANOS_OF_MILLI, 1_000, 1];
        let fits = |unit: &u32| sorted.points.iter().all(|point| point.at.is_multiple_of(u64::from(*unit)));
        let unit = units.into_iter().find(fits).unwrap_or(1);
        let mut before = 0;
        let points = sorted.points.iter().map(|point| {
            let units = (point.at - before) / u64::from(unit);
            before = point.at;
            (units, point.value.swap_bytes())
        });
        let packed = Packed { unit, points: points.collect() };
        let packed = postcard::to_stdvec(&packed);
        packed.map(Some).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }

    /// Decodes the points.
    ///
    /// # Errors
    /// [`Unreadable`] if the server cannot have written them: times outside of a block, values that are not finite.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Unreadable> {
        let Packed { unit, points: packed } = postcard::from_bytes(bytes)?;
        let mut points = Vec::with_capacity(packed.len());
        let mut at = 0_u64;
        for (units, value) in packed {
            let next = units.checked_mul(unit.into()).and_then(|nanos| at.checked_add(nanos));
            at = next.filter(|&at| at < NANOS_OF_BLOCK).ok_or(Unreadable::Content("a sent time is out of range"))?;
            let value = value.swap_bytes();
            if !f64::from_bits(value).is_finite() {
                return Err(Unreadable::Content("a sent value is not finite"));
            }
            points.push(DedupKey { at, value });
        }
        Ok(Self { in_order: if points.is_sorted() { points.len() } else { 0 }, points })
    }
}

impl PartialEq for DedupKeys {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |points: &Self| {
            let mut points = points.clone();
            points.sort();
            points.points
        };
        sorted(self) == sorted(other)
    }
}
