//! The router: maps every path and method to its handler, and adds the checks that each request passes first.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, post};
use shared::board::document::MAX_DOCUMENT;
use shared::doctor;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::board::{self, Shelf};
use crate::config::Origin;
use crate::forwarded::TrustedProxies;
use crate::headers::Policy;
use crate::history::History;
use crate::hosts::Hosts;
use crate::hub::driver::HubHandle;
use crate::influx::Influx;
use crate::ingest::Parser;
use crate::ingest::intake::Intake;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::problem::ApiError;
use crate::rejections::{Rejection, Rejections, Sender};
use crate::store::{Directory, Writer};
use crate::stream::ReaderPlaces;
use crate::stream::form::Compression;
use crate::{
    assets, body_deadline, catalog, collectd, csrf, health, history, influx, ingest, metrics, openapi, rejections,
    stream,
};

/// State that the handlers share.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Commits pushes.
    pub writer: Writer,
    /// The names of all series.
    pub directory: Directory,
    /// Serves subscribers.
    pub hub: HubHandle,
    /// The boards with a document (the board registry).
    pub shelf: Shelf,
    /// Counters for `/metrics`.
    pub metrics: Metrics,
    /// Rejected pushes: counted, and the newest kept for the page.
    pub rejections: Rejections,
    /// Compression of streams.
    pub compression: Compression,
    /// Reads the bodies of pushes within their memory bound.
    pub intake: Intake,
    /// The maximum time that a pushed point may be behind the server's clock, in milliseconds.
    pub late_ms: u64,
    /// Bounds on the work and memory that clients can cause.
    pub limits: Limits,
    /// Reads the past of series.
    pub history: History,
    /// Counts open connections.
    pub connections: Places,
    /// Counts open streams of each client address.
    pub readers: ReaderPlaces,
    /// Names and warnings for the calls of InfluxDB clients.
    pub influx: Arc<Influx>,
}

impl AppState {
    /// Makes the parser for the body of a push.
    #[must_use]
    pub fn parser(&self) -> Parser {
        Parser { directory: self.directory.clone(), late_ms: self.late_ms, most_points: self.limits.points }
    }
}

/// A call: its path, its methods as the header `Allow` lists them, and its handler.
pub type Call = (&'static str, &'static str, MethodRouter<AppState>);

/// Lists every call. Any other path is a file of the page, or 404. [`openapi`] describes each call.
#[must_use]
pub fn calls() -> Vec<Call> {
    let one_board = get(board::api::get).put(board::api::put).delete(board::api::delete);
    let documents = DefaultBodyLimit::max(MAX_DOCUMENT);
    let small = DefaultBodyLimit::max(influx::query::MAX_BODY);
    vec![
        ("/in", "POST", post(ingest::many)),
        ("/in/{*series}", "GET, POST", post(ingest::one).get(ingest::one_by_get).head(no_head)),
        ("/write", "POST", post(influx::write)),
        ("/api/v2/write", "POST", post(influx::write)),
        ("/collectd", "POST", post(collectd::write)),
        ("/api/v3/write_lp", "POST", post(influx::write_version_3)),
        ("/query", "GET, POST", get(influx::query::get).post(influx::query::post).layer(small)),
        ("/ping", "GET", get(influx::ping)),
        ("/health", "GET", get(influx::health)),
        ("/ready", "GET", get(influx::ready)),
        ("/api/v2/ready", "GET", get(influx::ready)),
        ("/api/v2/buckets", "GET, POST", get(influx::buckets::list).post(influx::buckets::make).layer(small)),
        ("/api/v2/buckets/{id}", "GET", get(influx::buckets::get)),
        ("/api/v2/orgs", "GET", get(influx::buckets::orgs)),
        ("/sse", "GET", get(stream::open)),
        (doctor::probe::PATH, "GET", get(stream::probe::open)),
        ("/api/doctor", "POST", post(stream::judge::judge)),
        ("/api/series", "GET", get(catalog::list)),
        ("/api/series/{*series}", "DELETE", delete(catalog::remove)),
        ("/api/rejected", "GET", get(rejections::list)),
        ("/api/history", "GET", get(history::read)),
        ("/api/boards", "GET", get(board::api::list)),
        ("/api/boards/{id}", "GET, PUT, DELETE", one_board.layer(documents)),
        ("/api/openapi.json", "GET", get(openapi::get)),
        ("/healthz", "GET", get(health::healthz)),
        ("/readyz", "GET", get(health::readyz)),
        ("/metrics", "GET", get(metrics::expose)),
        ("/", "GET", get(assets::home)),
        ("/b/{id}", "GET", get(assets::board)),
    ]
}

/// The hosts and origins that requests and pages may come from.
#[derive(Clone, Debug)]
pub struct Access {
    /// The hosts that the server answers to.
    pub hosts: Hosts,
    /// Origins whose pages may read and push.
    pub origins: Vec<Origin>,
    /// Origins whose pages may embed the page in a frame.
    pub frames: Vec<Origin>,
    /// Proxies whose `X-Forwarded-Host` is trusted.
    pub proxies: TrustedProxies,
}

/// Builds the whole server as a service, without a socket.
pub fn app(state: AppState, access: Access) -> Router {
    let Access { hosts, origins, frames, proxies } = access;
    let policy = Policy::new(&assets::pages_html(), &frames);
    let rejections = state.rejections.clone();
    let routes = calls()
        .into_iter()
        .fold(Router::new(), |router, (path, methods, route)| router.route(path, only(methods, route)));
    routes
        .fallback(assets::file)
        .layer(middleware::from_fn(body_deadline::hold))
        .layer(middleware::from_fn_with_state(state.clone(), metrics::count_refused))
        .layer(cors(&origins))
        .layer(middleware::from_fn_with_state(Arc::new(Guard { hosts, origins, proxies, policy, rejections }), guard))
        .with_state(state)
}

/// The checks of every request, before anything else. One layer does them all, because each layer costs every push some
/// time.
struct Guard {
    hosts: Hosts,
    origins: Vec<Origin>,
    proxies: TrustedProxies,
    policy: Policy,
    rejections: Rejections,
}

async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let is_influx = influx::answer::is_call(request.uri().path());
    let checked = guard.hosts.check(&request).and_then(|()| csrf::check(&guard.origins, &guard.proxies, &request));
    let sender = Sender::of(&request);
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if is_influx {
        influx::answer::dress(&mut response);
    }
    if let Some(sender) = sender
        && let Some(rejection) = response.extensions_mut().remove::<Rejection>()
    {
        guard.rejections.note(&sender, response.status(), rejection);
    }
    guard.policy.add_to(&mut response);
    response
}

/// Rejects HEAD on a path where GET stores a point.
async fn no_head(uri: Uri) -> ApiError {
    ApiError::MethodNotAllowed { method: "HEAD".to_owned(), path: uri.path().to_owned(), allowed: "GET, POST" }
}

/// Adds the answer to methods that the path does not have: 405 with the header `Allow`.
fn only(allowed: &'static str, route: MethodRouter<AppState>) -> MethodRouter<AppState> {
    route.fallback(move |method: Method, uri: Uri| async move {
        ApiError::MethodNotAllowed { method: method.to_string(), path: uri.path().to_owned(), allowed }
    })
}

fn cors(origins: &[Origin]) -> CorsLayer {
    let headers = ["content-encoding", "idempotency-key", "if-match", "if-none-match", "last-event-id"]
        .map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(Origin::header)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .expose_headers([header::ETAG])
        .allow_headers(headers.into_iter().chain([header::CONTENT_TYPE]).collect::<Vec<_>>())
}
