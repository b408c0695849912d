//! The load: readers in processes of their own, and those who push to them.

pub(crate) mod clock;
pub(crate) mod counters;
pub(crate) mod pace;
pub(crate) mod pushers;
pub(crate) mod readers;
pub(crate) mod reading;
