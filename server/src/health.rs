//! `GET /healthz` and `/readyz`: for whoever keeps the program running.

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::AppState;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 if the store takes pushes, else 503 with the reason, and then a line for each warning. The server
/// listens only after recovery, so this follows the condition of the store alone.
pub async fn readyz(State(app): State<AppState>) -> (StatusCode, String) {
    let condition = app.writer.condition();
    let refusal = if app.writer.is_open() { condition.refusal() } else { Some("the store is closed".to_owned()) };
    let (status, mut text) = match refusal {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    };
    for warning in condition.warnings() {
        text.extend(["warning: ", &warning, "\n"]);
    }
    (status, text)
}
