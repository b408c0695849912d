//! The memtable: blocks of the finest tier that changed and are not written yet.
//!
//! The writer thread changes them; readers of history look at them. A series that does not change takes no memory
//! here.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use shared::{Seq, Tier};

use super::block::Block;
use super::block_id::BlockId;
use super::dedup_keys::DedupKey;
use super::number_log::LoggedNumber;
use crate::clock::Uptime;
use crate::log::SeriesId;

/// Milliseconds that a block stays in memory before it is flushed. This is longer than a block takes to fill, so that
/// most blocks are written once.
const FLUSH_AFTER: u64 = 75_000;

/// Beyond this many blocks, the oldest are flushed earlier: each may take some kilobytes of memory.
const MAX_BLOCKS: usize = 50_000;

/// Beyond this many blocks, pushes wait until some are flushed: memory must not depend on how fast new series begin.
const BLOCKS_FULL: usize = 4 * MAX_BLOCKS;

/// Beyond this many points whose senders set their times, the oldest blocks are flushed earlier, too: 64 MiB of
/// points.
const MAX_SENDER_TIMES: usize = 4 << 20;

/// Beyond this many points whose senders set their times, pushes wait until some are flushed.
const SENDER_TIMES_FULL: usize = 4 * MAX_SENDER_TIMES;

/// Beyond this many unflushed points, the oldest blocks are flushed earlier, too, since a start reads unflushed
/// points from the log again: some seconds of reading.
const MAX_POINTS: u64 = 10_000_000;

/// The memtable. The writer thread and readers of history share it; only the writer thread changes it.
#[derive(Debug, Default)]
pub struct Memtable(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The blocks of each series, oldest first; seldom more than two. Each block is complete: it includes the buckets
    /// that the tables have.
    series: HashMap<SeriesId, Vec<Unflushed>, RandomState>,
    /// All blocks, in the order in which they first changed, under ascending numbers.
    queue: BTreeMap<u64, Queued>,
    /// The next number in the queue.
    next: u64,
    /// The number of points in all blocks whose senders set their times.
    sent: usize,
    /// Blocks that could not be read, with the seq of the first point that belongs there. They are rebuilt from the
    /// log after a restart.
    missing: HashMap<BlockId, Seq>,
}

#[derive(Clone, Debug)]
struct Unflushed {
    block_id: BlockId,
    block: Arc<Block>,
    /// The number of the block in the queue.
    number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    block_id: BlockId,
    /// The seq of the first point in the block that is not in the tables.
    since: Seq,
    at: Uptime,
}

/// Says whether the tables may already have a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTables {
    /// The tables may have it.
    Maybe,
    /// The block is newer than all blocks of its series.
    No,
}

impl Memtable {
    /// Adds numbers, in the order of their seqs. Numbers that a block already has change nothing. `load` reads a
    /// block from the tables.
    pub fn add(
        &self,
        numbers: impl IntoIterator<Item = (LoggedNumber, InTables)>,
        now: Uptime,
        mut load: impl FnMut(BlockId) -> rusqlite::Result<Block>,
    ) {
        let mut state = self.0.lock();
        let State { series, queue, next, sent, missing } = &mut *state;
        for (logged, known) in numbers {
            let LoggedNumber { series: id, at, value, .. } = logged;
            let block_id = BlockId::holding(Tier::Second, id, at.ts);
            if !missing.is_empty() && missing.contains_key(&block_id) {
                continue;
            }
            let blocks = series.entry(id).or_default();
            // Nearly every point belongs into the newest block.
            let found = match blocks.last() {
                Some(newest) if newest.block_id == block_id => Ok(blocks.len() - 1),
                _ => blocks.binary_search_by_key(&block_id, |unflushed| unflushed.block_id),
            };
            let index = match found {
                Ok(index) => index,
                Err(index) => {
                    let block = match known {
                        InTables::No => Ok(Block::default()),
                        InTables::Maybe => load(block_id),
                    };
                    let block = match block {
                        Ok(block) => block,
                        Err(error) => {
                            tracing::error!(%error, "cannot read a block; what belongs there is added after a restart");
                            missing.insert(block_id, at.seq);
                            continue;
                        }
                    };
                    if blocks.capacity() == 0 {
                        blocks.reserve_exact(1);
                    }
                    *sent += block.dedup_keys.len();
                    blocks.insert(index, Unflushed { block_id, block: Arc::new(block), number: *next });
                    queue.insert(*next, Queued { block_id, since: at.seq, at: now });
                    *next += 1;
                    index
                }
            };
            // Copies the block if a reader holds it, so that the reader's copy does not change.
            let block = Arc::make_mut(&mut blocks[index].block);
            if block.add(at, value)
                && let Some(point) = DedupKey::of(block_id, &logged)
            {
                *sent += usize::from(block.dedup_keys.insert(point));
            }
        }
    }

    /// Looks up a point whose sender set its time. Returns `None` if its block is not in memory.
    #[must_use]
    pub fn has_dedup_key(&self, block_id: BlockId, point: DedupKey) -> Option<bool> {
        let mut state = self.0.lock();
        if state.missing.contains_key(&block_id) {
            return Some(false);
        }
        let blocks = state.series.get_mut(&block_id.series)?;
        let index = blocks.binary_search_by_key(&block_id, |unflushed| unflushed.block_id).ok()?;
        Some(Arc::make_mut(&mut blocks[index].block).dedup_keys.contains(point))
    }

    /// Returns the blocks of a series, oldest first.
    #[must_use]
    pub fn of(&self, series: SeriesId) -> Vec<(BlockId, Arc<Block>)> {
        let state = self.0.lock();
        let blocks = state.series.get(&series).into_iter().flatten();
        blocks.map(|Unflushed { block_id, block, .. }| (*block_id, block.clone())).collect()
    }

    /// Selects the blocks to flush next, at most `most`: those that are due, or all. Adds the later blocks of the
    /// same series, so that an import of the past rewrites a coarser block once for many finer ones. Leaves out the
    /// newest block of a series, which is probably still filling, unless it is due itself.
    #[must_use]
    pub fn due(&self, most: usize, head: Seq, when: Due) -> Batch {
        let state = self.0.lock();
        let mut excess = state.queue.len().saturating_sub(MAX_BLOCKS);
        if state.sent > MAX_SENDER_TIMES {
            // The number of blocks that hold the excess, if all blocks have about as many points.
            excess =
                excess.max((state.sent - MAX_SENDER_TIMES).div_ceil(state.sent.div_ceil(state.queue.len().max(1))));
        }
        let is_due = |index: usize, queued: &Queued| match when {
            Due::All => true,
            Due::By(now) => {
                index < excess
                    || queued.at.plus(FLUSH_AFTER) <= now
                    || head.0.saturating_sub(queued.since.0) > MAX_POINTS
            }
        };
        let mut batch = Batch::default();
        for (index, (number, queued)) in state.queue.iter().enumerate() {
            if batch.blocks.len() >= most || !is_due(index, queued) {
                break;
            }
            let Some(blocks) = state.series.get(&queued.block_id.series) else { continue };
            let from = blocks.partition_point(|unflushed| unflushed.block_id < queued.block_id);
            let Some((first, later)) = blocks[from..].split_first() else { continue };
            if batch.numbers.contains(number) {
                continue;
            }
            let complete = later.split_last().map_or(&[][..], |(_newest, complete)| complete);
            for unflushed in iter::once(first).chain(complete).take(most - batch.blocks.len()) {
                if batch.numbers.insert(unflushed.number) {
                    batch.blocks.push((unflushed.block_id, unflushed.block.clone()));
                }
            }
        }
        batch
    }

    /// Returns the seq up to which the tables hold everything once `written` is written.
    #[must_use]
    pub fn flushed(&self, written: &Batch, head: Seq) -> Seq {
        let state = self.0.lock();
        let left = state.queue.iter().find(|(number, _)| !written.numbers.contains(number));
        let first = left.map(|(_, queued)| queued.since).into_iter().chain(state.missing.values().copied()).min();
        first.map_or(head, |seq| Seq(seq.0.saturating_sub(1)))
    }

    /// Drops the blocks of `written` from memory.
    pub fn remove_flushed(&self, written: &Batch) {
        let mut state = self.0.lock();
        let State { series, queue, sent, .. } = &mut *state;
        for number in &written.numbers {
            queue.remove(number);
        }
        let ids: HashSet<SeriesId> = written.blocks.iter().map(|(block_id, _)| block_id.series).collect();
        for id in ids {
            let Entry::Occupied(mut blocks) = series.entry(id) else { continue };
            blocks.get_mut().retain(|unflushed| {
                let is_written = written.numbers.contains(&unflushed.number);
                *sent -= if is_written { unflushed.block.dedup_keys.len() } else { 0 };
                !is_written
            });
            if blocks.get().is_empty() {
                blocks.remove();
            }
        }
    }

    /// Drops all blocks of a series that was removed.
    pub fn remove(&self, series: SeriesId) {
        let mut state = self.0.lock();
        for unflushed in state.series.remove(&series).unwrap_or_default() {
            state.queue.remove(&unflushed.number);
            state.sent -= unflushed.block.dedup_keys.len();
        }
        state.missing.retain(|block_id, _| block_id.series != series);
    }

    /// Returns the number of blocks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().queue.len()
    }

    /// Returns true if there are too many blocks, so that the oldest are flushed before they are due.
    #[must_use]
    pub fn is_over_target(&self) -> bool {
        self.len() > MAX_BLOCKS
    }

    /// Returns true if there are too many blocks or points, so that pushes must wait until some are flushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let state = self.0.lock();
        state.queue.len() > BLOCKS_FULL || state.sent > SENDER_TIMES_FULL
    }

    /// Returns true if there is no block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Blocks that are flushed in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// The blocks to write.
    pub blocks: Vec<(BlockId, Arc<Block>)>,
    /// The numbers of the blocks in the queue.
    numbers: HashSet<u64, RandomState>,
}

/// Selects the blocks to flush.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// The blocks that are due at this time.
    By(Uptime),
    /// All blocks.
    All,
}
