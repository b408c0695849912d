//! Blocks of the finest tier that changed and are not written yet.
//!
//! They are kept by the writer, and looked at by readers of history. Nothing is here of a series that does not change.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use shared::{Seq, Tier};

use super::SeriesId;
use super::block::{Block, Place};
use super::log::Logged;
use super::sent::SentPoint;
use crate::clock::Uptime;

/// How long a block stays before it is written, in milliseconds: longer than it takes to fill, so that most are written once.
const AFTER: u64 = 75_000;

/// Beyond so many blocks, the oldest are written earlier: each may take some kilobytes of memory.
const MOST_BLOCKS: usize = 50_000;

/// Beyond so many, pushes wait until some are written: memory must not depend on how fast series begin.
const CROWD: usize = 4 * MOST_BLOCKS;

/// Beyond so many points whose senders set their times, the oldest blocks are written earlier, too: 64 MiB of them.
const MOST_SENT: usize = 4 << 20;

/// Beyond so many, pushes wait until some are written.
const SENT_CROWD: usize = 4 * MOST_SENT;

/// Beyond so many points they are too, since a start reads again what was not written: some seconds of it.
const MOST_POINTS: u64 = 10_000_000;

/// The blocks. Shared by the writer, the only one to change it, and readers of history.
#[derive(Debug, Default)]
pub struct Fresh(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of each series the blocks, oldest first: seldom more than two. Each is whole: what the tables have of it is in it.
    series: HashMap<SeriesId, Vec<Unwritten>, RandomState>,
    /// All of them, in the order in which they changed first, under ascending numbers.
    queue: BTreeMap<u64, Queued>,
    /// The next number in the queue.
    next: u64,
    /// The number of points in all blocks whose senders set their times.
    sent: usize,
    /// Blocks that could not be read, with the first of their points: they are made up from the log after a restart.
    missing: HashMap<Place, Seq>,
}

#[derive(Clone, Debug)]
struct Unwritten {
    place: Place,
    block: Arc<Block>,
    /// Its number in the queue.
    number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    place: Place,
    /// The first point in it that is not in the tables.
    since: Seq,
    at: Uptime,
}

/// Whether a block may be in the tables already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It may be.
    Perhaps,
    /// It is later than all that its series has.
    New,
}

impl Fresh {
    /// Puts numbers in, in the order of their seqs; those that are there already change nothing. `load` reads a block
    /// from the tables.
    pub fn add(
        &self,
        numbers: impl IntoIterator<Item = (Logged, Known)>,
        now: Uptime,
        mut load: impl FnMut(Place) -> rusqlite::Result<Block>,
    ) {
        let mut state = self.0.lock();
        let State { series, queue, next, sent, missing } = &mut *state;
        for (logged, known) in numbers {
            let Logged { series: id, at, value, .. } = logged;
            let place = Place::holding(Tier::Second, id, at.ts);
            if !missing.is_empty() && missing.contains_key(&place) {
                continue;
            }
            let blocks = series.entry(id).or_default();
            // Nearly every point belongs into the newest.
            let found = match blocks.last() {
                Some(newest) if newest.place == place => Ok(blocks.len() - 1),
                _ => blocks.binary_search_by_key(&place, |unwritten| unwritten.place),
            };
            let index = match found {
                Ok(index) => index,
                Err(index) => {
                    let block = match known {
                        Known::New => Ok(Block::default()),
                        Known::Perhaps => load(place),
                    };
                    let block = match block {
                        Ok(block) => block,
                        Err(error) => {
                            tracing::error!(%error, "cannot read a block; what belongs there is added after a restart");
                            missing.insert(place, at.seq);
                            continue;
                        }
                    };
                    if blocks.capacity() == 0 {
                        blocks.reserve_exact(1);
                    }
                    *sent += block.sent.len();
                    blocks.insert(index, Unwritten { place, block: Arc::new(block), number: *next });
                    queue.insert(*next, Queued { place, since: at.seq, at: now });
                    *next += 1;
                    index
                }
            };
            // A reader that looks at the block meanwhile keeps it as it was.
            let block = Arc::make_mut(&mut blocks[index].block);
            if block.add(at, value)
                && let Some(point) = SentPoint::of(place, &logged)
            {
                *sent += usize::from(block.sent.insert(point));
            }
        }
    }

    /// Looks for a point whose sender set its time; `None` if its block is not here.
    #[must_use]
    pub fn has_sent(&self, place: Place, point: SentPoint) -> Option<bool> {
        let mut state = self.0.lock();
        if state.missing.contains_key(&place) {
            return Some(false);
        }
        let blocks = state.series.get_mut(&place.series)?;
        let index = blocks.binary_search_by_key(&place, |unwritten| unwritten.place).ok()?;
        Some(Arc::make_mut(&mut blocks[index].block).sent.contains(point))
    }

    /// The blocks of a series, oldest first.
    #[must_use]
    pub fn of(&self, series: SeriesId) -> Vec<(Place, Arc<Block>)> {
        let state = self.0.lock();
        let blocks = state.series.get(&series).into_iter().flatten();
        blocks.map(|Unwritten { place, block, .. }| (*place, block.clone())).collect()
    }

    /// Selects the blocks to write next, at most `most`: those whose time has come, or all. Adds to each the later blocks
    /// of its series, so that a coarser block is rewritten once for many finer ones where the past is imported; but not
    /// the newest, which is probably still filling.
    #[must_use]
    pub fn due(&self, most: usize, head: Seq, when: Due) -> Batch {
        let state = self.0.lock();
        let mut crowded = state.queue.len().saturating_sub(MOST_BLOCKS);
        if state.sent > MOST_SENT {
            // As many as have the excess, if they have about as many points each.
            crowded = crowded.max((state.sent - MOST_SENT).div_ceil(state.sent.div_ceil(state.queue.len().max(1))));
        }
        let is_due = |index: usize, queued: &Queued| match when {
            Due::All => true,
            Due::By(now) => {
                index < crowded || queued.at.plus(AFTER) <= now || head.0.saturating_sub(queued.since.0) > MOST_POINTS
            }
        };
        let mut batch = Batch::default();
        for (index, (number, queued)) in state.queue.iter().enumerate() {
            if batch.blocks.len() >= most || !is_due(index, queued) {
                break;
            }
            let Some(blocks) = state.series.get(&queued.place.series) else { continue };
            let from = blocks.partition_point(|unwritten| unwritten.place < queued.place);
            let Some((first, later)) = blocks[from..].split_first() else { continue };
            if batch.numbers.contains(number) {
                continue;
            }
            let complete = later.split_last().map_or(&[][..], |(_newest, complete)| complete);
            for unwritten in iter::once(first).chain(complete).take(most - batch.blocks.len()) {
                if batch.numbers.insert(unwritten.number) {
                    batch.blocks.push((unwritten.place, unwritten.block.clone()));
                }
            }
        }
        batch
    }

    /// Returns up to where the tables have everything once `written` is written.
    #[must_use]
    pub fn settled(&self, written: &Batch, head: Seq) -> Seq {
        let state = self.0.lock();
        let left = state.queue.iter().find(|(number, _)| !written.numbers.contains(number));
        let first = left.map(|(_, queued)| queued.since).into_iter().chain(state.missing.values().copied()).min();
        first.map_or(head, |seq| Seq(seq.0.saturating_sub(1)))
    }

    /// Forgets the blocks of `written`.
    pub fn forget(&self, written: &Batch) {
        let mut state = self.0.lock();
        let State { series, queue, sent, .. } = &mut *state;
        for number in &written.numbers {
            queue.remove(number);
        }
        let ids: HashSet<SeriesId> = written.blocks.iter().map(|(place, _)| place.series).collect();
        for id in ids {
            let Entry::Occupied(mut blocks) = series.entry(id) else { continue };
            blocks.get_mut().retain(|unwritten| {
                let is_written = written.numbers.contains(&unwritten.number);
                *sent -= if is_written { unwritten.block.sent.len() } else { 0 };
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
        for unwritten in state.series.remove(&series).unwrap_or_default() {
            state.queue.remove(&unwritten.number);
            state.sent -= unwritten.block.sent.len();
        }
        state.missing.retain(|place, _| place.series != series);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().queue.len()
    }

    /// Whether there are so many that the oldest are written before their time.
    #[must_use]
    pub fn has_many(&self) -> bool {
        self.len() > MOST_BLOCKS
    }

    /// Whether there are so many that no more should come before some are written.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let state = self.0.lock();
        state.queue.len() > CROWD || state.sent > SENT_CROWD
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Blocks that are written in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// The blocks.
    pub blocks: Vec<(Place, Arc<Block>)>,
    /// Their numbers in the queue.
    numbers: HashSet<u64, RandomState>,
}

/// Which blocks are to be written.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// Those whose time has come.
    By(Uptime),
    /// All.
    All,
}
