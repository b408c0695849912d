//! The page as a browser gets it: compressed beforehand, cached for good where its name says what it is.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use harness::TestServer;

/// The name of the page's WebAssembly, as the page has it.
fn wasm_of(page: &str) -> String {
    let end = page.find("_bg.wasm").expect("the page loads its WebAssembly") + "_bg.wasm".len();
    let start = page[..end].rfind(['"', '\'']).unwrap() + 1;
    page[start..end].to_owned()
}

#[test]
fn a_browser_gets_the_page_compressed_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(folder.path());
    let page = server.get("/").text;
    let wasm = wasm_of(&page);
    let lengths: Vec<usize> = ["identity", "gzip", "br, gzip"]
        .iter()
        .map(|accepted| {
            let file = server.get_with(&wasm, &[("accept-encoding", accepted)]);
            assert_eq!(file.status, 200);
            assert_eq!(file.header("content-type"), "application/wasm");
            assert_eq!(file.header("vary"), "accept-encoding");
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
            let expected = match *accepted {
                "identity" => "",
                "gzip" => "gzip",
                _ => "br",
            };
            assert_eq!(file.header("content-encoding"), expected);
            file.header("content-length").parse().unwrap()
        })
        .collect();
    assert!(lengths[1] < lengths[0] / 2 && lengths[2] < lengths[1], "{lengths:?}");
    assert_eq!(server.get(&format!("{wasm}.br")).status, 404, "the compressed form is no file of its own");
}

#[test]
fn a_browser_that_has_the_page_already_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(folder.path());
    let first = server.get_with("/", &[("accept-encoding", "br")]);
    assert_eq!(first.header("cache-control"), "no-cache");
    let tag = first.header("etag").to_owned();
    let again = server.get_with("/", &[("accept-encoding", "br"), ("if-none-match", &tag)]);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let other = server.get_with("/", &[("accept-encoding", "identity"), ("if-none-match", &tag)]);
    assert_eq!(other.status, 200, "another encoding is another representation");
}
