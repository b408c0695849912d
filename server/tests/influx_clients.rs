//! Clients of InfluxDB from npm, `PyPI` and crates.io: each sets itself up, pushes, and hears of its wrong lines.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod clients;
mod harness;

use std::process::Command;

use clients::table::{Row, assert_recorded};
use clients::{node, python};
use harness::{TestServer, now_ms};
use influxdb::{InfluxDbWriteable as _, ReadQuery, Timestamp, WriteQuery};

/// A client, and what it has to leave in the server.
struct Client {
    name: &'static str,
    script: Command,
    /// The argument of its script, behind the address of the server.
    argument: Option<&'static str>,
    /// The work of its script, for the table.
    result: &'static str,
    /// The names of the series that it makes begin with this.
    prefix: &'static str,
    /// Some of them, with `*` for one segment.
    series: &'static [&'static str],
}

impl Client {
    fn all() -> Vec<Self> {
        vec![
            Self {
                name: "PyPI influxdb (InfluxDB 1)",
                script: python("influxdb_v1.py"),
                argument: None,
                result: "pings, makes its database and a retention policy, lists them; pushes points in ns and ms, in gzip, and nothing; a partial write and a query raise an error that says why",
                prefix: "python1/",
                series: &["python1/a_b/temp", "python1/a_b/note", "python1/a_b/good", "python1/b/temp"],
            },
            Self {
                name: "PyPI influxdb-client (InfluxDB 2)",
                script: python("influxdb_v2.py"),
                argument: None,
                result: "pings, asks for version, health and readiness, finds and makes buckets; pushes at once, later and in batches, in gzip, and nothing; a partial write raises an error that says why",
                prefix: "python2/",
                series: &["python2/a_b/temp", "python2/a_b/note", "python2/ms", "python2/later", "python2/yes/n"],
            },
            Self {
                name: "PyPI influxdb3-python (InfluxDB 3)",
                script: python("influxdb_v3.py"),
                argument: None,
                result: "asks for the version; pushes by `/api/v2/write` and by `/api/v3/write_lp`; a partial write raises an error that says why",
                prefix: "python3",
                series: &["python3/a_b/temp", "python3/batched", "python3/good", "python3b/a_b/on", "python3b/good"],
            },
            Self {
                name: "npm influx (InfluxDB 1)",
                script: node("influx.mjs"),
                argument: None,
                result: "pings, makes its database, lists databases; pushes points and nothing; a partial write rejects with the reason",
                prefix: "node1/",
                series: &["node1/a_b/temp", "node1/a_b/note", "node1/c/temp", "node1/b/good"],
            },
            Self {
                name: "npm @influxdata/influxdb-client (InfluxDB 2)",
                script: node("influxdata.mjs"),
                argument: None,
                result: "pings, asks for health and readiness, finds its organisation, finds and makes buckets; pushes a batch in gzip; a partial write rejects with the reason",
                prefix: "node2/",
                series: &["node2/a_b/temp", "node2/a_b/note", "node2/good"],
            },
            Self::glances(
                "PyPI glances, exporter influxdb",
                "influxdb",
                "v1.",
                &["v1.load/*/min1", "v1.mem/*/percent"],
            ),
            Self::glances(
                "PyPI glances, exporter influxdb2",
                "influxdb2",
                "v2.",
                &["v2.load/*/min1", "v2.mem/*/percent"],
            ),
            Self::glances(
                "PyPI glances, exporter influxdb3",
                "influxdb3",
                "v3.",
                &["v3.load/*/min1", "v3.mem/*/percent"],
            ),
        ]
    }

    fn glances(
        name: &'static str,
        exporter: &'static str,
        prefix: &'static str,
        series: &'static [&'static str],
    ) -> Self {
        let result = "finds its database, exports load and memory";
        Self { name, script: python("glances.py"), argument: Some(exporter), result, prefix, series }
    }

    /// Runs it. Returns its row for the table, or what went wrong.
    fn run(mut self, server: &TestServer) -> Result<Row, String> {
        let output = self.script.arg(&server.url).args(self.argument).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if !output.status.success() {
            return Err(format!("{}: {}\n{}", self.name, output.status, text(&output.stderr)));
        }
        let list = server.get(&format!("/api/series?prefix={}&limit=1000", self.prefix)).json();
        let names: Vec<_> = list.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
        match self.series.iter().find(|wanted| !names.iter().any(|name| is_match(name, wanted))) {
            None => {
                Ok(Row { client: self.name.to_owned(), version: text(&output.stdout), result: self.result.to_owned() })
            }
            Some(missing) => Err(format!("{}: no {missing} in {names:?}", self.name)),
        }
    }
}

/// The client of crates.io runs in this process. It tells the status of an error and no reason.
fn of_rust(server: &TestServer) -> Row {
    let at = |ms: u64| Timestamp::Milliseconds(ms.into());
    let point = |time: Timestamp| time.try_into_query("rust1").unwrap().add_tag("room", "a, b=\"c\"");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = influxdb::Client::new(&server.url, "rust1").with_token("t");
        assert_eq!(client.ping().await.unwrap().0, "pulseboard");
        client.query(ReadQuery::new("CREATE DATABASE rust1")).await.unwrap();
        assert!(client.query(ReadQuery::new("SHOW DATABASES")).await.unwrap().contains("\"rust1\""));
        let now = now_ms();
        let one = point(at(now)).add_field("temp", 21.5).add_field("on", true).add_field("n", 3);
        for _ in 0..2 {
            client.query(&one).await.unwrap();
        }
        let nanos = Timestamp::Nanoseconds(u128::from(now) * 1_000_000 + 7);
        client.query(point(nanos).add_field("note", "two\nlines, \"quoted\" \\")).await.unwrap();
        let many: Vec<WriteQuery> = (1..=100).map(|n| point(at(now - n)).add_field("batched", n)).collect();
        client.query(&many).await.unwrap();
        client.query(Vec::<WriteQuery>::new()).await.unwrap();
        let wrong = vec![point(at(now)).add_field("temp", "hot"), point(at(now)).add_field("good", 1)];
        assert!(matches!(client.query(wrong).await, Err(influxdb::Error::ApiError(400))));
    });
    let list = server.get("/api/series?prefix=rust1/").json();
    let named =
        |field: &str| list.as_array().unwrap().iter().find(|one| one["name"].as_str().unwrap().ends_with(field));
    assert_eq!(named("/note").unwrap()["text"], "two\nlines, \"quoted\" \\", "{list}");
    let names =
        ["/temp", "/on", "/n", "/batched", "/good"].map(|field| named(field).unwrap()["name"].as_str().unwrap());
    assert_eq!(names.map(|name| server.totals(name).0), [1, 1, 1, 100, 1], "a repeat counts once");
    let version = include_str!("../../Cargo.lock").split("name = \"influxdb\"\nversion = \"").nth(1).unwrap();
    Row {
        client: "crates.io influxdb (InfluxDB 1)".to_owned(),
        version: version.split('"').next().unwrap().to_owned(),
        result: "pings, makes its database, lists databases; pushes points in ms and ns, a batch, and nothing; a repeat counts once; a partial write is an error with its status".to_owned(),
    }
}

fn is_match(name: &str, wanted: &str) -> bool {
    let (name, wanted): (Vec<_>, Vec<_>) = (name.split('/').collect(), wanted.split('/').collect());
    name.len() == wanted.len() && name.iter().zip(wanted).all(|(name, wanted)| wanted == "*" || *name == wanted)
}

#[test]
fn clients_of_influxdb_set_themselves_up_push_and_hear_of_wrong_lines() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let server = &server;
    let ran: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = Client::all().into_iter().map(|client| scope.spawn(move || client.run(server))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let failed: Vec<_> = ran.iter().filter_map(|run| run.as_ref().err()).collect();
    assert!(failed.is_empty(), "{}", failed.into_iter().map(|why| format!("{why}\n")).collect::<String>());
    let rows: Vec<_> = ran.into_iter().flatten().chain([of_rust(server)]).collect();
    assert_recorded("InfluxDB", &rows);
}
