//! The state of the server, for operators: [`metrics`], [`rejections`] (refused pushes) and [`health`] checks.

pub mod health;
pub mod metrics;
pub mod rejections;
