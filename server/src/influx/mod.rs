//! Whatever speaks to InfluxDB can push here unchanged: `POST /write` (version 1), `POST /api/v2/write` (version 2) and
//! `POST /api/v3/write_lp` (version 3) take its line protocol, and what clients ask before they write has an answer.
//!
//! A field is a point of the series that [`naming`] says: numbers, whole numbers and booleans (1 and 0) of a series of numbers,
//! texts of one of texts. Databases, buckets, organisations, users and tokens are passed over: there is one store.
//!
//! [`line`](self) scans a body, [`read`](self::read()) makes points of it, [`write`](self::write()) stores them and says what was left out
//! ([`partial`]), and [`answer`] adds InfluxDB's keys and headers to whatever these calls answer.

pub mod answer;
pub mod buckets;
mod databases;
mod line;
mod naming;
mod partial;
pub mod precision;
pub mod query;
mod read;
mod statement;
#[cfg(test)]
mod tests;
pub mod warnings;
mod write;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::databases::Databases;
pub use self::precision::Precision;
pub use self::read::{Reading, read};
pub use self::warnings::WarningLog;
pub use self::write::{MAX_BODY, write, write_version_3};
use crate::app::AppState;
use crate::clock;
use crate::problem::ApiError;

/// The state of these calls.
#[derive(Debug, Default)]
pub struct Influx {
    /// The names that clients gave to databases and buckets.
    pub databases: Databases,
    /// Decides which warnings are logged.
    pub warnings: WarningLog,
}

/// `GET /ping`: clients ask it to see whether the server is there, and which version it has.
pub async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /health`: the same for clients of version 2.
///
/// # Errors
/// [`ApiError::Unavailable`] where the store takes no pushes.
pub async fn health(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    check_open(&app)?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "name": "pulseboard", "message": "ready for writes", "status": "pass", "checks": [], "version": version
    })))
}

/// `GET /ready` and `/api/v2/ready`: since when it runs.
///
/// # Errors
/// [`ApiError::Unavailable`] where the store takes no pushes.
pub async fn ready(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    check_open(&app)?;
    let now = clock::now();
    let started = i64::try_from(now.wall.0.saturating_sub(now.up.0) / 1_000).unwrap_or_default();
    let started = OffsetDateTime::from_unix_timestamp(started).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let started = started.format(&Rfc3339).expect("a time between 1970 and 9999 can be written");
    Ok(Json(json!({ "status": "ready", "started": started, "up": format!("{}s", now.up.0 / 1_000) })))
}

fn check_open(app: &AppState) -> Result<(), ApiError> {
    if app.writer.is_open() {
        return Ok(());
    }
    Err(ApiError::Unavailable("the server is shutting down".to_owned()))
}
