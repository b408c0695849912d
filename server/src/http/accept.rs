//! Content negotiation by `Accept` and `Accept-Encoding` (RFC 9110, 12.5).

use axum::http::{HeaderMap, HeaderName, header};

/// The preference of a client for a media type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preference {
    /// The quality, from 0 (not acceptable) to 1.
    pub quality: f32,
    /// True if the header names the type itself, not only a range such as `*/*`.
    pub is_named: bool,
}

/// Returns the preference for a media type such as `text/csv`. The most specific range that matches decides, and of
/// several such ranges the best. A request without `Accept` takes everything.
#[must_use]
pub fn media_type(headers: &HeaderMap, wanted: &str) -> Preference {
    if !headers.contains_key(header::ACCEPT) {
        return Preference { quality: 1.0, is_named: false };
    }
    let main = wanted.split('/').next().unwrap_or_default();
    let mut best = (0, 0.0);
    for (range, quality) in items(headers, &header::ACCEPT) {
        let specific = match range.split_once('/') {
            _ if range.eq_ignore_ascii_case(wanted) => 3,
            Some((own, "*")) if own.eq_ignore_ascii_case(main) => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        if (specific, quality) > best {
            best = (specific, quality);
        }
    }
    Preference { quality: best.1, is_named: best.0 == 3 }
}

/// Returns true if the request accepts this encoding: the header names it, and not with `q=0`.
#[must_use]
pub fn encoding(headers: &HeaderMap, encoding: &str) -> bool {
    items(headers, &header::ACCEPT_ENCODING).any(|(name, quality)| name.eq_ignore_ascii_case(encoding) && quality > 0.0)
}

/// The items of a header, each with its quality: 1 where it is absent or not a number.
fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'h str, f32)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split(value, ',')).map(|item| {
        let mut parts = split(item, ';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            value.trim().parse::<f32>().ok().filter(|_| key.trim().eq_ignore_ascii_case("q"))
        });
        (name, quality.filter(|quality| !quality.is_nan()).map_or(1.0, |quality| quality.clamp(0.0, 1.0)))
    })
}

/// Splits at each separator that is not within quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            _ if was_escaped => {}
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            c => return c == separator && !is_quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn accepting(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|text| (name.clone(), HeaderValue::from_str(text).unwrap())).collect()
    }

    #[test]
    fn an_encoding_is_accepted_where_it_is_named_and_not_ruled_out() {
        for (text, br) in [
            ("gzip, deflate, br, zstd", true),
            ("gzip", false),
            ("BR;q=0.5", true),
            ("br;q=0", false),
            ("br; Q = 0.000", false),
            ("", false),
        ] {
            assert_eq!(encoding(&accepting(&header::ACCEPT_ENCODING, &[text]), "br"), br, "{text}");
        }
    }

    #[test]
    fn most_specific_range_decides_the_quality_of_a_media_type() {
        for (values, quality, is_named) in [
            (&["text/csv"][..], 1.0, true),
            (&["text/csv;q=0.5, */*"], 0.5, true),
            (&["text/*;q=0.3, */*;q=0.9"], 0.3, false),
            (&["*/*;q=0.9"], 0.9, false),
            (&["application/json", "TEXT/CSV; charset=\"a,b;c\"; q=0.25"], 0.25, true),
            (&["text/csv;header=absent;q=0.2, text/csv;q=0.7"], 0.7, true),
            (&["text/csv;q=0"], 0.0, true),
            (&["text/csv;q=7, application/json"], 1.0, true),
            (&["text/csv;q=nan"], 1.0, true),
            (&["application/json"], 0.0, false),
            (&["application/x; a=\"text/csv\""], 0.0, false),
        ] {
            let preference = media_type(&accepting(&header::ACCEPT, values), "text/csv");
            assert_eq!(preference, Preference { quality, is_named }, "{values:?}");
        }
        assert_eq!(media_type(&HeaderMap::new(), "text/csv"), Preference { quality: 1.0, is_named: false });
    }

    proptest! {
        #[test]
        fn any_header_is_read_and_gives_a_quality_from_0_to_1(text in "[ -~]{0,60}") {
            let headers = accepting(&header::ACCEPT, &[&text]);
            let Preference { quality, is_named } = media_type(&headers, "text/csv");
            prop_assert!((0.0..=1.0).contains(&quality));
            prop_assert!(!is_named || text.to_ascii_lowercase().contains("text/csv"));
        }
    }
}
