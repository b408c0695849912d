//! Data folders that were restored from an earlier copy: a reader from the lost future is told, all others go on.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;

use harness::{Stream, TestServer};
use shared::track::Latest;
use shared::{Event, GapReason, Picture};

/// What a stream says first: whether a gap, and the picture, which goes on from `picture`.
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

/// Numbers are pushed, `make` makes a copy, more are pushed and read, and `restore` puts the copy back.
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
    // First fewer numbers than were lost, then more of them: the cursor is ahead of all, then in the middle.
    for values in [1..2, 10..30] {
        push(&server, values);
        let (gap, picture, id) = hear(server.stream("series=ops/**", Some(&lost)), lost_picture.clone());
        assert!(matches!(gap, Some(GapReason::Ahead | GapReason::OtherEpoch)), "{gap:?}");
        let (wanted, head) = fresh(&server);
        assert_eq!((picture.series(), &id), (wanted.series(), &head));
    }
    let (gap, ..) = hear(server.stream("series=ops/**", Some(&kept)), kept_picture);
    assert_eq!(gap, None, "what the copy has is continued");
}

#[test]
fn restored_folder_is_a_gap_for_readers_of_the_lost_future() {
    let restore = |from: &Path, to: &Path| {
        clear(to);
        copy(from, to);
    };
    reader_of_the_lost_future_hears_a_gap(copy, restore);
}

#[test]
fn restored_database_alone_is_a_gap_for_readers_of_the_lost_future() {
    // As SQLite's `.backup` and `VACUUM INTO` make it: one file that has all.
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
