//! Builds the service from the [routes](crate::http::routes), with the checks that each request passes first.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::board::BoardRegistry;
use crate::config::Origin;
use crate::history::History;
use crate::http::forwarded::TrustedProxies;
use crate::http::headers::Policy;
use crate::http::hosts::Hosts;
use crate::http::routes::{Route, routes};
use crate::http::{assets, body_deadline, csrf};
use crate::hub::driver::HubHandle;
use crate::ingest::Parser;
use crate::ingest::influx;
use crate::ingest::influx::Influx;
use crate::ingest::intake::Intake;
use crate::limits::Limits;
use crate::limits::client::ClientSlots;
use crate::monitoring::metrics;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::rejections::{Rejection, Rejections, Sender};
use crate::store::{Directory, Writer};
use crate::stream::StreamSlots;
use crate::stream::form::Compression;

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
    pub boards: BoardRegistry,
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
    pub connections: ClientSlots,
    /// Counts open streams of each client address.
    pub readers: StreamSlots,
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

/// The hosts and origins that requests and pages may come from.
#[derive(Clone, Debug)]
pub struct RequestSources {
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
pub fn app(state: AppState, sources: RequestSources) -> Router {
    let RequestSources { hosts, origins, frames, proxies } = sources;
    let policy = Policy::new(&assets::pages_html(), &frames);
    let rejections = state.rejections.clone();
    let router = routes().into_iter().fold(Router::new(), Route::add_to);
    router
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
        influx::answer::add_influx_fields(&mut response);
    }
    if let Some(sender) = sender
        && let Some(rejection) = response.extensions_mut().remove::<Rejection>()
    {
        guard.rejections.note(&sender, response.status(), rejection);
    }
    guard.policy.add_to(&mut response);
    response
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
