//! Lines that move.

pub mod frames;
pub mod scale;
pub mod spark;
