//! The form of a list in an answer: JSON, or CSV for spreadsheets.

use axum::http::{HeaderMap, header};

use crate::http::problem::ApiError;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `[{"series", "tier_ms", "buckets"}]`.
    Json,
    /// A line for each bucket or text (RFC 4180).
    Csv,
}

impl Form {
    /// Parses `?format=`: `json` or `csv`. `None` where it is absent.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for any other word.
    pub fn asked(format: Option<&str>) -> Result<Option<Self>, ApiError> {
        match format {
            None => Ok(None),
            Some("json") => Ok(Some(Self::Json)),
            Some("csv") => Ok(Some(Self::Csv)),
            Some(other) => Err(ApiError::field("format", "json or csv", format!("{other:?}"))),
        }
    }

    /// Chooses the form by `Accept`: CSV where the header names it, else JSON.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("text/csv")) { Self::Csv } else { Self::Json }
    }

    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}
