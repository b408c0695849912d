//! Handles pushes: parses the body of a request into valid points and commits them. This folder has our own formats;
//! [`influx`] and [`collectd`] are the formats of other programs.
//!
//! - [`intake`] reads and decompresses bodies within bounds.
//! - [`body`] parses one point, [`batch`] parses many, which [`batch_builder`] collects, and [`query`] parses the query
//!   string.
//! - [`lookup`] finds the series of a point, if its sender may push to it.
//! - [`fields`] checks a JSON object field by field; `scan` is a fast path for common objects.
//!
//! - [`api`] has the handlers, and [`pipeline`] takes every push from its body to the store.

pub mod api;
pub mod batch;
pub mod batch_builder;
pub mod body;
pub mod collectd;
pub mod elements;
pub mod fields;
pub mod influx;
pub mod intake;
pub mod lookup;
pub mod pipeline;
pub mod query;
mod scan;

pub use self::pipeline::{Ingest, MAX_BODY, Parser, ParserSettings, Refused};
