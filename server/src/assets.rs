//! The page: the files that its build made, inside the binary, each also compressed beforehand (see `tools/client.sh`).

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::accept;
use crate::ahead::Ahead;
use crate::app::AppState;
use crate::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// Answer of a server that was built without the page.
pub(crate) const NOT_BUILT: &str =
    "This binary was built without the page. Build it with `make build`, which does both.\n";

/// The encodings that a file may be there in, best first, each with what it adds to the file's name.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// A page. Its addresses are relative, because a proxy may serve all of this below a path; so each depth has a file of its
/// own (`tools/split.sh`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// At `/`.
    Home,
    /// At `/b/{id}`.
    Board,
}

impl Page {
    const ALL: [Self; 2] = [Self::Home, Self::Board];

    /// The name of its file, which stays the same when the content does not.
    fn file(self) -> &'static str {
        match self {
            Self::Home => "index.html",
            Self::Board => "board.html",
        }
    }

    /// Leads from the page to the root of the server.
    fn root(self) -> &'static str {
        match self {
            Self::Home => "./",
            Self::Board => "../",
        }
    }

    /// The page as it is served; `None` where the binary was built without it. One that was not cut apart has absolute
    /// addresses, so there a single file serves both.
    fn embedded(self) -> Option<(&'static str, EmbeddedFile)> {
        let files = [self, Self::Home].map(Self::file);
        files.into_iter().find_map(|name| Some((name, Dist::get(name)?)))
    }
}

/// `GET /`: the page of all boards, or a wall of some.
pub async fn home(State(app): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    page(Page::Home, &Ahead::of(&app, None, query.as_deref().unwrap_or_default()), &headers)
}

/// `GET /b/{id}`: the app finds out by itself which board it shows.
pub async fn board(
    State(app): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // What is no text is no board either, and the page says so.
    let id = id.ok().map(|Path(id)| id);
    page(Page::Board, &Ahead::of(&app, id.as_deref(), query.as_deref().unwrap_or_default()), &headers)
}

/// All pages as they are served, one after the other; empty where the binary was built without them.
#[must_use]
pub fn pages_html() -> String {
    let files = Page::ALL.into_iter().filter_map(Page::embedded);
    files.map(|(_, file)| String::from_utf8_lossy(&file.data).into_owned()).collect()
}

fn page(page: Page, ahead: &Ahead, headers: &HeaderMap) -> Response {
    match page.embedded() {
        Some((name, file)) => respond(name, file, ahead.link(page.root(), Dist::iter()).as_deref(), headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// Any other path: a file of the page, or nothing.
pub async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/');
    let compressed = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    // At its own name, the page of a board would have addresses that lead out of the server.
    let hidden = compressed || name == Page::Board.file();
    match Dist::get(name).filter(|_| !hidden) {
        Some(_) if !matches!(method, Method::GET | Method::HEAD) => {
            let (method, path) = (method.to_string(), uri.path().to_owned());
            ApiError::MethodNotAllowed { method, path, allowed: "GET, HEAD" }.into_response()
        }
        Some(file) => respond(name, file, None, &headers),
        None => ApiError::NotFound(uri.path().to_owned()).into_response(),
    }
}

fn respond(name: &str, plain: EmbeddedFile, link: Option<&str>, headers: &HeaderMap) -> Response {
    // The build puts a hash of its content into the name of each other file, so that never changes.
    let cache =
        if Page::ALL.map(Page::file).contains(&name) { "no-cache" } else { "public, max-age=31536000, immutable" };
    let kind = match plain.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let encoded = ENCODINGS.iter().filter(|(encoding, _)| accept::encoding(headers, encoding));
    let encoded = encoded.filter_map(|(encoding, ending)| Some((*encoding, Dist::get(&format!("{name}{ending}"))?)));
    let (encoding, file) = encoded.map(|(encoding, file)| (Some(encoding), file)).next().unwrap_or((None, plain));

    // Each encoding is a representation with a tag of its own (RFC 9110, 8.8.3). So is the page with another header: else
    // a browser that has it would go by an old one.
    let hash = [&file.metadata.sha256_hash()[..], link.unwrap_or_default().as_bytes()].concat();
    let etag = etag(digest(&SHA256, &hash).as_ref());
    let known = knows(headers, &etag);
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
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The tag of what has this hash.
pub(crate) fn etag(hash: &[u8]) -> String {
    let digits: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Whether the browser has what has this tag. A proxy may have made the tag a weak one: that is enough here (RFC 9110,
/// 13.1.2).
pub(crate) fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = known.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
