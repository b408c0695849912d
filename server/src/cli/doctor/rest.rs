//! Checks of the doctor besides the stream: the page and its files, saving a board, and large pushes.

use std::io::Read as _;
use std::time::Duration;

use shared::doctor::{Content, Fetched, Pushed, Saving};
use ureq::http::Method;

use super::Address;
use super::client::{Asked, Client, head};
use crate::http::assets;

/// The board in the requests; it need not exist.
const BOARD: &str = "pulseboard-doctor";

/// Text in each page of Pulseboard: the beginning of its script's name.
const MARK: &str = "pulseboard-client";

/// Time limit for one answer: the files of the page may be some hundred KB on a slow connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// Maximum number of bytes that are read of a file.
const MAX_FILE: u64 = 16 << 20;

/// Sizes of the pushes in bytes: the limit of a board's document, the limit of `POST /in`, and almost the limit of
/// `POST /write`.
const BODIES: [usize; 3] = [256 << 10, 1 << 20, (4 << 20) - 1_024];

/// Fetches the pages, and all files that the page of a board names.
pub(super) fn page(client: &Client, address: &Address) -> (Vec<Fetched>, Vec<Fetched>) {
    let at = |path: &str| format!("{}{path}", address.path());
    let (home, _) = fetch(client, address, &at("/"));
    let (board, html) = fetch(client, address, &at(&format!("/b/{BOARD}")));
    let files = files(&html).into_iter().map(|file| fetch(client, address, &resolve(&board.path, file)).0).collect();
    (vec![home, board], files)
}

fn fetch(client: &Client, address: &Address, path: &str) -> (Fetched, String) {
    // The headers of a browser: a proxy may be set up to compress, and fail to.
    let headers = [("Accept", "text/html,*/*;q=0.8"), ("Accept-Encoding", "identity")];
    let asked = Asked { method: Method::GET, path, headers: &headers, body: None, deadline: PATIENCE };
    let response = client.send(address, &asked);
    let answer = response.as_ref().map(head).map_err(Clone::clone);
    let mut bytes = Vec::new();
    let whole = response
        .is_ok_and(|response| response.into_body().into_reader().take(MAX_FILE).read_to_end(&mut bytes).is_ok());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let content = match whole {
        false => Content::Cut,
        true if text.starts_with('<') && text.contains(MARK) => Content::Page,
        true if text.as_bytes() == assets::NOT_BUILT.as_bytes() => Content::NotBuilt,
        true => Content::Other,
    };
    (Fetched { path: path.to_owned(), answer, content }, text)
}

/// Finds the scripts, stylesheets and modules that a page names, each once. Our own build writes the page, so a plain
/// search finds them.
fn files(html: &str) -> Vec<&str> {
    let is_file = |text: &&str| {
        let kinds = [".js", ".css", ".wasm"];
        kinds.iter().any(|kind| text.ends_with(kind)) && !text.contains(char::is_whitespace)
    };
    let mut files: Vec<&str> = html.split(['"', '\'']).filter(is_file).collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// Resolves the path of a file that the page at `page` names.
fn resolve(page: &str, file: &str) -> String {
    if file.starts_with('/') {
        return file.to_owned();
    }
    let mut folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut rest = file;
    loop {
        if let Some(here) = rest.strip_prefix("./") {
            rest = here;
        } else if let Some(above) = rest.strip_prefix("../") {
            (rest, folder) = (above, folder.rsplit_once('/').map_or("", |(folder, _)| folder));
        } else {
            return format!("{folder}/{rest}");
        }
    }
}

/// Sends a change of a board as browsers do, with a condition that no board meets. So nothing is stored.
pub(super) fn saving(client: &Client, address: &Address) -> Saving {
    let (path, origin) = (format!("{}/api/boards/{BOARD}", address.path()), address.origin());
    let send = |site: &[(&str, &str)]| {
        let common = [("Content-Type", "application/json"), ("If-Match", "\"doctor\""), ("Origin", origin.as_str())];
        let headers = [&common[..], site].concat();
        let body = Some(&br#"{"widgets":[]}"#[..]);
        let asked = Asked { method: Method::PUT, path: &path, headers: &headers, body, deadline: PATIENCE };
        client.send(address, &asked).as_ref().map(head).map_err(Clone::clone)
    };
    // Browsers send `Sec-Fetch-Site` over HTTPS and to loopback only.
    let with_fetch_site =
        (address.is_https() || address.is_loopback()).then(|| send(&[("Sec-Fetch-Site", "same-origin")]));
    let origin_only = (!address.is_https()).then(|| send(&[]));
    Saving { with_fetch_site, origin_only }
}

/// Pushes longer and longer bodies without any points, until one does not arrive.
pub(super) fn bodies(client: &Client, address: &Address) -> Vec<Pushed> {
    let path = format!("{}/write", address.path());
    let headers = [("Content-Type", "text/plain")];
    let mut pushed = Vec::new();
    for bytes in BODIES {
        let body = vec![b'\n'; bytes];
        let asked =
            Asked { method: Method::POST, path: &path, headers: &headers, body: Some(&body), deadline: PATIENCE };
        let answer = client.send(address, &asked).as_ref().map(head).map_err(Clone::clone);
        let goes_on = answer.as_ref().is_ok_and(|head| head.status < 500 && head.status != 413);
        pushed.push(Pushed { bytes: bytes as u64, answer });
        if !goes_on {
            break;
        }
    }
    pushed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_page_are_found_from_where_it_is() {
        let html = r#"<link href="../style-1.css"/><script>import a from '../a-1.js'; b('../a-1.wasm')</script>
            <link href="../a-1.js"> <p>see a.js, "it is a.css"</p>"#;
        assert_eq!(files(html), ["../a-1.js", "../a-1.wasm", "../style-1.css"]);
        assert_eq!(resolve("/pulse/b/ops", "../a.js"), "/pulse/a.js");
        assert_eq!(resolve("/b/ops", "../a.js"), "/a.js");
        assert_eq!(resolve("/pulse/", "./a.js"), "/pulse/a.js");
        assert_eq!(resolve("/pulse/b/ops", "/a.js"), "/a.js");
        assert_eq!(resolve("/b/ops", "../../../a.js"), "/a.js");
    }
}
