//! Chooses the form (JSON or TOML) in which a board is sent, by the header `Accept` (RFC 9110, 12.5.1).

use axum::http::HeaderMap;
use shared::board::BoardFormat;

use crate::http::accept;

/// Returns the form with the higher quality, or the stored form where both are equal. `None` if neither is acceptable.
#[must_use]
pub fn choose(headers: &HeaderMap, stored: BoardFormat) -> Option<BoardFormat> {
    let other = match stored {
        BoardFormat::Json => BoardFormat::Toml,
        BoardFormat::Toml => BoardFormat::Json,
    };
    let quality = |form: BoardFormat| accept::media_type(headers, form.content_type()).quality;
    let (first, second) = (quality(stored), quality(other));
    match (first >= second, first > 0.0, second > 0.0) {
        (true, true, _) => Some(stored),
        (false, _, true) => Some(other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn the_form_that_is_wanted_more_and_else_the_stored_one() {
        for (accept, wanted) in [
            (None, Some(BoardFormat::Toml)),
            (Some("*/*"), Some(BoardFormat::Toml)),
            (Some("application/*"), Some(BoardFormat::Toml)),
            (Some("application/json"), Some(BoardFormat::Json)),
            (Some("Application/TOML, application/json;q=0.5"), Some(BoardFormat::Toml)),
            (Some("application/toml;q=0.1, */*"), Some(BoardFormat::Json)),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Some(BoardFormat::Toml)),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            let headers = accept.map(|text| (header::ACCEPT, HeaderValue::from_static(text))).into_iter().collect();
            assert_eq!(choose(&headers, BoardFormat::Toml), wanted, "{accept:?}");
        }
    }
}
