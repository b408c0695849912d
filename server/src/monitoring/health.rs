//! `GET /healthz` and `/readyz`: health checks for supervisors and load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::app::AppState;
use crate::store::disk_space::NoSpace;

/// Answers 200 whenever the process can answer.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 if the store accepts pushes, else 503 with the reason, and then a line for each warning. The server
/// listens only after recovery, so only the condition of the store decides. A server that has reached `--max-data` is
/// ready, with a warning: it works as its operator set it up, and its subscribers are still served.
pub async fn readyz(State(app): State<AppState>) -> (StatusCode, String) {
    let (status, mut text) = match refusal(&app) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    };
    let at_bound = match app.writer.stats().no_space() {
        Some(no_space @ NoSpace::Data { .. }) => Some(no_space.to_string()),
        _ => None,
    };
    for warning in app.writer.condition().warnings().into_iter().chain(at_bound) {
        text.extend(["warning: ", &warning, "\n"]);
    }
    (status, text)
}

/// Returns the reason why the store accepts no pushes; `None` if it accepts them, or has reached `--max-data`.
#[must_use]
pub fn refusal(app: &AppState) -> Option<String> {
    if !app.writer.is_open() {
        return Some("the store is closed".to_owned());
    }
    app.writer.condition().refusal().or_else(|| match app.writer.stats().no_space() {
        Some(no_space @ NoSpace::Disk { .. }) => Some(no_space.to_string()),
        _ => None,
    })
}
