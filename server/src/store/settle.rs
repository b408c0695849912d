//! How a change of the finest buckets reaches all tiers.
//!
//! A coarser bucket is always made of the finer ones, never changed by a point. So a push costs one bucket, whatever
//! the number of tiers; a late point is no other case; and whoever looks (the writer, or a reader of history over what is
//! not written yet) runs the same few lines.

use std::collections::HashMap;

use rusqlite::Connection;
use shared::{Rolled, Tier};

use super::block::{self, Block, Place};

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
pub struct Written<'a>(pub &'a Connection);

impl Blocks for Written<'_> {
    fn get(&mut self, place: Place) -> rusqlite::Result<Block> {
        block::read(self.0, place)
    }

    fn put(&mut self, place: Place, block: Block) -> rusqlite::Result<()> {
        block::write(self.0, place, &block)
    }
}

/// The tables as they would be with some blocks more.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The tables, which stay as they are.
    pub conn: &'a Connection,
    /// What lies over them.
    pub over: HashMap<Place, Block>,
}

impl Blocks for Overlay<'_> {
    fn get(&mut self, place: Place) -> rusqlite::Result<Block> {
        self.over.get(&place).map_or_else(|| block::read(self.conn, place), |block| Ok(block.clone()))
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
