//! Handles `/api/v2/buckets` and `/api/v2/orgs`. Clients of InfluxDB 2 look up their bucket and create it if it does
//! not exist. Here every name is a bucket and an organisation.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::databases::Databases;
use super::state::Influx;
use crate::access::PushAccess;
use crate::http::problem::ApiError;

/// The most bytes of a request to create a bucket: 64 KiB.
pub const MAX_BODY: usize = 64 << 10;

/// Buckets in a list if the client sets no limit.
const DEFAULT_LIMIT: usize = 20;

/// The creation time of every bucket and organisation: clients parse it.
const SINCE: &str = "2000-01-01T00:00:00Z";

/// The organisation if a client names none.
const DEFAULT_ORG: &str = "pulseboard";

#[derive(Debug, Default, Deserialize)]
struct Query {
    name: Option<String>,
    id: Option<String>,
    org: Option<String>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

impl Query {
    fn read(query: Option<&str>) -> Result<Self, ApiError> {
        serde_html_form::from_str(query.unwrap_or_default())
            .map_err(|error| ApiError::Malformed(format!("the query cannot be read: {error}")))
    }

    /// Returns the id of the requested organisation.
    fn org_id(&self) -> String {
        let by_name = || id("org", self.org.as_deref().unwrap_or(DEFAULT_ORG));
        self.org_id.clone().unwrap_or_else(by_name)
    }

    fn page<T>(&self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        let offset = self.offset.unwrap_or_default();
        all.into_iter().skip(offset).take(self.limit.unwrap_or(DEFAULT_LIMIT)).collect()
    }
}

/// Handles `GET /api/v2/buckets`: the bucket of a name or of an id, or all known buckets.
///
/// # Errors
/// [`ApiError::Malformed`] for a query that cannot be read.
pub async fn list(
    State(influx): State<Arc<Influx>>,
    sender: PushAccess,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let query = Query::read(query.as_deref())?;
    let (databases, org) = (&influx.databases, query.org_id());
    let names = match (&query.name, &query.id) {
        (Some(name), _) => {
            databases.add(&sender, name);
            vec![name.clone()]
        }
        (None, Some(id)) => by_id(databases, &sender, id).into_iter().collect(),
        (None, None) => databases.list(&sender),
    };
    let buckets: Vec<_> = query.page(names).iter().map(|name| bucket(name, &org)).collect();
    Ok(Json(json!({ "links": { "self": "/api/v2/buckets" }, "buckets": buckets })))
}

/// Handles `GET /api/v2/buckets/{id}`.
///
/// # Errors
/// [`ApiError::NotFound`] if no bucket with this id was created or listed since the server started.
pub async fn get(
    State(influx): State<Arc<Influx>>,
    sender: PushAccess,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let name = by_id(&influx.databases, &sender, &id);
    let name = name.ok_or_else(|| ApiError::NotFound(format!("/api/v2/buckets/{id}")))?;
    Ok(Json(bucket(&name, &Query::default().org_id())))
}

/// Handles `POST /api/v2/buckets`: creates nothing, since every bucket exists.
///
/// # Errors
/// [`ApiError::Malformed`] if the body has no name.
pub async fn make(
    State(influx): State<Arc<Influx>>,
    sender: PushAccess,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    #[derive(Deserialize)]
    struct NewBucket {
        name: String,
        #[serde(rename = "orgID")]
        org_id: Option<String>,
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(MAX_BODY),
        _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
    })?;
    let bucket_request: NewBucket = serde_json::from_slice(&body)
        .map_err(|error| ApiError::Malformed(format!("expected {{\"name\":…,\"orgID\":…}}: {error}")))?;
    influx.databases.add(&sender, &bucket_request.name);
    let org = bucket_request.org_id.unwrap_or_else(|| Query::default().org_id());
    Ok((StatusCode::CREATED, Json(bucket(&bucket_request.name, &org))))
}

/// Handles `GET /api/v2/orgs`: the organisation of a name.
///
/// # Errors
/// [`ApiError::Malformed`] for a query that cannot be read.
pub async fn orgs(RawQuery(query): RawQuery) -> Result<Json<Value>, ApiError> {
    let query = Query::read(query.as_deref())?;
    let name = query.org.clone().unwrap_or_else(|| DEFAULT_ORG.to_owned());
    let org = json!({
        "id": query.org_id(), "name": name, "status": "active", "description": "",
        "createdAt": SINCE, "updatedAt": SINCE, "links": { "buckets": "/api/v2/buckets" },
    });
    Ok(Json(json!({ "links": { "self": "/api/v2/orgs" }, "orgs": query.page([org]) })))
}

fn by_id(databases: &Databases, sender: &PushAccess, id_asked: &str) -> Option<String> {
    databases.list(sender).into_iter().find(|name| id("bucket", name) == id_asked)
}

fn bucket(name: &str, org_id: &str) -> Value {
    json!({
        "id": id("bucket", name), "orgID": org_id, "type": "user", "name": name, "retentionRules": [], "labels": [],
        "createdAt": SINCE, "updatedAt": SINCE, "links": { "write": "/api/v2/write" },
    })
}

/// Derives an id from a name in InfluxDB's form: 16 hexadecimal digits. FNV-1a gives the same id at every start.
fn id(kind: &str, name: &str) -> String {
    let bytes = kind.bytes().chain([0]).chain(name.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_the_name() {
        assert_eq!(id("bucket", "rooms"), id("bucket", "rooms"));
        assert_ne!(id("bucket", "rooms"), id("org", "rooms"));
        assert_eq!(id("bucket", "rooms").len(), 16);
    }
}
