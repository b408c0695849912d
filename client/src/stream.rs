//! The line to the server: kept up, watched, and told about.
//!
//! [`tab`] decides all of it and knows neither browser nor time: by a [`supervisor`] (with [`standing`], [`refusal`],
//! [`backoff`], [`watchdog`]), a place among the tabs ([`share`]), and the [`clock`]. [`source`], [`probe`], [`vitals`]
//! and [`listener`] are the browser's; [`subscription`] drives the one with the others, and takes the [`latency`].

pub mod backoff;
pub mod clock;
pub mod latency;
pub mod listener;
pub mod probe;
pub mod refusal;
pub mod share;
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod simulation;
pub mod source;
pub mod standing;
pub mod subscription;
pub mod supervisor;
pub mod tab;
pub mod vitals;
pub mod watchdog;
