//! Formats numbers, units and durations as text.
//!
//! - [`number`]: numbers, each in a prefix or unit of its own (`scale`); [`digits`]: the digits of floats;
//! - [`separators`]: the decimal sign and the groups of digits of a locale;
//! - [`unit`], [`symbol`]: units and their symbols;
//! - [`duration`]: durations and ages.

pub mod digits;
pub mod duration;
pub mod number;
mod scale;
pub mod separators;
pub mod symbol;
pub mod unit;
