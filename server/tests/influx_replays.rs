//! The requests of Telegraf and Home Assistant, byte for byte as they send them, over one connection each.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::replay::{Connection, head};
use harness::{TestServer, now_ms};
use serde_json::json;

/// A body that Go writes in chunks, since it is compressed while it is sent.
fn chunked_gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let (first, second) = packed.split_at(10);
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    [chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat()
}

fn names(server: &TestServer, prefix: &str) -> Vec<String> {
    let list = server.get(&format!("/api/series?prefix={prefix}")).json();
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// A batch of Telegraf: integers, booleans, strings and sorted tags; one line is of yesterday's yesterday, since Telegraf
/// kept it while the server was away.
fn telegraf_lines(ms: u64) -> String {
    let old = ms - 48 * 3_600_000;
    format!(
        "cpu,cpu=cpu-total,host=web-1 usage_idle=97.5,usage_user=1.25 {ms}000000\n\
         disk,device=sda1,fstype=ext4,host=web-1,mode=rw,path=/ free=1024i,inodes_used=7u,used_percent=12.5 {ms}000000\n\
         system,host=web-1 uptime=86400i,uptime_format=\"1 day,  0:00\" {ms}000000\n\
         net,host=web-1,interface=eth0 up=true,bytes_recv=17i {ms}000000\n\
         mem,host=web-1 used=1i {old}000000\n"
    )
}

#[test]
fn telegraf_creates_its_database_and_loses_only_the_line_that_is_too_old() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut telegraf = Connection::to(&server);
    let create = head(&[
        "POST /query HTTP/1.1",
        "Host: localhost:8086",
        "User-Agent: Telegraf/1.30.0 Go/1.22.2",
        "Content-Length: 32",
        "Content-Type: application/x-www-form-urlencoded",
        "Accept-Encoding: gzip",
    ]);
    let (status, body) = telegraf.send(&create, b"q=CREATE+DATABASE+%22telegraf%22");
    assert_eq!((status, body.as_str()), (200, r#"{"results":[{"statement_id":0}]}"#));

    let write = head(&[
        "POST /write?consistency=any&db=telegraf HTTP/1.1",
        "Host: localhost:8086",
        "User-Agent: Telegraf/1.30.0 Go/1.22.2",
        "Transfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Content-Type: text/plain; charset=utf-8",
        "Accept-Encoding: gzip",
    ]);
    let lines = telegraf_lines(now_ms());
    let (good, late) = lines.rsplit_once("mem,").unwrap();
    assert_eq!(telegraf.send(&write, &chunked_gzip(good)), (204, String::new()));
    // Telegraf looks for this text: it takes the batch as written, and logs the reason.
    let (status, body) = telegraf.send(&write, &chunked_gzip(&format!("cpu,host=web-1 later=1\nmem,{late}")));
    assert_eq!(status, 400);
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(answer["error"].as_str().unwrap().starts_with("partial write: unable to parse line 2: ts: "), "{answer}");
    assert_eq!(
        names(&server, ""),
        [
            "cpu/cpu-total/web-1/usage_idle",
            "cpu/cpu-total/web-1/usage_user",
            "cpu/web-1/later",
            "disk/sda1/ext4/web-1/rw/_/free",
            "disk/sda1/ext4/web-1/rw/_/inodes_used",
            "disk/sda1/ext4/web-1/rw/_/used_percent",
            "net/web-1/eth0/bytes_recv",
            "net/web-1/eth0/up",
            "system/web-1/uptime",
            "system/web-1/uptime_format",
        ]
    );
}

#[test]
fn telegraf_writes_to_a_bucket_with_a_token() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let mut telegraf = Connection::to(&server);
    let write = head(&[
        "POST /api/v2/write?bucket=telegraf&org=home HTTP/1.1",
        "Host: localhost:8086",
        "User-Agent: Telegraf/1.30.0 Go/1.22.2",
        "Transfer-Encoding: chunked",
        "Authorization: Token abc==",
        "Content-Encoding: gzip",
        "Content-Type: text/plain; charset=utf-8",
        "Accept-Encoding: gzip",
    ]);
    let (status, body) = telegraf.send(&write, &chunked_gzip(&telegraf_lines(now_ms())));
    assert_eq!(status, 400);
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["code"], "invalid");
    assert!(answer["message"].as_str().unwrap().ends_with("; the other lines are stored dropped=1"), "{answer}");
    assert_eq!(names(&server, "").len(), 9);
}

#[test]
fn home_assistant_sets_itself_up_by_an_empty_write_in_both_versions() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms();
    let line = format!("°C,domain=sensor,entity_id=kitchen friendly_name_str=\"Kitchen\",value=21.5 {ms}456000");
    let long = format!("°C,domain=sensor,entity_id=long text_str=\"{}\",value=1 {ms}456000", "x".repeat(5_000));

    let version_1 = |length: usize| {
        head(&[
            "POST /write?db=home_assistant HTTP/1.1",
            "Host: 127.0.0.1:8086",
            "User-Agent: python-requests/2.34.2",
            "Accept-Encoding: gzip, deflate",
            "Accept: application/x-msgpack",
            "Connection: keep-alive",
            "Content-Type: application/octet-stream",
            &format!("Content-Length: {length}"),
            "Authorization: Basic dXNlcjpwdw==",
        ])
    };
    let mut home = Connection::to(&server);
    assert_eq!(home.send(&version_1(1), b"\n"), (204, String::new()));
    // An attribute that is too long takes nothing of its neighbours with it.
    let lines = format!("{line}\n{long}\n");
    assert_eq!(home.send(&version_1(lines.len()), lines.as_bytes()), (204, String::new()));
    let series = server.get("/api/series").json();
    assert_eq!(series.as_array().unwrap().len(), 4, "{series}");

    let version_2 = |length: usize| {
        head(&[
            "POST /api/v2/write?org=home&bucket=Home+Assistant&precision=ns HTTP/1.1",
            "Host: 127.0.0.1:8086",
            "Accept-Encoding: identity",
            &format!("Content-Length: {length}"),
            "Content-Type: text/plain",
            "Accept: application/json",
            "Authorization: Token t",
            "User-Agent: influxdb-client-python/1.50.0",
        ])
    };
    let mut home = Connection::to(&server);
    assert_eq!(home.send(&version_2(0), b""), (204, String::new()));
    let line = line.replace("21.5", "22.5");
    assert_eq!(home.send(&version_2(line.len()), line.as_bytes()), (204, String::new()));
    let series = server.get("/api/series").json();
    let value = series.as_array().unwrap().iter().find(|one| one["value"] == json!(22.5));
    assert!(value.is_some_and(|one| one["ts"] == ms), "{series}");
}
