//! `POST /api/doctor`: judges the measurements that a page made of its connection. The page could do so itself, but the
//! judging code with all its texts would make the page an eighth larger.

use axum::Json;
use axum::body::Bytes;
use shared::doctor::{self, Finding, Measurements};

use crate::http::problem::ApiError;

/// Returns every finding, in the form of `pulseboard doctor --json`.
///
/// # Errors
/// [`ApiError::Malformed`] where the body is not a valid measurement.
pub async fn diagnose(body: Bytes) -> Result<Json<Vec<Finding>>, ApiError> {
    let measured: Measurements = serde_json::from_slice(&body)
        .map_err(|error| ApiError::Malformed(format!("no measurements of a stream: {error}")))?;
    Ok(Json(doctor::judge(&measured)))
}
