//! Formats numbers, units and durations as text.
//!
//! - [`number`]: a style for numbers that does not jitter; [`figures`]: the digits of floats;
//! - [`unit`], [`symbol`]: units and their symbols;
//! - [`duration`]: durations and ages.

pub mod duration;
pub mod figures;
pub mod number;
pub mod symbol;
pub mod unit;
