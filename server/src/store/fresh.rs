//! Blocks of the finest tier that changed and are not written yet.
//!
//! They are kept by the writer, and looked at by readers of history. Nothing is here of a series that does not change.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use shared::{Seq, Tier};

use super::SeriesId;
use super::block::{Block, Place};
use super::log::Logged;
use crate::clock::Uptime;

/// How long a block stays before it is written, in milliseconds: longer than it takes to fill, so that most are written once.
const AFTER: u64 = 75_000;

/// Beyond so many blocks, the oldest are written earlier: each may take some kilobytes of memory.
const MOST_BLOCKS: usize = 50_000;

/// Beyond so many, pushes wait until some are written: memory must not depend on how fast series begin.
const CROWD: usize = 4 * MOST_BLOCKS;

/// Beyond so many points they are too, since a start reads again what was not written: some seconds of it.
const MOST_POINTS: u64 = 10_000_000;

/// The blocks. Shared by the writer, the only one to change it, and readers of history.
#[derive(Debug, Default)]
pub struct Fresh(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of each series the blocks, oldest first: seldom more than two. Each is whole: what the tables have of it is in it.
    series: HashMap<SeriesId, Vec<(Place, Arc<Block>)>, RandomState>,
    /// All of them, in the order in which they changed first.
    queue: VecDeque<Queued>,
    /// Blocks that could not be read, with the first of their points: they are made up from the log after a restart.
    missing: HashMap<Place, Seq>,
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
        let State { series, queue, missing } = &mut *state;
        for (Logged { series: id, at, value }, known) in numbers {
            let place = Place::holding(Tier::Second, id, at.ts);
            if !missing.is_empty() && missing.contains_key(&place) {
                continue;
            }
            let blocks = series.entry(id).or_default();
            // Nearly every point belongs into the newest.
            let found = match blocks.last() {
                Some((newest, _)) if *newest == place => Ok(blocks.len() - 1),
                _ => blocks.binary_search_by_key(&place, |(place, _)| *place),
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
                    blocks.insert(index, (place, Arc::new(block)));
                    queue.push_back(Queued { place, since: at.seq, at: now });
                    index
                }
            };
            // A reader that looks at the block meanwhile keeps it as it was.
            Arc::make_mut(&mut blocks[index].1).add(at, value);
        }
    }

    /// The blocks of a series, oldest first.
    #[must_use]
    pub fn of(&self, series: SeriesId) -> Vec<(Place, Arc<Block>)> {
        self.0.lock().series.get(&series).cloned().unwrap_or_default()
    }

    /// The blocks to write next, at most so many: those whose time has come, or all.
    #[must_use]
    pub fn due(&self, most: usize, head: Seq, when: Due) -> Vec<(Place, Arc<Block>)> {
        let state = self.0.lock();
        let crowded = state.queue.len().saturating_sub(MOST_BLOCKS);
        let is_due = |(index, queued): &(usize, &Queued)| match when {
            Due::All => true,
            Due::By(now) => {
                *index < crowded || queued.at.plus(AFTER) <= now || head.0.saturating_sub(queued.since.0) > MOST_POINTS
            }
        };
        let due = state.queue.iter().enumerate().take_while(is_due).take(most);
        due.filter_map(|(_, queued)| {
            let blocks = state.series.get(&queued.place.series)?;
            blocks.iter().find(|(place, _)| *place == queued.place).cloned()
        })
        .collect()
    }

    /// Up to where the tables have everything once the first `written` blocks of the queue are written.
    #[must_use]
    pub fn settled(&self, written: usize, head: Seq) -> Seq {
        let state = self.0.lock();
        let first = state.queue.get(written).map(|queued| queued.since);
        let first = first.into_iter().chain(state.missing.values().copied()).min();
        first.map_or(head, |seq| Seq(seq.0.saturating_sub(1)))
    }

    /// Forgets the first `written` blocks of the queue.
    pub fn forget(&self, written: usize) {
        let mut state = self.0.lock();
        let State { series, queue, .. } = &mut *state;
        for Queued { place, .. } in queue.drain(..written.min(queue.len())) {
            if let Some(blocks) = series.get_mut(&place.series) {
                blocks.retain(|(kept, _)| *kept != place);
                if blocks.is_empty() {
                    series.remove(&place.series);
                }
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().queue.len()
    }

    /// Whether there are so many that no more should come before some are written.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.len() > CROWD
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which blocks are to be written.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// Those whose time has come.
    By(Uptime),
    /// All.
    All,
}
