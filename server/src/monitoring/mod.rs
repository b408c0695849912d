//! The state of the server, for operators.
//!
//! - [`metrics`] counts events, and [`exposition`] shows them with the present state as `/metrics`.
//! - [`rejections`] records refused pushes, and [`rejected`] lists them.
//! - [`health`] has the health checks; [`starting`] answers while the store is being opened.

pub mod exposition;
pub mod health;
pub mod metrics;
pub mod rejected;
pub mod rejections;
pub mod starting;
