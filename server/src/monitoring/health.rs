//! `GET /healthz` and `/readyz`: health checks for supervisors and load balancers.

use std::fmt::Write as _;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::get;

use crate::http::route::{PUBLIC, Route};
use crate::log::postgres::ClusterStatus;
use crate::log::postgres::status::Progress;
use crate::store::Writer;
use crate::store::disk_space::NoSpace;

/// The routes of the health checks.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Writer: FromRef<S>,
{
    vec![Route::new("/healthz", PUBLIC, get(healthz)), Route::new("/readyz", PUBLIC, get(readyz))]
}

/// Answers 200 whenever the process can answer.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 if the store accepts pushes, else 503 with the reason, and then a line for each warning. The server
/// listens only after recovery, so only the condition of the store decides. A server that has reached `--max-data` is
/// ready, with a warning: it works as its operator set it up, and its subscribers are still served.
pub async fn readyz(State(writer): State<Writer>) -> (StatusCode, String) {
    let (status, mut text) = match refusal(&writer) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    };
    let at_bound = match writer.stats().no_space() {
        Some(no_space @ NoSpace::Data { .. }) => Some(no_space.to_string()),
        _ => None,
    };
    let cluster = writer.cluster().and_then(ClusterStatus::warning);
    for warning in writer.condition().warnings().into_iter().chain(at_bound).chain(cluster) {
        text.extend(["warning: ", &warning, "\n"]);
    }
    if let Some(Progress { position, head, lag }) = writer.cluster().map(ClusterStatus::progress) {
        _ = writeln!(text, "shared log: {position} of {head} applied, {:.1} s behind", lag.as_secs_f64());
    }
    (status, text)
}

/// Returns the reason why the store accepts no pushes; `None` if it accepts them, or has reached `--max-data`.
#[must_use]
pub fn refusal(writer: &Writer) -> Option<String> {
    if !writer.is_open() {
        return Some("the store is closed".to_owned());
    }
    let behind = || writer.cluster().and_then(ClusterStatus::refusal);
    writer.condition().refusal().or_else(behind).or_else(|| match writer.stats().no_space() {
        Some(no_space @ NoSpace::Disk { .. }) => Some(no_space.to_string()),
        _ => None,
    })
}
