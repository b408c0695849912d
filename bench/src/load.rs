//! The load: readers, and those who push to them.

pub(crate) mod pushers;
pub(crate) mod readers;
