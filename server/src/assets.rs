//! The page: the files that trunk built, inside the binary.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

const NOT_BUILT: &str = "This binary was built without the page. Build it with `make build`, which does both.\n";

/// `GET /` and `GET /b/{id}`: the app finds out by itself which board it shows.
pub async fn page(headers: HeaderMap) -> Response {
    match Dist::get("index.html") {
        Some(file) => respond(file, "no-cache", &headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// Any other path: a file of the page, or nothing.
pub async fn file(uri: Uri, headers: HeaderMap) -> Response {
    match Dist::get(uri.path().trim_start_matches('/')) {
        // Trunk puts a hash of its content into the name of each file, so it never changes.
        Some(file) => respond(file, "public, max-age=31536000, immutable", &headers),
        None => ApiError::NotFound(uri.path().to_owned()).into_response(),
    }
}

fn respond(file: EmbeddedFile, cache: &'static str, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let caching = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    (caching, kind, file.data.into_owned()).into_response()
}
