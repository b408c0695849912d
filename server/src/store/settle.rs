//! How a change of the finest buckets reaches all tiers.
//!
//! A coarser bucket is always made of the finer ones, never changed by a point. So a push costs one bucket, whatever
//! the number of tiers; a late point is no other case; and whoever looks (the writer, or a reader of history over what is
//! not written yet) runs the same few lines.

use std::collections::HashMap;

use rusqlite::Connection;
use shared::{Rolled, Stretch, Tier};

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
    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()>;
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

    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()> {
        block::write(self.conn, place, block, self.damage)
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
    let buckets = together.filter_map(|buckets| Rolled::over(buckets, width)).collect();
    Ok(Block { buckets, ..Block::default() })
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

    fn put(&mut self, place: Place, block: &Block) -> rusqlite::Result<()> {
        self.over.insert(place, block.clone());
        Ok(())
    }
}

/// A block that was put, and the stretches of it that changed, in the order of time.
struct Changed {
    place: Place,
    block: Block,
    stretches: Vec<Stretch>,
}

/// Puts blocks of the finest tier, and rebuilds the buckets of coarser tiers that contain them, up to and with the tier
/// `upto`. Reads and writes each coarser block once, however many of the finer blocks it covers.
///
/// # Errors
/// Whatever SQLite says.
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

/// Rebuilds the buckets of `tier` that contain what changed in the next finer tier. `finer` is in the order of places.
fn roll_up(blocks: &mut impl Blocks, finer: &[Changed], tier: Tier) -> rusqlite::Result<Vec<Changed>> {
    let width = tier.width_ms();
    let start = |rolled: &Rolled| rolled.bucket.start.floor(width);
    let mut coarser: Vec<Changed> = Vec::new();
    for Changed { place, block, stretches } in finer {
        for stretch in stretches {
            // A bucket lies within a single block of the finer tier, so `block` has all of it.
            let mut stretch = Stretch { from: stretch.from.floor(width), to: stretch.to.plus(width - 1).floor(width) };
            let place = Place::holding(tier, place.series, stretch.from);
            if coarser.last().is_none_or(|changed| changed.place != place) {
                let block = blocks.get(place)?;
                coarser.push(Changed { place, block, stretches: Vec::new() });
            }
            let target = coarser.last_mut().expect("one was pushed if there was none");
            // Two stretches may lie in one bucket.
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
