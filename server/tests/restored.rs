//! Data folders that were restored from an earlier copy: a client from the lost future gets a gap, all others continue.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;

use harness::{Stream, TestServer};
use shared::track::Latest;
use shared::{Event, GapReason, Picture};

/// Reads a stream up to its first state, applied to `picture`. Returns the reason of a gap, the new picture and its id.
fn hear(mut stream: Stream, mut picture: Picture) -> (Option<GapReason>, Picture, String) {
    let mut gap = None;
    loop {
        let event = stream.event();
        let is_picture = matches!(event, Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. });
        if let Event::Gap { reason, .. } = event {
            gap = Some(reason);
        }
        picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
        if is_picture {
            return (gap, picture, stream.last_id);
        }
    }
}

fn fresh(server: &TestServer) -> (Picture, String) {
    let (gap, picture, id) = hear(server.stream("series=ops/**", None), Picture::default());
    assert_eq!(gap, None);
    (picture, id)
}

fn push(server: &TestServer, values: impl IntoIterator<Item = u32>) {
    for value in values {
        assert_eq!(server.push("ops/n", &value.to_string()).status, 204);
    }
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn clear(folder: &Path) {
    for file in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
}

/// Pushes numbers, copies the data with `make`, pushes and reads more, and puts the copy back with `restore`.
fn reader_of_the_lost_future_hears_a_gap(make: impl Fn(&Path, &Path), restore: impl Fn(&Path, &Path)) {
    let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    push(&server, 1..=3);
    let (kept_picture, kept) = fresh(&server);
    server.kill();
    make(data.path(), backup.path());
    let server = TestServer::start(data.path());
    push(&server, 100..105);
    let (lost_picture, lost) = fresh(&server);
    server.kill();
    restore(backup.path(), data.path());

    let server = TestServer::start(data.path());
    // First pushes fewer numbers than were lost, then more: the cursor is first ahead of the head, then behind it.
    for values in [1..2, 10..30] {
        push(&server, values);
        let (gap, picture, id) = hear(server.stream("series=ops/**", Some(&lost)), lost_picture.clone());
        assert!(matches!(gap, Some(GapReason::Ahead | GapReason::OtherEpoch)), "{gap:?}");
        let (wanted, head) = fresh(&server);
        assert_eq!((picture.series(), &id), (wanted.series(), &head));
    }
    let (gap, ..) = hear(server.stream("series=ops/**", Some(&kept)), kept_picture);
    assert_eq!(gap, None, "a cursor that the copy contains is continued");
}

#[test]
fn readers_of_the_lost_future_get_a_gap_after_the_folder_is_restored() {
    let restore = |from: &Path, to: &Path| {
        clear(to);
        copy(from, to);
    };
    reader_of_the_lost_future_hears_a_gap(copy, restore);
}

#[test]
fn readers_of_the_lost_future_get_a_gap_after_the_database_alone_is_restored() {
    // SQLite's `.backup` and `VACUUM INTO` make one complete file.
    let make = |from: &Path, to: &Path| {
        let conn = rusqlite::Connection::open(from.join("pulseboard.sqlite")).unwrap();
        conn.execute("VACUUM INTO ?1", [to.join("pulseboard.sqlite").to_str().unwrap()]).unwrap();
    };
    let restore = |from: &Path, to: &Path| {
        clear(to);
        copy(from, to);
    };
    reader_of_the_lost_future_hears_a_gap(make, restore);
}

#[test]
fn killed_server_continues_every_picture_over_many_restarts() {
    let data = tempfile::tempdir().unwrap();
    let mut server = TestServer::start(data.path());
    push(&server, [1]);
    let (mut picture, mut id) = fresh(&server);
    let first = id.clone();
    for value in 2..6 {
        push(&server, [value]);
        server.kill();
        server = TestServer::start(data.path());
        let gap;
        (gap, picture, id) = hear(server.stream("series=ops/**", Some(&id)), picture);
        assert_eq!(gap, None);
        let track = picture.series().values().next().unwrap();
        assert_eq!(track.latest(), Latest::Number(f64::from(value)));
    }
    let mut stream = server.stream("series=ops/**", Some(&first));
    assert!(matches!(stream.event(), Event::Hello { .. }));
    assert!(matches!(stream.event(), Event::Update { .. }), "also of the first epoch");
}
