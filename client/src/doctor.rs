//! The stream doctor in the page. It measures the network path of *this* browser's streams. The server judges the
//! measurements with the same code as `pulseboard doctor` ([`shared::doctor`]).
//!
//! - [`button`]: starts the doctor; [`panel`]: the running check and its findings;
//! - `measure`: the measurements, made with the browser's `fetch`;
//! - [`findings`]: the findings of the server, as the page reads them.

pub mod button;
pub mod findings;
#[cfg(target_family = "wasm")]
pub mod measure;
pub mod panel;

/// The endpoint that judges measurements, relative to the server's root.
#[cfg(target_family = "wasm")]
const JUDGE: &str = "api/doctor";
