//! `pulseboard import`: years of the past from files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::TestServer;

/// 2021-01-01, in milliseconds.
const LONG_AGO: u64 = 1_609_459_200_000;

fn import(server: &TestServer, flags: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulseboard"));
    command.args(["import", "--to", &format!("http://{}", server.addr()), "--give-up", "20s"]).args(flags).args(files);
    command.output().unwrap()
}

/// The number of points that a series has in all.
fn count(server: &TestServer, series: &str) -> u64 {
    let address = format!("/api/history?series={series}&from=2020-01-01T00:00:00Z&points=10000");
    let history = server.get(&address).json();
    let buckets = history[0]["buckets"].as_array().unwrap().clone();
    buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum()
}

#[test]
fn files_of_all_formats_are_imported_years_old_and_a_second_run_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let folder = tempfile::tempdir().unwrap();
    let minutes = 0..3_000_u64;
    let at = |minute: u64| LONG_AGO + minute * 60_000;
    let lines: String =
        minutes.clone().map(|minute| format!("power,site=roof watts={minute} {}000000\n", at(minute))).collect();
    let rows: String = minutes.clone().map(|minute| format!("{},{minute}.5,{minute}\n", at(minute))).collect();
    let objects: String = minutes
        .map(|minute| format!("{{\"series\":\"shop/orders\",\"value\":{minute},\"ts\":{}}}\n", at(minute)))
        .collect();
    let [lines_file, table_file, objects_file] =
        ["power.lp.gz", "weather.csv", "orders.ndjson"].map(|name| folder.path().join(name));
    let mut packed = GzEncoder::new(std::fs::File::create(&lines_file).unwrap(), Compression::default());
    packed.write_all(lines.as_bytes()).unwrap();
    packed.finish().unwrap();
    std::fs::write(&table_file, format!("time,temp,wind\n{rows}")).unwrap();
    std::fs::write(&objects_file, objects).unwrap();
    for run in 0..2 {
        let output = import(&server, &["--prefix", "weather"], &[&lines_file, &table_file, &objects_file]);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "12000 lines are stored, 0 were refused\n", "run {run}");
        for series in ["power/roof/watts", "weather/temp", "weather/wind", "shop/orders"] {
            assert_eq!(count(&server, series), 3_000, "{series}, run {run}");
        }
    }
}

#[test]
fn wrong_lines_are_named_and_the_others_are_stored() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mixed.csv");
    let text =
        format!("time,series,value\n{LONG_AGO},a/x,1\n{LONG_AGO},a/x,many\nyesterday,a/x,2\n{LONG_AGO},a//x,3\n");
    std::fs::write(&file, text).unwrap();
    let output = import(&server, &[], &[&file]);
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 lines are stored, 3 were refused\n");
    let said = String::from_utf8(output.stderr).unwrap();
    for (line, field) in [(3, "value"), (4, "ts"), (5, "series")] {
        assert!(said.contains(&format!("mixed.csv:{line}: {field}: expected")), "{said}");
    }
    assert_eq!(count(&server, "a/x"), 1);
}

#[test]
fn every_refused_line_is_counted_also_those_that_the_server_does_not_name() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    assert_eq!(server.post("/write", "m x=1,y=1", &[]).status, 204);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.lp");
    // Of five lines two are wrong: one cannot be read, and one has two points of another kind.
    let line = |n: u64| match n % 5 {
        1 => format!("a x=oops {}\n", LONG_AGO + n),
        3 => format!("m x=\"a\",y=\"b\",z={n} {}\n", LONG_AGO + n),
        _ => format!("a x={n} {}\n", LONG_AGO + n),
    };
    std::fs::write(&file, (0..25_000).map(line).fold("# of an export\n".to_owned(), |all, line| all + &line)).unwrap();
    let output = import(&server, &["--precision", "ms"], &[&file]);
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "15000 lines are stored, 10000 were refused\n");
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = said.lines().filter_map(|line| line.split("many.lp:").nth(1)?.split(':').next()).collect();
    assert_eq!(lines.len(), 20, "the first are printed: {said}");
    assert_eq!(&lines[..4], ["3", "5", "8", "10"], "in the order of the file: {said}");
    assert_eq!(count(&server, "a/x"), 15_000);
    assert_eq!(
        count(&server, "m/z"),
        5_000,
        "a line that is not stored whole is refused, and its other points are kept"
    );
}

#[test]
fn wrong_cell_of_a_table_and_a_line_without_an_end_spoil_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let folder = tempfile::tempdir().unwrap();
    let [table, lines] = ["wide.csv", "long.ndjson"].map(|name| folder.path().join(name));
    std::fs::write(&table, format!("time,temp,wind\n{LONG_AGO},warm,3\n{},22,4\n", LONG_AGO + 60_000)).unwrap();
    let long = format!("{{\"series\":\"log\",\"text\":\"{}\",\"ts\":{LONG_AGO}}}", "x".repeat(2 << 20));
    let good = format!("{{\"series\":\"b\",\"value\":1,\"ts\":{LONG_AGO}}}");
    std::fs::write(&lines, format!("{good}\n{long}\n{}\n", good.replace("\"b\"", "\"c\""))).unwrap();
    let output = import(&server, &[], &[&table, &lines]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "5 lines are stored, 2 were refused\n");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("wide.csv:2: value: expected") && said.contains("long.ndjson:2: it has 2097"), "{said}");
    for (series, points) in [("temp", 1), ("wind", 2), ("b", 1), ("c", 1)] {
        assert_eq!(count(&server, series), points, "{series}");
    }
    let marked: Vec<u8> = format!("\u{feff}{good}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&lines, marked).unwrap();
    let output = import(&server, &[], &[&lines]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("iconv -f UTF-16 -t UTF-8"));
}

#[test]
fn push_of_the_past_is_taken_only_where_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let point = format!("{{\"series\":\"a\",\"value\":1,\"ts\":{LONG_AGO}}}");
    let refused = server.post("/in", &point, &[]);
    assert!(refused.status == 422 && refused.text.contains("?import=true"), "{}", refused.text);
    assert_eq!(server.post("/in?import=true", &point, &[]).status, 204);
    assert_eq!(server.post("/in/b?import=true", &format!("{{\"value\":1,\"ts\":{LONG_AGO}}}"), &[]).status, 204);
    assert_eq!(server.post("/write?import=true&precision=ms", &format!("c x=1 {LONG_AGO}"), &[]).status, 204);
    assert_eq!(server.post("/in?import=maybe", &point, &[]).status, 422);
    for series in ["a", "b", "c/x"] {
        assert_eq!(count(&server, series), 1, "{series}");
    }
}
