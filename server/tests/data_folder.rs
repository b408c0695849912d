//! The commands on a data folder: `check`, `backup` and `restore`.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use harness::{BINARY, TestServer};
use rusqlite::Connection;

fn run(args: &[&str], paths: &[&Path]) -> Output {
    Command::new(BINARY).args(args).args(paths).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn backup_of_a_busy_server_has_every_acknowledged_push_and_is_restored() {
    let (data, other, third) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let copy = other.path().join("copy.sqlite");
    let before = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=u64::MAX {
                assert_eq!(server.push("ops/n", &n.to_string()).status, 204);
                acknowledged.store(n, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 20 {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let backup = run(&["backup", "--data"], &[data.path(), &copy]);
        stop.store(true, Ordering::SeqCst);
        assert!(backup.status.success() && text(&backup).contains("nothing is damaged"), "{}", text(&backup));
        before
    });
    let again = run(&["backup", "--data"], &[data.path(), &copy]);
    assert!(!again.status.success() && text(&again).contains("exists; move it away"), "{}", text(&again));
    let running = run(&["check"], &[data.path()]);
    assert!(running.status.success(), "a folder in use can be checked: {}", text(&running));

    let folder = third.path().join("data");
    let restored = run(&["restore"], &[&copy, &folder]);
    assert!(restored.status.success(), "{}", text(&restored));
    let restored = TestServer::start(&folder);
    let (count, sum) = restored.totals("ops/n");
    assert!(count >= before, "{count} of {before}");
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let wanted = (count * (count + 1) / 2) as f64;
    assert!((sum - wanted).abs() < 0.5, "the first {count} pushes: {sum}");
    let taken = run(&["restore"], &[&copy, &folder]);
    assert!(!taken.status.success() && text(&taken).contains("in use"), "{}", text(&taken));
    restored.kill();
    let taken = run(&["restore"], &[&copy, &folder]);
    assert!(!taken.status.success() && text(&taken).contains("exists; move it away"), "{}", text(&taken));
}

#[test]
fn backup_to_standard_output_is_restored_from_standard_input() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    assert_eq!(server.push("ops/n", "42").status, 204);
    let folder = other.path().join("data");
    let mut backup =
        Command::new(BINARY).args(["backup", "-", "--data"]).arg(data.path()).stdout(Stdio::piped()).spawn().unwrap();
    let out = backup.stdout.take().unwrap();
    let restored = Command::new(BINARY).args(["restore", "-"]).arg(&folder).stdin(out).output().unwrap();
    assert!(backup.wait().unwrap().success() && restored.status.success(), "{}", text(&restored));
    let restored = TestServer::start(&folder);
    assert_eq!(restored.totals("ops/n").0, 1);
}

#[test]
fn damage_is_named_and_a_damaged_backup_is_restored_only_on_request() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    for n in 0..5 {
        assert_eq!(server.push("ops/n", &n.to_string()).status, 204);
    }
    server.terminate();
    let copy = other.path().join("copy.sqlite");
    assert!(run(&["backup", "--data"], &[data.path(), &copy]).status.success());
    let conn = Connection::open(&copy).unwrap();
    conn.execute("UPDATE log SET data = zeroblob(9) WHERE last = 3", []).unwrap();
    drop(conn);
    let checked = run(&["check"], &[&copy]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        text(&checked).contains("damaged: row 3 of table log") && text(&checked).contains("4 log"),
        "{}",
        text(&checked)
    );
    let folder = other.path().join("data");
    let refused = run(&["restore"], &[&copy, &folder]);
    assert!(!refused.status.success() && text(&refused).contains("--damaged"), "{}", text(&refused));
    assert!(run(&["restore", "--damaged"], &[&copy, &folder]).status.success());
    let restored = TestServer::start(&folder);
    assert_eq!(restored.totals("ops/n").0, 4, "all but the damaged one");
}

#[test]
fn what_is_no_database_is_neither_checked_nor_restored() {
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("notes.txt");
    std::fs::write(&file, "x".repeat(9_000)).unwrap();
    let folder = other.path().join("data");
    for output in [run(&["check"], &[&file]), run(&["restore"], &[&file, &folder]), run(&["check"], &[other.path()])] {
        assert!(!output.status.success() && text(&output).contains("name a data folder"), "{}", text(&output));
    }
    assert!(!folder.join("pulseboard.sqlite").exists());
    let missing = run(&["backup", "--data"], &[other.path(), &other.path().join("copy")]);
    assert!(!missing.status.success() && text(&missing).contains("--data"), "{}", text(&missing));
    assert!(!other.path().join("copy").exists(), "nothing is left");
}
