//! Recognises points that a client sends again, by the times that senders set.
//!
//! Clients repeat a batch after a lost answer. A point whose sender set its time is a repeat if its series already
//! has a point of that time, to the nanosecond, with the same value. A repeat changes nothing. Points whose time the
//! server set are never repeats.
//!
//! The log records for each point if the server or the sender set its time. Each row of the finest buckets keeps those
//! of its points whose times were set by senders. Such a row is kept for longer than a point may be late, so every possible repeat is recognised,
//! also after a restart. Nothing is guessed: the times and values themselves are compared.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::{Millis, Tier};

use super::block::{self, BlockId};
use super::damage::{Damage, Part, Unreadable};
use super::memtable::{InTables, Memtable};
use super::number_log::LoggedNumber;

/// The most points of a block that are kept. Further points count again when they are repeated.
const MAX_OF_BLOCK: usize = 1 << 20;

/// The most points of stored blocks that a transaction keeps in memory for comparison.
const MAX_READ: usize = 1 << 20;

const NANOS_OF_MILLI: u32 = 1_000_000;

/// The nanoseconds of a block of the finest tier.
const NANOS_OF_BLOCK: u64 = 60_000 * NANOS_OF_MILLI as u64;

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
    pub(super) fn code(self) -> u32 {
        self.0
    }

    /// Reads the code from the log; `None` if it is out of range.
    pub(super) fn of_code(code: u32) -> Option<Self> {
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

/// The result of looking up a point that is not newer than the newest of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The series already has this point.
    Repeat,
    /// The series does not have this point. [`InTables`] says whether its block may be stored.
    New(InTables),
}

impl Found {
    /// Returns whether the block of a new point may be stored; `None` for a repeat.
    pub(super) fn known(self) -> Option<InTables> {
        match self {
            Self::Repeat => None,
            Self::New(known) => Some(known),
        }
    }
}

/// Looks up the points of one transaction.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// The points of the transaction itself, as far as they are indexed. Filled when the first point must be looked
    /// up, since most transactions need no lookup.
    own: HashSet<(BlockId, DedupKey), RandomState>,
    /// The number of the transaction's points that are indexed.
    indexed: usize,
    /// The stored points of blocks that are not in memory; `None` if there is no such block.
    stored: HashMap<BlockId, Option<DedupKeys>, RandomState>,
    /// The number of points in `stored`.
    read: usize,
}

impl Repeats {
    /// Looks up a point whose sender set its time. `own` holds the numbers of the transaction before it.
    pub(super) fn find(
        &mut self,
        conn: &Connection,
        memtable: &Memtable,
        damage: &Damage,
        own: &[LoggedNumber],
        logged: &LoggedNumber,
    ) -> rusqlite::Result<Found> {
        let block_id = BlockId::holding(Tier::Second, logged.series, logged.at.ts);
        let Some(point) = DedupKey::of(block_id, logged) else { return Ok(Found::New(InTables::Maybe)) };
        for logged in &own[self.indexed.min(own.len())..] {
            let block_id = BlockId::holding(Tier::Second, logged.series, logged.at.ts);
            self.own.extend(DedupKey::of(block_id, logged).map(|point| (block_id, point)));
        }
        self.indexed = own.len();
        if self.own.contains(&(block_id, point)) {
            return Ok(Found::Repeat);
        }
        if let Some(is_there) = memtable.has_dedup_key(block_id, point) {
            return Ok(if is_there { Found::Repeat } else { Found::New(InTables::Maybe) });
        }
        if !self.stored.contains_key(&block_id) {
            let sent = block::sent(conn, block_id, damage)?;
            if self.read > MAX_READ {
                self.stored.clear();
                self.read = 0;
            }
            self.read += 1 + sent.as_ref().map_or(0, DedupKeys::len);
            self.stored.insert(block_id, sent);
        }
        let is_there = match self.stored.get_mut(&block_id) {
            Some(Some(sent)) => sent.contains(point),
            _ if damage.has(&Part::Block(block_id)) => false,
            _ => return Ok(Found::New(InTables::No)),
        };
        Ok(if is_there { Found::Repeat } else { Found::New(InTables::Maybe) })
    }
}

#[cfg(test)]
mod tests;
