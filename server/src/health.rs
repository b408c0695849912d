//! `GET /healthz` and `/readyz`: for whoever keeps the program running.

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::AppState;
use crate::store::room::NoRoom;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 if the store takes pushes, else 503 with the reason, and then a line for each warning. The server
/// listens only after recovery, so this follows the condition of the store alone. A server that has reached `--max-data`
/// is ready, with a warning: it works as its operator set it up, and its readers go on.
pub async fn readyz(State(app): State<AppState>) -> (StatusCode, String) {
    let condition = app.writer.condition();
    let no_room = app.writer.levels().no_room();
    let (full, at_bound) = match no_room {
        Some(no_room @ NoRoom::Disk { .. }) => (Some(no_room.to_string()), None),
        Some(no_room @ NoRoom::Data { .. }) => (None, Some(no_room.to_string())),
        None => (None, None),
    };
    let refusal =
        if app.writer.is_open() { condition.refusal().or(full) } else { Some("the store is closed".to_owned()) };
    let (status, mut text) = match refusal {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    };
    for warning in condition.warnings().into_iter().chain(at_bound) {
        text.extend(["warning: ", &warning, "\n"]);
    }
    (status, text)
}
