//! The table of all routes: the path, each method with the access that it needs, and the handler.
//!
//! [`crate::http::openapi`] describes each route. Any other path is a file of the page, or 404.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::routing::{MethodRouter, delete, get, post};
use shared::board::document::MAX_DOCUMENT;
use shared::doctor;

use crate::http::app::AppState;
use crate::http::problem::ApiError;
use crate::http::{assets, openapi};
use crate::ingest::{collectd, influx};
use crate::monitoring::{health, metrics, rejections};
use crate::{board, catalog, history, ingest, stream};

/// The access that a client needs for a method of a route. Only declared: nothing checks it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// None: the answer has nothing of what clients pushed.
    Public,
    /// May push points.
    Push,
    /// May read series and boards.
    Read,
    /// May change boards.
    Edit,
    /// May delete series, and see what clients sent in vain.
    Admin,
}

/// The methods of a route, in the order of the header `Allow`, with the access that each needs.
pub type Methods = &'static [(&'static str, Access)];

const PUBLIC: Methods = &[("GET", Access::Public)];
const PUSH: Methods = &[("POST", Access::Push)];
const PUSH_OR_GET: Methods = &[("GET", Access::Push), ("POST", Access::Push)];
/// What clients of InfluxDB look up before their first push.
const SET_UP: Methods = &[("GET", Access::Push)];
const READ: Methods = &[("GET", Access::Read)];
const BOARD: Methods = &[("GET", Access::Read), ("PUT", Access::Edit), ("DELETE", Access::Edit)];

/// A path, its methods and its handler.
#[derive(Debug)]
pub struct Route {
    /// The path, as axum writes it.
    pub path: &'static str,
    /// The methods.
    pub methods: Methods,
    handler: MethodRouter<AppState>,
}

impl Route {
    fn new(path: &'static str, methods: Methods, handler: MethodRouter<AppState>) -> Self {
        Self { path, methods, handler }
    }

    /// Adds the route to a router. Other methods are answered with 405 and the header `Allow`.
    pub fn add_to(router: Router<AppState>, Self { path, methods, handler }: Self) -> Router<AppState> {
        let refuse = move |method: Method, uri: Uri| async move { not_allowed(&method, &uri, methods) };
        router.route(path, handler.fallback(refuse))
    }
}

/// Returns every route.
#[must_use]
pub fn routes() -> Vec<Route> {
    let one = post(ingest::one).get(ingest::one_by_get).head(no_head);
    let one_board = get(board::api::get).put(board::api::put).delete(board::api::delete);
    let documents = DefaultBodyLimit::max(MAX_DOCUMENT);
    let small = DefaultBodyLimit::max(influx::query::MAX_BODY);
    vec![
        Route::new("/in", PUSH, post(ingest::many)),
        Route::new("/in/{*series}", PUSH_OR_GET, one),
        Route::new("/write", PUSH, post(influx::write)),
        Route::new("/api/v2/write", PUSH, post(influx::write)),
        Route::new("/api/v3/write_lp", PUSH, post(influx::write_version_3)),
        Route::new("/collectd", PUSH, post(collectd::write)),
        Route::new("/query", PUSH_OR_GET, get(influx::query::get).post(influx::query::post).layer(small)),
        Route::new("/ping", PUBLIC, get(influx::ping)),
        Route::new("/health", PUBLIC, get(influx::health)),
        Route::new("/ready", PUBLIC, get(influx::ready)),
        Route::new("/api/v2/ready", PUBLIC, get(influx::ready)),
        Route::new("/api/v2/buckets", PUSH_OR_GET, get(influx::buckets::list).post(influx::buckets::make).layer(small)),
        Route::new("/api/v2/buckets/{id}", SET_UP, get(influx::buckets::get)),
        Route::new("/api/v2/orgs", SET_UP, get(influx::buckets::orgs)),
        Route::new("/sse", READ, get(stream::open)),
        Route::new(doctor::probe::PATH, PUBLIC, get(stream::probe::open)),
        Route::new("/api/doctor", &[("POST", Access::Public)], post(stream::diagnose::diagnose)),
        Route::new("/api/series", READ, get(catalog::list)),
        Route::new("/api/series/{*series}", &[("DELETE", Access::Admin)], delete(catalog::remove)),
        Route::new("/api/rejected", &[("GET", Access::Admin)], get(rejections::list)),
        Route::new("/api/history", READ, get(history::read)),
        Route::new("/api/boards", READ, get(board::api::list)),
        Route::new("/api/boards/{id}", BOARD, one_board.layer(documents)),
        Route::new("/api/openapi.json", PUBLIC, get(openapi::get)),
        Route::new("/healthz", PUBLIC, get(health::healthz)),
        Route::new("/readyz", PUBLIC, get(health::readyz)),
        Route::new("/metrics", READ, get(metrics::expose)),
        Route::new("/", PUBLIC, get(assets::home)),
        Route::new("/b/{id}", PUBLIC, get(assets::board)),
    ]
}

/// Rejects HEAD on a path where GET stores a point.
async fn no_head(uri: Uri) -> ApiError {
    not_allowed(&Method::HEAD, &uri, PUSH_OR_GET)
}

fn not_allowed(method: &Method, uri: &Uri, methods: Methods) -> ApiError {
    let allowed = methods.iter().map(|(method, _)| *method).collect::<Vec<_>>().join(", ");
    ApiError::MethodNotAllowed { method: method.to_string(), path: uri.path().to_owned(), allowed }
}
