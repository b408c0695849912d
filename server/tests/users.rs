//! Users: the commands, signing in with a password, sessions, and what slows down guessing.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::{Answer, BINARY, Stream, TestServer};
use shared::{ByeReason, Event};

const PASSWORD: &str = "correct horse";

/// Runs `pulseboard` with this standard input and this token.
fn run(args: &[&str], input: &str, token: Option<&str>) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args).env_remove("PULSEBOARD_TOKEN").env_remove("PULSEBOARD_TO");
    if let Some(token) = token {
        command.env("PULSEBOARD_TOKEN", token);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that needs no password may have ended.
    let _sent = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn succeed(args: &[&str], input: &str, token: Option<&str>) -> String {
    let output = run(args, input, token);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fail(args: &[&str], input: &str, token: Option<&str>) -> String {
    let output = run(args, input, token);
    assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Sends the form of the sign-in.
fn form(server: &TestServer, user: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let body = format!("user={user}&password={}&to=b%2Fops", password.replace(' ', "+"));
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    server.post("/sign-in", &body, &[&[kind], headers].concat())
}

/// Signs in, and returns the cookie.
fn sign_in(server: &TestServer, user: &str, password: &str) -> String {
    let answer = form(server, user, password, &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "./b/ops"), "{}", answer.text);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn snapshot(stream: &mut Stream) -> Vec<String> {
    loop {
        if let Event::Snapshot { series, .. } = stream.event() {
            return series.iter().map(|part| part.name.to_string()).collect();
        }
    }
}

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
fn first_user_is_an_administrator_and_closes_the_server() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let to = ["--to", server.url.as_str()];
    let input = format!("{PASSWORD}\n");
    let refused = fail(&[&["user", "add", "ann", "--role", "viewer"], &to[..]].concat(), &input, None);
    assert!(refused.contains("for the first token or user"), "{refused}");
    let short = fail(&[&["user", "add", "ann", "--role", "admin"], &to[..]].concat(), "short\n", None);
    assert!(short.contains("the password has fewer than 8 characters"), "{short}");
    assert_eq!(server.get("/api/series").status, 200);
    assert_eq!(succeed(&[&["user", "add", "ann"], &to[..]].concat(), &input, None), "added ann\n");
    assert_eq!(server.get("/api/series").status, 401);
    let cookie = sign_in(&server, "ann", PASSWORD);
    assert_eq!(server.get_with("/api/series", &[("Cookie", &cookie)]).status, 200);
    let list = server.get_with("/api/users", &[("Cookie", &cookie)]).json();
    assert_eq!((&list[0]["name"], &list[0]["sessions"]), (&"ann".into(), &1.into()), "{list}");
    assert!(!list.to_string().contains("argon"));
    // Her session survives a restart.
    drop(server);
    let server = TestServer::start(data.path());
    assert_eq!(server.get_with("/api/series", &[("Cookie", &cookie)]).status, 200);
}

#[test]
fn data_folder_gets_its_first_user_while_no_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused = fail(&["serve", "--addr", "0.0.0.0:0", "--data", folder], "", None);
    assert!(refused.contains(&format!("pulseboard user add NAME --data {folder}")), "{refused}");
    let input = format!("{PASSWORD}\n");
    assert!(fail(&["user", "add", "ann", "--read", "a", "--data", folder], &input, None).contains("--role admin"));
    succeed(&["user", "add", "ann", "--data", folder], &input, None);
    assert!(fail(&["user", "add", "bob", "--data", folder], &input, None).contains("it grants nothing"));
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(command.arg("serve"), "0.0.0.0:0", data.path());
    sign_in(&server, "ann", PASSWORD);
    assert!(fail(&["user", "list", "--data", folder], "", None).contains("a server runs on this data folder"));
    drop(server);
    assert_eq!(succeed(&["user", "list", "--data", folder], "", None), "ann\t1 sessions\tadmin\n");
    succeed(&["user", "password", "ann", "--data", folder], "another horse\n", None);
    let server = TestServer::start(data.path());
    assert_eq!(form(&server, "ann", PASSWORD, &[]).status, 401);
    sign_in(&server, "ann", "another horse");
    drop(server);
    let bytes = std::fs::read(data.path().join("pulseboard.sqlite")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("horse"), "a password is stored");
}

/// A server with an administrator's token and the viewer `ann` of `ops/**`.
fn with_ann(data: &std::path::Path) -> (TestServer, String) {
    let folder = data.to_str().unwrap();
    let admin = succeed(&["token", "create", "root", "--admin", "--data", folder], "", None).trim().to_owned();
    succeed(&["user", "add", "ann", "--read", "ops/**", "--data", folder], &format!("{PASSWORD}\n"), None);
    let server = TestServer::start(data);
    for series in ["ops/a", "dev/b"] {
        assert_eq!(server.post(&format!("/in/{series}"), "1", &[("Authorization", &bearer(&admin))]).status, 204);
    }
    (server, admin)
}

#[test]
fn sessions_and_their_streams_end_or_change_with_the_user() {
    let data = tempfile::tempdir().unwrap();
    let (server, admin) = with_ann(data.path());
    let command = |args: &[&str], input: &str| {
        succeed(&[args, &["--to", &server.url]].concat(), input, Some(&admin));
    };
    let [one, other] = [(); 2].map(|()| sign_in(&server, "ann", PASSWORD));
    assert_ne!(one, other, "each sign-in has a secret of its own");
    let stream = |cookie: &str| server.opens_with("series=**", &[("Cookie", cookie)]).unwrap();
    let status = |cookie: &str| server.get_with("/api/series", &[("Cookie", cookie)]).status;
    let (mut of_one, mut of_other) = (stream(&one), stream(&other));
    assert_eq!(snapshot(&mut of_one), ["ops/a"]);
    assert_eq!(snapshot(&mut of_other), ["ops/a"]);

    // Signing out ends one session.
    let began = Instant::now();
    assert_eq!(server.post("/sign-out", "", &[("Cookie", &one)]).status, 303);
    assert_eq!(ends(&mut of_one, began), Some(ByeReason::Denied));
    assert_eq!((status(&one), status(&other)), (401, 200));

    // Other grants: the session goes on, and its stream begins anew.
    let cursor = of_other.last_id.clone();
    let began = Instant::now();
    command(&["user", "set", "ann", "--role", "viewer"], "");
    assert_eq!(ends(&mut of_other, began), Some(ByeReason::Denied));
    let mut again = server.opens_with("series=**", &[("Cookie", &other), ("Last-Event-ID", &cursor)]).unwrap();
    let mut names = snapshot(&mut again);
    names.sort();
    assert_eq!(names, ["dev/b", "ops/a"]);

    for (args, input) in [
        (&["user", "sign-out", "ann"][..], ""),
        (&["user", "password", "ann"], "correct horse\n"),
        (&["user", "remove", "ann"], ""),
    ] {
        let cookie = sign_in(&server, "ann", PASSWORD);
        let mut stream = stream(&cookie);
        snapshot(&mut stream);
        command(args, input);
        assert_eq!(ends(&mut stream, Instant::now()), Some(ByeReason::Denied), "{args:?}");
        assert_eq!(status(&cookie), 401, "{args:?}");
    }
    assert_eq!(form(&server, "ann", PASSWORD, &[]).status, 401);
    assert!(fail(&["user", "remove", "ann", "--to", &server.url], "", Some(&admin)).contains("there is no user ann"));
}

#[test]
fn sign_in_gives_a_new_session_and_ends_the_one_that_the_browser_had() {
    let data = tempfile::tempdir().unwrap();
    let (server, _) = with_ann(data.path());
    let first = sign_in(&server, "ann", PASSWORD);
    // A cookie that somebody else planted does not become a session.
    let planted = "pulseboard=pb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = form(&server, "ann", PASSWORD, &[("Cookie", planted)]);
    assert!(answer.status == 303 && !answer.header("set-cookie").contains("pb_AAAA"));
    assert_eq!(server.get_with("/api/series", &[("Cookie", planted)]).status, 401);
    let answer = form(&server, "ann", PASSWORD, &[("Cookie", &first)]);
    assert_eq!(answer.status, 303);
    assert_eq!(server.get_with("/api/series", &[("Cookie", &first)]).status, 401, "it was replaced");
    assert!(
        server
            .get_with("/sign-in", &[("Cookie", answer.header("set-cookie").split(';').next().unwrap())])
            .text
            .contains("as <b>ann</b>")
    );
}

#[test]
fn role_can_be_limited_to_boards() {
    let data = tempfile::tempdir().unwrap();
    let (server, admin) = with_ann(data.path());
    let to = ["--to", server.url.as_str()];
    let refused =
        fail(&[&["user", "set", "ann", "--role", "admin", "--board", "ops"], &to[..]].concat(), "", Some(&admin));
    assert!(refused.contains("--board does not go with it"), "{refused}");
    fail(&[&["user", "set", "ann", "--board", "ops"], &to[..]].concat(), "", Some(&admin));
    let set = ["user", "set", "ann", "--role", "editor", "--board", "dev", "--board", "team-*"];
    succeed(&[&set, &to[..]].concat(), "", Some(&admin));
    let list = succeed(&[&["user", "list"], &to[..]].concat(), "", Some(&admin));
    assert!(list.ends_with("\tread:dev/** edit:dev edit:team-*\n"), "{list}");
    let cookie = sign_in(&server, "ann", PASSWORD);
    let put = |id: &str| server.put(&format!("/api/boards/{id}"), "{}", &[("Cookie", &cookie)]).status;
    assert_eq!((put("dev"), put("team-a"), put("ops")), (201, 201, 403));
    let mut stream = server.opens_with("series=**", &[("Cookie", &cookie)]).unwrap();
    assert_eq!(snapshot(&mut stream), ["dev/b"]);
    succeed(&[&["user", "set", "ann", "--role", "viewer", "--board", "dev"], &to[..]].concat(), "", Some(&admin));
    assert_eq!(put("dev"), 403);
    assert_eq!(server.get_with("/api/boards/dev", &[("Cookie", &cookie)]).status, 200);
}

#[test]
fn failed_sign_ins_look_alike_and_too_many_must_wait() {
    let data = tempfile::tempdir().unwrap();
    let (server, _) = with_ann(data.path());
    let known = form(&server, "ann", "wrong password", &[]);
    for (user, password) in [("bob", "wrong password"), ("a/b", "x"), ("", "x"), ("ann", ""), ("%00", "x")] {
        let answer = form(&server, user, password, &[]);
        assert_eq!((answer.status, &answer.text), (401, &known.text), "{user}");
        assert!(answer.header("set-cookie").is_empty());
    }
    // Two tries of ann failed so far.
    for _ in 2..10 {
        assert_eq!(form(&server, "ann", "wrong password", &[]).status, 401);
    }
    let waits = form(&server, "ann", PASSWORD, &[]);
    assert_eq!(waits.status, 429, "also with the right password");
    assert!(waits.header("retry-after").parse::<u64>().unwrap() > 800 && waits.text.contains("too many failed tries"));
    let forms = server.get("/sign-in");
    assert!(forms.text.contains("name=\"password\"") && forms.text.contains("name=\"token\""));
}
