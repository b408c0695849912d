//! Tokens from their creation to their end: the commands, the first token, sign-in, and streams that end with them.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::{BINARY, PATIENCE, Stream, TestServer, now_ms};
use shared::{ByeReason, Event, Millis};

/// Runs `pulseboard` with these arguments and this token.
fn run(args: &[&str], token: Option<&str>) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args).stdin(Stdio::null()).env_remove("PULSEBOARD_TOKEN").env_remove("PULSEBOARD_TO");
    if let Some(token) = token {
        command.env("PULSEBOARD_TOKEN", token);
    }
    command.output().unwrap()
}

/// Runs a command that must succeed. Returns its standard output.
fn succeed(args: &[&str], token: Option<&str>) -> String {
    let output = run(args, token);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail. Returns its message.
fn fail(args: &[&str], token: Option<&str>) -> String {
    let output = run(args, token);
    assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// Creates a token of an administrator in a data folder without a server.
fn admin_of(data: &Path) -> String {
    let data = data.to_str().unwrap();
    succeed(&["token", "create", "root", "--admin", "--data", data], None).trim().to_owned()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn open(server: &TestServer, token: &str, query: &str) -> Stream {
    server.opens_with(query, &[("Authorization", &bearer(token))]).unwrap()
}

/// Reads until the snapshot, and returns its names.
fn snapshot(stream: &mut Stream) -> Vec<String> {
    loop {
        if let Event::Snapshot { series, .. } = stream.event() {
            return series.iter().map(|part| part.name.to_string()).collect();
        }
    }
}

/// Reads until the stream ends, which takes a second at most. Returns the reason.
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
fn secret_that_is_mistyped_is_not_repeated_in_the_error() {
    for args in [&["push", "a", "--token", "pb_secret x"][..], &["serve", "--cluster", "mysql://ada:secret@db/x"]] {
        let output = std::process::Command::new(harness::BINARY).args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains("(not shown)") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn commands_create_list_rotate_and_revoke_tokens() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let to =
        |args: &[&str]| [args, &["--to", &server.url]].concat().iter().map(ToString::to_string).collect::<Vec<_>>();
    let with = |args: &[&str]| to(args);
    let ok = |args: &[&str], token: Option<&str>| {
        let all = with(args);
        succeed(&all.iter().map(String::as_str).collect::<Vec<_>>(), token)
    };
    let no = |args: &[&str], token: Option<&str>| {
        let all = with(args);
        fail(&all.iter().map(String::as_str).collect::<Vec<_>>(), token)
    };
    let first = no(&["token", "create", "sensor", "--push", "ops/**"], None);
    assert!(first.contains("admin, without an end, for the first token or user"), "{first}");
    assert!(
        no(&["token", "create", "root", "--admin", "--expires", "1d"], None).contains("for the first token or user")
    );
    let admin = ok(&["token", "create", "root", "--admin"], None);
    let admin = admin.trim();
    assert!(admin.starts_with("pb_") && admin.len() == 46, "{admin}");
    assert!(no(&["token", "create", "x", "--admin"], None).contains("needs a credential that is valid here"));

    let sensor =
        ok(&["token", "create", "sensor", "--push", "ops/**", "--read", "ops/*", "--expires", "90d"], Some(admin));
    let sensor = sensor.trim();
    assert!(no(&["token", "create", "sensor", "--push", "a"], Some(admin)).contains("there is a token sensor already"));
    assert!(no(&["token", "create", "none"], Some(admin)).contains("it grants nothing"));
    assert!(no(&["token", "list"], Some(sensor)).contains("may not do this, which needs admin"));
    assert_eq!(server.post("/in/ops/temp", "1", &[("Authorization", &bearer(sensor))]).status, 204);

    let list = ok(&["token", "list"], Some(admin));
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((lines[0][0], lines[0][1], lines[0][3]), ("root", "valid", "admin"), "{list}");
    assert_eq!((lines[1][0], lines[1][3]), ("sensor", "push:ops/** read:ops/*"), "{list}");
    assert!(lines[1][1].starts_with("until 20") && lines[1][2].starts_with("used 20"), "{list}");
    assert!(!list.contains("pb_"));

    let rotated = ok(&["token", "rotate", "sensor"], Some(admin));
    for (token, status) in [(sensor, 401), (rotated.trim(), 204)] {
        assert_eq!(server.post("/in/ops/temp", "1", &[("Authorization", &bearer(token))]).status, status);
    }
    assert_eq!(ok(&["token", "revoke", "sensor"], Some(admin)), "revoked sensor\n");
    assert_eq!(server.post("/in/ops/temp", "1", &[("Authorization", &bearer(rotated.trim()))]).status, 401);
    assert!(no(&["token", "revoke", "sensor"], Some(admin)).contains("there is no token sensor"));
    assert!(ok(&["token", "list"], Some(admin)).contains("sensor\trevoked 20"));

    // The other commands send it, too.
    assert_eq!(ok(&["series", "list"], Some(admin)).lines().count(), 1);
    assert!(no(&["series", "list"], Some("pb_wrong")).contains("needs a credential"));
    assert!(ok(&["board", "list"], Some(admin)).is_empty());
    let doctor = succeed(&["doctor", &server.url], Some(admin));
    assert!(doctor.contains("All is well."), "{doctor}");
}

#[test]
fn sender_of_a_large_body_gets_the_answer_that_refuses_it() {
    let data = tempfile::tempdir().unwrap();
    let _admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let body = "in v=1\n".repeat(500_000);
    let refused = server.post("/write", &body, &[]);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("unauthorized")));
}

#[test]
fn secret_is_not_in_the_data_folder() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let other = server.token(&admin, "other", &["push:**"]);
    assert_eq!(server.post("/in/a", "1", &[("Authorization", &bearer(&other))]).status, 204);
    drop(server);
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in [&admin, &other] {
            assert!(!text.contains(&secret[3..30]), "a secret is stored");
        }
    }
}

#[test]
fn data_folder_gets_its_first_token_while_no_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused = fail(&["serve", "--addr", "0.0.0.0:0", "--data", folder], None);
    assert!(refused.contains(&format!("pulseboard token create NAME --admin --data {folder}")), "{refused}");
    assert!(refused.contains("--open"), "{refused}");
    let first = fail(&["token", "create", "sensor", "--push", "a", "--data", folder], None);
    assert!(first.contains("the first token must be one of an administrator"), "{first}");
    let admin = admin_of(data.path());
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.arg("serve"), "0.0.0.0:0", data.path());
    assert_eq!(server.get("/api/series").status, 401);
    assert_eq!(server.get_with("/api/series", &[("Authorization", &bearer(&admin))]).status, 200);
    let running = fail(&["token", "list", "--data", folder], None);
    assert!(running.contains("a server runs on this data folder"), "{running}");
    drop(server);
    succeed(&["token", "revoke", "root", "--data", folder], None);
    assert!(succeed(&["token", "list", "--data", folder], None).starts_with("root\trevoked"));
    // Without any valid token, the server stays closed, also on loopback.
    let server = TestServer::start(data.path());
    assert_eq!(server.get_with("/api/series", &[("Authorization", &bearer(&admin))]).status, 401);
    drop(server);
    let again = succeed(&["token", "create", "root", "--admin", "--data", folder], None);
    let server = TestServer::start(data.path());
    assert_eq!(server.get_with("/api/series", &[("Authorization", &bearer(again.trim()))]).status, 200);
}

#[test]
fn first_token_of_a_server_that_others_reach_is_not_created_over_http() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.args(["serve", "--open"]), "0.0.0.0:0", data.path());
    assert_eq!(server.get("/api/series").status, 200);
    let body = r#"{"name":"root","grants":["admin"]}"#;
    let refused = server.post("/api/tokens", body, &[("Content-Type", "application/json")]);
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("--data FOLDER"), "{}", refused.text);
    assert_eq!(server.get("/api/series").status, 200, "it is still open");
}

#[test]
fn administrator_cannot_grant_more_than_it_has() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let json = ("Content-Type", "application/json");
    let create = |token: &str, body: &str| server.post("/api/tokens", body, &[("Authorization", &bearer(token)), json]);
    let short = create(&admin, r#"{"name":"short","grants":["admin"],"lasts":"1h"}"#);
    let short = short.json()["token"].as_str().unwrap().to_owned();
    for body in [r#"{"name":"x","grants":["push:a"]}"#, r#"{"name":"x","grants":["push:a"],"lasts":"2h"}"#] {
        let refused = create(&short, body);
        assert_eq!(refused.status, 403, "{}", refused.text);
        assert!(refused.text.contains("for longer"), "{}", refused.text);
    }
    assert_eq!(create(&short, r#"{"name":"y","grants":["push:a"],"lasts":"30m"}"#).status, 201);
    assert_eq!(server.post("/api/tokens/root/rotate", "", &[("Authorization", &bearer(&short))]).status, 403);
    for (body, status) in [
        ("", 400),
        ("{", 400),
        (r#"{"name":"a/b","grants":["admin"]}"#, 422),
        (r#"{"name":"a","grants":[]}"#, 422),
        (r#"{"name":"a","grants":["fly:a"]}"#, 422),
        (r#"{"name":"a","grants":["push:**/a"]}"#, 422),
        (r#"{"name":"a","grants":["push:a"],"lasts":"soon"}"#, 422),
        (r#"{"name":"a","grants":["push:a"],"for_ever":true}"#, 422),
    ] {
        let refused = create(&admin, body);
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
    }
    let many: Vec<_> = (0..33).map(|n| format!("push:s{n}")).collect();
    assert_eq!(create(&admin, &serde_json::json!({ "name": "a", "grants": many }).to_string()).status, 422);
}

#[test]
fn stream_ends_within_a_second_when_its_token_is_revoked_rotated_or_expires() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let admin_bearer = bearer(&admin);
    let as_admin = [("Authorization", admin_bearer.as_str()), ("Content-Type", "application/json")];
    assert_eq!(server.post("/in/in/a", "1", &as_admin).status, 204);
    let tokens = ["one", "two", "stays"].map(|name| server.token(&admin, name, &["read:in/**"]));
    let [mut one, mut two, mut stays] = tokens.each_ref().map(|token| open(&server, token, "series=in/**"));
    for stream in [&mut one, &mut two, &mut stays] {
        assert_eq!(snapshot(stream), ["in/a"]);
    }
    let began = Instant::now();
    assert_eq!(server.delete("/api/tokens/one", &as_admin).status, 204);
    assert_eq!(ends(&mut one, began), Some(ByeReason::Denied));
    let began = Instant::now();
    assert_eq!(server.post("/api/tokens/two/rotate", "", &as_admin).status, 200);
    assert_eq!(ends(&mut two, began), Some(ByeReason::Denied));
    for token in &tokens[..2] {
        assert_eq!(server.opens_with("series=in/**", &[("Authorization", &bearer(token))]).err().unwrap().status, 401);
    }

    let short =
        server.post("/api/tokens", r#"{"name":"short","grants":["read:in/**"],"lasts":"1500ms"}"#, &as_admin).json();
    let mut short_stream = open(&server, short["token"].as_str().unwrap(), "series=in/**");
    snapshot(&mut short_stream);
    let expires = short["expires"].as_u64().unwrap();
    while short_stream.next().is_some() {}
    let late = now_ms().saturating_sub(expires);
    assert!(now_ms() >= expires && late < 1_000, "{late} ms after its end");

    // The others go on.
    assert_eq!(server.post("/in/in/a", "2", &as_admin).status, 204);
    loop {
        match stays.event() {
            Event::Update { .. } => break,
            Event::Bye { .. } => panic!("its token is valid"),
            _ => {}
        }
    }
}

#[test]
fn streams_of_everyone_end_with_the_first_token() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("in/a", "1").status, 204);
    let mut stream = server.stream("series=**", None);
    assert_eq!(snapshot(&mut stream), ["in/a"]);
    let began = Instant::now();
    let body = r#"{"name":"root","grants":["admin"]}"#;
    assert_eq!(server.post("/api/tokens", body, &[("Content-Type", "application/json")]).status, 201);
    assert_eq!(ends(&mut stream, began), Some(ByeReason::Denied));
    assert_eq!(server.push("in/a", "1").status, 401);
}

#[test]
fn stream_over_https_ends_with_its_token_too() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let cert = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert_file, key_file) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    std::fs::write(&cert_file, cert.cert.pem()).unwrap();
    std::fs::write(&key_file, cert.signing_key.serialize_pem()).unwrap();
    let mut command = Command::new(BINARY);
    command.arg("serve").arg("--tls-cert").arg(&cert_file).arg("--tls-key").arg(&key_file);
    let store = tempfile::tempdir().unwrap();
    let admin = {
        drop(admin);
        admin_of(store.path())
    };
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", store.path());
    let tls = ureq::tls::TlsConfig::builder().disable_verification(true).build();
    let http: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_recv_body(Some(PATIENCE))
        .build()
        .into();
    let post = |path: &str, body: &str| {
        let request = http.post(format!("{}{path}", server.url)).header("Authorization", bearer(&admin));
        request.content_type("application/json").send(body).unwrap()
    };
    let mut made = post("/api/tokens", r#"{"name":"one","grants":["read:**"]}"#);
    let made: serde_json::Value = serde_json::from_str(&made.body_mut().read_to_string().unwrap()).unwrap();
    let one = made["token"].as_str().unwrap();
    let request = http.get(format!("{}/sse?series=**", server.url)).header("Authorization", bearer(one));
    let mut stream = request.call().unwrap().into_body().into_reader();
    let began = Instant::now();
    let deleted = http.delete(format!("{}/api/tokens/one", server.url)).header("Authorization", bearer(&admin)).call();
    assert_eq!(deleted.unwrap().status(), 204);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    assert!(text.contains(r#""reason":"denied""#) && began.elapsed() < Duration::from_secs(1), "{text}");

    let form = http.post(format!("{}/sign-in", server.url)).send_form([("token", admin.as_str()), ("to", "")]).unwrap();
    let cookie = form.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-pulseboard=pb_") && cookie.contains("; Secure"), "{cookie}");
}

#[test]
fn cursor_from_before_a_change_of_the_token_begins_with_a_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let admin_bearer = bearer(&admin);
    let as_admin = [("Authorization", admin_bearer.as_str())];
    for series in ["in/a", "more/b"] {
        assert_eq!(server.post(&format!("/in/{series}"), "1", &as_admin).status, 204);
    }
    let narrow = server.token(&admin, "reader", &["read:in/**"]);
    let mut stream = open(&server, &narrow, "series=**");
    assert_eq!(snapshot(&mut stream), ["in/a"]);
    let cursor = stream.last_id.clone();
    assert_eq!(server.delete("/api/tokens/reader", &as_admin).status, 204);
    let wide = server.token(&admin, "reader", &["read:**"]);
    let resume = |token: &str, cursor: &str| {
        let headers = [("Authorization", bearer(token)), ("Last-Event-ID", cursor.to_owned())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.opens_with("series=**", &headers).unwrap()
    };
    let mut names = snapshot(&mut resume(&wide, &cursor));
    names.sort();
    assert_eq!(names, ["in/a", "more/b"], "its picture lacks a series, so it begins anew");
    // A cursor of the present token goes on.
    assert_eq!(server.post("/in/in/a", "2", &as_admin).status, 204);
    let mut stream = resume(&wide, "");
    snapshot(&mut stream);
    let cursor = stream.last_id.clone();
    assert_eq!(server.post("/in/in/a", "3", &as_admin).status, 204);
    let mut stream = resume(&wide, &cursor);
    assert!(matches!(stream.event(), Event::Hello { .. }));
    assert!(matches!(stream.event(), Event::Update { .. }));
}

#[test]
fn visitors_may_do_what_the_operator_opens_to_them() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--anonymous", "read:public/**", "--anonymous", "push:public/in/*"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    assert_eq!(server.push("public/in/a", "1").status, 204);
    let refused = server.push("public/a", "1");
    assert_eq!(refused.status, 403);
    assert!(refused.first_error().1.contains("public/in/*"), "it says what a visitor may push to: {}", refused.text);
    assert_eq!(server.get("/api/series").json()[0]["name"], "public/in/a");
    assert_eq!(snapshot(&mut server.stream("board=public", None)), ["public/in/a"]);
    assert_eq!(server.get("/api/history?series=private/a").status, 401);
    assert_eq!(server.get("/api/tokens").status, 401);
    assert_eq!(server.get("/b/public").status, 200);
    assert_eq!(server.get_with("/api/series", &[("Authorization", "Bearer pb_x")]).status, 401, "not as a visitor");
    let failed = fail(&["serve", "--anonymous", "fly:a"], None);
    assert!(failed.contains("is no grant"), "{failed}");
}

#[test]
fn browser_signs_in_with_a_token_and_comes_back_to_its_page() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let server = TestServer::start(data.path());
    let reader = server.token(&admin, "reader", &["read:ops/**"]);
    let sensor = server.token(&admin, "sensor", &["push:ops/**"]);
    let browser = ("Accept", "text/html,application/xhtml+xml");
    let sent = server.get_with("/b/ops?range=6h", &[browser]);
    assert_eq!((sent.status, sent.header("location")), (303, "../sign-in?to=b%2Fops%3Frange%3D6h"));
    assert_eq!(sent.header("cache-control"), "no-store");
    let page = server.get("/sign-in?to=b%2Fops%3Frange%3D6h%22%3E%3Cscript%3E");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("value=\"b/ops?range=6h&quot;&gt;&lt;script&gt;\"") && !page.text.contains("<script"));
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'self'"));
    let form = |token: &str, to: &str, headers: &[(&str, &str)]| {
        let body = format!("token={token}&to={to}");
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        server.post("/sign-in", &body, &[&[kind], headers].concat())
    };
    for (token, message) in [("pb_x", "not valid here"), (sensor.as_str(), "may not read anything"), ("", "is wrong")] {
        let refused = form(token, "b/ops", &[]);
        assert_eq!(refused.status, 401);
        assert!(refused.text.contains(message) && refused.header("set-cookie").is_empty(), "{}", refused.text);
    }
    assert_eq!(
        form(&reader, "", &[("Origin", "http://evil.example")]).status,
        403,
        "a page of another site signs nobody in"
    );
    let signed_in = form(&reader, "b/ops%3Frange%3D6h", &[]);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, "./b/ops?range=6h"));
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(form(&reader, "https://evil.example", &[]).header("location"), "./");
    let proxied = form(&reader, "", &[("X-Forwarded-Proto", "https")]);
    assert!(proxied.header("set-cookie").starts_with("__Host-pulseboard="), "{}", proxied.header("set-cookie"));
    let cookie = ("Cookie", cookie.split(';').next().unwrap());
    assert_eq!(server.get_with("/b/ops?range=6h", &[browser, cookie]).status, 200);
    assert_eq!(server.get_with("/api/series", &[cookie]).status, 200);
    assert!(server.get_with("/sign-in", &[cookie]).text.contains("signed in with the token <b>reader</b>"));
    let out = server.post("/sign-out", "", &[cookie]);
    assert_eq!((out.status, out.header("location")), (303, "./sign-in"));
    assert_eq!(
        out.headers.get_all("set-cookie").iter().filter(|one| one.to_str().unwrap().contains("Max-Age=0")).count(),
        4,
        "the cookies of the session and of a link, each with both names"
    );
    // The cookie ends with its token.
    assert_eq!(server.delete("/api/tokens/reader", &[("Authorization", &bearer(&admin))]).status, 204);
    assert_eq!(server.get_with("/b/ops", &[browser, cookie]).status, 303);
}

#[test]
fn ticket_opens_one_stream_of_a_page_of_another_origin() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let mut command = Command::new(BINARY);
    command.args(["serve", "--allow-origin", "http://a.example"]);
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let reader = server.token(&admin, "reader", &["read:in/**"]);
    assert_eq!(server.post("/in/in/a", "1", &[("Authorization", &bearer(&admin))]).status, 204);
    let origin = ("Origin", "http://a.example");
    let made = server.post("/api/tickets", "", &[origin, ("Authorization", &bearer(&reader))]);
    assert_eq!((made.status, made.header("access-control-allow-origin")), (201, "http://a.example"));
    let ticket = made.json()["ticket"].as_str().unwrap().to_owned();
    let query = format!("series=**&ticket={ticket}");
    let mut stream = server.opens_with(&query, &[origin]).unwrap();
    assert_eq!(snapshot(&mut stream), ["in/a"]);
    assert_eq!(server.opens_with(&query, &[origin]).err().unwrap().status, 401, "it was used");
    assert_eq!(server.get(&format!("/api/series?ticket={ticket}")).status, 401);
    let refused = server.get_with("/api/series", &[origin]);
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "http://a.example"));
    let preflight = server.raw(
        "OPTIONS /api/tickets HTTP/1.1\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization",
        b"",
    );
    assert!(preflight.starts_with("HTTP/1.1 200") && preflight.contains("authorization"), "{preflight}");
    let began = Instant::now();
    assert_eq!(server.delete("/api/tokens/reader", &[("Authorization", &bearer(&admin))]).status, 204);
    assert_eq!(ends(&mut stream, began), Some(ByeReason::Denied), "it ends with the token that made the ticket");
}

#[test]
fn own_agent_pushes_to_a_closed_server_without_a_token_of_the_operator() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.args(["serve", "--agent"]), "127.0.0.1:0", data.path());
    let deadline = Instant::now() + PATIENCE;
    while server.get_with("/api/series?prefix=host/", &[("Authorization", &bearer(&admin))]).json()
        == serde_json::json!([])
    {
        assert!(Instant::now() < deadline, "it pushes nothing");
        std::thread::sleep(Duration::from_millis(100));
    }
    let list = server.get_with("/api/tokens", &[("Authorization", &bearer(&admin))]).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "its own token is in no list: {list}");
}

#[test]
fn tokens_and_their_last_use_survive_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let admin = admin_of(data.path());
    let admin_bearer = bearer(&admin);
    let used = |server: &TestServer| {
        let list = server.get_with("/api/tokens", &[("Authorization", &admin_bearer)]).json();
        list[1]["used"].as_u64().map(Millis)
    };
    let server = TestServer::start(data.path());
    let sensor = server.token(&admin, "sensor", &["push:**"]);
    assert_eq!(used(&server), None);
    assert_eq!(server.post("/in/a", "1", &[("Authorization", &bearer(&sensor))]).status, 204);
    let before = used(&server).unwrap();
    // The time is stored within a second.
    let stored = || {
        let folder = data.path().to_str().unwrap();
        rusqlite::Connection::open(Path::new(folder).join("pulseboard.sqlite"))
            .and_then(|conn| {
                conn.query_row("SELECT used FROM tokens WHERE name = 'sensor'", [], |row| row.get::<_, Option<i64>>(0))
            })
            .unwrap()
    };
    let deadline = Instant::now() + PATIENCE;
    while stored().is_none() {
        assert!(Instant::now() < deadline, "it is not stored");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(server);
    let server = TestServer::start(data.path());
    assert_eq!(used(&server), Some(before));
    assert_eq!(server.post("/in/a", "1", &[("Authorization", &bearer(&sensor))]).status, 204);
}
