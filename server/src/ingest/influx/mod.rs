//! The InfluxDB API for writing: clients of InfluxDB push here unchanged.
//!
//! `POST /write` (version 1), `POST /api/v2/write` (version 2) and `POST /api/v3/write_lp` (version 3) accept line
//! protocol. The calls that clients make before they write are answered, too.
//!
//! Each field becomes a point of the series that [`naming`] derives. Numbers, whole numbers and booleans (1 and 0) go
//! into a series of numbers, texts into a series of texts. Databases, buckets and organisations are ignored: there
//! is one store.
//!
//! - `line` parses line protocol; [`precision`] converts its times.
//! - [`read`](self::read()) makes points of a body. [`warnings`] are about points that were changed.
//! - [`write`](self::write()) stores the points; [`partial`] names the lines that were left out.
//! - [`query`] answers the statements that [`statement`] parses; [`buckets`] answers lookups of buckets and
//!   organisations; [`databases`] keeps the names for both.
//! - `state` is what these calls share, and [`answer`] adds InfluxDB's keys and headers to all of these answers.

pub mod answer;
pub mod buckets;
mod databases;
mod line;
mod naming;
mod partial;
pub mod precision;
pub mod query;
mod read;
mod state;
mod statement;
#[cfg(test)]
mod tests;
pub mod warnings;
mod write;

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::precision::Precision;
pub use self::read::{Reading, read};
pub use self::state::Influx;
pub use self::write::{MAX_BODY, write, write_version_3};
use crate::clock;
use crate::http::problem::ApiError;
use crate::http::route::{PUBLIC, PUSH, PUSH_OR_GET, Route, SET_UP};
use crate::ingest::Ingest;
use crate::monitoring::health::refusal;
use crate::store::Writer;

/// The routes that clients of InfluxDB call.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Ingest: FromRef<S>,
    Arc<Influx>: FromRef<S>,
    Writer: FromRef<S>,
{
    let small = DefaultBodyLimit::max(query::MAX_BODY);
    vec![
        Route::new("/write", PUSH, post(write)),
        Route::new("/api/v2/write", PUSH, post(write)),
        Route::new("/api/v3/write_lp", PUSH, post(write_version_3)),
        Route::new("/query", PUSH_OR_GET, get(query::get).post(query::post).layer(small)),
        Route::new("/ping", PUBLIC, get(ping)),
        Route::new("/health", PUBLIC, get(health)),
        Route::new("/ready", PUBLIC, get(ready)),
        Route::new("/api/v2/ready", PUBLIC, get(ready)),
        Route::new("/api/v2/buckets", PUSH_OR_GET, get(buckets::list).post(buckets::make).layer(small)),
        Route::new("/api/v2/buckets/{id}", SET_UP, get(buckets::get)),
        Route::new("/api/v2/orgs", SET_UP, get(buckets::orgs)),
    ]
}

/// Handles `GET /ping`, by which clients check that the server is there. The version is in a header.
pub async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Handles `GET /health`: the same for clients of version 2.
///
/// # Errors
/// [`ApiError::Unavailable`] with the reason if the store accepts no pushes, as in `GET /readyz`.
pub async fn health(State(writer): State<Writer>) -> Result<Json<Value>, ApiError> {
    check_ready(&writer)?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "name": "pulseboard", "message": "ready for writes", "status": "pass", "checks": [], "version": version
    })))
}

/// Handles `GET /ready` and `/api/v2/ready`: the time of the start, and the uptime.
///
/// # Errors
/// [`ApiError::Unavailable`] with the reason if the store accepts no pushes, as in `GET /readyz`.
pub async fn ready(State(writer): State<Writer>) -> Result<Json<Value>, ApiError> {
    check_ready(&writer)?;
    let now = clock::now();
    let started = i64::try_from(now.wall.0.saturating_sub(now.up.0) / 1_000).unwrap_or_default();
    let started = OffsetDateTime::from_unix_timestamp(started).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let started = started.format(&Rfc3339).expect("a time between 1970 and 9999 can be written");
    Ok(Json(json!({ "status": "ready", "started": started, "up": format!("{}s", now.up.0 / 1_000) })))
}

fn check_ready(writer: &Writer) -> Result<(), ApiError> {
    refusal(writer).map_or(Ok(()), |why| Err(ApiError::Unavailable(why)))
}
