//! The page as a browser gets it: compressed at build time, and cached for ever if its name contains a hash.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use harness::TestServer;

/// The path of the WebAssembly of the page of all boards.
fn wasm_of(page: &str) -> String {
    let end = page.find(".wasm").expect("the page loads its WebAssembly") + ".wasm".len();
    let start = page[..end].rfind(['"', '\'']).unwrap() + 1;
    page[start..end].strip_prefix('.').expect("its addresses are relative").to_owned()
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
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = server.get_with("/", &[("accept-encoding", "br"), ("if-none-match", &known)]);
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
        assert_eq!((again.header("etag"), again.header("cache-control")), (tag.as_str(), "no-cache"));
        assert_eq!(again.header("vary"), "accept-encoding");
    }
    let other = server.get_with("/", &[("accept-encoding", "identity"), ("if-none-match", &tag)]);
    assert_eq!(other.status, 200, "another encoding is another representation");
}

/// Returns the preloads in the answer for a board, without the folder of the build and without chunks of shared code.
fn ahead(page: &harness::Answer) -> Vec<String> {
    let link = page.header("link");
    let names = link
        .split(", ")
        .filter_map(|one| one.strip_prefix("<../")?.split_once(">; rel=preload; as=fetch; crossorigin"));
    let names = names.map(|(name, _)| {
        name.strip_prefix("page-").and_then(|name| name.split_once('/')).map_or(name, |(_, name)| name)
    });
    names.filter(|name| !name.starts_with("chunk_")).map(str::to_owned).collect()
}

#[test]
fn the_page_of_a_board_says_what_it_will_fetch_and_is_another_page_when_the_board_is_another() {
    let (folder, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = boards.path().join("filed.toml");
    std::fs::write(&file, "[[widgets]]\nid = \"a\"\ntype = \"log\"\nseries = [\"ops/a\"]\n").unwrap();
    let mut command = std::process::Command::new(harness::BINARY);
    let command = command.arg("serve").arg("--boards").arg(boards.path());
    let server = TestServer::start_with(command, "127.0.0.1:0", folder.path());

    assert_eq!(ahead(&server.get("/b/filed")), ["api/boards/filed?form=json", "split_board.wasm"]);
    server.push("ops/a", "1");
    let automatic = server.get("/b/ops");
    assert_eq!(ahead(&automatic), [""; 0], "it shows numbers, which every page can");

    let json = [("content-type", "application/json")];
    let put = |kind: &str| {
        let document = format!(r#"{{"widgets":[{{"id":"a","type":"{kind}","series":["ops/a"]}}]}}"#);
        server.put("/api/boards/ops", &document, &[json[0], ("if-match", "*")]).status
    };
    let document = r#"{"widgets":[{"id":"a","type":"line","series":["ops/a"]}]}"#;
    assert_eq!(server.put("/api/boards/ops", document, &json).status, 201);
    let known = |page: &harness::Answer| server.get_with("/b/ops", &[("if-none-match", page.header("etag"))]);
    let of_line = known(&automatic);
    assert_eq!((of_line.status, ahead(&of_line).last().map(String::as_str)), (200, Some("split_board.wasm")));
    assert_eq!(known(&of_line).status, 304, "nothing changed");
    assert_eq!(put("area"), 204);
    assert_eq!(known(&of_line).status, 304, "nothing changed that the page would fetch");
    let note = r#"{"widgets":[{"id":"a","type":"text","markdown":"x"}]}"#;
    assert_eq!(server.put("/api/boards/ops", note, &[json[0], ("if-match", "*")]).status, 204);
    let of_note = known(&of_line);
    assert_eq!((of_note.status, ahead(&of_note).last().map(String::as_str)), (200, Some("split_notes.wasm")));
    assert_eq!(server.delete("/api/boards/ops", &[("if-match", "*")]).status, 204);
    let again = known(&of_note);
    assert_eq!((again.status, ahead(&again).len()), (200, 0));
    assert_eq!(again.header("etag"), automatic.header("etag"));
}

#[test]
fn only_what_has_a_hash_in_its_name_is_kept_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(folder.path());
    for path in ["/", "/index.html", "/b/ops"] {
        let page = server.get(path);
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"), "{path}");
    }
}

#[test]
fn head_tells_of_a_file_and_nothing_else_is_for_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(folder.path());
    let wasm = wasm_of(&server.get("/").text);
    for path in ["/", wasm.as_str()] {
        let (head, got) =
            (server.head(path, &[("accept-encoding", "br")]), server.get_with(path, &[("accept-encoding", "br")]));
        for name in ["content-length", "content-type", "content-encoding", "etag", "cache-control", "vary"] {
            assert_eq!(head.get(name).map_or("", |value| value.to_str().unwrap()), got.header(name), "{path}: {name}");
        }
    }
    let refused = server.post(&wasm, "x", &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"));
}

/// Starts a server that pages of another site may show in a frame.
fn start_with_frame(data: &std::path::Path) -> TestServer {
    let mut command = std::process::Command::new(harness::BINARY);
    command.args(["serve", "--allow-frame", "https://wiki.example"]);
    TestServer::start_with(&mut command, "127.0.0.1:0", data)
}

#[test]
fn every_answer_has_security_headers() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_with_frame(folder.path());
    server.push("ops/n", "1");
    let wasm = wasm_of(&server.get("/").text);
    for (path, cache) in [
        ("/", "no-cache"),
        ("/b/ops", "no-cache"),
        (wasm.as_str(), "public, max-age=31536000, immutable"),
        ("/nothing", "no-store"),
        ("/api/series", "no-store"),
        ("/api/boards", "no-store"),
        ("/api/history?series=ops/n", "no-store"),
        ("/metrics", "no-store"),
        ("/sse", "no-store"),
        ("/sse/probe?frames=1", "no-cache"),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.header("cache-control"), cache, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe-inline"), "{path}: {policy}");
    }
    assert!(server.head("/sse?series=ops/n", &[]).contains_key("content-security-policy"), "a stream has them too");
    for host in ["evil.example", "localhost"] {
        let answer = server.get_with("/api/series", &[("Host", host), ("Sec-Fetch-Site", "cross-site")]);
        assert!(answer.status >= 400 && answer.header("x-content-type-options") == "nosniff", "{}", answer.status);
    }
}

#[test]
fn page_policy_names_its_inline_scripts_and_frame_ancestors() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_with_frame(folder.path());
    let page = server.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let pages = page.text.clone() + &server.get("/b/ops").text;
    let inline = pages.split("<script").skip(1).filter(|rest| !rest.split('>').next().unwrap().contains("src="));
    let inline: std::collections::HashSet<_> = inline.map(|rest| rest.split("</script>").next()).collect();
    let policy = page.header("content-security-policy");
    assert!(!inline.is_empty() && policy.matches("'sha256-").count() == inline.len(), "{inline:?}: {policy}");
    assert!(policy.contains("'wasm-unsafe-eval'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'self' https://wiki.example"), "{policy}");
    assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="), "the policy would stop it");
}

#[test]
fn pages_have_no_address_that_counts_from_the_root_of_their_host() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(folder.path());
    server.push("words/last", r#"{"text":"deployed"}"#);
    for (path, root) in [("/", "./"), ("/b/words", "../"), ("/b/words?edit", "../")] {
        let page = server.get(path);
        for absolute in ["href=\"/", "src=\"/", "from '/", "module_or_path: '/"] {
            assert!(!page.text.contains(absolute), "{path}: {absolute}");
        }
        assert!(page.text.contains(&format!("data-root=\"{root}\"")), "{path}");
        let links: Vec<&str> = page.header("link").split(", ").collect();
        assert!(links.iter().all(|link| link.starts_with(&format!("<{root}"))), "{path}: {links:?}");
    }
    assert_eq!(server.get("/board.html").status, 404, "it is no file of its own");
}
