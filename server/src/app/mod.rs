//! The whole server as a service: the [table of all routes](routes), the [state](mod@state) of their handlers, and the
//! checks that each request passes first.
//!
//! This module knows every module with handlers. None of them knows it.

pub mod routes;
pub mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::access::admission::{Admission, admit};
use crate::http::forwarded::TrustedProxies;
use crate::http::headers::SecurityHeaders;
use crate::http::hosts::Hosts;
use crate::http::origin::Origin;
use crate::http::route::Route;
use crate::http::{assets, csrf};
use crate::ingest::influx;
use crate::monitoring::rejections::{Rejection, Rejections, Sender};
use routes::routes;
use state::AppState;

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
    let headers = SecurityHeaders::new(&assets::pages_html(), &frames);
    let rejections = state.rejections.clone();
    let routes = routes();
    let methods = routes.iter().map(|route| (route.path, route.methods));
    let (authority, metrics, writer) = (state.authority.clone(), state.metrics.clone(), state.writer.clone());
    let admission = Admission::new(authority, methods, metrics, proxies.clone(), writer);
    let router = routes.into_iter().fold(Router::new(), Route::add_to);
    router
        .fallback(assets::file)
        .layer(middleware::from_fn_with_state(admission, admit))
        .layer(cors(&origins))
        .layer(middleware::from_fn_with_state(Arc::new(Guard { hosts, origins, proxies, headers, rejections }), guard))
        .with_state(state)
}

/// The checks of every request, before anything else. One layer does them all, because each layer costs every push some
/// time.
struct Guard {
    hosts: Hosts,
    origins: Vec<Origin>,
    proxies: TrustedProxies,
    headers: SecurityHeaders,
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
    guard.headers.add_to(&mut response);
    response
}

fn cors(origins: &[Origin]) -> CorsLayer {
    let headers = ["content-encoding", "idempotency-key", "if-match", "if-none-match", "last-event-id"]
        .map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(Origin::header)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .expose_headers([header::ETAG])
        .allow_headers(headers.into_iter().chain([header::AUTHORIZATION, header::CONTENT_TYPE]).collect::<Vec<_>>())
}
