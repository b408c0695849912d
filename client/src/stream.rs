//! The connection to the server: kept up, watched, shared among tabs, and described to the user.
//!
//! - [`tab`] decides, without a browser and a clock. It has a [`supervisor`] (with [`status`], [`refusal`],
//!   [`backoff`] and [`watchdog`]), a place among the tabs ([`share`]), and the server's [`clock`].
//! - [`source`], [`probe`], [`lifecycle`] and [`listener`] wrap the browser's APIs.
//! - [`subscription`] carries out in the browser what [`tab`] decides, and measures the [`latency`].

pub mod backoff;
pub mod clock;
pub mod latency;
pub mod lifecycle;
pub mod listener;
pub mod probe;
pub mod refusal;
pub mod share;
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod simulation;
pub mod source;
pub mod status;
pub mod subscription;
pub mod supervisor;
pub mod tab;
pub mod watchdog;
