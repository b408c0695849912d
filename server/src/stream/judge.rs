//! `POST /api/doctor`: what a page measured of its way here, judged. The page could do so itself, but the judgement with
//! all its texts would make it an eighth larger.

use axum::Json;
use axum::body::Bytes;
use shared::doctor::{self, Finding, Measurements};

use crate::problem::ApiError;

/// Every finding, as `pulseboard doctor --json` has them.
///
/// # Errors
/// [`ApiError::Malformed`] where these are no measurements.
pub async fn judge(body: Bytes) -> Result<Json<Vec<Finding>>, ApiError> {
    let measured: Measurements = serde_json::from_slice(&body)
        .map_err(|error| ApiError::Malformed(format!("no measurements of a stream: {error}")))?;
    Ok(Json(doctor::judge(&measured)))
}
