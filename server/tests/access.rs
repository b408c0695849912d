//! One table of who may do what: every route, with every kind of visitor. A route without a row fails.
//!
//! The tests beside the table are about the objects behind the routes: series and boards that a visitor may not see are
//! for it as if they did not exist.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::collections::BTreeSet;

use harness::{Answer, TestServer};
use serde_json::Value as Json;

/// The kinds of visitors, in the order of the columns of the table.
const VISITORS: [&str; 12] = [
    "anonymous",
    "push inside",
    "push outside",
    "reader inside",
    "reader outside",
    "editor",
    "admin",
    "expired",
    "revoked",
    "malformed",
    "wrong origin",
    "wrong host",
];

/// The statuses for a route that everyone may use.
const fn public(status: u16) -> [u16; 12] {
    let s = status;
    [s, s, s, s, s, s, s, s, s, s, 403, 421]
}

/// The statuses for a route that needs a credential: of each token, from pushing inside to the administrator.
const fn needs(tokens: [u16; 6]) -> [u16; 12] {
    let [a, b, c, d, e, f] = tokens;
    [401, a, b, c, d, e, f, 401, 401, 401, 403, 421]
}

/// A route, a request for it, and the status for each visitor.
type Row = (&'static str, &'static str, &'static str, &'static str, [u16; 12]);

const COLLECTD: &str = r#"[{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"time":NOW,"interval":1,"host":"in","plugin":"p","type":"t"}]"#;

const PUSHES: [u16; 6] = [204, 403, 403, 403, 403, 204];
const SET_UP: [u16; 6] = [200, 200, 403, 403, 403, 200];
const READS: [u16; 6] = [403, 403, 200, 200, 200, 200];
const READS_INSIDE: [u16; 6] = [403, 403, 200, 403, 200, 200];
const ADMIN: [u16; 6] = [403, 403, 403, 403, 403, 200];
const ADMIN_FINDS_NONE: [u16; 6] = [403, 403, 403, 403, 403, 404];

/// Method, route, address, body, statuses.
const TABLE: &[Row] = &[
    ("POST", "/in", "/in", r#"{"series":"in/a","value":1}"#, needs(PUSHES)),
    ("GET", "/in/{*series}", "/in/in/a?value=1", "", needs(PUSHES)),
    ("POST", "/in/{*series}", "/in/in/a", "1", needs(PUSHES)),
    ("POST", "/write", "/write", "in v=1", needs(PUSHES)),
    ("POST", "/api/v2/write", "/api/v2/write", "in v=1", needs(PUSHES)),
    ("POST", "/api/v3/write_lp", "/api/v3/write_lp", "in v=1", needs(PUSHES)),
    ("GET", "/query", "/query?q=SHOW%20DATABASES", "", needs(SET_UP)),
    ("POST", "/query", "/query?q=SHOW%20DATABASES", "", needs(SET_UP)),
    ("GET", "/ping", "/ping", "", public(204)),
    ("GET", "/health", "/health", "", public(200)),
    ("GET", "/ready", "/ready", "", public(200)),
    ("GET", "/api/v2/ready", "/api/v2/ready", "", public(200)),
    ("GET", "/api/v2/buckets", "/api/v2/buckets", "", needs(SET_UP)),
    ("POST", "/api/v2/buckets", "/api/v2/buckets", r#"{"name":"b"}"#, needs([201, 201, 403, 403, 403, 201])),
    ("GET", "/api/v2/buckets/{id}", "/api/v2/buckets/0", "", needs([404, 404, 403, 403, 403, 404])),
    ("GET", "/api/v2/orgs", "/api/v2/orgs", "", needs(SET_UP)),
    ("POST", "/collectd", "/collectd", COLLECTD, needs([200, 403, 403, 403, 403, 200])),
    ("GET", "/sse", "/sse?series=in/a", "", needs(READS_INSIDE)),
    ("GET", "/sse/probe", "/sse/probe?frames=1&every_ms=0", "", public(200)),
    // The doctor has to answer a page whose proxy changes Host.
    ("POST", "/api/doctor", "/api/doctor", "{}", [400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 421]),
    ("GET", "/api/overview", "/api/overview", "", needs(READS)),
    ("GET", "/api/series", "/api/series", "", needs(READS)),
    ("DELETE", "/api/series/{*series}", "/api/series/in/none", "", needs(ADMIN_FINDS_NONE)),
    // For a reader outside, there is no such series.
    ("GET", "/badge/{*series}", "/badge/in/a.svg", "", needs([403, 403, 200, 404, 200, 200])),
    ("GET", "/api/history", "/api/history?series=in/a", "", needs(READS_INSIDE)),
    ("GET", "/api/boards", "/api/boards", "", needs(READS)),
    // For a reader outside, the board is one that nobody made.
    ("GET", "/api/boards/{id}", "/api/boards/in", "", needs([403, 403, 200, 404, 200, 200])),
    ("PUT", "/api/boards/{id}", "/api/boards/in", "{}", needs([403, 403, 403, 403, 204, 204])),
    ("DELETE", "/api/boards/{id}", "/api/boards/in-none", "", needs([403, 403, 403, 403, 404, 404])),
    ("GET", "/healthz", "/healthz", "", public(200)),
    ("GET", "/readyz", "/readyz", "", public(200)),
    ("GET", "/api/rejected", "/api/rejected", "", needs(ADMIN)),
    ("GET", "/metrics", "/metrics", "", needs(ADMIN)),
    ("GET", "/api/tokens", "/api/tokens", "", needs(ADMIN)),
    (
        "POST",
        "/api/tokens",
        "/api/tokens",
        r#"{"name":"made","grants":["push:in/**"]}"#,
        needs([403, 403, 403, 403, 403, 201]),
    ),
    ("DELETE", "/api/tokens/{name}", "/api/tokens/none", "", needs(ADMIN_FINDS_NONE)),
    ("POST", "/api/tokens/{name}/rotate", "/api/tokens/none/rotate", "", needs(ADMIN_FINDS_NONE)),
    ("POST", "/api/tickets", "/api/tickets", "", needs([403, 403, 201, 201, 201, 201])),
    ("GET", "/api/users", "/api/users", "", needs(ADMIN)),
    (
        "POST",
        "/api/users",
        "/api/users",
        r#"{"name":"made","password":"correct horse","grants":["read:in/**"]}"#,
        needs([403, 403, 403, 403, 403, 201]),
    ),
    ("DELETE", "/api/users/{name}", "/api/users/none", "", needs(ADMIN_FINDS_NONE)),
    ("PUT", "/api/users/{name}/grants", "/api/users/none/grants", r#"{"grants":["admin"]}"#, needs(ADMIN_FINDS_NONE)),
    (
        "PUT",
        "/api/users/{name}/password",
        "/api/users/none/password",
        r#"{"password":"correct horse"}"#,
        needs(ADMIN_FINDS_NONE),
    ),
    ("DELETE", "/api/users/{name}/sessions", "/api/users/none/sessions", "", needs(ADMIN_FINDS_NONE)),
    ("GET", "/api/links", "/api/links", "", needs([403, 403, 403, 403, 200, 200])),
    ("POST", "/api/links", "/api/links", r#"{"board":"in"}"#, needs([403, 403, 403, 403, 201, 201])),
    ("DELETE", "/api/links/{id}", "/api/links/none", "", needs([403, 403, 403, 403, 404, 404])),
    ("GET", "/link/{secret}", "/link/none", "", {
        let mut row = public(404);
        // A link is opened from pages of other sites.
        row[10] = 404;
        row
    }),
    ("GET", "/api/audit", "/api/audit", "", needs(ADMIN)),
    ("GET", "/sign-in", "/sign-in?to=b/ops", "", {
        let mut row = public(200);
        // A link of another site to a board leads here.
        row[10] = 200;
        row
    }),
    ("POST", "/sign-in", "/sign-in", "token=pb_x", public(401)),
    ("GET", "/sign-in.css", "/sign-in.css", "", {
        let mut row = public(200);
        row[10] = 200;
        row
    }),
    ("POST", "/sign-out", "/sign-out", "", public(303)),
    ("GET", "/api/openapi.json", "/api/openapi.json", "", public(200)),
    ("GET", "/", "/", "", page()),
    ("GET", "/b/{id}", "/b/in", "", page()),
];

/// The statuses of a page: other sites may link to it.
const fn page() -> [u16; 12] {
    [401, 403, 403, 200, 200, 200, 200, 401, 401, 401, 200, 421]
}

/// A server with an administrator, and the administrator's token.
struct Closed {
    server: TestServer,
    admin: String,
    _data: tempfile::TempDir,
}

impl Closed {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = TestServer::start(data.path());
        let made = server.post(
            "/api/tokens",
            r#"{"name":"root","grants":["admin"]}"#,
            &[("Content-Type", "application/json")],
        );
        assert_eq!(made.status, 201, "{}", made.text);
        let admin = made.json()["token"].as_str().unwrap().to_owned();
        Self { server, admin, _data: data }
    }

    fn token(&self, name: &str, grants: &[&str]) -> String {
        self.server.token(&self.admin, name, grants)
    }

    /// Sends a request with a token.
    fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        let all = [headers, &[("Content-Type", kind)]].concat();
        match method {
            "GET" => self.server.get_with(path, headers),
            "POST" => self.server.post(path, body, &all),
            "PUT" => self.server.put(path, body, &[&all[..], &[("If-Match", "*")]].concat()),
            "DELETE" => self.server.delete(path, headers),
            _ => panic!("{method}"),
        }
    }

    fn as_admin(&self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.admin);
        self.send(method, path, body, &[("Authorization", &bearer)])
    }

    fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, "", &[("Authorization", &format!("Bearer {token}"))])
    }
}

/// Sends a request and returns the status. Does not read the rest of a stream.
fn status(closed: &Closed, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> u16 {
    if path.starts_with("/sse?") {
        let query = path.strip_prefix("/sse?").unwrap();
        return closed.server.opens_with(query, headers).map_or_else(|answer| answer.status, |_| 200);
    }
    closed.send(method, path, body, headers).status
}

#[test]
fn every_route_permits_what_the_table_says_to_every_visitor() {
    let closed = Closed::start();
    assert_eq!(closed.as_admin("POST", "/in/in/a", "1").status, 204);
    let put = closed.server.put("/api/boards/in", "{}", &[("Authorization", &format!("Bearer {}", closed.admin))]);
    assert_eq!(put.status, 201, "{}", put.text);
    let tokens = [
        closed.token("push-inside", &["push:in/**"]),
        closed.token("push-outside", &["push:out/**"]),
        closed.token("reader-inside", &["read:in/**"]),
        closed.token("reader-outside", &["read:out/**"]),
        closed.token("editor", &["read:in/**", "edit:in*"]),
    ];
    let expired = closed.as_admin("POST", "/api/tokens", r#"{"name":"expired","grants":["admin"],"lasts":"1ms"}"#);
    let expired = expired.json()["token"].as_str().unwrap().to_owned();
    let revoked = closed.token("revoked", &["admin"]);
    assert_eq!(closed.as_admin("DELETE", "/api/tokens/revoked", "").status, 204);
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let [push_in, push_out, read_in, read_out, editor] = tokens.each_ref().map(|token| bearer(token));
    let visitors = [
        (None, vec![]),
        (push_in, vec![]),
        (push_out, vec![]),
        (read_in, vec![]),
        (read_out, vec![]),
        (editor, vec![]),
        (bearer(&closed.admin), vec![]),
        (bearer(&expired), vec![]),
        (bearer(&revoked), vec![]),
        (bearer("pb_x"), vec![]),
        (bearer(&closed.admin), vec![("Origin", "http://evil.example")]),
        (bearer(&closed.admin), vec![("Host", "evil.example")]),
    ];
    let mut wrong = Vec::new();
    for (method, route, path, body, wanted) in TABLE {
        let body = &body.replace("NOW", &(harness::now_ms() / 1_000).to_string());
        for ((name, (bearer, headers)), wanted) in VISITORS.iter().zip(&visitors).zip(wanted) {
            let authorization = bearer.as_deref().map(|bearer| ("Authorization", bearer));
            let headers: Vec<_> = authorization.into_iter().chain(headers.iter().copied()).collect();
            let got = status(&closed, method, path, body, &headers);
            if got != *wanted {
                wrong.push(format!("{method} {route}, {name}: {got} instead of {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_has_a_row_in_the_table() {
    let routes = include_str!("../src/app/routes.txt");
    let routed: BTreeSet<(String, String)> = routes
        .lines()
        .flat_map(|line| {
            let (path, methods) = line.split_once(": ").unwrap();
            methods.split(", ").map(|method| (method.split(' ').next().unwrap().to_owned(), path.to_owned()))
        })
        .collect();
    let rows: BTreeSet<_> = TABLE.iter().map(|row| (row.0.to_owned(), row.1.to_owned())).collect();
    assert_eq!(rows, routed);
}

#[test]
fn stranger_learns_nothing_about_a_credential() {
    let closed = Closed::start();
    let revoked = closed.token("gone", &["admin"]);
    closed.as_admin("DELETE", "/api/tokens/gone", "");
    let unknown = "pb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answers: BTreeSet<_> = [None, Some("x"), Some(unknown), Some(revoked.as_str())]
        .into_iter()
        .map(|token| {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
            let answer = closed.send("GET", "/api/series", "", &headers);
            (answer.status, answer.header("www-authenticate").to_owned(), answer.text)
        })
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (status, challenge, text) = answers.first().unwrap();
    assert_eq!((*status, challenge.as_str()), (401, "Bearer realm=\"pulseboard\""));
    assert!(text.contains("pulseboard token create"), "{text}");
    // Other methods and unknown paths say no more than on an open server.
    assert_eq!(closed.server.raw("PATCH /api/series HTTP/1.1", b"").split(' ').nth(1), Some("405"));
    assert_eq!(closed.send("GET", "/nothing", "", &[]).status, 404);
    assert_eq!(closed.server.head("/api/series", &[]).get("www-authenticate").unwrap(), challenge);
}

#[test]
fn token_is_accepted_in_every_form_that_clients_send() {
    let closed = Closed::start();
    let token = closed.token("form", &["push:in/**", "read:in/**"]);
    let basic = |pair: String| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
    };
    for value in [
        format!("Bearer {token}"),
        format!("Token {token}"),
        basic(format!("anyone:{token}")),
        basic(format!("{token}:")),
    ] {
        let pushed = closed.send("POST", "/in/in/a", "1", &[("Authorization", &value)]);
        assert_eq!(pushed.status, 204, "{value}: {}", pushed.text);
    }
    assert_eq!(closed.send("POST", &format!("/write?db=x&u=me&p={token}"), "in v=1", &[]).status, 204);
    assert_eq!(closed.send("GET", "/api/series", "", &[("Cookie", &format!("a=b; pulseboard={token}"))]).status, 200);
    assert_eq!(closed.send("GET", &format!("/api/series?p={token}"), "", &[]).status, 401, "only InfluxDB's calls");
    let twice = closed.send(
        "POST",
        "/in/in/a",
        "1",
        &[("Authorization", "Bearer x"), ("Cookie", &format!("pulseboard={token}"))],
    );
    assert_eq!(twice.status, 204, "any valid credential is enough");
}

#[test]
fn lines_outside_the_selector_are_refused_and_named() {
    let closed = Closed::start();
    let token = closed.token("sensor", &["push:in/**", "push:host/*/temp"]);
    let push =
        |path: &str, body: &str| closed.send("POST", path, body, &[("Authorization", &format!("Bearer {token}"))]);
    let batch = "{\"series\":\"in/a\",\"value\":1}\n{\"series\":\"out/b\",\"value\":1}\n{\"series\":\"host/x/load\",\"value\":1}";
    let refused = push("/in", batch);
    assert_eq!(refused.status, 403, "{}", refused.text);
    let lines: Vec<_> =
        refused.json()["errors"].as_array().unwrap().iter().map(|error| error["line"].clone()).collect();
    assert_eq!(lines, [2, 3]);
    let (field, expected, got) = refused.first_error();
    assert_eq!((field.as_str(), got.as_str()), ("series", "\"out/b\""));
    assert!(expected.contains("host/*/temp, in/**"), "{expected}");
    assert_eq!(push("/in", "{\"series\":\"out/b\",\"value\":1}\nx").status, 403, "permission comes first");
    assert_eq!(push("/in/in", r#"{"a":1,"b":2}"#).status, 204);
    assert_eq!(push("/in/host/x", r#"{"temp":1,"load":2}"#).status, 403);

    let partial = push("/write", "in v=1\nout v=2\nin w=3");
    assert_eq!(partial.status, 400, "{}", partial.text);
    let (detail, errors) = (partial.json()["error"].as_str().unwrap().to_owned(), partial.json()["errors"].clone());
    assert!(
        detail.starts_with("partial write: not permitted: line 2: series") && detail.ends_with("dropped=1"),
        "{detail}"
    );
    assert_eq!(errors.as_array().unwrap().len(), 1);
    assert_eq!(push("/write", "out v=2").status, 403);
    assert_eq!(push("/api/v3/write_lp?accept_partial=false", "in v=7\nout v=2").status, 403);
    let listed = closed.as_admin("GET", "/api/series", "").json();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|series| series["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["in/a", "in/b", "in/v", "in/w"], "nothing of a refused batch was stored");
    let inbox = closed.as_admin("GET", "/api/rejected", "").json();
    assert!(inbox["rejected"].as_array().unwrap().iter().any(|one| one["reason"] == "forbidden"), "{inbox}");
}

/// The names in a snapshot.
fn snapshot(stream: &mut harness::Stream) -> (Json, Vec<String>) {
    let mut hello = Json::Null;
    loop {
        match stream.event() {
            event @ shared::Event::Hello { .. } => hello = serde_json::to_value(event).unwrap(),
            shared::Event::Snapshot { series, .. } => {
                let mut names: Vec<_> = series.iter().map(|part| part.name.to_string()).collect();
                names.sort();
                return (hello, names);
            }
            _ => {}
        }
    }
}

#[test]
fn what_a_reader_may_not_see_is_for_it_as_if_it_did_not_exist() {
    let closed = Closed::start();
    for series in ["in/a", "in/b/c", "out/secret", "in2/x"] {
        assert_eq!(closed.as_admin("POST", &format!("/in/{series}"), "1").status, 204);
    }
    let board =
        |selectors: &str| format!(r#"{{"title":"T","widgets":[{{"id":"a","type":"table","series":{selectors}}}]}}"#);
    let bearer = format!("Bearer {}", closed.admin);
    let put = |id: &str, selectors: &str| {
        closed.server.put(&format!("/api/boards/{id}"), &board(selectors), &[("Authorization", &bearer)])
    };
    assert_eq!(put("wall", r#"["in/a","out/**"]"#).status, 201);
    assert_eq!(put("out", r#"["in/a"]"#).status, 201);
    assert_eq!(put("hidden", r#"["in/a"]"#).status, 201);
    let reader = closed.token("reader", &["read:in/**", "read-board:wall", "edit:mine"]);
    let get = |path: &str| closed.get(&reader, path);

    let names = |answer: Answer, key: &str| -> Vec<String> {
        let all = answer.json();
        let all = all.as_array().or_else(|| all["boards"].as_array()).unwrap().clone();
        all.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(get("/api/series"), "name"), ["in/a", "in/b/c"]);
    assert_eq!(names(get("/api/history?series=**&from=-1d"), "series"), ["in/a", "in/b/c"]);
    assert_eq!(names(get("/api/history?series=*/x&from=-1d"), "series"), [""; 0]);
    assert_eq!(get("/api/history?series=in/a&series=out/secret").status, 403);
    assert_eq!(get("/api/history?series=out/none").status, 403, "the same where there is no such series");
    assert_eq!(names(get("/api/boards"), "id"), ["wall"]);
    assert_eq!(names(get("/api/overview"), "id"), ["in", "wall"]);
    let wall = get("/api/overview").json()["boards"][1].clone();
    assert_eq!(wall["series"], 1, "it counts only what the reader sees: {wall}");
    assert_eq!(names(closed.as_admin("GET", "/api/overview", ""), "id"), ["hidden", "in", "in2", "out", "wall"]);
    let (hidden, none) = (get("/api/boards/hidden"), get("/api/boards/none"));
    assert_eq!((hidden.status, hidden.text), (404, none.text.replace("none", "hidden")));
    let linked = |answer: Answer| answer.header("link").to_owned();
    assert_eq!(linked(get("/b/hidden")).replace("hidden", "none"), linked(get("/b/none")));
    assert_eq!(linked(get("/b/out")).replace("out", "none"), linked(get("/b/none")));
    assert_ne!(linked(closed.as_admin("GET", "/b/hidden", "")), linked(get("/b/hidden")));

    // A warning about a selector without series says nothing of series beyond.
    let put = closed.send(
        "PUT",
        "/api/boards/mine",
        &board(r#"["out/secret"]"#),
        &[("Authorization", &format!("Bearer {reader}"))],
    );
    assert_eq!(put.status, 412, "{}", put.text);
    let made = closed.server.put(
        "/api/boards/mine",
        &board(r#"["out/secret"]"#),
        &[("Authorization", &format!("Bearer {reader}"))],
    );
    assert_eq!(made.status, 201);
    assert!(made.text.contains("out/secret"), "it is named as one that matches nothing: {}", made.text);
    assert_eq!(
        closed.send("DELETE", "/api/boards/wall", "", &[("Authorization", &format!("Bearer {reader}"))]).status,
        403
    );

    let token = format!("Bearer {reader}");
    let open = |query: &str| closed.server.opens_with(query, &[("Authorization", &token)]);
    let (_, seen) = snapshot(&mut open("series=**").unwrap());
    assert_eq!(seen, ["in/a", "in/b/c"]);
    let (_, seen) = snapshot(&mut open("series=out/*").unwrap());
    assert_eq!(seen, [""; 0]);
    assert_eq!(open("series=in/a&series=out/secret").err().unwrap().status, 403);
    let (hello, seen) = snapshot(&mut open("board=wall&board=out&board=hidden").unwrap());
    assert_eq!(seen, ["in/a"], "boards that it may not see are automatic ones");
    let tags: Vec<_> = hello["boards"].as_array().unwrap().iter().map(|board| board["etag"].is_null()).collect();
    assert_eq!(tags, [true, true, false], "{hello}");
}

#[test]
fn readers_with_equal_grants_share_frames() {
    let closed = Closed::start();
    closed.as_admin("POST", "/in/in/a", "1");
    let tokens = [closed.token("one", &["read:in/**"]), closed.token("other", &["read:in/**"])];
    let mut streams: Vec<_> = tokens
        .iter()
        .map(|token| closed.server.opens_with("series=**", &[("Authorization", &format!("Bearer {token}"))]).unwrap())
        .collect();
    streams.iter_mut().for_each(|stream| assert_eq!(snapshot(stream).1, ["in/a"]));
    let text = closed.as_admin("GET", "/metrics", "").text;
    assert!(text.contains("pulseboard_topics 1\n") && text.contains("pulseboard_readers 2\n"), "{text}");
}
