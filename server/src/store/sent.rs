//! Times that senders set, by which repeated points are recognised.
//!
//! Clients repeat a batch after a lost answer. A point whose sender set its time is a repeat if its series already has a
//! point of that time, to the nanosecond, with the same value. It changes nothing then. Points whose time the server set
//! are never repeats.
//!
//! The log keeps who set each time, and each row of the finest buckets keeps the points of its stretch whose senders set
//! their times. Such a row is kept for longer than a point may be late, so every repeat that may come is recognised, also
//! after a restart. Nothing is guessed: the times and values themselves are compared.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::{Millis, Tier};

use super::block::{self, Place};
use super::damage::{Damage, Part, Unreadable};
use super::fresh::{Fresh, Known};
use super::log::Logged;

/// Most points of a block that are remembered. Further ones count again when they are repeated.
const MOST_OF_BLOCK: usize = 1 << 20;

/// Most points of stored blocks that a transaction has in memory at a time, to compare others with.
const MOST_READ: usize = 1 << 20;

const NANOS_OF_MILLI: u32 = 1_000_000;

/// The nanoseconds of a block of the finest tier.
const NANOS_OF_BLOCK: u64 = 60_000 * NANOS_OF_MILLI as u64;

/// Tells who set the time of a point: the server, or its sender, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetBy(u32);

impl SetBy {
    /// The server, since the sender gave no time.
    pub const SERVER: Self = Self(0);

    /// The sender, with so many nanoseconds beyond the millisecond.
    #[must_use]
    pub fn sender(nanos: u32) -> Self {
        Self(1 + nanos.min(NANOS_OF_MILLI - 1))
    }

    /// Returns the nanoseconds beyond the millisecond; `None` if the server set the time.
    #[must_use]
    pub fn nanos(self) -> Option<u32> {
        self.0.checked_sub(1)
    }

    /// The number that stands for it in the log.
    pub(super) fn code(self) -> u32 {
        self.0
    }

    /// Reads the number that stands for it in the log.
    pub(super) fn of_code(code: u32) -> Option<Self> {
        (code <= NANOS_OF_MILLI).then_some(Self(code))
    }
}

/// The time of a pushed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointTime {
    /// The time in milliseconds.
    pub ts: Millis,
    /// The one who set it.
    pub set_by: SetBy,
}

impl PointTime {
    /// A time that the server set.
    #[must_use]
    pub fn of_server(ts: Millis) -> Self {
        Self { ts, set_by: SetBy::SERVER }
    }

    /// A time that the sender set, with so many nanoseconds beyond the millisecond.
    #[must_use]
    pub fn of_sender(ts: Millis, nanos: u32) -> Self {
        Self { ts, set_by: SetBy::sender(nanos) }
    }
}

/// A point whose sender set its time, within a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentPoint {
    /// Nanoseconds from the start of the block.
    at: u64,
    /// The bits of the value.
    value: u64,
}

impl SentPoint {
    /// The point at `place`; `None` if the server set its time.
    #[must_use]
    pub fn of(place: Place, logged: &Logged) -> Option<Self> {
        let nanos = logged.set_by.nanos()?;
        let ms = logged.at.ts.since(place.span().from);
        // Adding zero makes one of both zeros.
        let value = (logged.value.get() + 0.0).to_bits();
        Some(Self { at: ms * u64::from(NANOS_OF_MILLI) + u64::from(nanos), value })
    }
}

/// The points of a block whose senders set their times.
#[derive(Clone, Debug, Default)]
pub struct SentPoints {
    points: Vec<SentPoint>,
    /// So many of them are in order. Those behind are sorted in when somebody looks.
    in_order: usize,
}

/// As it is written: nanoseconds of a unit; units after the point before, and the bytes of the value in the order in which
/// those that are zero make a small number.
#[derive(Serialize, Deserialize)]
struct Packed {
    unit: u32,
    points: Vec<(u64, u64)>,
}

impl SentPoints {
    /// Adds a point. Returns true unless there are too many.
    pub fn insert(&mut self, point: SentPoint) -> bool {
        if self.points.len() == MOST_OF_BLOCK {
            return false;
        }
        if self.in_order == self.points.len() && self.points.last().is_none_or(|last| *last <= point) {
            self.in_order += 1;
        }
        self.points.push(point);
        true
    }

    /// Returns true if the point is there.
    pub fn contains(&mut self, point: SentPoint) -> bool {
        self.sort();
        self.points.binary_search(&point).is_ok()
    }

    /// Returns the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns true if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn sort(&mut self) {
        if self.in_order < self.points.len() {
            // Merges runs that are in order, which is nearly all of it.
            self.points.sort();
            self.in_order = self.points.len();
        }
    }

    /// Encodes the points for the table; `None` if there is none.
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
    /// [`Unreadable`] if they cannot have been written: times outside of a block, values that are not finite.
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
            points.push(SentPoint { at, value });
        }
        Ok(Self { in_order: if points.is_sorted() { points.len() } else { 0 }, points })
    }
}

impl PartialEq for SentPoints {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |points: &Self| {
            let mut points = points.clone();
            points.sort();
            points.points
        };
        sorted(self) == sorted(other)
    }
}

/// The relation of a point, not newer than the newest of its series, to those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is there already.
    Repeat,
    /// It is not there; tells whether its block is.
    New(Known),
}

impl Found {
    /// Returns whether the block of a new point is there; `None` for a repeat.
    pub(super) fn known(self) -> Option<Known> {
        match self {
            Self::Repeat => None,
            Self::New(known) => Some(known),
        }
    }
}

/// Looks up points of one transaction.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Points of the transaction itself, as far as they are indexed. Filled when the first point has to be looked up, since
    /// most transactions have none.
    own: HashSet<(Place, SentPoint), RandomState>,
    /// The number of the transaction's points that are indexed.
    indexed: usize,
    /// The stored points of blocks that are not in memory; `None` if there is no such block.
    stored: HashMap<Place, Option<SentPoints>, RandomState>,
    /// The number of points in `stored`.
    read: usize,
}

impl Repeats {
    /// Looks up a point whose sender set its time. `own` are the numbers of the transaction before it.
    pub(super) fn find(
        &mut self,
        conn: &Connection,
        fresh: &Fresh,
        damage: &Damage,
        own: &[Logged],
        logged: &Logged,
    ) -> rusqlite::Result<Found> {
        let place = Place::holding(Tier::Second, logged.series, logged.at.ts);
        let Some(point) = SentPoint::of(place, logged) else { return Ok(Found::New(Known::Perhaps)) };
        for logged in &own[self.indexed.min(own.len())..] {
            let place = Place::holding(Tier::Second, logged.series, logged.at.ts);
            self.own.extend(SentPoint::of(place, logged).map(|point| (place, point)));
        }
        self.indexed = own.len();
        if self.own.contains(&(place, point)) {
            return Ok(Found::Repeat);
        }
        if let Some(is_there) = fresh.has_sent(place, point) {
            return Ok(if is_there { Found::Repeat } else { Found::New(Known::Perhaps) });
        }
        if !self.stored.contains_key(&place) {
            let sent = block::sent(conn, place, damage)?;
            if self.read > MOST_READ {
                self.stored.clear();
                self.read = 0;
            }
            self.read += 1 + sent.as_ref().map_or(0, SentPoints::len);
            self.stored.insert(place, sent);
        }
        let is_there = match self.stored.get_mut(&place) {
            Some(Some(sent)) => sent.contains(point),
            _ if damage.has(&Part::Block(place)) => false,
            _ => return Ok(Found::New(Known::New)),
        };
        Ok(if is_there { Found::Repeat } else { Found::New(Known::Perhaps) })
    }
}

#[cfg(test)]
mod tests;
