//! Debian's collectd pushes with its plugin `write_http`.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{PATIENCE, TestServer, now_ms};
use serde_json::Value as Json;

/// A collectd process; killed when dropped.
struct Collectd(Child);

impl Collectd {
    /// Starts it in `folder`; it pushes to `url` each second.
    fn start(folder: &Path, url: &str) -> Self {
        let config = format!(
            "Hostname \"web-1\"\nFQDNLookup false\nInterval 1\nTypesDB \"/usr/share/collectd/types.db\"\n\
             BaseDir \"{folder}\"\nPIDFile \"{folder}/pid\"\nLoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n  \
             File \"{folder}/log\"\n</Plugin>\nLoadPlugin load\nLoadPlugin cpu\nLoadPlugin memory\nLoadPlugin write_http\n\
             <Plugin write_http>\n  <Node \"pulseboard\">\n    URL \"{url}/collectd\"\n    Format \"JSON\"\n    \
             LogHttpError true\n    BufferSize 1024\n  </Node>\n</Plugin>\n",
            folder = folder.display()
        );
        let file = folder.join("collectd.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("/usr/sbin/collectd");
        command.arg("-f").arg("-C").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("collectd is there: tools/setup.sh clients"))
    }
}

impl Drop for Collectd {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn listed(server: &TestServer) -> Vec<Json> {
    server.get("/api/series?prefix=web-1/").json().as_array().unwrap().clone()
}

#[test]
fn collectd_pushes_load_processors_and_memory_and_gets_no_error() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    let collectd = Collectd::start(folder.path(), &server.url);
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let wanted = [
        ("web-1/load/load/shortterm", "gauge"),
        ("web-1/memory/memory-used", "gauge"),
        ("web-1/cpu-0/cpu-idle", "counter"),
        ("web-1/cpu-0/cpu-user", "counter"),
    ];
    let deadline = Instant::now() + 3 * PATIENCE;
    loop {
        let all = listed(&server);
        let is_there =
            |&(name, kind): &(&str, &str)| all.iter().any(|one| one["name"] == name && one["declared"] == kind);
        if wanted.iter().all(is_there) {
            break;
        }
        assert!(Instant::now() < deadline, "{all:?}\n{}", log());
        std::thread::sleep(Duration::from_millis(100));
    }
    for one in listed(&server) {
        let ts = one["ts"].as_u64().unwrap();
        assert!(now_ms().abs_diff(ts) < 120_000, "{one} has the time that collectd gave it");
        assert!(one["value"].as_f64().unwrap().is_finite());
    }
    assert!(!log().contains("HTTP Error"), "{}", log());
    assert_eq!(server.get("/api/rejected").json()["total"], 0);
    drop(collectd);
    // The increase of a counter, as for any other counter.
    let past = server.get("/api/history?series=web-1/cpu-0/cpu-idle").json();
    assert!(past[0]["buckets"][0]["increase"].as_f64().unwrap() >= 0.0, "{past}");
}

#[test]
fn wrong_values_are_named_and_the_others_stored() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start(data.path());
    let list = |time: u64, instance: &str| {
        format!(
            r#"{{"values":[1.5],"dstypes":["gauge"],"dsnames":["value"],"time":{time},"interval":1,"host":"h","plugin":"p","plugin_instance":"","type":"t","type_instance":"{instance}"}}"#
        )
    };
    let now = now_ms() / 1_000;
    let good = server.post("/collectd", &format!("[{}]", list(now, "a")), &[]);
    assert_eq!((good.status, good.text.as_str()), (200, r#"{"stored":1}"#));
    assert_eq!(server.post("/collectd", "[]", &[]).text, r#"{"stored":0}"#);
    let mixed = format!("[{},{},{}]", list(now, "b"), list(17, "c"), list(now, "d"));
    let answer = server.post("/collectd", &mixed, &[]);
    assert_eq!((answer.status, answer.first_error().0.as_str()), (422, "ts"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("the other 2 are stored"), "{}", answer.text);
    let names: Vec<_> =
        server.get("/api/series").json().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["h/p/t-a", "h/p/t-b", "h/p/t-d"]);
    let inbox = server.get("/api/rejected").json();
    let rejected = &inbox["rejected"][0];
    assert_eq!(
        (&rejected["path"], &rejected["line"], &rejected["reason"]),
        (&"/collectd".into(), &2.into(), &"time".into())
    );
    assert_eq!(rejected["text"].as_str().unwrap(), list(17, "c"), "the list that is wrong");
    assert_eq!(server.post("/collectd", "PUTVAL", &[]).status, 400);
    // Each push counts once.
    let metrics = server.get("/metrics").text;
    for answer in ["kept\"} 2", "refused\"} 2"] {
        assert!(metrics.contains(&format!("pulseboard_pushes_total{{answer=\"{answer}\n")), "{answer} in {metrics}");
    }
}
