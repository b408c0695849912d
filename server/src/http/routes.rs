//! The table of all routes, put together of those of each module.
//!
//! [`super::openapi`] describes each route. Any other path is a file of the page, or 404.

use crate::http::route::Route;
use crate::http::state::AppState;
use crate::http::{assets, openapi};
use crate::ingest::{collectd, influx};
use crate::monitoring::{exposition, health, rejected};
use crate::{board, catalog, history, ingest, stream};

/// Returns every route.
#[must_use]
pub fn routes() -> Vec<Route<AppState>> {
    [
        ingest::api::routes(),
        influx::routes(),
        collectd::routes(),
        stream::routes(),
        catalog::routes(),
        history::api::routes(),
        board::api::routes(),
        health::routes(),
        rejected::routes(),
        exposition::routes(),
        openapi::routes(),
        assets::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
