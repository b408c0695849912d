//! The table of all routes, put together of those of each module.
//!
//! [`crate::http::openapi`] describes each route. Any other path is a file of the page, or 404.

use super::state::AppState;
use crate::http::route::Route;
use crate::http::{assets, openapi};
use crate::ingest::{collectd, influx};
use crate::monitoring::{exposition, health, rejected};
use crate::{access, badge, board, catalog, history, ingest, stream};

/// Returns every route.
#[must_use]
pub fn routes() -> Vec<Route<AppState>> {
    [
        ingest::api::routes(),
        influx::routes(),
        collectd::routes(),
        stream::api::routes(),
        catalog::routes(),
        badge::routes(),
        history::api::routes(),
        board::api::routes(),
        health::routes(),
        rejected::routes(),
        exposition::routes(),
        access::api::routes(),
        access::users_api::routes(),
        access::links_api::routes(),
        access::audit_api::routes(),
        access::sign_in::routes(),
        openapi::routes(),
        assets::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;

    /// Each path, then each of its methods with the access that it needs.
    fn table() -> String {
        let mut table = String::new();
        for Route { path, methods, .. } in routes() {
            let methods: Vec<_> = methods.iter().map(|(method, access)| format!("{method} {access:?}")).collect();
            writeln!(table, "{path}: {}", methods.join(", ")).unwrap();
        }
        table
    }

    #[test]
    fn table_of_routes_is_the_recorded_one() {
        let table = table();
        let recorded = include_str!("routes.txt");
        assert!(table == recorded, "if the change is meant, copy this to server/src/app/routes.txt:\n{table}");
    }

    #[test]
    fn each_path_is_there_once_and_each_route_has_methods_that_are_there_once() {
        let mut paths = BTreeSet::new();
        for Route { path, methods, .. } in routes() {
            assert!(paths.insert(path), "{path} is there twice");
            assert!(!methods.is_empty(), "{path} has no method");
            let names: BTreeSet<_> = methods.iter().map(|(method, _)| method).collect();
            assert_eq!(names.len(), methods.len(), "{path} has a method twice");
        }
    }
}
