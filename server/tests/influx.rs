//! What Telegraf, collectd and the clients of InfluxDB send, as they send it.

mod harness;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{TestServer, now_ms};
use serde_json::json;

#[test]
fn telegraf_writes_compressed_with_times_in_nanoseconds() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms();
    let lines = format!(
        "cpu,cpu=cpu-total,host=web\\ 1 usage_idle=97.5,usage_user=1i {ms}123456\n\
         disk,device=sda1,host=web\\ 1,path=/var/lib used_percent=12.5 {ms}000000\n\
         system,host=web\\ 1 uptime_format=\"3 days\" {ms}000000\n"
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    let head = "POST /write?consistency=any&db=telegraf HTTP/1.1\r\nContent-Encoding: gzip\r\n\
                Content-Type: text/plain; charset=utf-8\r\nUser-Agent: Telegraf/1.30.0 Go/1.22.2";
    let answer = server.raw(head, &gzip.finish().unwrap());
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert_eq!(
        server.get("/api/series").json(),
        json!([
            {"name": "cpu/cpu-total/web_1/usage_idle", "kind": "number", "value": 97.5, "ts": ms},
            {"name": "cpu/cpu-total/web_1/usage_user", "kind": "number", "value": 1.0, "ts": ms},
            {"name": "disk/sda1/web_1/_var_lib/used_percent", "kind": "number", "value": 12.5, "ts": ms},
            {"name": "system/web_1/uptime_format", "kind": "text", "text": "3 days", "ts": ms},
        ])
    );
}

#[test]
fn clients_of_version_2_write_to_a_bucket_with_a_token() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let health = server.get("/health");
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("pass")));
    let ping = server.get("/ping");
    assert_eq!((ping.status, ping.header("x-influxdb-build")), (204, "pulseboard"));
    let seconds = now_ms() / 1_000;
    let answer = server.post(
        "/api/v2/write?org=home&bucket=rooms&precision=s",
        &format!("temp,room=kitchen celsius=21.5 {seconds}"),
        &[("Authorization", "Token secret"), ("Content-Type", "text/plain; charset=utf-8")],
    );
    assert_eq!(answer.status, 204, "{}", answer.text);
    let series = server.get("/api/series").json();
    assert_eq!(
        series[0],
        json!({"name": "temp/kitchen/celsius", "kind": "number", "value": 21.5, "ts": seconds * 1_000})
    );
}

#[test]
fn what_is_wrong_is_listed_by_line_and_nothing_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let answer = server.post("/write", "a x=1\nb x=what\n\nc,x=1\n", &[]);
    let places = |answer: &harness::Answer| -> Vec<_> {
        let problem = answer.json();
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        errors.iter().map(|error| (error["line"].clone(), error["field"].clone())).collect()
    };
    assert_eq!((answer.status, places(&answer)), (422, vec![(json!(2), json!("field")), (json!(4), json!("field"))]));
    assert_eq!(server.get("/api/series").text, "[]");

    assert_eq!(server.post("/write", "a x=1,y=\"up\"\n", &[]).status, 204);
    let mixed = server.post("/write", "b x=1,y=2,z=3\n\na x=2,y=3\n", &[]);
    assert_eq!((mixed.status, places(&mixed)), (422, vec![(json!(3), json!("value"))]), "the line, not the point");
    assert_eq!(server.get("/api/series").json().as_array().unwrap().len(), 2);

    let answer = server.raw("POST /write HTTP/1.1\r\nContent-Encoding: br", b"a x=1");
    assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("send it as it is, or with gzip"), "{answer}");
    let answer = server.raw("POST /write HTTP/1.1\r\nContent-Encoding: gzip", b"a x=1");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let answer = server.get("/write");
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}

#[test]
fn a_body_that_is_small_only_while_it_is_packed_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b'\n'; 64 << 20]).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    for path in ["/write", "/in", "/in/a"] {
        let answer = server.raw(&format!("POST {path} HTTP/1.1\r\nContent-Encoding: gzip"), &bomb);
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    assert!(server.resident_kilobytes() < 100_000);
}
