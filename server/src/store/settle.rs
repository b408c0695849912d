//! Brings a change of the finest buckets into all coarser tiers (compaction).
//!
//! A coarser bucket is always built from the finer ones; a point never changes it directly. So a push changes one
//! bucket, whatever the number of tiers, and a late point needs no special case. The writer thread runs this code on
//! the tables ([`Written`]); a reader of history runs the same code on the tables with the memtable laid over them
//! ([`Overlay`]).

use std::collections::HashMap;

use rusqlite::Connection;
use shared::{Rolled, Stretch, Tier};

use super::block::{self, Block, Place};
use super::damage::{Damage, Part};

/// Reads and writes blocks, in the tables or in memory.
pub trait Blocks {
    /// Returns the block at `place`; an empty one if there is none.
    ///
    /// # Errors
    /// Any SQLite error.
    fn get(&mut self, place: Place) -> rusqlite::Result<Block>;

    /// Replaces the block at `place`.
    ///
    /// # Errors
    /// Any SQLite error.
    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()>;
}

/// The tables themselves.
#[derive(Debug)]
pub struct Written<'a> {
    /// The connection to the database.
    pub conn: &'a Connection,
    /// Records damaged blocks.
    pub damage: &'a Damage,
}

impl Blocks for Written<'_> {
    fn get(&mut self, place: Place) -> rusqlite::Result<Block> {
        match block::find(self.conn, place, self.damage)? {
            Some(block) => Ok(block),
            None if self.damage.has(&Part::Block(place)) => rebuilt(self.conn, place, self.damage),
            None => Ok(Block::default()),
        }
    }

    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()> {
        block::write(self.conn, place, block, self.damage)
    }
}

/// Rebuilds a damaged block from the finer tier, as far back as that tier reaches.
fn rebuilt(conn: &Connection, place: Place, damage: &Damage) -> rusqlite::Result<Block> {
    let Some(finer) = place.tier.finer() else { return Ok(Block::default()) };
    let mut buckets = Vec::new();
    block::each_within(conn, finer, place.series, place.span(), damage, |_, block| {
        buckets.extend_from_slice(block.within(place.span()));
    })?;
    let width = place.tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let together = buckets.chunk_by(|a, b| start(a) == start(b));
    let buckets = together.filter_map(|buckets| Rolled::over(buckets, width)).collect();
    Ok(Block { buckets, ..Block::default() })
}

/// The tables with some blocks laid over them in memory.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The tables, which do not change.
    pub conn: &'a Connection,
    /// Records damaged blocks.
    pub damage: &'a Damage,
    /// The blocks that replace those of the tables.
    pub over: HashMap<Place, Block>,
}

impl Blocks for Overlay<'_> {
    fn get(&mut self, place: Place) -> rusqlite::Result<Block> {
        self.over.get(&place).map_or_else(|| block::read(self.conn, place, self.damage), |block| Ok(block.clone()))
    }

    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()> {
        self.over.insert(place, block.clone());
        Ok(())
    }
}

/// A block that was written, and the stretches of it that changed, in the order of time.
struct Changed {
    place: Place,
    block: Block,
    stretches: Vec<Stretch>,
}

/// Writes blocks of the finest tier, and rebuilds the buckets of coarser tiers that contain them, up to and including
/// the tier `upto`. Reads and writes each coarser block once, however many of the finer blocks it covers.
///
/// # Errors
/// Any SQLite error.
pub fn settle(blocks: &mut impl Blocks, mut finest: Vec<(Place, Block)>, upto: Tier) -> rusqlite::Result<()> {
    finest.sort_unstable_by_key(|(place, _)| *place);
    let whole = |(place, block): (Place, Block)| Changed { place, block, stretches: vec![place.span()] };
    let mut finer: Vec<Changed> = finest.into_iter().map(whole).collect();
    for Changed { place, block, .. } in &finer {
        blocks.put(*place, block)?;
    }
    for tier in Tier::ALL.into_iter().filter(|&tier| tier > Tier::Second && tier <= upto) {
        finer = roll_up(blocks, &finer, tier)?;
    }
    Ok(())
}

/// Rebuilds the buckets of `tier` that contain a change of the next finer tier. `finer` is sorted by place.
fn roll_up(blocks: &mut impl Blocks, finer: &[Changed], tier: Tier) -> rusqlite::Result<Vec<Changed>> {
    let width = tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let mut coarser: Vec<Changed> = Vec::new();
    for Changed { place, block, stretches } in finer {
        for stretch in stretches {
            // A coarser bucket lies within a single block of the finer tier, so `block` has all of its finer buckets.
            let mut stretch = Stretch { from: stretch.from.floor(width), to: stretch.to.plus(width - 1).floor(width) };
            let place = Place::holding(tier, place.series, stretch.from);
            if coarser.last().is_none_or(|changed| changed.place != place) {
                let block = blocks.get(place)?;
                coarser.push(Changed { place, block, stretches: Vec::new() });
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
    for Changed { place, block, .. } in &coarser {
        blocks.put(*place, block)?;
    }
    Ok(coarser)
}
