//! The load generator: reader processes, and connections that push.
//!
//! - [`clock`]: a clock for all processes;
//! - [`readers`]: starts processes of readers and collects their reports; [`reading`]: the work of such a process;
//! - [`counters`]: readers in one thread that only count;
//! - [`pushers`]: connections that push; [`pace`]: limits pushes to the speed of a reader.

pub(crate) mod clock;
pub(crate) mod counters;
pub(crate) mod pace;
pub(crate) mod pushers;
pub(crate) mod readers;
pub(crate) mod reading;
