//! Answers connections that exceed the bounds on connections.
//!
//! A few of them at a time get a lane for a short time. There, `/healthz`, `/readyz` and `/metrics` are answered, so
//! that a full server can still be monitored; every other request gets 503 with the flag to raise. When all lanes are
//! taken, a connection gets the 503 without its request being read. It is closed instead if a TLS handshake would have
//! to come first.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use rustix::net::SendFlags;
use shared::problem::CONTENT_TYPE;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::{Session, first_bytes};
use super::shared::Shared;
use crate::http::problem::ApiError;
use crate::limits::Limit;
use crate::limits::client::{Client, ClientSlots, Full};
use crate::stream::writer::Open;

/// Maximum number of lanes; their descriptors are part of [`super::capacity::RESERVE`].
const LANES: usize = 32;

/// Maximum number of lanes of one client, so that a client at its own bound leaves some to others.
const LANES_OF_CLIENT: usize = 4;

/// Time for which a connection may use a lane.
const LANE_TIME: Duration = Duration::from_secs(2);

/// Seconds after which a refused client may try again.
const RETRY_AFTER: u32 = 5;

/// Paths that a full server still answers.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The answers of a full server.
#[derive(Debug)]
pub(super) struct Overload {
    lanes: ClientSlots,
    total: Refusal,
    client: Refusal,
}

/// The refusal by one bound.
#[derive(Debug)]
struct Refusal {
    limit: Limit,
    /// Answers a request that was read.
    service: Router,
    /// The whole answer to a request that was not read.
    unread: Bytes,
}

impl Overload {
    /// Makes lanes to `service`, for connections that exceed the bounds of `slots`.
    pub(super) fn new(service: &Router, slots: &ClientSlots) -> Self {
        let (most, own) = (slots.most(), slots.most_per_client());
        Self {
            lanes: ClientSlots::new(LANES, LANES_OF_CLIENT),
            total: Refusal::new(
                service,
                Limit::Connections,
                format!(
                    "there are {most} connections already; try again in {RETRY_AFTER} s, or raise --max-connections"
                ),
            ),
            client: Refusal::new(
                service,
                Limit::ConnectionsPerAddress,
                format!(
                    "there are {own} connections from your address already; close some, try again in {RETRY_AFTER} s, or raise \
                     --max-connections-per-address"
                ),
            ),
        }
    }

    /// The limit to count for a connection that was refused by `full`.
    pub(super) fn limit(&self, full: Full) -> Limit {
        self.refusal(full).limit
    }

    fn refusal(&self, full: Full) -> &Refusal {
        match full {
            Full::Total => &self.total,
            Full::Client => &self.client,
        }
    }

    /// Answers a connection: in a task if a lane is free, else at once.
    pub(super) fn answer(self: &Arc<Self>, socket: TcpStream, client: Client, full: Full, shared: &Arc<Shared>) {
        match self.lanes.take(client) {
            Ok(lane) => {
                let (overload, shared, open) = (self.clone(), shared.clone(), shared.open(lane));
                tokio::spawn(async move {
                    let lane = in_lane(socket, client, overload.refusal(full), &shared, open);
                    let _late = timeout(LANE_TIME, Box::pin(lane)).await;
                });
            }
            Err(_) if shared.encrypt.is_some() => {}
            Err(_) => {
                // Bytes that the socket does not take at once are dropped.
                let _sent =
                    rustix::net::send(&socket, &self.refusal(full).unread, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
            }
        }
    }
}

async fn in_lane(socket: TcpStream, client: Client, refusal: &Refusal, shared: &Arc<Shared>, open: Open) {
    let mut stopping = shared.stopping.subscribe();
    let Some(first) = first_bytes(&socket, shared, &mut stopping).await else { return };
    let session = Session { shared, service: &refusal.service, client, waiting: None, stopping };
    // Errors of refused connections are not logged.
    let _ended = session.serve(socket, first, open).await;
}

impl Refusal {
    fn new(service: &Router, limit: Limit, detail: String) -> Self {
        let error = ApiError::LimitReached { limit, detail, retry_after: Some(RETRY_AFTER) };
        let unread = unread(&error);
        let service = service.clone().layer(middleware::from_fn(move |request: Request, next: Next| {
            let error = error.clone();
            async move { only_health(request, next, error).await }
        }));
        Self { limit, service, unread }
    }
}

async fn only_health(request: Request, next: Next, error: ApiError) -> Response {
    let is_open = OPEN.contains(&request.uri().path());
    let mut response = if is_open { next.run(request).await } else { error.into_response() };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Formats the error as a whole HTTP/1.1 answer.
fn unread(error: &ApiError) -> Bytes {
    let json = serde_json::to_string(&error.problem()).expect("a problem is always JSON");
    let len = json.len();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {len}\r\nretry-after: {RETRY_AFTER}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n"
    );
    format!("{head}{json}").into()
}
