//! Content negotiation by `Accept-Encoding`.

use axum::http::{HeaderMap, header};

/// Returns true if the request accepts this encoding: the header names it, and not with `q=0` (RFC 9110, 12.5.3).
#[must_use]
pub fn encoding(headers: &HeaderMap, encoding: &str) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight != Some(0.0)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_encoding_is_accepted_where_it_is_named_and_not_ruled_out() {
        let accepting =
            |text: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
        for (text, br) in
            [("gzip, deflate, br, zstd", true), ("gzip", false), ("BR;q=0.5", true), ("br;q=0", false), ("", false)]
        {
            assert_eq!(encoding(&accepting(text), "br"), br, "{text}");
        }
    }
}
