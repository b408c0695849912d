//! Badges: the number of a series as a picture, and who may see it.

mod harness;

use std::process::Command;

use harness::{BINARY, TestServer};

#[test]
fn badge_shows_the_number_of_the_board_with_unit_level_and_sparkline() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (series, value) in [("ops/api/latency_ms", "90"), ("ops/deploy", r#"{"text":"<b>&done"}"#)] {
        assert_eq!(server.push(series, value).status, 204);
    }
    let batch = (0..30).map(|n| {
        let ts = harness::now_ms() - 60_000 + n * 1_000;
        format!("{{\"series\":\"ops/load\",\"value\":{},\"ts\":{ts}}}\n", n % 5)
    });
    assert_eq!(server.post("/in", &batch.collect::<String>(), &[]).status, 204);
    let badge = server.get("/badge/ops/api/latency_ms.svg");
    assert_eq!((badge.status, badge.header("content-type")), (200, "image/svg+xml; charset=utf-8"));
    assert!(
        badge.text.contains(">api/latency_ms</text>") && badge.text.contains(">90\u{a0}ms</text>"),
        "{}",
        badge.text
    );
    assert!(server.get("/badge/ops/deploy.svg").text.contains("&lt;b&gt;&amp;done"));
    assert!(server.get("/badge/ops/load.svg").text.contains("stroke="), "a sparkline");

    let etag = badge.header("etag").to_owned();
    assert_eq!(badge.header("cache-control"), "private, max-age=10");
    assert_eq!(server.get_with("/badge/ops/api/latency_ms.svg", &[("If-None-Match", &etag)]).status, 304);
    let document = r#"{"widgets":[{"id":"a","type":"stat","series":["ops/api/*"],"unit":"s","decimals":1,"thresholds":[{"above":80,"level":"warn"}]}]}"#;
    assert_eq!(server.put("/api/boards/wall", document, &[]).status, 201);
    let of_wall = server.get_with("/badge/ops/api/latency_ms.svg?board=wall", &[("If-None-Match", &etag)]);
    assert!(of_wall.text.contains("(warning)"), "{}", of_wall.text);
    assert_eq!(server.put("/api/boards/ops", document, &[]).status, 201);
    let of_ops = server.get("/badge/ops/api/latency_ms.svg");
    assert_eq!(of_ops.text, of_wall.text, "the board of the first segment");

    for (path, status) in [
        ("/badge/ops/none.svg", 404),
        ("/badge/ops/api/latency_ms", 404),
        ("/badge/ops/api.svg", 404),
        ("/badge/ops/**.svg", 422),
        ("/badge/.svg", 422),
        ("/badge/ops/load.svg?board=a/b", 422),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    // Pages of other sites would learn whether there is a series.
    for site in ["cross-site", "same-site"] {
        let foreign = [("Sec-Fetch-Site", site), ("Sec-Fetch-Dest", "image")];
        assert_eq!(server.get_with("/badge/ops/load.svg", &foreign).status, 403, "{site}");
    }
    assert_eq!(server.get_with("/badge/ops/load.svg", &[("Sec-Fetch-Site", "same-origin")]).status, 200);
}

#[test]
fn badge_that_may_not_be_seen_is_none_and_a_public_one_is_for_any_page() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    let command = command.args(["serve", "--anonymous", "read:public/**", "--anonymous", "push:**"]);
    let server = TestServer::start_with(command, "127.0.0.1:0", data.path());
    for series in ["public/a", "ops/secret"] {
        assert_eq!(server.push(series, "1").status, 204);
    }
    let foreign = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image")];
    let public = server.get_with("/badge/public/a.svg", &foreign);
    assert_eq!((public.status, public.header("cache-control")), (200, "public, max-age=10"));
    assert_eq!(public.header("cross-origin-resource-policy"), "cross-origin");
    let (hidden, none) = (server.get("/badge/ops/secret.svg"), server.get("/badge/ops/sacred.svg"));
    assert_eq!((hidden.status, hidden.text.replace("secret", "sacred")), (404, none.text));
    assert_eq!(server.get_with("/badge/public/a.svg", &[("Origin", "https://evil.example")]).status, 403);
}
