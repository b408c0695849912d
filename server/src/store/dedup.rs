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
use shared::Tier;

use super::block_id::BlockId;
use super::damage::Damage;
use super::dedup_keys::{DedupKey, DedupKeys};
use super::memtable::{InTables, Memtable};
use super::number_log::LoggedNumber;
use super::rows;

/// The most points of stored blocks that a transaction keeps in memory for comparison.
const MAX_READ: usize = 1 << 20;

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
            let sent = rows::find_whole(conn, block_id, damage)?.map(|block| block.dedup_keys);
            if self.read > MAX_READ {
                self.stored.clear();
                self.read = 0;
            }
            self.read += 1 + sent.as_ref().map_or(0, DedupKeys::len);
            self.stored.insert(block_id, sent);
        }
        let is_there = match self.stored.get_mut(&block_id) {
            Some(Some(sent)) => sent.contains(point),
            _ if rows::is_damaged(block_id, damage) => false,
            _ => return Ok(Found::New(InTables::No)),
        };
        Ok(if is_there { Found::Repeat } else { Found::New(InTables::Maybe) })
    }
}

#[cfg(test)]
mod tests;
