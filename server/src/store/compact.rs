//! Brings a change of the finest buckets into all coarser tiers (compaction).
//!
//! A coarser bucket is always built from the finer ones; a point never changes it directly. So a push changes one
//! bucket, whatever the number of tiers, and a late point needs no special case. The writer thread runs this code on
//! the tables ([`Tables`]); a reader of history runs the same code on the tables with the memtable laid over them
//! ([`Overlay`]).

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use shared::{Rolled, Tier, TimeRange};

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::damage::Damage;
use super::merge::{merge, merged_from};
use super::rows;

/// Reads and writes blocks, in the tables or in memory.
pub trait Blocks {
    /// Returns the block at `block_id`; an empty one if there is none.
    ///
    /// # Errors
    /// Any SQLite error.
    fn get(&mut self, block_id: BlockId) -> rusqlite::Result<Block>;

    /// Replaces the block at `block_id`.
    ///
    /// # Errors
    /// Any SQLite error.
    fn put(&mut self, block_id: BlockId, block: Block) -> rusqlite::Result<()>;
}

/// The tables themselves. Changed blocks are kept until [`Tables::write`], so that many blocks of one extent are
/// written at once.
#[derive(Debug)]
pub struct Tables<'a> {
    conn: &'a Connection,
    damage: &'a Damage,
    changed: BTreeMap<BlockId, Block>,
}

impl<'a> Tables<'a> {
    /// Begins to change the tables. `damage` records damaged blocks.
    #[must_use]
    pub fn new(conn: &'a Connection, damage: &'a Damage) -> Self {
        Self { conn, damage, changed: BTreeMap::new() }
    }

    /// Writes the changed blocks.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn write(self) -> rusqlite::Result<()> {
        let Self { conn, damage, changed } = self;
        let changed: Vec<(BlockId, Block)> = changed.into_iter().collect();
        for of_extent in changed.chunk_by(|(a, _), (b, _)| ExtentId::of(*a) == ExtentId::of(*b)) {
            let id = ExtentId::of(of_extent[0].0);
            if of_extent.len() >= merged_from(id.tier) as usize {
                merge(conn, id, of_extent.to_vec(), i64::MAX, damage)?;
            } else {
                of_extent.iter().try_for_each(|(block_id, block)| rows::write(conn, *block_id, block, damage))?;
            }
        }
        Ok(())
    }
}

impl Blocks for Tables<'_> {
    fn get(&mut self, block_id: BlockId) -> rusqlite::Result<Block> {
        if let Some(block) = self.changed.get(&block_id) {
            return Ok(block.clone());
        }
        match rows::find(self.conn, block_id, self.damage)? {
            Some(block) => Ok(block),
            None if rows::is_damaged(block_id, self.damage) => {
                let buckets = rebuilt(self.conn, block_id.tier, block_id, block_id.span(), self.damage)?;
                Ok(Block { buckets, ..Block::default() })
            }
            None => Ok(Block::default()),
        }
    }

    fn put(&mut self, block_id: BlockId, block: Block) -> rusqlite::Result<()> {
        self.changed.insert(block_id, block);
        Ok(())
    }
}

/// Rebuilds the buckets of a damaged stretch of time from the finer tier, as far back as that tier reaches.
///
/// # Errors
/// Any SQLite error.
pub(super) fn rebuilt(
    conn: &Connection,
    tier: Tier,
    of: BlockId,
    span: TimeRange,
    damage: &Damage,
) -> rusqlite::Result<Vec<Rolled>> {
    let Some(finer) = tier.finer() else { return Ok(Vec::new()) };
    let mut buckets = Vec::new();
    rows::each_within(conn, finer, of.series, span, damage, |_, block| {
        buckets.extend_from_slice(block.within(span));
    })?;
    let width = tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let together = buckets.chunk_by(|a, b| start(a) == start(b));
    Ok(together.filter_map(|buckets| Rolled::over(buckets, width)).collect())
}

/// Rebuilds a damaged extent from the finer tier, as far back as that tier reaches.
///
/// # Errors
/// Any SQLite error.
pub(super) fn rebuilt_extent(conn: &Connection, id: ExtentId, damage: &Damage) -> rusqlite::Result<Extent> {
    let block_of = |rolled: &Rolled| BlockId::holding(id.tier, id.series, rolled.bucket.start);
    let buckets = rebuilt(conn, id.tier, id.blocks().0, id.span(), damage)?;
    let blocks = buckets.chunk_by(|a, b| block_of(a) == block_of(b));
    let block = |buckets: &[Rolled]| (block_of(&buckets[0]), Block { buckets: buckets.to_vec(), ..Block::default() });
    Ok(Extent { blocks: blocks.map(block).collect() })
}

/// The tables with some blocks laid over them in memory.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The tables, which do not change.
    pub conn: &'a Connection,
    /// Records damaged blocks.
    pub damage: &'a Damage,
    /// The blocks that replace those of the tables.
    pub over: HashMap<BlockId, Block>,
}

impl Blocks for Overlay<'_> {
    fn get(&mut self, block_id: BlockId) -> rusqlite::Result<Block> {
        self.over.get(&block_id).map_or_else(|| rows::read(self.conn, block_id, self.damage), |block| Ok(block.clone()))
    }

    fn put(&mut self, block_id: BlockId, block: Block) -> rusqlite::Result<()> {
        self.over.insert(block_id, block);
        Ok(())
    }
}

/// A block that was written, and the stretches of it that changed, in the order of time.
struct Changed {
    block_id: BlockId,
    block: Block,
    stretches: Vec<TimeRange>,
}

/// Writes blocks of the finest tier, and rebuilds the buckets of coarser tiers that contain them, up to and including
/// the tier `upto`. Reads and writes each coarser block once, however many of the finer blocks it covers.
///
/// # Errors
/// Any SQLite error.
pub fn compact(blocks: &mut impl Blocks, mut finest: Vec<(BlockId, Block)>, upto: Tier) -> rusqlite::Result<()> {
    finest.sort_unstable_by_key(|(block_id, _)| *block_id);
    let whole = |(block_id, block): (BlockId, Block)| Changed { block_id, block, stretches: vec![block_id.span()] };
    let mut finer: Vec<Changed> = finest.into_iter().map(whole).collect();
    for tier in Tier::ALL.into_iter().filter(|&tier| tier > Tier::Second && tier <= upto) {
        let coarser = roll_up(blocks, &finer, tier)?;
        finer.into_iter().try_for_each(|Changed { block_id, block, .. }| blocks.put(block_id, block))?;
        finer = coarser;
    }
    finer.into_iter().try_for_each(|Changed { block_id, block, .. }| blocks.put(block_id, block))
}

/// Rebuilds the buckets of `tier` that contain a change of the next finer tier. `finer` is sorted by id.
fn roll_up(blocks: &mut impl Blocks, finer: &[Changed], tier: Tier) -> rusqlite::Result<Vec<Changed>> {
    let width = tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let mut coarser: Vec<Changed> = Vec::new();
    for Changed { block_id, block, stretches } in finer {
        for stretch in stretches {
            // A coarser bucket lies within a single block of the finer tier, so `block` has all of its finer buckets.
            let mut stretch =
                TimeRange { from: stretch.from.floor(width), to: stretch.to.plus(width - 1).floor(width) };
            let block_id = BlockId::holding(tier, block_id.series, stretch.from);
            if coarser.last().is_none_or(|changed| changed.block_id != block_id) {
                let block = blocks.get(block_id)?;
                coarser.push(Changed { block_id, block, stretches: Vec::new() });
            }
            let target = coarser.last_mut().expect("one was pushed if there was none");
            // Two stretches may lie in one bucket; it is rebuilt once.
            let done = target.stretches.last().map_or(stretch.from, |last| last.to);
            stretch.from = stretch.from.max(done);
            if stretch.from >= stretch.to {
                continue;
            }
            for buckets in block.within(stretch).chunk_by(|a, b| start(a) == start(b)) {
                Rolled::over(buckets, width).into_iter().for_each(|rolled| target.block.set(rolled));
            }
            match target.stretches.last_mut() {
                Some(last) if last.to == stretch.from => last.to = stretch.to,
                _ => target.stretches.push(stretch),
            }
        }
    }
    Ok(coarser)
}
