//! The state of the whole server. Each handler takes only the part that it needs, by axum's [`FromRef`].

use std::sync::Arc;

use axum::extract::FromRef;

use crate::access::Authority;
use crate::access::sign_in::SignIn;
use crate::board::BoardRegistry;
use crate::catalog::overview::Overview;
use crate::history::History;
use crate::http::forwarded::TrustedProxies;
use crate::hub::driver::HubHandle;
use crate::ingest::Ingest;
use crate::ingest::influx::Influx;
use crate::monitoring::exposition::Sources;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::rejections::Rejections;
use crate::store::Writer;
use crate::stream::state::Streams;

/// State that the handlers share. Cloning is cheap: each field is a handle.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Knows who may do what.
    pub authority: Authority,
    /// The proxies that report the address of a client.
    pub proxies: TrustedProxies,
    /// Signs browsers in.
    pub sign_in: SignIn,
    /// Takes pushes.
    pub ingest: Ingest,
    /// Names and warnings for the calls of InfluxDB clients.
    pub influx: Arc<Influx>,
    /// Serves streams.
    pub streams: Streams,
    /// Has all series, and serves subscribers.
    pub hub: HubHandle,
    /// Commits every change.
    pub writer: Writer,
    /// Reads the past of series.
    pub history: History,
    /// The boards with a document.
    pub boards: BoardRegistry,
    /// Counts the series of each board.
    pub overview: Overview,
    /// Counters for `/metrics`.
    pub metrics: Metrics,
    /// Refused pushes: counted, and the newest kept for the page.
    pub rejections: Rejections,
    /// Everything that `/metrics` shows.
    pub sources: Sources,
}

/// Gives handlers access to a field of [`AppState`].
macro_rules! parts {
    ($($field:ident: $part:ty),* $(,)?) => {
        $(impl FromRef<AppState> for $part {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        })*
    };
}

parts! {
    authority: Authority,
    proxies: TrustedProxies,
    sign_in: SignIn,
    ingest: Ingest,
    influx: Arc<Influx>,
    streams: Streams,
    hub: HubHandle,
    writer: Writer,
    history: History,
    boards: BoardRegistry,
    overview: Overview,
    metrics: Metrics,
    rejections: Rejections,
    sources: Sources,
}
