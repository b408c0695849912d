//! Numbers, units and times as text.

pub mod duration;
pub mod figures;
pub mod number;
pub mod symbol;
pub mod unit;
