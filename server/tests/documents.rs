//! Compares the documents with the program: every command block in README.md, docs/ and examples/ runs against a real
//! server, the table of settings agrees with `--help`, and every link has a target.
//! The marks of blocks are described in [`session`].

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;
mod markdown;
mod proxies;
mod session;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use harness::{BINARY, TestServer};
use markdown::{Block, anchors, blocks, documents, links, read, root};
use proxies::Proxy;
use serde_json::Value as Json;
use session::Session;

/// Runs all blocks of a document, and returns a line for each that is wrong.
fn run_document(document: &Path) -> String {
    let mut session = Session::start();
    if document.starts_with("examples") {
        session.copy_examples();
    }
    let mut wrong = String::new();
    for block in blocks(&read(document)) {
        if let Err(error) = session.run_block(&block) {
            writeln!(wrong, "{}:{}: {error}\n{}", document.display(), block.line, block.text).unwrap();
        }
    }
    wrong
}

#[test]
fn every_command_in_the_documents_works() {
    let documents = documents();
    let wrong: String = std::thread::scope(|scope| {
        let runs: Vec<_> = documents.iter().map(|document| scope.spawn(|| run_document(document))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{wrong}");
}

/// Starts the proxy of a block, in front of a server.
fn documented_proxy(server: &TestServer, block: &Block) -> Proxy {
    let text = block.text.trim();
    match block.language.as_str() {
        "nginx" if text.starts_with("server {") => Proxy::nginx_site(server, text),
        "nginx" => Proxy::nginx_site(server, &format!("server {{ listen 80; {text} }}")),
        _ => {
            let site = text.strip_prefix("board.example.com {").and_then(|rest| rest.strip_suffix('}'));
            Proxy::caddy(server, &site.unwrap_or(text).replace("127.0.0.1:7878", server.addr()))
        }
    }
}

#[test]
fn documented_proxies_pass_everything_on() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let blocks = blocks(&read(Path::new("docs/deploy.md")));
    let of_proxies: Vec<_> = blocks.iter().filter(|block| ["nginx", "caddyfile"].contains(&&*block.language)).collect();
    assert_eq!(of_proxies.len(), 4, "nginx and Caddy, at the root and below a path");
    for block in of_proxies {
        let proxy = documented_proxy(&server, block);
        let path = if block.text.contains("/pulse/") { "/pulse/" } else { "" };
        let doctor = Command::new(BINARY).args(["doctor", &format!("{}{path}", proxy.url)]).output().unwrap();
        let printed = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(printed.contains("All is well."), "docs/deploy.md:{}: {printed}", block.line);
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for document in documents() {
        for link in links(&read(&document)) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            let place = format!("{} links to {link}", document.display());
            assert!(root().join(&target).exists(), "{place}: no such file");
            if !anchor.is_empty() {
                let anchors = anchors(&read(&target));
                assert!(anchors.iter().any(|heading| heading == anchor), "{place}: no such heading in {anchors:?}");
            }
        }
    }
}

#[test]
fn first_documents_are_short() {
    for name in ["README.md", "ARCHITECTURE.md"] {
        let lines = read(Path::new(name)).lines().count();
        assert!(lines <= 150, "{name} has {lines} lines, of at most 150; move details to docs/ or to a module");
    }
}

#[test]
fn events_parameters_and_options_of_widgets_are_documented() {
    let data = tempfile::tempdir().unwrap();
    let api = TestServer::start(data.path()).get("/api/openapi.json").json();
    let assert_names = |document: &str, name: &str| {
        let text = read(Path::new(document));
        let forms = [format!("`{name}`"), format!("`{name}=")];
        assert!(forms.iter().any(|form| text.contains(form)), "{document} lacks {name}");
    };
    let schemas = api["components"]["schemas"].as_object().unwrap();
    let resolved = |json: &Json| match json["$ref"].as_str() {
        Some(reference) => api.pointer(&reference[1..]).unwrap().clone(),
        None => json.clone(),
    };
    for event in schemas["Event"]["oneOf"].as_array().unwrap() {
        assert_names("docs/read-the-stream.md", resolved(event)["properties"]["type"]["const"].as_str().unwrap());
    }
    for schema in schemas.iter().filter_map(|(name, schema)| name.ends_with("Widget").then_some(schema)) {
        for option in schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            assert_names("docs/boards.md", option);
        }
        if let Some(kind) = schema["properties"]["type"]["const"].as_str() {
            assert_names("docs/boards.md", kind);
        }
    }
    for (path, document) in [("/sse", "docs/read-the-stream.md"), ("/api/history", "docs/history.md")] {
        for parameter in api["paths"][path]["get"]["parameters"].as_array().unwrap().iter().map(resolved) {
            if parameter["in"] == "query" {
                assert_names(document, parameter["name"].as_str().unwrap());
            }
        }
    }
}

/// A flag, its variable and its default.
type Setting = (String, String, Option<String>);

/// Returns the flags that `pulseboard serve --help` lists, each with its default if that is one word.
fn settings_of_help() -> Vec<Setting> {
    let help = Command::new(BINARY).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let between = |text: &str, start: &str, end: char| {
        let (_, rest) = text.split_once(start)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    let entries = help.split("\n      --").skip(1);
    entries
        .filter_map(|entry| {
            let flag = format!("--{}", entry.split([' ', '\n']).next()?);
            let variable = between(entry, "[env: ", '=')?;
            let default = between(entry, "[default: ", ']').filter(|default| !default.contains(' '));
            Some((flag, variable, default))
        })
        .collect()
}

#[test]
fn settings_are_those_of_the_help() {
    let text = read(Path::new("docs/settings.md"));
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .map(|line| line.split('|').map(|cell| cell.trim().replace('`', "")).collect())
        .collect();
    let help = settings_of_help();
    assert!(help.len() > 20, "{help:?}");
    for (flag, variable, default) in &help {
        let row = rows.iter().find(|row| row[1] == *flag).unwrap_or_else(|| panic!("docs/settings.md lacks {flag}"));
        assert_eq!(row[2], *variable, "docs/settings.md, {flag}");
        if let Some(default) = default {
            let documented = row[3].replace("none", "");
            assert!(
                documented == *default || default == "none",
                "docs/settings.md: {flag} is {default} if absent, not {}",
                row[3]
            );
        }
    }
    for row in &rows {
        assert!(help.iter().any(|(flag, ..)| *flag == row[1]), "docs/settings.md has {}, which is no flag", row[1]);
    }
}
