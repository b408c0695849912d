//! The form of a list in an answer: JSON, or CSV for spreadsheets.

use axum::http::HeaderMap;

use crate::http::accept;
use crate::http::problem::ApiError;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// A JSON array.
    Json,
    /// A line for each element (RFC 4180).
    Csv,
}

impl AnswerFormat {
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

    /// Chooses the form by `Accept`: the one with the higher quality. Where both are equal, CSV if the header names it,
    /// else JSON.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Self {
        let (csv, json) = (accept::media_type(headers, "text/csv"), accept::media_type(headers, "application/json"));
        let is_csv = csv.quality > json.quality || (csv.is_named && csv.quality > 0.0 && csv.quality >= json.quality);
        if is_csv { Self::Csv } else { Self::Json }
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

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn the_form_with_the_higher_quality_is_sent_and_json_where_nothing_is_preferred() {
        for (accept, form) in [
            ("text/csv", AnswerFormat::Csv),
            ("text/csv, application/json", AnswerFormat::Csv),
            ("text/csv;q=0.5, application/json", AnswerFormat::Json),
            ("application/json;q=0.2, text/csv;q=0.3", AnswerFormat::Csv),
            ("text/csv;q=0.1, */*;q=0.5", AnswerFormat::Json),
            ("text/csv, */*;q=0.8", AnswerFormat::Csv),
            ("text/csv;q=0", AnswerFormat::Json),
            ("*/*", AnswerFormat::Json),
            ("text/html", AnswerFormat::Json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(AnswerFormat::accepted(&headers), form, "{accept}");
        }
        assert_eq!(AnswerFormat::accepted(&HeaderMap::new()), AnswerFormat::Json);
    }
}
