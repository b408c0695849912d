//! The page: the files that trunk built, inside the binary, each also compressed beforehand (see `tools/client.sh`).

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

const NOT_BUILT: &str = "This binary was built without the page. Build it with `make build`, which does both.\n";

/// The encodings that a file may be there in, best first, each with what it adds to the file's name.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// `GET /` and `GET /b/{id}`: the app finds out by itself which board it shows.
pub async fn page(headers: HeaderMap) -> Response {
    match Dist::get("index.html") {
        Some(file) => respond("index.html", file, "no-cache", &headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// Any other path: a file of the page, or nothing.
pub async fn file(uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/');
    let compressed = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    match Dist::get(name).filter(|_| !compressed) {
        // Trunk puts a hash of its content into the name of each file, so it never changes.
        Some(file) => respond(name, file, "public, max-age=31536000, immutable", &headers),
        None => ApiError::NotFound(uri.path().to_owned()).into_response(),
    }
}

fn respond(name: &str, plain: EmbeddedFile, cache: &'static str, headers: &HeaderMap) -> Response {
    let kind = plain.metadata.mimetype().to_owned();
    let encoded = ENCODINGS.iter().filter(|(encoding, _)| accepts(headers, encoding));
    let encoded = encoded.filter_map(|(encoding, ending)| Some((*encoding, Dist::get(&format!("{name}{ending}"))?)));
    let (encoding, file) = encoded.map(|(encoding, file)| (Some(encoding), file)).next().unwrap_or((None, plain));

    // Each encoding is a representation with a tag of its own (RFC 9110, 8.8.3).
    let hash = file.metadata.sha256_hash();
    let etag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let caching = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::VARY, header::ACCEPT_ENCODING.to_string()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let mut response = (caching, [(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response();
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether the browser takes this encoding: it names it, and not to say that it does not (RFC 9110, 12.5.3).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight != Some(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_accepted_where_it_is_named_and_not_ruled_out() {
        let accepting =
            |text: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
        for (text, br) in
            [("gzip, deflate, br, zstd", true), ("gzip", false), ("BR;q=0.5", true), ("br;q=0", false), ("", false)]
        {
            assert_eq!(accepts(&accepting(text), "br"), br, "{text}");
        }
    }
}
