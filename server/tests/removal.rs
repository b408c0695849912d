//! Deleting series: over HTTP and by the command.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::process::{Command, Output};

use harness::{BINARY, TestServer};
use shared::Event;

fn names(server: &TestServer) -> Vec<String> {
    let listed = server.get("/api/series").json();
    listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn deleted_series_is_gone_for_readers_lists_and_history_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (series, body) in [("ops/a", "1"), ("ops/b", "2"), ("ops/log", "{\"text\":\"up\"}"), ("dev/a", "3")] {
        assert_eq!(server.push(series, body).status, 204);
    }
    let mut reader = server.stream("series=ops/**", None);
    let mut other = server.stream("series=dev/**", None);
    for stream in [&mut reader, &mut other] {
        assert!(matches!(stream.event(), Event::Hello { .. }));
        assert!(matches!(stream.event(), Event::Snapshot { .. }));
    }
    let before = reader.last_id.clone();
    let gone = server.delete("/api/series/ops/a", &[]);
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    let Event::Snapshot { series, .. } = reader.event() else { panic!("a snapshot without it") };
    assert_eq!(series.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["ops/b", "ops/log"]);
    assert_eq!(server.delete("/api/series/ops%2Flog", &[]).status, 204);
    let Event::Snapshot { series, .. } = reader.event() else { panic!("a snapshot without it") };
    assert_eq!(series.len(), 1);
    assert_eq!(server.push("dev/a", "4").status, 204);
    assert!(matches!(other.event(), Event::Update { .. }), "other readers go on");
    for absent in ["ops/a", "ops/log", "nothing"] {
        assert_eq!(server.delete(&format!("/api/series/{absent}"), &[]).status, 404, "{absent}");
    }
    assert_eq!(names(&server), ["dev/a", "ops/b"]);
    assert_eq!(server.get("/api/history?series=ops/**").json().as_array().unwrap().len(), 1);
    assert_eq!(server.metric("pulseboard_series"), 2.0);
    server.kill();

    let server = TestServer::start(data.path());
    assert_eq!(names(&server), ["dev/a", "ops/b"]);
    assert!(server.get("/readyz").text == "ready\n", "{}", server.get("/readyz").text);
    let mut reader = server.stream("series=ops/**", Some(&before));
    assert!(matches!(reader.event(), Event::Hello { .. }));
    let Event::Snapshot { series, .. } = reader.event() else { panic!("its picture has a series that is gone") };
    assert_eq!(series.len(), 1);
    // The name begins a new series, possibly of another type, and has no past.
    assert_eq!(server.push("ops/a", "{\"text\":\"new\"}").status, 204);
    assert!(matches!(reader.event(), Event::Update { .. }));
    assert_eq!(names(&server), ["dev/a", "ops/a", "ops/b"]);
    let past = server.get("/api/history?series=ops/a").json();
    assert_eq!(past[0]["lines"].as_array().unwrap().len(), 1, "{past}");
}

#[test]
fn series_are_listed_and_deleted_by_the_command() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    for (series, body) in [("ops/a", "1.5"), ("ops/b", "{\"text\":\"a\u{9b}b\"}"), ("dev", "3")] {
        assert_eq!(server.push(series, body).status, 204);
    }
    let run = |arguments: &[&str]| -> Output {
        Command::new(BINARY).arg("series").args(arguments).args(["--to", &server.url]).output().unwrap()
    };
    let said = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(said(&run(&["list"])), "dev\t3\nops/a\t1.5\nops/b\ta\\u009bb\n");
    assert_eq!(said(&run(&["list", "ops/"])).lines().count(), 2);
    let without_scheme = server.url.trim_start_matches("http://");
    let output = Command::new(BINARY).args(["series", "list", "--to", without_scheme]).output().unwrap();
    assert_eq!(said(&output).lines().count(), 3, "{output:?}");
    let output = run(&["delete", "ops/a", "ops/b"]);
    assert_eq!((output.status.success(), said(&output).as_str()), (true, "deleted ops/a\ndeleted ops/b\n"));
    assert_eq!(names(&server), ["dev"]);
    let output = run(&["delete", "ops/a", "dev"]);
    assert_eq!((output.status.success(), said(&output).as_str()), (false, "deleted dev\n"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("there is no series ops/a; pulseboard series list"), "{error}");
    assert_eq!(names(&server), [""; 0], "the others are deleted");
    assert!(!run(&["delete"]).status.success());
}
