//! The permissions of users and programs.
//!
//! - [`capability`]: a [`Capability`](capability::Capability) is a list of [grants](grant::Grant) until a time. Tokens and
//!   the anonymous visitor each have one.
//! - [`board_pattern`]: a pattern of board ids.
//! - [`scope`]: the set of series that a capability permits for one verb.
//! - `cover` compares selectors.

pub mod board_pattern;
pub mod capability;
mod cover;
pub mod grant;
pub mod scope;

pub use board_pattern::BoardPattern;
pub use capability::{Capability, CapabilityError};
pub use grant::{Grant, GrantError};
pub use scope::SeriesScope;
