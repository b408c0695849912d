//! The page: serves the files of its build. They are embedded in the binary, and also compressed at build time (see
//! `tools/client.sh`).

use std::sync::LazyLock;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ring::digest::{SHA256, digest};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::access::ReadAccess;
use crate::board::BoardRegistry;
use crate::http::accept;
use crate::http::conditional;
use crate::http::preload::{Manifest, Preloads};
use crate::http::problem::ApiError;
use crate::http::route::{PAGE, Route};
use crate::hub::driver::HubHandle;

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// The name of the list of modules, which only the server reads.
const MANIFEST_FILE: &str = "modules.json";

/// The files of the page's modules; empty where the build was not split.
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let file = Dist::get(MANIFEST_FILE);
    file.and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
});

/// Answer of a server that was built without the page.
pub(crate) const NOT_BUILT: &str =
    "This binary was built without the page. Build it with `make build`, which does both.\n";

/// Encodings of the compressed files, best first, each with the suffix of the file's name.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// A page. Its addresses are relative, because a proxy may serve all of this below a path. So each depth has a file of
/// its own (`tools/split.sh`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// At `/`.
    Home,
    /// At `/b/{id}`.
    Board,
}

impl Page {
    const ALL: [Self; 2] = [Self::Home, Self::Board];

    /// The name of its file, which stays the same when the content changes.
    fn file(self) -> &'static str {
        match self {
            Self::Home => "index.html",
            Self::Board => "board.html",
        }
    }

    /// The relative address of the server's root, seen from the page.
    fn root(self) -> &'static str {
        match self {
            Self::Home => "./",
            Self::Board => "../",
        }
    }

    /// Returns the embedded page; `None` where the binary was built without it. A build that was not split into modules
    /// has absolute addresses, so a single file serves both pages.
    fn embedded(self) -> Option<(&'static str, EmbeddedFile)> {
        let files = [self, Self::Home].map(Self::file);
        files.into_iter().find_map(|name| Some((name, Dist::get(name)?)))
    }
}

/// The routes of the pages.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    BoardRegistry: FromRef<S>,
    HubHandle: FromRef<S>,
{
    vec![Route::new("/", PAGE, get(home)), Route::new("/b/{id}", PAGE, get(board))]
}

/// `GET /`: the page of all boards, or a wall that rotates through some of them.
pub async fn home(
    State(boards): State<BoardRegistry>,
    State(hub): State<HubHandle>,
    access: ReadAccess,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    page(Page::Home, &Preloads::of(&boards, &hub, &access, None, query.as_deref().unwrap_or_default()), &headers)
}

/// `GET /b/{id}`: the client code in the page reads from the address which board it shows.
pub async fn board(
    State(boards): State<BoardRegistry>,
    State(hub): State<HubHandle>,
    access: ReadAccess,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // A path that is not valid UTF-8 is not a board either; the page shows that.
    let id = id.ok().map(|Path(id)| id);
    page(
        Page::Board,
        &Preloads::of(&boards, &hub, &access, id.as_deref(), query.as_deref().unwrap_or_default()),
        &headers,
    )
}

/// The HTML of all pages as they are served, one after the other; empty where the binary was built without them.
#[must_use]
pub fn pages_html() -> String {
    let files = Page::ALL.into_iter().filter_map(Page::embedded);
    files.map(|(_, file)| String::from_utf8_lossy(&file.data).into_owned()).collect()
}

fn page(page: Page, preloads: &Preloads, headers: &HeaderMap) -> Response {
    match page.embedded() {
        Some((name, file)) => respond(name, file, preloads.link(page.root(), &MANIFEST).as_deref(), headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// Any other path: a file of the page, or 404.
pub async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/');
    let compressed = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    // Served under its own file name, the page of a board would have relative addresses that lead out of the server.
    let hidden = compressed || [Page::Board.file(), MANIFEST_FILE].contains(&name);
    match Dist::get(name).filter(|_| !hidden) {
        Some(_) if !matches!(method, Method::GET | Method::HEAD) => {
            let (method, path) = (method.to_string(), uri.path().to_owned());
            ApiError::MethodNotAllowed { method, path, allowed: "GET, HEAD".to_owned() }.into_response()
        }
        Some(file) => respond(name, file, None, &headers),
        None => ApiError::NotFound(uri.path().to_owned()).into_response(),
    }
}

fn respond(name: &str, plain: EmbeddedFile, link: Option<&str>, headers: &HeaderMap) -> Response {
    // The build puts a hash of the content into the name of every other file, so such a file never changes.
    let cache =
        if Page::ALL.map(Page::file).contains(&name) { "no-cache" } else { "public, max-age=31536000, immutable" };
    let kind = match plain.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let encoded = ENCODINGS.iter().filter(|(encoding, _)| accept::encoding(headers, encoding));
    let encoded = encoded.filter_map(|(encoding, ending)| Some((*encoding, Dist::get(&format!("{name}{ending}"))?)));
    let (encoding, file) = encoded.map(|(encoding, file)| (Some(encoding), file)).next().unwrap_or((None, plain));

    // Each encoding is a representation with a tag of its own (RFC 9110, 8.8.3). The `Link` header is part of the tag
    // too: otherwise a browser with the page in its cache would go on with an old header.
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

/// Formats a hash as an entity tag.
pub(crate) fn etag(hash: &[u8]) -> String {
    let digits: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Returns true if `If-None-Match` shows that the browser already has the representation with this tag. A proxy may
/// have made the tag a weak one; weak comparison is right here (RFC 9110, 13.1.2).
pub(crate) fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let etag = etag.parse().expect("a hash in quotes is a valid entity tag");
    conditional::if_none_match(headers).is_some_and(|unwanted| !unwanted.precondition_passes(&etag))
}
