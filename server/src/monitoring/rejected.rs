//! Handles `GET /api/rejected`: the last refused pushes, with their reasons.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::routing::get;

use super::rejections::{Inbox, Rejections};
use crate::access::AdminAccess;
use crate::http::route::{Access, Route};

/// The route of the refused pushes.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Rejections: FromRef<S>,
{
    vec![Route::new("/api/rejected", &[("GET", Access::Admin)], get(list))]
}

/// Lists the last refused pushes, newest first.
async fn list(State(rejections): State<Rejections>, _admin: AdminAccess) -> Json<Inbox> {
    Json(rejections.last())
}
