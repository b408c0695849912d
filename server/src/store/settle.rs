//! How a change of the finest buckets reaches all tiers.
//!
//! A coarser bucket is always made of the finer ones, never changed by a point. So a push costs one bucket, whatever
//! the number of tiers; a late point is no other case; and whoever looks (the writer, or a reader of history over what is
//! not written yet) runs the same few lines.

use std::collections::HashMap;

use rusqlite::Connection;
use shared::{Rolled, Tier};

use super::block::{self, Block, Place};
use super::damage::{Damage, Part};

/// Where blocks are found and put.
pub trait Blocks {
    /// The block at `place`; an empty one where there is none.
    ///
    /// # Errors
    /// Whatever SQLite says.
    fn get(&mut self, place: Place) -> rusqlite::Result<Block>;

    /// Puts a block over what is there.
    ///
    /// # Errors
    /// Whatever SQLite says.
    fn put(&mut self, place: Place, block: Block) -> rusqlite::Result<()>;
}

/// The tables.
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

    fn put(&mut self, place: Place, block: Block) -> rusqlite::Result<()> {
        block::write(self.conn, place, &block, self.damage)
    }
}

/// Builds a damaged block again from the finer tier, as far as that reaches.
fn rebuilt(conn: &Connection, place: Place, damage: &Damage) -> rusqlite::Result<Block> {
    let Some(finer) = place.tier.finer() else { return Ok(Block::default()) };
    let mut buckets = Vec::new();
    block::each_within(conn, finer, place.series, place.span(), damage, |_, block| {
        buckets.extend_from_slice(block.within(place.span()));
    })?;
    let width = place.tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let together = buckets.chunk_by(|a, b| start(a) == start(b));
    Ok(Block { buckets: together.filter_map(|buckets| Rolled::over(buckets, width)).collect() })
}

/// The tables as they would be with some blocks more.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The tables, which stay as they are.
    pub conn: &'a Connection,
    /// Records damaged blocks.
    pub damage: &'a Damage,
    /// What lies over them.
    pub over: HashMap<Place, Block>,
}

impl Blocks for Overlay<'_> {
    fn get(&mut self, place: Place) -> rusqlite::Result<Block> {
        self.over.get(&place).map_or_else(|| block::read(self.conn, place, self.damage), |block| Ok(block.clone()))
    }

    fn put(&mut self, place: Place, block: Block) -> rusqlite::Result<()> {
        self.over.insert(place, block);
        Ok(())
    }
}

/// Puts a block of the finest tier, and makes what it is part of anew, up to and with the tier `upto`.
///
/// # Errors
/// Whatever SQLite says.
pub fn settle(blocks: &mut impl Blocks, place: Place, block: Block, upto: Tier) -> rusqlite::Result<()> {
    let mut changed = place.span();
    let mut finer = block.clone();
    blocks.put(place, block)?;
    for tier in Tier::ALL.into_iter().filter(|&tier| tier > Tier::Second && tier <= upto) {
        let width = tier.width_ms();
        (changed.from, changed.to) = (changed.from.floor(width), changed.to.plus(width - 1).floor(width));
        let place = Place::holding(tier, place.series, changed.from);
        let mut target = blocks.get(place)?;
        let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
        for buckets in finer.within(changed).chunk_by(|a, b| start(a) == start(b)) {
            Rolled::over(buckets, width).into_iter().for_each(|rolled| target.set(rolled));
        }
        blocks.put(place, target.clone())?;
        finer = target;
    }
    Ok(())
}
