//! The stream doctor in the page: the way that *this* browser's streams go, measured by the browser. The server judges,
//! with the same code as `pulseboard doctor` ([`shared::doctor`]).

pub mod button;
pub mod findings;
#[cfg(target_family = "wasm")]
pub mod measure;
pub mod panel;

/// Where the server judges, as seen from its root.
#[cfg(target_family = "wasm")]
const JUDGE: &str = "api/doctor";
