//! Users that a proxy signs in: believed from the addresses of `--trusted-proxy` only.

mod harness;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{BINARY, Stream, TestServer};
use shared::{ByeReason, Event};

const EVE: [(&str, &str); 2] = [("Remote-User", "eve"), ("Remote-Groups", "ops")];

/// Starts a server that believes the proxy at this address.
fn server(data: &std::path::Path, proxy: &str) -> TestServer {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--remote-user", "--trusted-proxy", proxy]);
    command.args(["--remote-group", "staff=read:ops/**", "--remote-group", "ops=admin"]);
    TestServer::start_with(&mut command, "127.0.0.1:0", data)
}

fn names(stream: &mut Stream) -> Vec<String> {
    loop {
        if let Event::Snapshot { series, .. } = stream.event() {
            let mut names: Vec<_> = series.iter().map(|part| part.name.to_string()).collect();
            names.sort();
            return names;
        }
    }
}

#[test]
fn headers_from_elsewhere_are_those_of_a_stranger() {
    let data = tempfile::tempdir().unwrap();
    // The test is at 127.0.0.1, which is trusted for X-Forwarded-Host, but not for this.
    let server = server(data.path(), "10.0.0.7");
    for headers in [&EVE[..], &[EVE[0], EVE[1], ("X-Forwarded-For", "10.0.0.7")], &[]] {
        assert_eq!(server.get_with("/api/series", headers).status, 401, "{headers:?}");
        assert_eq!(server.post("/in/a", "1", headers).status, 401);
    }
    let mut command = Command::new(BINARY);
    let output = command.args(["serve", "--addr", "127.0.0.1:0", "--remote-user"]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--trusted-proxy 10.0.0.7"));
    let mut command = Command::new(BINARY);
    let output = command.args(["serve", "--addr", "127.0.0.1:0", "--remote-group", "a=admin"]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("without --remote-user"));
}

#[test]
fn proxy_names_the_user_and_groups_decide() {
    let data = tempfile::tempdir().unwrap();
    let server = server(data.path(), "127.0.0.1");
    assert_eq!(server.get("/api/series").status, 401, "without a user it is closed");
    for series in ["ops/a", "dev/b"] {
        assert_eq!(server.post(&format!("/in/{series}"), "1", &EVE).status, 204);
    }
    let bob = [("Remote-User", "bob"), ("Remote-Groups", "wiki, staff")];
    let mut stream = server.opens_with("series=**", &bob).unwrap();
    assert_eq!(names(&mut stream), ["ops/a"]);
    assert_eq!(server.post("/in/ops/a", "1", &bob).status, 403);
    assert_eq!(server.get_with("/api/series", &[("Remote-User", "nobody")]).status, 403);
    let twice = [("Remote-User", "bob"), ("Remote-User", "eve"), ("Remote-Groups", "ops")];
    assert_eq!(server.get_with("/api/series", &twice).status, 401, "a client added a name");
    let sign_in = server.get_with("/sign-in", &bob);
    assert!(sign_in.text.contains("as <b>bob</b>"), "{}", sign_in.text);
    let audit = server.get_with("/api/audit", &EVE).text;
    assert!(audit.contains("user bob") && audit.contains("\"refused\""), "{audit}");
    // Another site cannot use what the proxy adds.
    assert_eq!(server.post("/in/ops/a", "1", &[EVE[0], EVE[1], ("Origin", "http://evil.example")]).status, 403);

    // A user of that name adds grants; the stream begins anew.
    let began = Instant::now();
    let body = r#"{"name":"bob","password":"correct horse","grants":["read:dev/**"]}"#;
    let added = server.post("/api/users", body, &[EVE[0], EVE[1], ("Content-Type", "application/json")]);
    assert_eq!(added.status, 201, "{}", added.text);
    let mut reason = None;
    while let Some(event) = stream.next() {
        if let Event::Bye { reason: given, .. } = event {
            reason = Some(given);
        }
    }
    assert_eq!(reason, Some(ByeReason::Denied));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(names(&mut server.opens_with("series=**", &bob).unwrap()), ["dev/b", "ops/a"]);
}

/// A proxy of a few lines, which signs everyone in as `bob` of `staff`, whatever the client sends.
#[test]
fn proxy_that_replaces_the_headers_keeps_clients_from_choosing() {
    let data = tempfile::tempdir().unwrap();
    let server = server(data.path(), "127.0.0.1");
    assert_eq!(server.post("/in/ops/a", "1", &EVE).status, 204);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let behind = server.addr().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut upstream) = (client.unwrap(), std::net::TcpStream::connect(&behind).unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                let mut byte = [0];
                std::io::Read::read_exact(&mut client, &mut byte).unwrap();
                head.push(char::from(byte[0]));
            }
            let kept = head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("remote-"));
            let kept: String = kept.map(|line| format!("{line}\r\n")).collect();
            write!(upstream, "{kept}Remote-User: bob\r\nRemote-Groups: staff\r\nConnection: close\r\n\r\n").unwrap();
            // The client may have left.
            let _copied = std::io::copy(&mut upstream, &mut client);
        }
    });
    let curl = |path: &str| {
        let url = format!("http://{address}{path}");
        let mut command = Command::new("curl");
        command.args([
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "Remote-User: eve",
            "-H",
            "Remote-Groups: ops",
            &url,
        ]);
        let output = command.stderr(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(curl("/api/series"), "200");
    assert_eq!(curl("/api/audit"), "403", "it is bob, not eve");
}
