//! `DELETE /api/series/{series}`: removes a series and its history.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use shared::SeriesName;

use crate::access::{Actor, AdminAccess};
use crate::http::problem::ApiError;
use crate::ingest::fields;
use crate::log::{AuditAction, SeriesId};
use crate::store::{CommitError, Writer};

/// Removes a series: answers 204 once it is in no list and no answer, and its points are erased; 404 if there is none
/// of that name. If erasing fails, the answer is 204 as well, and the next start erases the rest.
///
/// Subscribers of the series begin again with a snapshot without it. A later push to the name begins a new series.
///
/// # Errors
/// [`ApiError`]; then the series is unchanged.
pub(super) async fn remove(
    State(writer): State<Writer>,
    _admin: AdminAccess,
    actor: Actor,
    Path(series): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name: SeriesName = series.parse().map_err(|error| fields::bad_series(&series, &error).into_error())?;
    let by = actor.by(AuditAction::SeriesDeleted, name.as_str(), "");
    let Some(removed) = writer.remove_series(name.clone(), by).await? else { return Err(ApiError::NoSeries(name)) };
    tracing::info!(series = %name, "removed a series and its history");
    // Runs as a task, so that it continues if the client disconnects.
    let erased = tokio::spawn(erase(writer, removed.series)).await;
    erased.map_err(|_| ApiError::Unreadable("the server is shutting down".to_owned()))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases the points of a removed series in steps. The writer thread commits pushes between the steps.
async fn erase(writer: Writer, series: SeriesId) {
    loop {
        match writer.erase_series(series).await {
            Ok(true) => {}
            Ok(false) | Err(CommitError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot erase all points of a removed series; the rest is erased at the next start");
                return;
            }
        }
    }
}
