//! Live links: they show one board to everyone who has them, follow its document, and end.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Answer, BINARY, Stream, TestServer};
use serde_json::Value as Json;
use shared::{ByeReason, Event};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A server with an administrator, the editor `ed` of `ops`, three series and the board `ops`.
struct Linked {
    server: TestServer,
    admin: String,
    editor: String,
    _data: tempfile::TempDir,
}

impl Linked {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = TestServer::start(data.path());
        let made = server.post("/api/tokens", r#"{"name":"root","grants":["admin"]}"#, &[JSON]);
        let admin = made.json()["token"].as_str().unwrap().to_owned();
        let editor = server.token(&admin, "ed", &["read:ops/**", "edit:ops"]);
        let linked = Self { server, admin, editor, _data: data };
        for series in ["ops/a", "ops/b", "dev/secret"] {
            assert_eq!(linked.as_admin("POST", &format!("/in/{series}"), "1").status, 204);
        }
        linked.select(&["ops/a"]);
        linked
    }

    fn send(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), JSON];
        match method {
            "GET" => self.server.get_with(path, &headers),
            "POST" => self.server.post(path, body, &headers),
            "PUT" => self.server.put(path, body, &[&headers[..], &[("If-Match", "*")]].concat()),
            _ => self.server.delete(path, &headers),
        }
    }

    fn as_admin(&self, method: &str, path: &str, body: &str) -> Answer {
        let kind = if path.starts_with("/in/") { "text/plain" } else { "application/json" };
        let bearer = format!("Bearer {}", self.admin);
        match method {
            "POST" => self.server.post(path, body, &[("Authorization", &bearer), ("Content-Type", kind)]),
            _ => self.send(&self.admin, method, path, body),
        }
    }

    /// Gives the board another document, as the editor.
    fn select(&self, series: &[&str]) {
        let widget = serde_json::json!({ "id": "t", "type": "table", "series": series });
        let body = serde_json::json!({ "widgets": [widget] }).to_string();
        let bearer = format!("Bearer {}", self.editor);
        let put = self.server.put("/api/boards/ops", &body, &[("Authorization", &bearer), ("If-Match", "*")]);
        let put = if put.status == 412 {
            self.server.put("/api/boards/ops", &body, &[("Authorization", &bearer)])
        } else {
            put
        };
        assert!(put.status < 300, "{} {}", put.status, put.text);
    }

    /// Makes a link, and returns its id and its path.
    fn link(&self, token: &str, body: &str) -> (String, String) {
        let made = self.send(token, "POST", "/api/links", body);
        assert_eq!(made.status, 201, "{}", made.text);
        (made.json()["id"].as_str().unwrap().to_owned(), made.json()["path"].as_str().unwrap().to_owned())
    }

    /// Opens a link, and returns the cookie.
    fn open(&self, path: &str) -> String {
        let opened = self.server.get_with(path, &[("Sec-Fetch-Site", "cross-site")]);
        assert_eq!((opened.status, opened.header("location")), (303, "../b/ops"), "{}", opened.text);
        let cookie = opened.header("set-cookie");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.starts_with("pulseboard-link=pb_"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    fn get(&self, cookie: &str, path: &str) -> Answer {
        self.server.get_with(path, &[("Cookie", cookie)])
    }

    fn stream(&self, cookie: &str) -> Stream {
        self.server.opens_with("board=ops", &[("Cookie", cookie)]).unwrap()
    }
}

fn snapshot(stream: &mut Stream) -> Vec<String> {
    loop {
        if let Event::Snapshot { series, .. } = stream.event() {
            let mut names: Vec<_> = series.iter().map(|part| part.name.to_string()).collect();
            names.sort();
            return names;
        }
    }
}

/// Waits for the end of a stream, within a second.
fn ends(stream: &mut Stream, since: Instant) -> Option<ByeReason> {
    let mut reason = None;
    while let Some(event) = stream.next() {
        if let Event::Bye { reason: given, .. } = event {
            reason = Some(given);
        }
    }
    assert!(since.elapsed() < Duration::from_secs(1), "it took {:?}", since.elapsed());
    reason
}

#[test]
fn link_shows_just_its_board_and_ends_when_it_is_revoked() {
    let linked = Linked::start();
    let (id, path) = linked.link(&linked.editor, r#"{"board":"ops"}"#);
    let cookie = linked.open(&path);
    let mut stream = linked.stream(&cookie);
    assert_eq!(snapshot(&mut stream), ["ops/a"]);
    let names: Vec<Json> = linked.get(&cookie, "/api/series").json().as_array().unwrap().clone();
    assert_eq!(names.len(), 1);
    for (path, status) in [
        ("/b/ops", 200),
        ("/api/boards/ops", 200),
        ("/api/history?series=ops/a&from=-1d", 200),
        ("/api/history?series=ops/b&from=-1d", 403),
        ("/api/boards/dev", 404),
        ("/sse?series=dev/secret", 403),
        ("/api/tokens", 403),
        ("/api/links", 403),
        ("/metrics", 403),
    ] {
        assert_eq!(linked.get(&cookie, path).status, status, "{path}");
    }
    assert_eq!(linked.server.post("/in/ops/a", "1", &[("Cookie", &cookie)]).status, 403);
    assert_eq!(linked.server.put("/api/boards/ops", "{}", &[("Cookie", &cookie), ("If-Match", "*")]).status, 403);

    // A moment of the board: the query goes on.
    let moment = linked.server.get(&format!("{path}?from=1&to=2"));
    assert_eq!((moment.status, moment.header("location")), (303, "../b/ops?from=1&to=2"));

    let began = Instant::now();
    assert_eq!(linked.send(&linked.editor, "DELETE", &format!("/api/links/{id}"), "").status, 204);
    assert_eq!(ends(&mut stream, began), Some(ByeReason::Denied));
    assert_eq!(linked.get(&cookie, "/api/boards/ops").status, 401);
    let gone = linked.server.get(&path);
    assert_eq!(gone.status, 404);
    for unknown in
        ["/link/x", "/link/pb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &format!("/link/{}", linked.admin)]
    {
        let answer = linked.server.get(unknown);
        assert_eq!((answer.status, &answer.text), (404, &gone.text), "a stranger learns nothing: {unknown}");
        assert!(answer.header("set-cookie").is_empty());
    }
    assert_eq!(linked.send(&linked.editor, "DELETE", &format!("/api/links/{id}"), "").status, 404);
    let audit = linked.as_admin("GET", "/api/audit?limit=1000", "").text;
    assert!(
        audit.contains("\"link.create\"") && audit.contains("\"link.revoke\"") && !audit.contains("pb_"),
        "{audit}"
    );
}

#[test]
fn link_follows_the_board_but_never_beyond_what_its_maker_could_read() {
    let linked = Linked::start();
    let (_, path) = linked.link(&linked.editor, r#"{"board":"ops","lasts":"1h"}"#);
    let cookie = linked.open(&path);
    let mut stream = linked.stream(&cookie);
    assert_eq!(snapshot(&mut stream), ["ops/a"]);
    let began = Instant::now();
    linked.select(&["ops/*", "dev/**"]);
    assert_eq!(ends(&mut stream, began), Some(ByeReason::Denied), "it begins anew with other series");
    assert_eq!(snapshot(&mut linked.stream(&cookie)), ["ops/a", "ops/b"]);
    assert_eq!(linked.get(&cookie, "/api/history?series=dev/secret").status, 403);
    // An administrator may read all that the board selects, so the administrator's link shows it.
    let (_, wide) = linked.link(&linked.admin, r#"{"board":"ops"}"#);
    let wide = linked.open(&wide);
    assert_eq!(snapshot(&mut linked.stream(&wide)), ["dev/secret", "ops/a", "ops/b"]);
    linked.select(&["ops/b"]);
    assert_eq!(snapshot(&mut linked.stream(&wide)), ["ops/b"]);
    assert_eq!(linked.get(&wide, "/api/history?series=dev/secret").status, 403);

    let refusal = |token: &str, body: &str| linked.send(token, "POST", "/api/links", body);
    assert_eq!(refusal(&linked.editor, r#"{"board":"dev"}"#).status, 403);
    let blind = linked.server.token(&linked.admin, "blind", &["edit:ops", "read:dev/**"]);
    assert!(refusal(&blind, r#"{"board":"ops"}"#).text.contains("would show nothing"));
    assert_eq!(refusal(&linked.admin, r#"{"board":"ops","lasts":"400d"}"#).status, 422);
    assert_eq!(refusal(&linked.admin, r#"{"board":"a/b"}"#).status, 422);
    let short =
        linked.as_admin("POST", "/api/tokens", r#"{"name":"short","grants":["edit:ops","read:**"],"lasts":"1h"}"#);
    let short = short.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(refusal(&short, r#"{"board":"ops"}"#).status, 403, "it would outlive its maker's permission");
    assert_eq!(refusal(&short, r#"{"board":"ops","lasts":"30m"}"#).status, 201);
}

#[test]
fn link_expires_and_survives_a_restart() {
    let linked = Linked::start();
    let (_, path) = linked.link(&linked.editor, r#"{"board":"ops","lasts":"1500ms"}"#);
    let cookie = linked.open(&path);
    let mut stream = linked.stream(&cookie);
    snapshot(&mut stream);
    let (_, lasting) = linked.link(&linked.editor, r#"{"board":"ops"}"#);
    while stream.next().is_some() {}
    assert_eq!(linked.server.get(&path).status, 404);
    assert_eq!(linked.get(&cookie, "/api/boards/ops").status, 401);
    let Linked { server, _data, .. } = linked;
    drop(server);
    let bytes = std::fs::read(_data.path().join("pulseboard.sqlite")).unwrap();
    let secret = lasting.strip_prefix("/link/").unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains(secret), "a secret is stored");
    let server = TestServer::start(_data.path());
    let cookie = server.get(&lasting).header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(snapshot(&mut server.opens_with("board=ops", &[("Cookie", &cookie)]).unwrap()), ["ops/a"]);
    assert_eq!(server.get(&path).status, 404);
}

#[test]
fn commands_make_list_and_revoke_links() {
    let linked = Linked::start();
    let run = |args: &[&str], token: &str| {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .args(["--to", &linked.server.url])
            .env("PULSEBOARD_TOKEN", token)
            .env_remove("PULSEBOARD_TO");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (made, address, about) = run(&["link", "create", "ops", "--expires", "7d"], &linked.editor);
    assert!(made && about.contains("shows the board ops until "), "{about}");
    linked.open(address.trim().strip_prefix(linked.server.url.as_str()).unwrap());
    let (_, list, _) = run(&["link", "list"], &linked.editor);
    let id = list.split('\t').next().unwrap().to_owned();
    assert!(list.starts_with(&format!("{id}\tops\tuntil ")) && list.ends_with("\ttoken ed\n"), "{list}");
    let other = linked.server.token(&linked.admin, "other", &["edit:other"]);
    assert_eq!(run(&["link", "list"], &other).1, "", "links of other boards are not listed");
    assert!(!run(&["link", "revoke", &id], &other).0);
    assert_eq!(run(&["link", "revoke", &id], &linked.editor).1, format!("revoked {id}\n"));
    assert!(run(&["link", "list"], &linked.editor).1.contains("\trevoked "));
}
