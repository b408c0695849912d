//! Pushes: from the body of a request to points that are valid.
//!
//! [`body`] reads one point, [`batch`] many; both lead to [`fields`], which checks a JSON object field by field.
//! The handlers here only carry what these say to the store and back.

pub mod batch;
pub mod body;
pub mod fields;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use shared::{Point, SeriesName};

use self::fields::Acceptance;
use crate::app::AppState;
use crate::clock;
use crate::problem::ApiError;
use crate::store::{IdempotencyKey, Push};

/// Most bytes the body of a push can have: 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// `POST /in/{series}`: one point. 204 once it is committed.
///
/// # Errors
/// [`ApiError`] where the name, the body or a header is wrong, or the store cannot take it now.
pub async fn one(
    State(app): State<AppState>,
    Path(series): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let point = whole(body).and_then(|body| {
        let series: SeriesName = series
            .parse()
            .map_err(|error: shared::name::NameError| fields::bad_series(&series, &error).into_error())?;
        body::point(series, &body, accepted(&app))
    });
    commit(&app, point.map(|point| vec![point]), &headers).await
}

/// `POST /in`: a batch, NDJSON or a JSON array. All of it is committed, or nothing.
///
/// # Errors
/// [`ApiError`]; a 422 lists every line that is wrong.
pub async fn many(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let points = whole(body).and_then(|body| batch::points(&body, accepted(&app)));
    commit(&app, points, &headers).await
}

fn accepted(app: &AppState) -> Acceptance {
    Acceptance { now: clock::now().wall, late_ms: app.late_ms }
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(MAX_BODY),
        _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
    })
}

async fn commit(
    app: &AppState,
    points: Result<Vec<Point>, ApiError>,
    headers: &HeaderMap,
) -> Result<StatusCode, ApiError> {
    let push = points.and_then(|points| Ok(Push { points, key: idempotency_key(headers)? }));
    let result = match push {
        Ok(push) => app.writer.commit(push).await.map_err(ApiError::from),
        Err(error) => Err(error),
    };
    app.metrics.pushed(result.as_ref().err());
    result.map(|()| StatusCode::NO_CONTENT)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = String::from_utf8_lossy(key.as_bytes()).into_owned();
    let len = key.len();
    IdempotencyKey::new(key)
        .map(Some)
        .ok_or_else(|| ApiError::field("Idempotency-Key", "1 to 255 bytes of text", format!("{len} bytes")))
}
