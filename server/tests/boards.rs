//! Boards as documents: over HTTP, from files, by the command, and the events that their subscribers get.

mod harness;

use std::path::Path;
use std::process::{Command, Output};

use harness::{BINARY, Stream, TestServer};
use serde_json::{Value, json};
use shared::board::{Board, Etag};
use shared::{BoardEdition, Event, Picture};

/// Whitespace, a comment, and a Windows line end: all of them must be kept.
const TOML: &str =
    "# Ours.\r\ntitle   = \"Ops\"\n\n[[widgets]]\nid = \"t\"\ntype = \"stat\"\nseries = [\"ops/temp\"]\n";
const JSON: &str =
    "{ \"title\":\t\"Öps\",\n\n  \"widgets\": [{\"id\": \"t\", \"type\": \"stat\", \"series\": [\"ops/fan\"]}] }";

fn start(data: &Path) -> TestServer {
    TestServer::start(data)
}

fn start_with_boards(data: &Path, boards: &Path) -> TestServer {
    let mut command = Command::new(BINARY);
    TestServer::start_with(command.arg("serve").arg("--boards").arg(boards), "127.0.0.1:0", data)
}

/// The names of the series in a picture.
fn names(picture: &Picture) -> Vec<&str> {
    picture.series().keys().map(shared::SeriesName::as_str).collect()
}

/// Applies an event that was just read.
fn fold(stream: &Stream, picture: &mut Picture, event: Event) {
    let id = stream.last_id.parse().expect("every event has a cursor");
    picture.apply(id, event).expect("every event continues the picture");
}

/// Reads on until the next `board` event or `hello`, and returns its edition of the first board.
fn next_edition(stream: &mut Stream, picture: &mut Picture) -> BoardEdition {
    loop {
        let event = stream.event();
        let edition = match &event {
            Event::Hello { boards, .. } => boards.first().cloned(),
            Event::Board(edition) => Some(edition.clone()),
            _ => None,
        };
        fold(stream, picture, event);
        if let Some(edition) = edition {
            return edition;
        }
    }
}

/// Applies the next event, which is a snapshot.
fn snapshot(stream: &mut Stream, picture: &mut Picture) {
    let event = stream.event();
    assert!(matches!(event, Event::Snapshot { .. }), "{event:?}");
    fold(stream, picture, event);
}

fn etag(text: &str) -> Etag {
    text.parse().expect("a tag of a board")
}

#[test]
fn a_board_comes_back_byte_for_byte_also_after_a_restart_and_in_the_other_form_means_the_same() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let made = server.put("/api/boards/ops", TOML, &[("Content-Type", "application/toml")]);
    assert_eq!((made.status, made.header("location")), (201, "/api/boards/ops"), "{}", made.text);
    // As curl sends it, without a content type of its own.
    let made_too = server.put("/api/boards/dev", JSON, &[("Content-Type", "application/x-www-form-urlencoded")]);
    assert_eq!(made_too.status, 201, "{}", made_too.text);
    server.kill();
    let server = start(data.path());
    for (id, source, form, tag) in [
        ("ops", TOML, "application/toml", made.header("etag")),
        ("dev", JSON, "application/json", made_too.header("etag")),
    ] {
        let path = format!("/api/boards/{id}");
        for accept in ["*/*", form] {
            let got = server.get_with(&path, &[("Accept", accept)]);
            assert_eq!((got.status, &*got.text, got.header("content-type")), (200, source, form));
            assert_eq!(got.header("etag"), tag);
        }
    }
    let json = server.get_with("/api/boards/ops", &[("Accept", "application/json")]);
    assert_eq!((json.header("content-type"), json.header("vary")), ("application/json", "Accept"));
    assert_ne!(json.header("etag"), made.header("etag"), "other bytes have another strong tag");
    assert!(etag(json.header("etag")).same_edition(&etag(made.header("etag"))));
    let board = Board::read_json(&json.text).unwrap().strict().unwrap();
    assert_eq!((board.title.as_deref(), board.widgets.len()), (Some("Ops"), 1));
    let toml = server.get_with("/api/boards/dev", &[("Accept", "application/toml")]);
    assert!(toml.text.contains("[[widgets]]"), "{}", toml.text);
    assert_eq!(server.get_with("/api/boards/ops", &[("Accept", "text/html")]).status, 406);
}

#[test]
fn what_comes_as_json_is_stored_as_toml_where_that_is_asked_for_and_read_as_json_again() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let json = [("Content-Type", "application/json")];
    let put = server.put("/api/boards/ops?form=toml", JSON, &json);
    assert_eq!(put.status, 201);
    let kept = server.get_with("/api/boards/ops", &[("Accept", "*/*")]);
    assert!(kept.header("content-type").starts_with("application/toml"), "{}", kept.header("content-type"));
    assert_eq!(kept.header("etag"), put.header("etag"), "the answer has the tag of what is kept");
    assert!(kept.text.starts_with("title = \"Öps\""), "{}", kept.text);
    let read = server.get_with("/api/boards/ops?form=json", &[("Accept", "*/*")]);
    assert!(read.header("content-type").starts_with("application/json"), "{}", read.header("content-type"));
    assert_eq!(server.get("/api/boards/ops?form=yaml").status, 422);
    let wrong = server.put("/api/boards/ops?form=yaml", JSON, &json);
    assert_eq!((wrong.status, wrong.first_error().0.as_str()), (422, "form"));
    assert_eq!(server.put("/api/boards/other?else=1", JSON, &json).status, 201, "what is not known is passed over");
}

#[test]
fn who_has_the_board_already_need_not_get_it_again() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let tag = server.put("/api/boards/ops", TOML, &[]).header("etag").to_owned();
    let got = server.get_with("/api/boards/ops", &[("If-None-Match", &tag)]);
    assert_eq!((got.status, got.text.as_str(), got.header("etag")), (304, "", &*tag));
    assert_eq!(server.get_with("/api/boards/ops", &[("If-None-Match", "\"else\"")]).status, 200);
}

#[test]
fn nobody_overwrites_what_another_changed_meanwhile() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let put = |body: &str, headers: &[(&str, &str)]| server.put("/api/boards/ops", body, headers);
    let first = put("title = \"1\"", &[("If-None-Match", "*")]);
    assert_eq!(first.status, 201);
    let first = first.header("etag").to_owned();

    let again = put("title = \"2\"", &[("If-None-Match", "*")]);
    assert_eq!((again.status, again.header("etag")), (412, &*first), "it is there");
    let blind = put("title = \"2\"", &[]);
    assert_eq!((blind.status, blind.header("etag")), (428, &*first));
    assert!(blind.text.contains("If-Match"), "{}", blind.text);
    assert_eq!(blind.header("content-type"), "application/problem+json");

    let second = put("title = \"2\"", &[("If-Match", &first)]);
    assert_eq!((second.status, second.text.as_str()), (204, ""));
    let second = second.header("etag").to_owned();
    let late = put("title = \"3\"", &[("If-Match", &first)]);
    assert_eq!((late.status, late.header("etag")), (412, &*second), "{}", late.text);
    assert_eq!(late.json()["type"], "/problems/changed");
    assert!(late.text.contains("put your change into that"), "{}", late.text);
    assert_eq!(server.get("/api/boards/ops").text, "title = \"2\"");

    assert_eq!(put("title = \"2\"", &[]).status, 204, "a retry of the same document replaces nothing");
    assert_eq!(server.delete("/api/boards/ops", &[("If-Match", &first)]).status, 412);
    assert_eq!(server.delete("/api/boards/ops", &[("If-Match", &second)]).status, 204);
    let gone = server.get("/api/boards/ops");
    assert_eq!(gone.status, 404);
    assert!(gone.text.contains("shows all series under ops/** by itself"), "{}", gone.text);
    assert_eq!(server.delete("/api/boards/ops", &[]).status, 404);
    assert_eq!(put("title = \"4\"", &[("If-Match", "*")]).status, 412, "there is nothing to replace");
    let nothing = server.delete("/api/boards/ops", &[("If-Match", "*")]);
    assert_eq!(nothing.status, 412, "nor to delete");
    assert!(nothing.text.contains("has no document") && !nothing.text.contains("meanwhile"), "{}", nothing.text);
}

#[test]
fn of_two_that_write_at_once_one_is_told() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let tag = server.put("/api/boards/ops", "title = \"0\"", &[]).header("etag").to_owned();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let put = |n| {
            let (server, tag) = (&server, &tag);
            move || server.put("/api/boards/ops", &format!("title = \"{n}\""), &[("If-Match", tag)]).status
        };
        let writers: Vec<_> = (1..=8).map(|n| scope.spawn(put(n))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|&&status| status == 204).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|&&status| status == 412).count(), 7, "{answers:?}");
}

#[test]
fn every_mistake_of_a_document_is_told_at_once_and_nothing_is_stored() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let document = r#"
        columns = 99
        [[widgets]]
        id = "a"
        type = "pie"
        [[widgets]]
        id = "b"
        type = "stat"
        series = ["ops//x"]
        place = { x = 8, y = 0, w = 9, h = 1 }
    "#;
    let answer = server.put("/api/boards/ops", document, &[("Content-Type", "application/toml")]);
    assert_eq!(answer.status, 422);
    let problem = answer.json();
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["columns", "widgets[0].type", "widgets[1].place.w", "widgets[1].series[0]"]);
    assert_eq!(server.get("/api/boards/ops").status, 404);

    for (path, body, content_type, status) in [
        ("/api/boards/ops", "title = ", "application/toml", 400),
        ("/api/boards/ops", "{", "application/json", 400),
        ("/api/boards/ops", "", "", 400),
        ("/api/boards/ops", "title: Ops", "application/yaml", 415),
        ("/api/boards/o%20ps", "{}", "application/json", 422),
        ("/api/boards/ops", &" ".repeat((256 << 10) + 1), "application/toml", 413),
    ] {
        let answer = server.put(path, body, &[("Content-Type", content_type)]);
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{path}");
    }
    let answer = server.post("/api/boards/ops", "{}", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, PUT, DELETE"));
}

#[test]
fn the_list_has_every_board_that_somebody_made() {
    let (data, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(boards.path().join("wall.json"), "{}").unwrap();
    let server = start_with_boards(data.path(), boards.path());
    server.push("never/made", "1");
    let tag = server.put("/api/boards/ops", TOML, &[]).header("etag").to_owned();
    let list = server.get("/api/boards").json();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    assert_eq!(
        (&list[0]["id"], &list[0]["title"], &list[0]["origin"]),
        (&"ops".into(), &"Ops".into(), &"stored".into())
    );
    assert_eq!(list[0]["etag"], tag);
    assert_eq!(
        (&list[0]["series"], &list[1]["series"]),
        (&serde_json::json!(["ops/temp"]), &serde_json::json!([])),
        "what each shows"
    );
    assert!(list[0]["changed"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!((&list[1]["id"], &list[1]["origin"]), (&"wall".into(), &"file".into()));
}

#[test]
fn a_reader_follows_its_board_from_edit_to_edit_and_through_its_end() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    for series in ["ops/temp", "ops/fan", "far/away"] {
        server.push(series, "1");
    }
    let (mut stream, mut picture) = (server.stream("board=ops", None), Picture::default());
    assert_eq!(next_edition(&mut stream, &mut picture).etag, None, "nobody made it");
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/fan", "ops/temp"]);

    let tag = server.put("/api/boards/ops", TOML, &[]).header("etag").to_owned();
    assert_eq!(next_edition(&mut stream, &mut picture).etag, Some(etag(&tag)));
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/temp"]);
    // Series that are no longer on the board are no longer sent.
    server.push("ops/fan", "2");
    server.push("ops/temp", "2");
    let update = stream.event();
    assert!(matches!(&update, Event::Update { series, .. } if series.len() == 1), "{update:?}");
    fold(&stream, &mut picture, update);

    let titled = TOML.replace("Ops", "Other");
    let tag = server.put("/api/boards/ops", &titled, &[("If-Match", &tag)]).header("etag").to_owned();
    assert_eq!(next_edition(&mut stream, &mut picture).etag, Some(etag(&tag)));
    server.push("ops/temp", "3");
    assert!(matches!(stream.event(), Event::Update { .. }), "the same series: no snapshot");

    let wider = TOML.replace("ops/temp", "far/**");
    server.put("/api/boards/ops", &wider, &[("If-Match", &tag)]);
    next_edition(&mut stream, &mut picture);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["far/away"]);
    server.push("far/new", "1");
    let event = stream.event();
    fold(&stream, &mut picture, event);

    server.delete("/api/boards/ops", &[]);
    assert_eq!(next_edition(&mut stream, &mut picture).etag, None);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/fan", "ops/temp"]);
}

#[test]
fn a_reader_that_was_away_while_its_board_changed_learns_it_and_begins_anew() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    server.push("ops/temp", "1");
    server.push("ops/fan", "1");
    server.put("/api/boards/ops", JSON, &[]);
    let (mut stream, mut picture) = (server.stream("board=ops", None), Picture::default());
    let before = next_edition(&mut stream, &mut picture);
    snapshot(&mut stream, &mut picture);
    server.push("ops/fan", "2");
    stream.event();
    let away = stream.last_id.clone();
    drop(stream);

    // The server may stop too: the stream continues if the board is unchanged.
    server.kill();
    let server = start(data.path());
    let mut stream = server.stream("board=ops", Some(&away));
    assert_eq!(next_edition(&mut stream, &mut picture), before);
    assert!(matches!(stream.event(), Event::Heartbeat { .. }), "it missed nothing");
    server.push("ops/fan", "3");
    assert!(matches!(stream.event(), Event::Update { .. }));
    drop(stream);

    server.put("/api/boards/ops", TOML, &[("If-Match", "*")]);
    server.push("ops/temp", "2");
    server.kill();
    let server = start(data.path());
    let mut stream = server.stream("board=ops", Some(&away));
    assert_ne!(next_edition(&mut stream, &mut picture), before);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/temp"]);
}

#[test]
fn what_the_writer_of_a_board_may_not_have_meant_is_told_at_its_place_and_the_board_is_stored() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    server.push("ops/temp", "1");
    let board = |markdown: &str, series: &str| {
        let note = json!({"id": "a", "type": "text", "markdown": markdown});
        json!({"widgets": [note, {"id": "b", "type": "stat", "series": ["ops/*", series]}]}).to_string()
    };
    let told = |answer: &harness::Answer| -> Vec<(String, String)> {
        let field = |notice: &Value, name: &str| notice[name].as_str().unwrap().to_owned();
        let notices = answer.json()["notices"].as_array().unwrap().clone();
        notices.iter().map(|notice| (field(notice, "field"), field(notice, "got"))).collect()
    };
    let html = ("widgets[0].markdown".to_owned(), "<b>, which is shown as it is written".to_owned());
    let made = server.put("/api/boards/ops", &board("Call <b>Ada</b>", "nope/**"), &[]);
    assert_eq!((made.status, told(&made)[0].clone()), (201, html.clone()));
    let (place, got) = &told(&made)[1];
    assert!(place == "widgets[1].series[1]" && got.starts_with("nope/**, which none does"), "{got}");
    server.push("nope/1", "1");
    let replaced = server.put("/api/boards/ops", &board("Call <b>Bo</b>", "nope/**"), &[("If-Match", "*")]);
    assert_eq!((replaced.status, told(&replaced)), (200, vec![html]), "and now there is such a series");
    assert_eq!(server.get("/api/boards/ops").header("etag"), replaced.header("etag"));
    let plain = server.put("/api/boards/ops", &board("Call **Bo**", "nope/1"), &[("If-Match", "*")]);
    assert_eq!((plain.status, &*plain.text), (204, ""));
}

#[test]
fn a_board_of_words_alone_is_a_stream_without_series() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    server.push("ops/temp", "1");
    server.put("/api/boards/ops", r#"{"widgets":[{"id":"a","type":"text","markdown":"<b>hi</b>"}]}"#, &[]);
    let (mut stream, mut picture) = (server.stream("board=ops", None), Picture::default());
    next_edition(&mut stream, &mut picture);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), [""; 0]);
}

#[test]
fn a_file_is_a_board_that_follows_it_and_cannot_be_changed_over_http() {
    let (data, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = boards.path().join("ops.toml");
    std::fs::write(&file, TOML).unwrap();
    let server = start_with_boards(data.path(), boards.path());
    server.push("ops/temp", "1");
    server.push("ops/fan", "1");
    assert_eq!(server.get("/api/boards/ops").text, TOML);
    for answer in [server.put("/api/boards/ops", "{}", &[("If-Match", "*")]), server.delete("/api/boards/ops", &[])] {
        assert_eq!((answer.status, &answer.json()["type"]), (409, &"/problems/from-file".into()));
        assert!(answer.text.contains("ops.toml; edit that"), "{}", answer.text);
    }
    let (mut stream, mut picture) = (server.stream("board=ops", None), Picture::default());
    let first = next_edition(&mut stream, &mut picture);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/temp"]);

    std::fs::write(&file, TOML.replace("ops/temp", "ops/fan")).unwrap();
    assert_ne!(next_edition(&mut stream, &mut picture), first);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/fan"]);

    // A broken file leaves the board as it was. The next whole file, written beside it and moved over it, is used.
    std::fs::write(&file, "title = ").unwrap();
    let whole = boards.path().join("ops.toml.new");
    std::fs::write(&whole, TOML).unwrap();
    std::fs::rename(&whole, &file).unwrap();
    assert_eq!(next_edition(&mut stream, &mut picture), first);
    snapshot(&mut stream, &mut picture);

    std::fs::remove_file(&file).unwrap();
    assert_eq!(next_edition(&mut stream, &mut picture).etag, None);
    snapshot(&mut stream, &mut picture);
    assert_eq!(server.put("/api/boards/ops", "{}", &[]).status, 201, "it is nobody's again");
}

#[test]
fn a_broken_file_is_told_in_the_log_with_its_place_and_the_last_good_board_stays() {
    let (data, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(boards.path().join("ops.toml"), TOML).unwrap();
    let log = data.path().join("log");
    let mut command = Command::new(BINARY);
    command.arg("serve").arg("--boards").arg(boards.path()).stderr(std::fs::File::create(&log).unwrap());
    let server = TestServer::start_with(&mut command, "127.0.0.1:0", data.path());
    let mut other = server.stream("board=other", None);
    std::fs::write(boards.path().join("ops.toml"), TOML.replace("stat", "pie")).unwrap();
    // A second file that comes later: when the event for its board arrives, the broken one was read too.
    std::fs::write(boards.path().join("other.json"), "{}").unwrap();
    next_edition(&mut other, &mut Picture::default());
    while next_edition(&mut other, &mut Picture::default()).etag.is_none() {}
    assert_eq!(server.get("/api/boards/ops").text, TOML);
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("ops.toml: 1 mistakes; widgets[0].type: expected stat, line"), "{log}");
}

#[test]
fn a_file_that_changed_while_the_server_was_away_is_a_change_to_its_readers() {
    let (data, boards) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = boards.path().join("ops.toml");
    std::fs::write(&file, TOML).unwrap();
    let server = start_with_boards(data.path(), boards.path());
    server.push("ops/temp", "1");
    server.push("ops/fan", "1");
    let (mut stream, mut picture) = (server.stream("board=ops", None), Picture::default());
    next_edition(&mut stream, &mut picture);
    snapshot(&mut stream, &mut picture);
    let away = stream.last_id.clone();
    server.kill();
    // Also if the folder itself is no longer named.
    let server = start(data.path());
    let mut stream = server.stream("board=ops", Some(&away));
    assert_eq!(next_edition(&mut stream, &mut picture).etag, None);
    snapshot(&mut stream, &mut picture);
    assert_eq!(names(&picture), ["ops/fan", "ops/temp"]);
}

fn pulseboard(server: &TestServer, args: &[&str], in_folder: &Path) -> Output {
    let mut command = Command::new(BINARY);
    command
        .arg("board")
        .args(args)
        .args(["--url", &server.url])
        .current_dir(in_folder)
        .output()
        .expect("the binary runs")
}

#[test]
fn a_board_survives_export_delete_and_import_byte_for_byte() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let folder = tempfile::tempdir().unwrap();
    for (id, source, file) in [("ops", TOML, "ops.toml"), ("dev", JSON, "dev.json"), ("odd", TOML, "odd")] {
        let path = format!("/api/boards/{id}");
        let tag = server.put(&path, source, &[]).header("etag").to_owned();
        let exported = pulseboard(&server, &["export", id], folder.path());
        assert!(exported.status.success());
        assert_eq!(exported.stdout, source.as_bytes());
        std::fs::write(folder.path().join(file), &exported.stdout).unwrap();
        assert_eq!(server.delete(&path, &[]).status, 204);
        let imported = pulseboard(&server, &["import", file], folder.path());
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let back = server.get(&path);
        assert_eq!((&*back.text, back.header("etag")), (source, &*tag));
    }
    let listed = pulseboard(&server, &["list"], folder.path());
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "dev\tstored\tÖps\nodd\tstored\tOps\nops\tstored\tOps\n");
}

#[test]
fn an_import_replaces_nothing_unless_told_to_and_says_what_is_wrong_with_a_file() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ops.toml"), TOML).unwrap();
    std::fs::write(folder.path().join("bad.json"), r#"{"columns": 0}"#).unwrap();
    server.put("/api/boards/ops", "{}", &[]);
    let told = |args: &[&str]| {
        let output = pulseboard(&server, args, folder.path());
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (done, message) = told(&["import", "ops.toml"]);
    assert!(!done && message.contains("add --replace"), "{message}");
    assert_eq!(server.get("/api/boards/ops").text, "{}");
    let (done, message) = told(&["import", "ops.toml", "--replace"]);
    assert!(done && message.contains("warning: widgets[0].series[0]: expected a selector that"), "{message}");
    assert_eq!(server.get("/api/boards/ops").text, TOML);
    assert!(told(&["import", "ops.toml", "--id", "copy", "--replace"]).0);
    assert_eq!(server.get("/api/boards/copy").text, TOML);
    let (done, message) = told(&["import", "bad.json"]);
    assert!(message.contains("\n  columns: "), "each mistake has a line of its own: {message:?}");
    assert!(!done && message.contains("columns: expected a whole number from 1 to 48, got 0"), "{message}");
    let (done, message) = told(&["export", "nobody"]);
    assert!(!done && message.contains("nobody has made the board nobody"), "{message}");
    let json = pulseboard(&server, &["export", "ops", "--as", "json"], folder.path());
    assert!(json.stdout.starts_with(b"{"));
}

#[test]
fn adversarial_notes_do_not_delay_other_requests() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let note = |at: usize| json!({"id": format!("n{at}"), "type": "text", "markdown": "_a ".repeat(5_400)});
    let board = json!({"widgets": (0..15).map(note).collect::<Vec<_>>()}).to_string();
    assert!(board.len() > 240_000);
    std::thread::scope(|scope| {
        let puts: Vec<_> = (0..4)
            .map(|id| {
                let (server, board) = (&server, &board);
                scope.spawn(move || server.put(&format!("/api/boards/b{id}"), board, &[]).status)
            })
            .collect();
        while !puts.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let asked = std::time::Instant::now();
            assert_eq!(server.get("/healthz").status, 200);
            // If a thread of the runtime parsed such notes in quadratic time, this would take a minute.
            assert!(asked.elapsed() < std::time::Duration::from_secs(5), "{:?}", asked.elapsed());
        }
        assert!(puts.into_iter().all(|put| put.join().unwrap() == 201));
    });
}
