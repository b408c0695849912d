//! The line to the server: kept up, watched, and told about.
//!
//! [`supervisor`], [`backoff`], [`watchdog`], [`clock`] and [`latency`] decide and know neither browser nor time;
//! [`source`] is the browser's EventSource; [`subscription`] drives the ones with the other.

pub mod backoff;
pub mod clock;
pub mod latency;
pub mod source;
pub mod subscription;
pub mod supervisor;
pub mod watchdog;
