//! The audit log: changes, sign-ins and refusals, and that nobody can forge or flood it.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Answer, BINARY, TestServer};
use serde_json::Value as Json;

/// Runs `pulseboard`, with the token of an administrator unless it is empty, and returns what it prints.
fn run(args: &[&str], token: &str) -> String {
    let mut command = Command::new(BINARY);
    command.args(args).env_remove("PULSEBOARD_TOKEN").env_remove("PULSEBOARD_TO");
    if !token.is_empty() {
        command.env("PULSEBOARD_TOKEN", token);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A server with an administrator's token `root`, made in the data folder.
fn closed(data: &std::path::Path) -> (TestServer, String) {
    let folder = data.to_str().unwrap();
    let admin = run(&["token", "create", "root", "--admin", "--data", folder], "").trim().to_owned();
    (TestServer::start(data), admin)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Returns all events. Tests of the harness compare each with its description.
fn events(server: &TestServer, admin: &str) -> Vec<Json> {
    let answer = server.get_with("/api/audit?limit=1000", &[("Authorization", &bearer(admin))]);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"), "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits for an event that is recorded in the background.
fn await_event(server: &TestServer, admin: &str, is_wanted: impl Fn(&Json) -> bool) -> Json {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let events = events(server, admin);
        if let Some(event) = events.iter().find(|event| is_wanted(event)) {
            return event.clone();
        }
        assert!(Instant::now() < until, "{events:#?}");
    }
}

fn short(event: &Json) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", text("who"), text("from"), text("action"), text("object"))
}

#[test]
fn each_change_is_recorded_with_who_made_it_and_from_where() {
    let data = tempfile::tempdir().unwrap();
    let (server, admin) = closed(data.path());
    let authorization = bearer(&admin);
    let headers = [("Authorization", authorization.as_str())];
    let json = [headers[0], ("Content-Type", "application/json")];
    let sent = |answer: Answer| assert!(answer.status < 300, "{} {}", answer.status, answer.text);
    sent(server.post("/in/ops/a", "1", &headers));
    sent(server.put("/api/boards/ops", r#"{"title":"A"}"#, &headers));
    sent(server.put("/api/boards/ops", r#"{"title":"B"}"#, &[headers[0], ("If-Match", "*")]));
    sent(server.put("/api/boards/ops", r#"{"title":"B"}"#, &[headers[0], ("If-Match", "*")]));
    sent(server.delete("/api/boards/ops", &headers));
    sent(server.delete("/api/series/ops/a", &headers));
    sent(server.post("/api/tokens", r#"{"name":"t","grants":["push:in/**"]}"#, &json));
    assert_eq!(server.post("/api/tokens", r#"{"name":"t","grants":["push:in/**"]}"#, &json).status, 409);
    sent(server.post("/api/tokens/t/rotate", "", &headers));
    sent(server.delete("/api/tokens/t", &headers));
    let user = r#"{"name":"ann","password":"correct horse","grants":["read:**","edit:ops"]}"#;
    sent(server.post("/api/users", user, &json));
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("X-Forwarded-For", "192.0.2.7")];
    let signed_in = server.post("/sign-in", "user=ann&password=correct+horse", &form);
    assert_eq!(signed_in.status, 303);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    sent(server.put("/api/boards/ops", r#"{"title":"C"}"#, &[("Cookie", &cookie)]));
    assert_eq!(server.post("/sign-out", "", &[("Cookie", &cookie)]).status, 303);
    sent(server.put("/api/users/ann/grants", r#"{"grants":["read:**"]}"#, &json));
    sent(server.put("/api/users/ann/password", r#"{"password":"another horse"}"#, &json));
    sent(server.delete("/api/users/ann/sessions", &headers));
    sent(server.delete("/api/users/ann", &headers));

    let all = events(&server, &admin);
    let root = "token root 127.0.0.1";
    let wanted = [
        "command line - token.create root".to_owned(),
        format!("{root} board.put ops"),
        format!("{root} board.put ops"),
        format!("{root} board.delete ops"),
        format!("{root} series.delete ops/a"),
        format!("{root} token.create t"),
        format!("{root} token.rotate t"),
        format!("{root} token.revoke t"),
        format!("{root} user.add ann"),
        "user ann 192.0.2.7 sign-in ".to_owned(),
        "user ann 127.0.0.1 board.put ops".to_owned(),
        "user ann 127.0.0.1 sign-out ".to_owned(),
        format!("{root} user.grants ann"),
        format!("{root} user.password ann"),
        format!("{root} user.sign-out ann"),
        format!("{root} user.remove ann"),
    ];
    assert_eq!(all.iter().map(short).collect::<Vec<_>>(), wanted);
    assert_eq!(all[2]["detail"], "title: \"A\" → \"B\"");
    assert_eq!((&all[3]["detail"], &all[5]["detail"]), (&"- title = \"B\"".into(), &"push:in/**".into()));
    assert!(!all.iter().any(|event| event.to_string().contains("horse") || event.to_string().contains("pb_")));
    let ids: Vec<_> = all.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted() && all.iter().all(|event| event["at"].as_u64() > Some(1_700_000_000_000)));

    // Page by page, and after a restart.
    drop(server);
    let server = TestServer::start(data.path());
    let page = server.get_with(&format!("/api/audit?limit=2&before={}", ids[4]), &headers);
    let page: Vec<Json> = page.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(page, all[2..4]);
    for query in ["limit=0", "limit=1001", "limit=x", "before=x", "limit=1&limit=2"] {
        assert_eq!(server.get_with(&format!("/api/audit?{query}"), &headers).status, 422, "{query}");
    }
}

#[test]
fn attempts_are_recorded_and_cannot_forge_a_line_or_flood_the_log() {
    let data = tempfile::tempdir().unwrap();
    let (server, admin) = closed(data.path());
    let reader = server.token(&admin, "reader", &["read:in/**", "edit:in"]);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let evil = "user=x%0A%7B%22id%22%3A7%7D%1B%5B2J&password=wrong";
    assert_eq!(server.post("/sign-in", evil, &form).status, 401);
    let failed = await_event(&server, &admin, |event| event["action"] == "sign-in.failed");
    assert_eq!((&failed["who"], &failed["object"]), (&"anonymous".into(), &"x\n{\"id\":7}\u{1b}[2J".into()));

    for _ in 0..50 {
        let refused = server.get_with("/api/history?series=out/secret", &[("Authorization", &bearer(&reader))]);
        assert_eq!(refused.status, 403);
        assert_eq!(server.get_with("/api/tokens", &[("Authorization", &bearer(&reader))]).status, 403);
        assert_eq!(server.get_with("/api/tokens", &[("Authorization", "Bearer pb_wrong")]).status, 401);
        // A browser begins without a credential.
        assert_eq!(server.get("/api/series").status, 401);
    }
    let is_refused = |route: &'static str, who: &'static str| {
        move |event: &Json| event["action"] == "refused" && event["object"] == route && event["who"] == who
    };
    let history = await_event(&server, &admin, is_refused("GET /api/history", "token reader"));
    assert!(history["detail"].as_str().unwrap().contains("may not read out/secret"), "{history}");
    await_event(&server, &admin, is_refused("GET /api/tokens", "token reader"));
    await_event(&server, &admin, is_refused("GET /api/tokens", "anonymous"));
    let refusals = events(&server, &admin).iter().filter(|event| event["action"] == "refused").count();
    assert_eq!(refusals, 3, "one of each kind");

    let printed = run(&["audit", "--to", &server.url], &admin);
    assert!(
        !printed.contains('\u{1b}') && printed.contains("\tsign-in.failed\tx\\u000a{\"id\":7}\\u001b[2J\n"),
        "{printed}"
    );
    let json = run(&["audit", "--json", "--limit", "2", "--to", &server.url], &admin);
    assert_eq!(json.lines().count(), 2);
    assert!(json.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{json}");
    // An editor can neither read nor change it.
    for method in ["GET", "DELETE", "PUT", "POST"] {
        let status = server.raw(&format!("{method} /api/audit HTTP/1.1\r\nAuthorization: {}", bearer(&reader)), b"");
        let status = status.split(' ').nth(1).unwrap().to_owned();
        assert_eq!(status, if method == "GET" { "403" } else { "405" }, "{method}");
    }
}
