//! Handles `/query`: the part of InfluxDB 1 that its clients need before they write.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Influx;
use super::statement::{self, Statement};
use crate::access::PushAccess;
use crate::http::problem::ApiError;

/// The most bytes of a query in a form: 64 KiB.
pub const MAX_BODY: usize = 64 << 10;

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    q: Option<String>,
    db: Option<String>,
}

impl Parameters {
    fn read(text: &str) -> Result<Self, ApiError> {
        serde_html_form::from_str(text)
            .map_err(|error| ApiError::Malformed(format!("the parameters cannot be read: {error}")))
    }
}

/// Handles `GET /query?q=`.
///
/// # Errors
/// [`ApiError::Malformed`] for unknown statements.
pub async fn get(
    State(influx): State<Arc<Influx>>,
    sender: PushAccess,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    answer(&influx, &sender, Parameters::read(query.as_deref().unwrap_or_default())?)
}

/// Handles `POST /query`, with `q` in the query string or in a form.
///
/// # Errors
/// [`ApiError::Malformed`] for unknown statements, [`ApiError::TooLarge`] for a long form.
pub async fn post(
    State(influx): State<Arc<Influx>>,
    sender: PushAccess,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(MAX_BODY),
        _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
    })?;
    let address = Parameters::read(query.as_deref().unwrap_or_default())?;
    let form = Parameters::read(&String::from_utf8_lossy(&body))?;
    answer(&influx, &sender, Parameters { q: form.q.or(address.q), db: form.db.or(address.db) })
}

fn answer(influx: &Influx, sender: &PushAccess, Parameters { q, db }: Parameters) -> Result<Json<Value>, ApiError> {
    let statements = statement::parse(q.as_deref().unwrap_or_default());
    let statements = statements.map_err(|error| ApiError::Malformed(error.to_string()))?;
    let databases = &influx.databases;
    // A client lists the databases before it writes, and expects to find its own: Glances exits if it is not in the
    // list.
    if let Some(db) = db {
        databases.add(sender, &db);
    }
    let table = |name: &str, columns: Value, values: Value| {
        let mut table = json!({ "columns": columns, "values": values });
        if !name.is_empty() {
            table["name"] = name.into();
        }
        json!({ "series": [table] })
    };
    let result = |statement| match statement {
        Statement::CreateDatabase(name) => {
            databases.add(sender, &name);
            json!({})
        }
        Statement::ShowDatabases => {
            let rows: Vec<_> = databases.list(sender).into_iter().map(|name| [name]).collect();
            table("databases", json!(["name"]), json!(rows))
        }
        Statement::SetRetention => {
            let text = "the server keeps points as its flags --keep-… say; this changes nothing";
            json!({ "messages": [{ "level": "warning", "text": text }] })
        }
        Statement::ShowRetention => {
            let columns = json!(["name", "duration", "shardGroupDuration", "replicaN", "default"]);
            table("", columns, json!([["autogen", "0s", "168h0m0s", 1, true]]))
        }
    };
    let results: Vec<Value> = (0..)
        .zip(statements)
        .map(|(id, statement)| {
            let mut result = result(statement);
            result["statement_id"] = Value::from(id);
            result
        })
        .collect();
    Ok(Json(json!({ "results": results })))
}
