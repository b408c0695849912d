//! One board: its page, its tiles and what it shows while there are none.

pub mod empty;
pub mod glance;
pub mod page;
pub mod skips;
pub mod tile;
