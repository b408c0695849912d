//! The doctor, and real streams, through real proxies.

#![expect(clippy::unwrap_used, reason = "a test's helpers, too")]

mod harness;
mod proxies;
#[path = "clients/table.rs"]
mod table;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{BINARY, Stream, TestServer};
use proxies::Proxy;
use serde_json::Value as Json;
use shared::Event;
use shared::doctor::{Check, Finding, Level};
use tempfile::TempDir;

/// Starts a server, and keeps its data until the end of the test.
fn server() -> (TestServer, TempDir) {
    let data = tempfile::tempdir().unwrap();
    (TestServer::start(data.path()), data)
}

/// The result of running the doctor.
struct Visit {
    code: i32,
    findings: Vec<Finding>,
    json: Json,
}

impl Visit {
    fn to(url: &str, args: &[&str]) -> Self {
        Self::trusting(None, url, args)
    }

    fn trusting(signer: Option<&Path>, url: &str, args: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        if let Some(signer) = signer {
            command.env("SSL_CERT_FILE", signer);
        }
        Self::of(command, url, args)
    }

    fn of(mut command: Command, url: &str, args: &[&str]) -> Self {
        command.args(["doctor", "--json", url]).args(args);
        let output = command.output().unwrap();
        let json: Json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let findings = serde_json::from_value(json["findings"].clone()).unwrap();
        Self { code: output.status.code().unwrap(), findings, json }
    }

    fn is_well(&self) {
        assert!(self.findings.iter().all(|finding| finding.level == Level::Ok), "{:#}", self.json);
        assert_eq!((self.code, &self.json["verdict"]), (0, &Json::from("ok")));
    }

    /// Returns the only broken finding, which must be of this check.
    fn broken(&self, check: Check) -> &Finding {
        assert_eq!((self.code, &self.json["verdict"]), (1, &Json::from("fail")), "{:#}", self.json);
        let broken: Vec<&Finding> = self.findings.iter().filter(|finding| finding.level == Level::Fail).collect();
        assert_eq!(broken.iter().map(|finding| finding.check).collect::<Vec<_>>(), [check], "{:#}", self.json);
        broken[0]
    }

    fn finding(&self, check: Check) -> &Finding {
        self.findings.iter().find(|finding| finding.check == check).unwrap()
    }
}

/// The lines that the doctor advises first, which must be for this proxy.
fn advice(finding: &Finding, proxy: &str) -> String {
    let first = &finding.mend[0];
    assert_eq!(first.proxy.name(), proxy);
    first.lines.join("\n")
}

#[test]
fn straight_to_the_server_all_is_well() {
    let (server, _data) = server();
    Visit::to(&server.url, &["--idle", "1"]).is_well();
}

#[test]
fn the_report_for_people_is_aligned_and_ends_with_a_verdict() {
    let (server, _data) = server();
    let output = Command::new(BINARY).args(["doctor", &format!("{}/b/ops", server.url)]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&format!("The way to {}\n", server.url)), "{text}");
    let of_stream = ["reach", "headers", "resume", "stream", "buffering", "compression", "protocol", "clock"];
    for check in of_stream.into_iter().chain(["page", "assets", "saving", "bodies"]) {
        assert!(text.contains(&format!("\n  ✓ ok    {check:11}  ")), "{text}");
    }
    assert!(text.contains("--idle 20") && text.ends_with("\nAll is well.\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn nginx_as_it_comes_lets_the_stream_flow_and_the_advised_lines_mend_the_rest() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::nginx_as_it_comes(&server, "").url, &[]);
    assert_eq!(visit.code, 0);
    assert!(visit.finding(Check::Reach).what.contains("through nginx"));
    let wanting: Vec<_> = visit.findings.iter().filter(|finding| finding.level != Level::Ok).collect();
    let found: Vec<_> = wanting.iter().map(|finding| (finding.check, finding.level)).collect();
    assert_eq!(found, [(Check::Saving, Level::Warn), (Check::Bodies, Level::Warn)], "{:#}", visit.json);
    let lines: Vec<String> = wanting.iter().map(|finding| advice(finding, "nginx")).collect();
    Visit::to(&Proxy::nginx_as_it_comes(&server, &lines.join(" ")).url, &[]).is_well();
    let forwarded = "proxy_set_header X-Forwarded-Host $http_host; client_max_body_size 5m;";
    Visit::to(&Proxy::nginx_as_it_comes(&server, forwarded).url, &[]).is_well();
}

#[test]
fn a_proxy_that_keeps_boards_from_being_saved_is_found() {
    let (server, _data) = server();
    let lines = "proxy_set_header Sec-Fetch-Site \"\"; client_max_body_size 5m;";
    let finding = Visit::to(&Proxy::nginx_as_it_comes(&server, lines).url, &[]).broken(Check::Saving).clone();
    let mended = format!("{lines} {}", advice(&finding, "nginx"));
    Visit::to(&Proxy::nginx_as_it_comes(&server, &mended).url, &[]).is_well();
    let visit = Visit::to(&Proxy::nginx(&server, "limit_except GET POST { deny all; }").url, &[]);
    assert!(visit.broken(Check::Saving).what.contains("a PUT is answered with 403"), "{:#}", visit.json);
}

#[test]
fn a_proxy_that_refuses_long_bodies_is_found_and_the_advised_line_mends_it() {
    let (server, _data) = server();
    let lines = "proxy_set_header Host $http_host;";
    let visit = Visit::to(&Proxy::nginx_as_it_comes(&server, &format!("{lines} client_max_body_size 100k;")).url, &[]);
    let finding = visit.broken(Check::Bodies);
    assert!(finding.what.contains("256 KiB is answered with 413"), "{finding:?}");
    let mended = format!("{lines} {}", advice(finding, "nginx"));
    Visit::to(&Proxy::nginx_as_it_comes(&server, &mended).url, &[]).is_well();
}

#[test]
fn a_proxy_that_lets_only_the_stream_through_or_loses_a_file_is_found() {
    let (server, _data) = server();
    let only = "handle /sse* {\nreverse_proxy {to}\n}\nhandle /api/* {\nreverse_proxy {to}\n}\n\
                handle /write {\nreverse_proxy {to}\n}\nrespond \"nothing\" 404";
    let visit = Visit::to(&Proxy::caddy(&server, only).url, &[]);
    assert!(visit.broken(Check::Page).what.starts_with("/ is answered with 404"), "{:#}", visit.json);
    let losing =
        "handle /page-*/__wasm_split.js {\nrespond \"<html>nothing</html>\" 404\n}\nhandle {\nreverse_proxy {to}\n}";
    let visit = Visit::to(&Proxy::caddy(&server, losing).url, &[]);
    assert!(visit.broken(Check::Assets).what.starts_with("/page-"), "{:#}", visit.json);
}

#[test]
fn below_a_path_all_is_well_and_one_that_is_not_taken_away_is_told() {
    let (server, _data) = server();
    let proxy = Proxy::caddy(&server, "handle_path /pulse/* {\nreverse_proxy {to}\n}\nhandle {\nrespond 404\n}");
    for path in ["/pulse", "/pulse/", "/pulse/b/ops?edit"] {
        Visit::to(&format!("{}{path}", proxy.url), &["--idle", "1"]).is_well();
    }
    let proxy = Proxy::caddy(&server, "handle /pulse/* {\nreverse_proxy {to}\n}");
    let visit = Visit::to(&format!("{}/pulse", proxy.url), &[]);
    assert!(visit.broken(Check::Reach).what.contains("answers 404"), "{:#}", visit.json);
}

#[test]
fn basic_auth_is_told_and_a_login_in_the_address_or_a_header_gets_through() {
    let (server, _data) = server();
    let lines = "auth_basic \"board\"; auth_basic_user_file {folder}/users;";
    let proxy = Proxy::nginx(&server, lines);
    let visit = Visit::to(&proxy.url, &[]);
    let finding = visit.broken(Check::Reach);
    assert!(finding.what.contains("401") && finding.why.contains("http://USER:PASSWORD@"), "{finding:?}");
    let with_login = proxy.url.replace("http://", "http://ann:s3cret@");
    let visit = Visit::to(&with_login, &["--idle", "1"]);
    visit.is_well();
    assert!(!visit.json.to_string().contains("s3cret"), "a password is not printed");
    // The output of `printf ann:s3cret | base64`.
    Visit::to(&proxy.url, &["--header", "Authorization: Basic YW5uOnMzY3JldA=="]).is_well();
    let wrong = Visit::to(&proxy.url.replace("http://", "http://ann:other@"), &[]);
    assert!(wrong.broken(Check::Reach).what.contains("401"));
}

/// `HAProxy` holds data back for up to 200 ms, in step with events that come every 200 ms.
#[test]
fn haproxy_that_waits_for_more_is_found_each_time_and_the_advised_line_mends_it() {
    let (server, _data) = server();
    let proxy = Proxy::haproxy(&server, "");
    let visits: Vec<Visit> = std::thread::scope(|scope| {
        let visits: Vec<_> = (0..6).map(|_| scope.spawn(|| Visit::to(&proxy.url, &[]))).collect();
        visits.into_iter().map(|visit| visit.join().unwrap()).collect()
    });
    for visit in &visits {
        assert_eq!(visit.finding(Check::Buffering).level, Level::Fail, "{:#}", visit.json);
    }
    let mends = &visits[0].finding(Check::Buffering).mend;
    let line = mends.iter().find(|mend| mend.proxy.name() == "HAProxy").unwrap().lines.join("\n");
    Visit::to(&Proxy::haproxy(&server, &line).url, &[]).is_well();
}

#[test]
fn varnish_that_waits_for_the_end_is_found_and_the_advised_lines_mend_it() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::varnish(&server, "").url, &[]);
    let lines = advice(visit.finding(Check::Buffering), "Varnish");
    Visit::to(&Proxy::varnish(&server, &lines).url, &["--idle", "1"]).is_well();
}

#[test]
fn apache_as_it_comes_lets_everything_through() {
    let (server, _data) = server();
    Visit::to(&Proxy::apache(&server, "").url, &["--idle", "1"]).is_well();
}

#[test]
fn a_proxy_that_bounds_the_time_of_an_answer_is_found() {
    let (server, _data) = server();
    let visit = Visit::to(&proxies::cutting_after(&server, Duration::from_secs(3)), &["--idle", "5"]);
    let finding = visit.broken(Check::Lifetime);
    assert!(finding.what.starts_with("a stream is cut after 3"), "{finding:?}");
}

#[test]
fn the_forward_proxy_of_the_environment_is_gone_through() {
    let (server, _data) = server();
    let (squid, port) = (Proxy::squid(), server.addr().rsplit(':').next().unwrap());
    let through = |proxy: &str, name: &str, url: &str| {
        let mut command = Command::new(BINARY);
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.env(name, proxy);
        Visit::of(command, url, &[])
    };
    for name in ["HTTP_PROXY", "all_proxy"] {
        let visit = through(&squid.url, name, &server.url);
        visit.is_well();
        assert!(visit.finding(Check::Reach).what.contains("over the proxy 127.0.0.1:"), "{:#}", visit.json);
    }
    // A loopback address means another machine to a proxy that is elsewhere.
    let visit = through("http://proxy.example:3128", "HTTP_PROXY", &format!("http://localhost:{port}"));
    visit.is_well();
}

#[test]
fn proxies_that_were_run_are_in_the_table_with_what_the_doctor_found() {
    let (server, _data) = server();
    let row = |name: &str, program: &str, flag: &str, proxy: Proxy| {
        let visit = Visit::to(&proxy.url, &[]);
        let wanting = visit.findings.iter().filter(|finding| finding.level != Level::Ok);
        let found: Vec<String> =
            wanting.map(|finding| format!("{}: {:?}", finding.check.word(), finding.level)).collect();
        let result = if found.is_empty() { "all is well".to_owned() } else { found.join(", ").to_lowercase() };
        table::Row { client: name.to_owned(), version: Proxy::version(program, flag), result }
    };
    let rows = [
        row("nginx", "nginx", "-v", Proxy::nginx_as_it_comes(&server, "")),
        row(
            "nginx, with `proxy_set_header Host $http_host; client_max_body_size 5m;`",
            "nginx",
            "-v",
            Proxy::nginx(&server, ""),
        ),
        row("Caddy", "caddy", "version", Proxy::caddy(&server, "reverse_proxy {to}")),
        row("HAProxy", "haproxy", "-v", Proxy::haproxy(&server, "")),
        row("HAProxy, with `option http-no-delay`", "haproxy", "-v", Proxy::haproxy(&server, "option http-no-delay")),
        row("Apache", "apache2", "-v", Proxy::apache(&server, "")),
        row("Varnish", "varnishd", "-V", Proxy::varnish(&server, "")),
        row(
            "Varnish, with `return (pipe)` for `/sse`",
            "varnishd",
            "-V",
            Proxy::varnish(&server, "if (req.url ~ \"/sse\") {\nreturn (pipe);\n}"),
        ),
        row("Squid, as an accelerator", "squid", "-v", Proxy::squid_in_front(&server, "")),
    ];
    table::assert_recorded("Proxies in front", &rows);
}

#[test]
fn nginx_that_buffers_is_found_and_the_advised_line_mends_it() {
    let (server, _data) = server();
    let buffering = "proxy_ignore_headers X-Accel-Buffering; proxy_buffering on;";
    let visit = Visit::to(&Proxy::nginx(&server, buffering).url, &[]);
    let broken: Vec<Check> = visit.findings.iter().filter(|f| f.level == Level::Fail).map(|f| f.check).collect();
    // The real stream, which does not end, never gets past the buffer.
    assert_eq!((broken, visit.code), (vec![Check::Stream, Check::Buffering], 1), "{:#}", visit.json);
    let line = advice(visit.finding(Check::Buffering), "nginx");
    let mended = format!("proxy_ignore_headers X-Accel-Buffering; {line}");
    Visit::to(&Proxy::nginx(&server, &mended).url, &[]).is_well();
}

#[test]
fn nginx_that_cuts_silent_streams_is_found_and_the_advised_line_mends_it() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::nginx(&server, "proxy_read_timeout 2s;").url, &["--idle", "4"]);
    let finding = visit.broken(Check::Idle);
    assert!(finding.what.contains("cut after 2") && finding.what.ends_with("every 15 s"), "{finding:?}");
    let line = advice(finding, "nginx");
    Visit::to(&Proxy::nginx(&server, &line).url, &["--idle", "4"]).is_well();
}

#[test]
fn nginx_that_compresses_flushes_each_event() {
    let (server, _data) = server();
    let gzip = "gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;";
    let visit = Visit::to(&Proxy::nginx(&server, gzip).url, &[]);
    visit.is_well();
    assert!(visit.finding(Check::Compression).what.starts_with("gzip, and each event"), "{:#}", visit.json);
}

#[test]
fn nginx_that_compresses_and_buffers_is_found_and_the_line_for_the_buffer_mends_it() {
    let both = "proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types text/event-stream; gzip_proxied any;";
    for (server, _data) in [server(), uncompressed()] {
        let visit = Visit::to(&Proxy::nginx(&server, both).url, &[]);
        assert_eq!(visit.finding(Check::Compression).level, Level::Ok, "{:#}", visit.json);
        let mended = format!("{both} {}", advice(visit.finding(Check::Buffering), "nginx"));
        Visit::to(&Proxy::nginx(&server, &mended).url, &[]).is_well();
    }
}

#[test]
fn nginx_that_drops_or_changes_headers_is_found_and_the_advised_lines_mend_it() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::nginx(&server, "proxy_set_header Last-Event-ID \"\"; expires 1h;").url, &[]);
    assert_eq!((visit.code, &visit.json["verdict"]), (0, &Json::from("warn")));
    let (resume, headers) = (visit.finding(Check::Resume), visit.finding(Check::Headers));
    assert_eq!((resume.level, headers.level), (Level::Warn, Level::Warn), "{:#}", visit.json);
    assert!(headers.what.contains("max-age=3600"), "{headers:?}");
    let mended = format!("{} {}", advice(resume, "nginx"), advice(headers, "nginx"));
    Visit::to(&Proxy::nginx(&server, &mended).url, &[]).is_well();

    let wrong = "proxy_hide_header Content-Type; add_header Content-Type text/plain;";
    let visit = Visit::to(&Proxy::nginx(&server, wrong).url, &[]);
    let finding = visit.finding(Check::Headers);
    assert_eq!((visit.code, finding.level), (1, Level::Fail), "{:#}", visit.json);
    // The lines are for the stream: in this only location they change the files of the page, too.
    let visit = Visit::to(&Proxy::nginx(&server, &advice(finding, "nginx")).url, &[]);
    assert_eq!(visit.finding(Check::Headers).level, Level::Ok, "{:#}", visit.json);
}

#[test]
fn caddy_as_it_comes_lets_the_stream_flow() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::caddy(&server, "reverse_proxy {to}").url, &[]);
    visit.is_well();
    assert!(visit.finding(Check::Reach).what.contains("through Caddy"), "{:#}", visit.json);
}

#[test]
fn caddy_that_compresses_leaves_alone_what_is_compressed_already_as_streams_and_probes_are() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::caddy(&server, "encode gzip\nreverse_proxy {to}").url, &[]);
    visit.is_well();
    assert!(visit.finding(Check::Compression).what.starts_with("gzip, and each event"), "{:#}", visit.json);
}

/// Starts a server that does not compress.
fn uncompressed() -> (TestServer, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    (TestServer::start_with(command.args(["serve", "--compress=false"]), "127.0.0.1:0", data.path()), data)
}

/// Caddy 2.6 does so if the first piece has 512 bytes or more.
#[test]
fn caddy_that_compresses_holds_events_back_where_the_server_does_not_and_the_advised_lines_mend_it() {
    let (server, _data) = uncompressed();
    let visit = Visit::to(&Proxy::caddy(&server, "encode gzip\nreverse_proxy {to}").url, &[]);
    let finding = visit.broken(Check::Compression);
    assert!(finding.what.starts_with("gzip holds events back"), "{finding:?}");
    let lines = advice(finding, "Caddy");
    Visit::to(&Proxy::caddy(&server, &format!("{lines}\nreverse_proxy {{to}}")).url, &[]).is_well();
}

#[test]
fn caddy_that_cuts_silent_streams_is_found_and_the_advised_lines_mend_it() {
    let (server, _data) = server();
    let with = |lines: &str| format!("reverse_proxy {{to}} {{\n{lines}\n}}");
    let cutting = with("transport http {\nread_timeout 2s\n}");
    let visit = Visit::to(&Proxy::caddy(&server, &cutting).url, &["--idle", "4"]);
    let lines = advice(visit.broken(Check::Idle), "Caddy");
    Visit::to(&Proxy::caddy(&server, &with(&lines)).url, &["--idle", "4"]).is_well();
}

#[test]
fn caddy_with_tls_offers_http_2_and_a_stranger_s_certificate_is_told() {
    let (server, _data) = server();
    let proxy = Proxy::caddy_with_tls(&server, "reverse_proxy {to}");
    let visit = Visit::trusting(Some(&proxy.signer()), &proxy.url, &[]);
    visit.is_well();
    assert!(visit.finding(Check::Protocol).what.starts_with("h2"), "{:#}", visit.json);
    let visit = Visit::to(&proxy.url, &[]);
    assert!(visit.broken(Check::Reach).what.contains("is not trusted"), "{:#}", visit.json);
    let visit = Visit::to(&proxy.url, &["--insecure"]);
    visit.is_well();
    assert!(visit.finding(Check::Reach).what.contains("not looked at"), "{:#}", visit.json);
    assert!(visit.finding(Check::Protocol).what.starts_with("h2"), "{:#}", visit.json);
}

#[test]
fn a_redirect_to_the_same_server_is_followed_and_told() {
    let (server, _data) = server();
    let proxy = Proxy::nginx(&server, "");
    let hop = Proxy::nginx(&server, &format!("return 301 {}$request_uri;", proxy.url));
    let visit = Visit::to(&hop.url, &[]);
    assert_eq!((visit.code, visit.finding(Check::Reach).level), (0, Level::Warn), "{:#}", visit.json);
    assert!(visit.finding(Check::Reach).what.contains(&proxy.url));
}

#[test]
fn what_is_no_pulseboard_is_told_and_the_code_is_1() {
    let (server, _data) = server();
    let visit = Visit::to(&Proxy::caddy(&server, "respond \"hello\"").url, &[]);
    let finding = visit.broken(Check::Reach);
    assert!(finding.what.contains("answers 200") && finding.why.contains("not a pulseboard"), "{finding:?}");
    let visit = Visit::to(&Proxy::nginx(&server, "return 302 /login;").url, &[]);
    assert!(visit.broken(Check::Reach).why.contains("log in"));
    let proxy = Proxy::nginx(&server, "");
    server.kill();
    assert!(Visit::to(&proxy.url, &[]).broken(Check::Reach).what.contains("answers 502"));
    let nowhere = proxy.url.clone();
    drop(proxy);
    assert!(Visit::to(&nowhere, &[]).broken(Check::Reach).what.starts_with("nothing listens"));
}

#[test]
fn an_address_that_is_none_is_told_as_such() {
    let output = Command::new(BINARY).args(["doctor", "ftp://example.com"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("write one like http://127.0.0.1:7878"));
    assert!(!output.status.success());
}

#[test]
fn a_probe_has_the_headers_of_the_stream_and_a_wrong_one_is_a_problem() {
    let (server, _data) = server();
    let answer = server.get("/sse/probe?frames=3&every_ms=1&padding=9");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!((answer.header("cache-control"), answer.header("x-accel-buffering")), ("no-cache", "no"));
    assert_eq!(answer.text.matches(": .........\nevent: probe\ndata: ").count(), 3, "{}", answer.text);
    let (field, expected, _) = server.get("/sse/probe?frames=0").first_error();
    assert_eq!((field.as_str(), expected.as_str()), ("frames", "a whole number from 1 to 100"));
    assert_eq!(server.post("/sse/probe", "", &[]).status, 405);
}

#[test]
fn through_nginx_and_caddy_as_they_come_an_update_arrives_within_a_second_and_a_reader_comes_back_without_a_loss() {
    let (server, _data) = server();
    for proxy in [Proxy::nginx(&server, ""), Proxy::caddy(&server, "reverse_proxy {to}")] {
        server.push("way/temp", "1");
        let mut stream = Stream::at(&proxy.url, "series=way/*", None);
        assert!(matches!(stream.event(), Event::Hello { .. }));
        assert!(matches!(stream.event(), Event::Snapshot { .. }));
        let pushed = Instant::now();
        server.push("way/temp", "2");
        assert!(matches!(stream.event(), Event::Update { .. }));
        assert!(pushed.elapsed() < Duration::from_secs(1), "{:?}", pushed.elapsed());

        let last_id = stream.last_id.clone();
        drop(stream);
        server.push("way/temp", "3");
        let mut stream = Stream::at(&proxy.url, "series=way/*", Some(&last_id));
        assert!(matches!(stream.event(), Event::Hello { .. }));
        let Event::Update { series, .. } = stream.event() else { panic!("no gap, no snapshot: what was missed") };
        assert_eq!(series.len(), 1);
    }
}
