//! Formats numbers, units and durations as text.
//!
//! - [`number`]: a style for numbers that does not jitter; [`digits`]: the digits of floats;
//! - [`unit`], [`symbol`]: units and their symbols;
//! - [`duration`]: durations and ages.

pub mod digits;
pub mod duration;
pub mod number;
pub mod symbol;
pub mod unit;
