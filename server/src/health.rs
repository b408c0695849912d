//! `GET /healthz` and `/readyz`: for whoever keeps the program running.

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::AppState;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// It can take pushes. It listens only once the store is read, so what is left to ask is whether the store is open.
pub async fn readyz(State(app): State<AppState>) -> (StatusCode, &'static str) {
    if app.writer.is_open() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store is closed\n")
    }
}
