//! Handles `POST /collectd`: the data that collectd's plugin `write_http` sends with `Format "JSON"`.
//!
//! collectd sends a batch only once, whatever the answer. So valid values of a batch are stored, and the answer names
//! the others. The answer is 200 rather than 204, because `LogHttpError` logs every other status as an error.
//!
//! `values` parses the body, `name` names the series.

mod name;
mod values;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::post;
use serde::Serialize;

use crate::access::PushAccess;
use crate::http::problem::ApiError;
use crate::http::route::{PUSH, Route};
use crate::ingest::batch_builder::Batch;
use crate::ingest::pipeline::{self, Ingest, Refused};
use crate::ingest::query::Age;
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::Share;

pub use values::{Reading, read};

/// The most bytes that the body of a push may have, also decompressed: 4 MiB. collectd's `BufferSize` is 4 KiB by
/// default.
pub const MAX_BODY: usize = 4 << 20;

/// The answer if all values are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// The number of values on disk.
    stored: usize,
}

/// The route of collectd.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Ingest: FromRef<S>,
{
    vec![Route::new("/collectd", PUSH, post(write))]
}

/// Handles `POST /collectd`: answers 200 once all values are on disk. Values that are unknown to collectd (`null`)
/// are skipped.
///
/// # Errors
/// [`Refused`]; a 422 lists the wrong values, and the others are stored.
pub async fn write(
    State(ingest): State<Ingest>,
    access: PushAccess,
    uri: Uri,
    headers: HeaderMap,
    client: LimitedClient,
    body: Body,
) -> Result<Json<Stored>, Refused> {
    let parser = ingest.parser(access);
    let fingerprint = pipeline::fingerprint(&uri, &headers);
    let parse = move |text: &[u8], share: &mut Share| {
        let reading = read(text, parser.accepted(Age::Recent), parser.batch_builder(share))?;
        let excerpt = reading.error().map(|error| Refused::with_excerpt(error, text));
        let batch = Batch { request: fingerprint(text), ..reading.batch };
        Ok((batch, excerpt))
    };
    let result = match pipeline::read_and_parse(&ingest, body, &headers, client, MAX_BODY, parse).await {
        Ok(((batch, wrong), share)) => {
            let stored = batch.points.len();
            let kept = if stored == 0 { Ok(()) } else { pipeline::store(&ingest, (batch, share), &headers).await };
            kept.and_then(|()| wrong.map_or(Ok(Stored { stored }), Err))
        }
        Err(refused) => Err(refused),
    };
    ingest.metrics.pushed(result.as_ref().err().map(|refused| &refused.error));
    result.map(Json)
}

impl Reading {
    /// Returns the error that names the wrong values; `None` if all are valid.
    fn error(&self) -> Option<ApiError> {
        let (wrong, listed) = (self.wrong, self.listed.len());
        let mut detail = match self.batch.points.len() {
            0 => format!("all {wrong} values are wrong, so nothing was stored"),
            good => format!("{wrong} of {} values are wrong; the other {good} are stored", wrong + good),
        };
        if wrong > listed {
            detail = format!("{detail}; the first {listed} are listed");
        }
        let errors = self.listed.clone();
        match wrong {
            0 => None,
            // Nothing was stored, for want of permission.
            _ if self.forbidden == wrong && self.batch.points.is_empty() => {
                Some(ApiError::Forbidden { detail, errors })
            }
            _ => Some(ApiError::Invalid { detail, errors }),
        }
    }
}
