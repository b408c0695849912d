//! The InfluxDB API for writing: clients of InfluxDB push here unchanged.
//!
//! `POST /write` (version 1), `POST /api/v2/write` (version 2) and `POST /api/v3/write_lp` (version 3) accept line
//! protocol. The calls that clients make before they write are answered, too.
//!
//! Each field becomes a point of the series that [`naming`] derives. Numbers, whole numbers and booleans (1 and 0) go
//! into a series of numbers, texts into a series of texts. Databases, buckets, organisations, users and tokens are
//! ignored: there is one store.
//!
//! - `line` parses line protocol; [`precision`] converts its times.
//! - [`read`](self::read()) makes points of a body. [`warnings`] are about points that were changed.
//! - [`write`](self::write()) stores the points; [`partial`] names the lines that were left out.
//! - [`query`] answers the statements that [`statement`] parses; [`buckets`] answers lookups of buckets and
//!   organisations; [`databases`] keeps the names for both.
//! - [`answer`] adds InfluxDB's keys and headers to all of these answers.

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
use crate::clock;
use crate::http::app::AppState;
use crate::http::problem::ApiError;
use crate::monitoring::health::refusal;

/// The state of these calls.
#[derive(Debug, Default)]
pub struct Influx {
    /// The names that clients gave to databases and buckets.
    pub databases: Databases,
    /// Decides which warnings are logged.
    pub warnings: WarningLog,
}

/// Handles `GET /ping`, by which clients check that the server is there. The version is in a header.
pub async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Handles `GET /health`: the same for clients of version 2.
///
/// # Errors
/// [`ApiError::Unavailable`] with the reason if the store accepts no pushes, as in `GET /readyz`.
pub async fn health(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    check_ready(&app)?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "name": "pulseboard", "message": "ready for writes", "status": "pass", "checks": [], "version": version
    })))
}

/// Handles `GET /ready` and `/api/v2/ready`: the time of the start, and the uptime.
///
/// # Errors
/// [`ApiError::Unavailable`] with the reason if the store accepts no pushes, as in `GET /readyz`.
pub async fn ready(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    check_ready(&app)?;
    let now = clock::now();
    let started = i64::try_from(now.wall.0.saturating_sub(now.up.0) / 1_000).unwrap_or_default();
    let started = OffsetDateTime::from_unix_timestamp(started).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let started = started.format(&Rfc3339).expect("a time between 1970 and 9999 can be written");
    Ok(Json(json!({ "status": "ready", "started": started, "up": format!("{}s", now.up.0 / 1_000) })))
}

fn check_ready(app: &AppState) -> Result<(), ApiError> {
    refusal(app).map_or(Ok(()), |why| Err(ApiError::Unavailable(why)))
}
