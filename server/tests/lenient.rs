//! Pushes whose meaning is plain, as devices and common tools send them.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::collections::BTreeMap;

use harness::{TestServer, now_ms as now};

/// The user agent of Windows PowerShell.
const POWERSHELL: &str = "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4291";

/// The newest value of each series.
fn values(server: &TestServer) -> BTreeMap<String, f64> {
    let listed = server.get("/api/series").json();
    let listed = listed.as_array().unwrap().iter();
    listed.map(|one| (one["name"].as_str().unwrap().to_owned(), one["value"].as_f64().unwrap())).collect()
}

#[test]
fn number_as_text_boolean_form_and_address_are_a_number() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for (path, body, headers, wanted) in [
        ("/in/a", r#"{"value":"42.5"}"#, &[][..], 42.5),
        ("/in/a", r#"{"value":true}"#, &[], 1.0),
        ("/in/a", r#"{"value":false}"#, &[], 0.0),
        ("/in/a", "true", &[], 1.0),
        ("/in/a", "false\n", &[("Content-Type", "application/json")], 0.0),
        ("/in/a", "\"42.5\"", &[("Content-Type", "application/json")], 42.5),
        ("/in/a?kind=counter", "\" 43 \"\r\n", &[("Content-Type", "text/plain")], 43.0),
        ("/in/a", "true", &form, 1.0),
        ("/in/a", "False", &form, 0.0),
        ("/in/a", r#"{"value":"true"}"#, &[], 1.0),
        ("/in/a?value=False", "", &[], 0.0),
        ("/in/a", "value=7.5", &form, 7.5),
        ("/in/a", "value=%2B8&kind=counter", &form, 8.0),
        ("/in/a?value=9.5", "", &[], 9.5),
    ] {
        let answer = server.post(path, body, headers);
        assert_eq!(answer.status, 204, "{body}: {}", answer.text);
        assert_eq!(values(&server)["a"], wanted, "{path} {body}");
    }
    let answer = server.get("/in/a?value=-3.5&token=abc");
    assert_eq!((answer.status, answer.text.as_str(), answer.header("cache-control")), (204, "", "no-store"));
    assert_eq!(values(&server)["a"], -3.5);
    let batch = "{\"series\":\"b\",\"value\":\"1.5\"}\n{\"series\":\"c\",\"value\":true}";
    assert_eq!(server.post("/in", batch, &[]).status, 204);
    assert_eq!(values(&server), BTreeMap::from([("a".into(), -3.5), ("b".into(), 1.5), ("c".into(), 1.0)]));
    assert_eq!(server.get("/in/d?text=up").status, 204);
    assert_eq!(server.get("/api/series?prefix=d").json()[0]["text"], "up");
}

#[test]
fn value_by_itself_is_a_number_also_where_the_series_holds_texts() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("log", r#"{"text":"true"}"#).status, 204);
    for body in ["true", "\"42.5\"", "42.5"] {
        let answer = server.push("log", body);
        assert_eq!((answer.status, answer.first_error().0.as_str()), (422, "value"), "{body}");
    }
    for body in ["\"deploying\"", "deploying", "on", "null", "[true]", "\"\""] {
        let answer = server.push("a", body);
        let (field, expected, _) = answer.first_error();
        assert_eq!((answer.status, field.as_str()), (422, "body"), "{body}");
        assert!(expected.contains(r#"{"text":"deploying"}"#), "it says how a text is pushed: {expected}");
    }
    assert_eq!(server.get("/api/series?prefix=a").text, "[]");
}

#[test]
fn text_files_of_windows_are_read_whatever_their_encoding() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let utf16 = |text: &str, of: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(of).collect() };
    for (at, (path, body)) in [
        ("/in/tNN", "42.5\r\n"),
        ("/in", "{\"series\":\"tNN\",\"value\":42.5}\r\n"),
        ("/in", "[{\"series\":\"tNN\",\"value\":42.5}]"),
        ("/write", "tNN,wo=außen x=42.5\r\n# \u{1f600}\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        for (of, encode) in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes].into_iter().enumerate() {
            let named = |text: &str| text.replace("NN", &format!("{at}{of}"));
            let body = utf16(&format!("\u{feff}{}", named(body)), encode);
            let answer = server.raw(&format!("POST {} HTTP/1.1", named(path)), &body);
            assert!(answer.starts_with("HTTP/1.1 204 "), "{path}: {answer}");
            let prefix = named("tNN");
            assert_eq!(server.get(&format!("/api/series?prefix={prefix}")).json()[0]["value"], 42.5, "{prefix}");
        }
    }
    let answer = server.raw("POST /in/b HTTP/1.1", b"\xff\xfe4\x002");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("send it as UTF-8"), "{answer}");
    assert_eq!(server.get("/api/series?prefix=b").text, "[]");
}

#[test]
fn object_of_numbers_is_a_series_each_and_all_or_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.push("haus/bad", r#"{"temp":21.5,"hum":40,"DHT":{"ok":true}}"#).status, 204);
    let wanted = [("haus/bad/DHT/ok", 1.0), ("haus/bad/hum", 40.0), ("haus/bad/temp", 21.5)];
    assert_eq!(values(&server), wanted.map(|(name, value)| (name.to_owned(), value)).into());
    for (body, field) in [
        (r#"{"temp":22,"state":"on"}"#, "state"),
        (r#"{"temp":22,"a b":1}"#, "a b"),
        (r#"{"temp":22,"ts":7}"#, "ts"),
        (r#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}}}"#, "a/b/c/d/e/f/g"),
        (r#"{"temp":22,"none":null}"#, "none"),
        ("{}", "value"),
    ] {
        let answer = server.push("haus/bad", body);
        assert_eq!((answer.status, answer.first_error().0.as_str()), (422, field), "{body}");
    }
    assert_eq!(
        values(&server),
        wanted.map(|(name, value)| (name.to_owned(), value)).into(),
        "nothing of these was stored"
    );
    let texts = server.push("log", r#"{"text":"up"}"#);
    assert_eq!(texts.status, 204);
    assert_eq!(server.push("log2/x", r#"{"text":"up"}"#).status, 204);
    // A series of texts among the numbers: all or nothing also in the store.
    assert_eq!(server.push("log2", r#"{"x":1,"y":2}"#).status, 422);
    assert_eq!(server.get("/api/series?prefix=log2/y").text, "[]");
}

#[test]
fn push_by_address_is_safe_against_other_pages_and_prefetching() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for headers in [
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image")][..],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "http://evil.example")],
        &[("Sec-Purpose", "prefetch"), ("Sec-Fetch-Site", "none")],
        &[("Purpose", "prefetch")],
        &[("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"), ("Referer", "http://evil.example/")],
        &[("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0")],
        &[("User-Agent", POWERSHELL), ("Sec-Fetch-Site", "cross-site")],
        &[("User-Agent", POWERSHELL), ("Referer", "http://evil.example/")],
    ] {
        let answer = server.get_with("/in/a?value=1", headers);
        assert_eq!((answer.status, answer.header("cache-control")), (403, "no-store"), "{headers:?}");
    }
    let head = server.raw("HEAD /in/a?value=1 HTTP/1.1", b"");
    assert!(head.starts_with("HTTP/1.1 405 ") && head.to_lowercase().contains("allow: get, post"), "{head}");
    assert_eq!(server.get("/api/series").text, "[]", "nothing was stored");
    let own = [("User-Agent", "Mozilla/5.0"), ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Dest", "document")];
    assert_eq!(server.get_with("/in/a?value=1", &own).status, 204, "typed by the user");
    let scripted = server.get_with("/in/a?value=1", &[("User-Agent", POWERSHELL)]);
    assert_eq!(scripted.status, 204, "PowerShell calls itself Mozilla, and is no browser");
    for (path, field) in [
        ("/in/a", "value"),
        ("/in/a?value=", "value"),
        ("/in/a?value=hot", "value"),
        ("/in/a?value=1&value=2", "value"),
        ("/in/a?value=1&ts=1", "ts"),
        ("/in/a%20b?value=1", "series"),
        ("/in/a?value=1&kind=clock", "kind"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.first_error().0.as_str()), (422, field), "{path}");
    }
    let both = server.post("/in/a?value=1", "2", &[]);
    assert_eq!((both.status, both.first_error().0.as_str()), (422, "value"));
}

#[test]
fn series_and_history_are_csv_by_parameter_or_header() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(
        server
            .push("a", r#"{"value":-1.5,"ts":TS,"kind":"counter"}"#.replace("TS", &now().to_string()).as_str())
            .status,
        204
    );
    assert_eq!(server.push("b", r#"{"text":"=1+1, \"x\""}"#).status, 204);
    let listed = server.get("/api/series?format=csv");
    assert_eq!(listed.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<_> = listed.text.split("\r\n").collect();
    assert_eq!((lines.len(), lines[0]), (4, "name,kind,declared,value,text,ts"));
    assert!(lines[1].starts_with("a,number,counter,-1.5,,17"), "{}", lines[1]);
    assert!(lines[2].starts_with(r#"b,text,,,"'=1+1, ""x""",17"#), "{}", lines[2]);
    assert_eq!(server.get_with("/api/series", &[("Accept", "text/csv")]).text, listed.text);
    let past = server.get("/api/history?series=a&format=csv");
    assert_eq!(past.header("content-type"), "text/csv; charset=utf-8");
    assert!(past.text.starts_with("series,ts,tier_ms,count,") && past.text.contains("\r\na,17"), "{}", past.text);
    let json = server.get_with("/api/history?series=a&format=json", &[("Accept", "text/csv")]);
    assert_eq!(json.json()[0]["series"], "a", "the parameter goes before the header");
}

#[test]
fn file_whose_line_ends_were_stripped_is_told_to_use_data_binary() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    // What curl -d @file.ndjson sends.
    let stripped = r#"{"series":"a","value":1}{"series":"b","value":2}"#;
    let answer = server.post("/in", stripped, &[("Content-Type", "application/x-www-form-urlencoded")]);
    assert_eq!(answer.status, 422);
    assert!(answer.first_error().1.contains("--data-binary"), "{}", answer.text);
}
