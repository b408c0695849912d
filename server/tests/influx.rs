//! The requests of Telegraf, collectd and the clients of InfluxDB send, as they send it.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

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
fn lines_that_are_right_are_kept_and_the_others_named_as_influxdb_does() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms();
    let many: Vec<_> = (0..1_000)
        .map(|n| match n {
            500 => format!("m,n={n} x=1 {}000000", ms - 25 * 3_600_000),
            501 => format!("m,n={n} x=1 {}000000", ms + 360_000),
            502 => format!("m,n={n} x=\"{}\"", "y".repeat(5_000)),
            503 => "m,n=0 x=\"a text where numbers are\"".to_owned(),
            504 => format!("m,n={n} x=what"),
            _ => format!("m,n={n} x={n}"),
        })
        .collect();
    let answer = server.post("/write?db=x", &many.join("\n"), &[]);
    assert_eq!(
        (answer.status, places(&answer)),
        (400, [(501, "ts"), (502, "ts"), (504, "text"), (505, "field")].into())
    );
    let problem = answer.json();
    assert_eq!((&problem["type"], &problem["code"]), (&json!("/problems/partial-write"), &json!("invalid")));
    for key in ["error", "message", "detail"] {
        let text = problem[key].as_str().unwrap();
        assert!(
            text.starts_with("partial write: unable to parse line 501: ts: ") && text.ends_with(" dropped=4"),
            "{text}"
        );
    }
    assert_eq!(answer.header("x-influxdb-error"), problem["error"].as_str().unwrap());
    assert!(answer.header("pulseboard-warning").contains("line 503"), "{}", answer.header("pulseboard-warning"));
    assert_eq!(server.get("/api/series?limit=2000").json().as_array().unwrap().len(), 996);
    let cut = server.get("/api/series?prefix=m/502/").json();
    assert_eq!(cut[0]["text"], "y".repeat(4_096));
    assert!(server.get("/metrics").text.contains("pulseboard_pushes_total{answer=\"partial\"} 1"));

    // A point of another kind takes only itself away, and is told by its line.
    let mixed = server.post("/api/v2/write", "b x=1,y=2,z=3\n\nm,n=0 x=\"up\",y=3\nm,n=0 x=5,z=\"z\"\n", &[]);
    assert_eq!((mixed.status, places(&mixed)), (400, [(3, "text")].into()));
    assert!(mixed.json()["message"].as_str().unwrap().starts_with("partial write: field type conflict: line 3: "));
    assert_eq!(server.get("/api/series?prefix=b/").json().as_array().unwrap().len(), 3);
    assert_eq!(server.get("/api/series?prefix=m/0/").json().as_array().unwrap().len(), 3);

    for (path, body, lines) in
        [("/write", "b x=what\nc,x=1\n", vec![1, 2]), ("/api/v2/write", "m,n=0 x=\"up\"", vec![1])]
    {
        let answer = server.post(path, body, &[]);
        let named: Vec<_> = places(&answer).into_iter().map(|(line, _)| line).collect();
        assert_eq!((answer.status, named), (400, lines));
        assert!(answer.json()["error"].as_str().unwrap().contains("; nothing is stored dropped="), "{}", answer.text);
    }
    let refused = server.post("/write?precision=d", "a x=1", &[]);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("invalid")), "{}", refused.text);
    let refused = server.post("/write", "a x=1", &[("Idempotency-Key", "")]);
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(server.get("/api/series?prefix=a/").text, "[]");
}

fn places(answer: &harness::Answer) -> Vec<(u64, &'static str)> {
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
    let fields = ["ts", "text", "value", "field", "timestamp", "line"];
    let field = |name: &str| fields.into_iter().find(|known| *known == name).unwrap_or("other");
    errors.iter().map(|error| (error["line"].as_u64().unwrap(), field(error["field"].as_str().unwrap()))).collect()
}

#[test]
fn whatever_cannot_be_read_says_so_in_the_words_of_influxdb() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (head, body, status) in [
        ("Content-Encoding: br", "a x=1", 415),
        ("Content-Encoding: gzip", "a x=1", 400),
        ("Origin: http://evil.example", "a x=1", 403),
    ] {
        for path in ["/write", "/api/v2/write?bucket=b&org=o", "/api/v3/write_lp?db=b"] {
            let answer = server.raw(&format!("POST {path} HTTP/1.1\r\n{head}"), body.as_bytes());
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains("x-influxdb-error: ") && answer.contains("x-influxdb-version: "), "{answer}");
            assert!(
                answer.contains("\"error\":\"") && answer.contains("\"message\":\"") && answer.contains("\"code\":\""),
                "{answer}"
            );
        }
    }
    let answer = server.get("/write");
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_eq!(answer.json()["code"], "method not allowed");
    assert!(server.post("/in/a", "hot", &[]).json().get("error").is_none(), "other calls have keys of their own only");
}

#[test]
fn a_write_without_points_is_done() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for path in ["/write?db=homeassistant", "/api/v2/write?org=o&bucket=b&precision=ns", "/api/v3/write_lp?db=b"] {
        for body in ["", "\n", "\r\n", "# nothing\n\n  ", "\u{feff}"] {
            assert_eq!(server.post(path, body, &[]).status, 204, "{path} {body:?}");
        }
    }
    assert_eq!(server.get("/api/series").text, "[]");
    assert_eq!(server.post("/in", "", &[]).status, 400, "a batch of nothing is still a mistake");
}

#[test]
fn nothing_is_lost_at_any_end_of_a_line() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (at, body) in ["x=1\rB x=2\rC x=3", "x=1\r\nB x=2\r\nC x=3\r\n", "x=1\n\rB x=2\n\rC x=3"].iter().enumerate() {
        let body = body.replace('B', &format!("b{at}")).replace('C', &format!("c{at}"));
        assert_eq!(server.post("/write", &format!("\ra{at} {body}"), &[]).status, 204);
        for (name, value) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
            let series = server.get(&format!("/api/series?prefix={name}{at}/")).json();
            assert_eq!(series[0]["value"], value, "{series}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_names_of_gzip_are_understood_by_every_push() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let bodies = [
        ("/write", "a x=1\n"),
        ("/api/v2/write", "b x=1"),
        ("/in/c", "42.5"),
        ("/in/d", "{\"value\":1}"),
        ("/in", "{\"series\":\"e\",\"value\":1}\n"),
        ("/in", "[{\"series\":\"f\",\"value\":1}]"),
    ];
    for (path, body) in bodies {
        let marked = format!("\u{feff}{body}");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(marked.as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        for (encoding, body) in [
            ("identity", marked.as_bytes()),
            ("gzip", &packed[..]),
            ("GZIP", &packed[..]),
            ("x-gzip", &packed[..]),
            ("X-GZip", &packed[..]),
        ] {
            let head = format!("POST {path} HTTP/1.1\r\nContent-Encoding: {encoding}");
            let answer = server.raw(&head, body);
            assert!(answer.starts_with("HTTP/1.1 204 "), "{path} {encoding}: {answer}");
        }
    }
    let names: Vec<_> =
        server.get("/api/series").json().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["a/x", "b/x", "c", "d", "e", "f"]);
}

#[test]
fn milliseconds_without_a_unit_are_answered_with_what_to_write() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms();
    let answer = server.post("/write?db=x", &format!("a x=1 {ms}"), &[]);
    let (field, expected, got) = answer.first_error();
    assert_eq!((answer.status, field.as_str(), got), (400, "ts", ms.to_string()));
    assert!(expected.ends_with("this looks like milliseconds, so write with ?precision=ms"), "{expected}");
    assert_eq!(server.post("/write?db=x&precision=ms", &format!("a x=1 {ms}"), &[]).status, 204);
}

#[test]
fn version_3_writes_with_its_own_words_and_all_or_nothing_where_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let ms = now_ms();
    for query in ["precision=millisecond&no_sync=false&accept_partial=true", "precision=auto", ""] {
        let answer = server.post(&format!("/api/v3/write_lp?db=b&{query}"), &format!("a x=1 {ms}"), &[]);
        assert_eq!(answer.status, 204, "{query}: {}", answer.text);
    }
    for body in ["b x=1\nb x=what", "b x=1\na x=\"text\""] {
        let answer = server.post("/api/v3/write_lp?db=b&accept_partial=false", body, &[]);
        assert_eq!((answer.status, places(&answer)[0].0), (400, 2), "{}", answer.text);
        assert!(answer.json()["error"].as_str().unwrap().ends_with("; nothing is stored dropped=1"), "{}", answer.text);
    }
    assert_eq!(server.get("/api/series?prefix=b/").text, "[]");
}

#[test]
fn clients_of_version_1_make_and_find_their_database() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let made = server.post("/query", "q=CREATE+DATABASE+%22telegraf%22", &form);
    assert_eq!((made.status, made.json()), (200, json!({"results": [{"statement_id": 0}]})));
    let databases = |answer: &harness::Answer| {
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text);
        answer.json()["results"][0]["series"].clone()
    };
    let table = |names: &[&str]| {
        let rows: Vec<_> = names.iter().map(|name| [name]).collect();
        json!([{"name": "databases", "columns": ["name"], "values": rows}])
    };
    assert_eq!(databases(&server.get("/query?q=SHOW+DATABASES")), table(&["telegraf"]));
    // Glances looks for its database and does not make it.
    assert_eq!(databases(&server.get("/query?q=SHOW+DATABASES&db=glances&u=a&p=b")), table(&["glances", "telegraf"]));
    let both = server.post("/query?q=CREATE%20DATABASE%20x%3B%20SHOW%20RETENTION%20POLICIES%20ON%20x", "", &[]);
    assert_eq!(both.json()["results"][1]["series"][0]["values"][0][0], "autogen");
    assert_eq!(both.json()["results"][1]["statement_id"], 1);
    for (query, wanted) in [
        ("", "missing required parameter"),
        ("q=SELECT+*+FROM+cpu", "SELECT * is not known here"),
        ("q=DROP+DATABASE+x", "DROP DATABASE is not known here"),
        ("q=CREATE+DATABASE+%22x", "a quote has no end"),
    ] {
        let answer = server.get(&format!("/query?{query}"));
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"].as_str().unwrap().contains(wanted), "{query}: {}", answer.text);
    }
    assert_eq!(server.head("/ping", &[])["x-influxdb-version"], env!("CARGO_PKG_VERSION"));
    let large = server.raw("POST /query HTTP/1.1", "x".repeat(65 << 10).as_bytes());
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
}

#[test]
fn clients_of_version_2_find_their_bucket_and_see_that_the_server_is_ready() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for path in ["/ready", "/api/v2/ready"] {
        assert_eq!(server.get(path).json()["status"], "ready");
    }
    let found = server.get("/api/v2/buckets?name=rooms&orgID=0123456789abcdef").json();
    let bucket = &found["buckets"][0];
    assert_eq!((&bucket["name"], &bucket["orgID"]), (&json!("rooms"), &json!("0123456789abcdef")));
    let id = bucket["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/api/v2/buckets/{id}")).json()["name"], "rooms");
    assert_eq!(server.get("/api/v2/buckets/0000000000000000").status, 404);
    let made = server.post(
        "/api/v2/buckets",
        "{\"orgID\":\"0123456789abcdef\",\"name\":\"garden\",\"retentionRules\":[]}",
        &[],
    );
    assert_eq!((made.status, made.json()["name"].as_str()), (201, Some("garden")));
    let names = |query: &str| -> Vec<_> {
        let buckets = server.get(&format!("/api/v2/buckets?{query}")).json();
        buckets["buckets"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect()
    };
    assert_eq!(names(""), ["garden", "rooms"]);
    assert_eq!(names("limit=1&offset=1"), ["rooms"]);
    assert_eq!(names("name=rooms&offset=1"), [""; 0]);
    assert_eq!(names(&format!("id={id}")), ["rooms"]);
    let orgs = server.get("/api/v2/orgs?org=home").json();
    assert_eq!(orgs["orgs"][0]["name"], "home");
    assert_eq!(server.post("/api/v2/buckets", "{}", &[]).status, 400);
    assert_eq!(server.get("/api/v2/buckets?limit=many").status, 400);
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
