//! A cluster: several servers that share one log on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::node::Node;
use harness::postgres::Postgres;
use harness::{Answer, BINARY, PATIENCE, Stream, TestServer};
use shared::{Cursor, Event, Picture};

/// Returns the last position of the log.
fn head(postgres: &Postgres) -> u64 {
    postgres.sql("SELECT position FROM pulseboard_head").parse().unwrap()
}

/// Reads a stream up to its first state, applied to `picture`. Returns true if there was a gap, the picture and its id.
fn resume(mut stream: Stream, mut picture: Picture) -> (bool, Picture, String) {
    let mut is_gap = false;
    loop {
        let event = stream.event();
        let is_state = matches!(event, Event::Snapshot { .. } | Event::Update { .. } | Event::Heartbeat { .. });
        is_gap |= matches!(event, Event::Gap { .. });
        picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
        if is_state {
            return (is_gap, picture, stream.last_id);
        }
    }
}

fn snapshot(server: &TestServer, query: &str) -> (Picture, String) {
    let (is_gap, picture, id) = resume(server.stream(query, None), Picture::default());
    assert!(!is_gap);
    (picture, id)
}

/// Everything that clients can see of a node, as text.
fn content(node: &Node) -> Vec<String> {
    let server = node.server();
    let (picture, id) = snapshot(server, "series=**");
    let mut content = vec![id, format!("{:?}", picture.series())];
    for path in [
        "/api/series",
        "/api/boards",
        "/api/tokens",
        "/api/audit",
        "/api/history?series=**&from=2024-11-01T00:00:00Z&to=2100-01-01T00:00:00Z&points=1000",
    ] {
        content.push(server.get(path).text);
    }
    content
}

/// Waits until all nodes have applied everything, and checks that they have the same content.
fn check_equal(postgres: &Postgres, nodes: &[&Node]) {
    let position = head(postgres);
    nodes.iter().for_each(|node| node.caught_up(position));
    let first = content(nodes[0]);
    for node in &nodes[1..] {
        assert_eq!(content(node), first);
    }
}

fn is_refused_for_now(answer: &Answer) -> bool {
    answer.status == 503 && !answer.header("retry-after").is_empty()
}

#[test]
fn nodes_that_start_at_once_on_an_empty_database_all_start() {
    let postgres = Postgres::start();
    for _ in 0..3 {
        let nodes: Vec<Node> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| Node::start(&postgres))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        nodes[0].push("ops/a", "1");
        nodes.iter().for_each(|node| node.caught_up(head(&postgres)));
        drop(nodes);
        postgres.sql("DROP TABLE pulseboard_head, pulseboard_runs, pulseboard_log, pulseboard_seed");
    }
}

#[test]
fn push_to_one_node_reaches_a_reader_of_the_other() {
    let postgres = Postgres::start();
    let (a, b) = (Node::start(&postgres), Node::start(&postgres));
    let mut stream = b.server().stream("series=ops/**", None);
    assert!(matches!(stream.event(), Event::Hello { .. }));
    let mut picture = Picture::default();
    picture.apply(stream.last_id.parse().unwrap(), stream.event()).unwrap();
    for value in 1..=20 {
        let pushed = Instant::now();
        a.push("ops/n", &value.to_string());
        loop {
            let event = stream.event();
            picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
            let newest = picture.series().values().next().map(shared::Track::latest);
            if newest == Some(shared::track::Latest::Number(f64::from(value))) {
                break;
            }
        }
        println!("{value}: {:?} from the push to the other node's reader", pushed.elapsed());
    }
    // What is pushed to a node can be read there at once.
    b.push("ops/n", "99");
    assert_eq!(b.server().totals("ops/n").0, 21);
    check_equal(&postgres, &[&a, &b]);
}

#[test]
fn changes_of_all_kinds_are_the_same_on_every_node() {
    let postgres = Postgres::start();
    let (a, b) = (Node::start(&postgres), Node::start(&postgres));
    a.push("ops/n", "1");
    b.push("ops/log", r#"{"text":"deploying"}"#);
    a.caught_up(head(&postgres));
    let refused = a.server().push("ops/log", "5");
    assert_eq!(refused.status, 422, "the kind is decided by the first point, wherever it was pushed");
    // Line protocol: two sources with one readable name, on different nodes.
    let at = harness::now_ms() - 60_000;
    let line = |path: &str, value: u8| format!("disk,path={path} used={value} {at}000000");
    for (node, path, value) in [(&a, "/var/lib", 1), (&b, "_var_lib", 2)] {
        let answer = node.server().post("/write", &line(path, value), &[]);
        assert_eq!(answer.status, 204, "{}", answer.text);
    }
    // A repeat is recognised on the other node.
    let again = b.server().post("/write", &line("/var/lib", 1), &[]);
    assert_eq!(again.status, 204, "{}", again.text);
    for (node, body, status) in [(&a, "7", 204), (&b, "7", 204), (&b, "8", 422)] {
        let answer = node.server().post("/in/ops/key", body, &[("Idempotency-Key", "k1")]);
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let board = "title = \"Ops\"\n";
    let toml = ("Content-Type", "application/toml");
    let made = a.server().put("/api/boards/ops", board, &[toml]);
    assert_eq!(made.status, 201, "{}", made.text);
    b.caught_up(head(&postgres));
    let etag = made.header("etag").to_owned();
    let changed = b.server().put("/api/boards/ops", "title = \"Two\"\n", &[toml, ("If-Match", &etag)]);
    assert_eq!(changed.status, 204, "{}", changed.text);
    a.caught_up(head(&postgres));
    let stale = a.server().put("/api/boards/ops", "title = \"Three\"\n", &[toml, ("If-Match", &etag)]);
    assert_eq!(stale.status, 412, "{}", stale.text);
    a.push("ops/gone", "1");
    b.caught_up(head(&postgres));
    assert_eq!(b.server().delete("/api/series/ops/gone", &[]).status, 204);
    a.caught_up(head(&postgres));
    a.push("ops/gone", r#"{"text":"again, of another kind"}"#);
    check_equal(&postgres, &[&a, &b]);
    let names = b.server().get("/api/series").text;
    assert_eq!(names.matches("disk/").count(), 2, "{names}");
    assert_eq!(a.server().totals("ops/key").0, 1);
}

#[test]
fn cursor_of_one_node_is_continued_on_another() {
    let postgres = Postgres::start();
    let (a, b) = (Node::start(&postgres), Node::start(&postgres));
    (0..10).for_each(|n| a.push(&format!("ops/{}", n % 3), &n.to_string()));
    let (mut picture, mut id) = snapshot(a.server(), "series=ops/**");
    for round in 0..20 {
        // The other node gets the reader before it has applied the last push: it waits for it.
        let (from, to) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        from.push("ops/1", &round.to_string());
        let (is_gap, at_from, id_from) = resume(from.server().stream("series=ops/**", Some(&id)), picture);
        assert!(!is_gap);
        let is_gap;
        (is_gap, picture, id) = resume(to.server().stream("series=ops/**", Some(&id_from)), at_from.clone());
        assert!(!is_gap, "round {round}");
        assert_eq!(picture.series(), at_from.series());
        let (wanted, _) = snapshot(from.server(), "series=ops/**");
        assert_eq!(picture.series(), wanted.series());
    }
    let cursor: Cursor = id.parse().unwrap();
    let ahead = Cursor { seq: shared::Seq(cursor.seq.0 + 1_000), ..cursor };
    let (is_gap, ..) = resume(b.server().stream("series=ops/**", Some(&ahead.to_string())), picture);
    assert!(is_gap, "a cursor that no node can have given out");
}

/// Pushes 0, 1, 2 … to a series until `stop`, each with a key until any node acknowledges it.
fn push_all(addrs: &[String], series: &str, stop: &AtomicBool, acknowledged: &AtomicU64) -> u64 {
    let http = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(3))).build().new_agent();
    let (mut next, mut at) = (0_u64, 0);
    while !stop.load(Ordering::Relaxed) {
        let request = http.post(format!("http://{}/in/{series}", addrs[at % addrs.len()]));
        if request.header("Idempotency-Key", format!("{series}-{next}")).send(next.to_string()).is_ok() {
            next += 1;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        } else {
            at += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    next
}

/// Runs `disturb` while all nodes take pushes, and checks that nothing is lost and nothing counts twice.
fn undisturbed(
    postgres: &mut Postgres,
    nodes: &mut [Node],
    mut disturb: impl FnMut(&mut Postgres, &mut [Node], u32),
    rounds: u32,
) {
    let addrs: Vec<String> = nodes.iter().map(|node| node.addr.clone()).collect();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let pushers: Vec<_> = (0..3_usize)
            .map(|pusher| {
                let (mut addrs, stop, acknowledged) = (addrs.clone(), &stop, &acknowledged);
                let count = addrs.len();
                addrs.rotate_left(pusher % count);
                scope.spawn(move || push_all(&addrs, &format!("load/{pusher}"), stop, acknowledged))
            })
            .collect();
        for round in 0..rounds {
            let until = acknowledged.load(Ordering::Relaxed) + 60;
            let deadline = Instant::now() + 2 * PATIENCE;
            while acknowledged.load(Ordering::Relaxed) < until {
                assert!(Instant::now() < deadline, "pushes are no longer acknowledged in round {round}");
                std::thread::sleep(Duration::from_millis(2));
            }
            disturb(postgres, nodes, round);
        }
        let until = acknowledged.load(Ordering::Relaxed) + 60;
        let deadline = Instant::now() + 2 * PATIENCE;
        while acknowledged.load(Ordering::Relaxed) < until && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        stop.store(true, Ordering::Relaxed);
        pushers.into_iter().map(|pusher| pusher.join().unwrap()).collect()
    });
    let position = head(postgres);
    nodes.iter().for_each(|node| node.caught_up(position));
    for node in &*nodes {
        for (pusher, count) in counts.iter().enumerate() {
            let (stored, _) = node.server().totals(&format!("load/{pusher}"));
            // The last push may have been stored without an acknowledgement.
            assert!((*count..=count + 1).contains(&stored), "load/{pusher}: {count} acknowledged, {stored} stored");
        }
    }
    let all: Vec<&Node> = nodes.iter().collect();
    check_equal(postgres, &all);
}

#[test]
fn killed_node_loses_nothing_and_counts_nothing_twice() {
    let mut postgres = Postgres::start();
    let mut nodes = [Node::start(&postgres), Node::start(&postgres), Node::start(&postgres)];
    let kill = |_: &mut Postgres, nodes: &mut [Node], round: u32| {
        let node = &mut nodes[round as usize % 3];
        node.kill();
        node.run();
    };
    undisturbed(&mut postgres, &mut nodes, kill, 6);
}

#[test]
fn killed_postgres_loses_nothing_and_nodes_recover_without_a_restart() {
    let mut postgres = Postgres::start();
    let mut nodes = [Node::start(&postgres), Node::start(&postgres)];
    let kill = |postgres: &mut Postgres, _: &mut [Node], _: u32| {
        postgres.kill();
        postgres.run();
    };
    undisturbed(&mut postgres, &mut nodes, kill, 4);
}

#[test]
fn while_postgres_is_away_pushes_are_refused_at_once_and_the_rest_goes_on() {
    let mut postgres = Postgres::start();
    let (a, b) = (Node::start(&postgres), Node::start(&postgres));
    a.push("ops/n", "1");
    b.caught_up(head(&postgres));
    let mut stream = b.server().stream("series=ops/**", None);
    postgres.kill();
    let gone = Instant::now();
    // The nodes notice the closed connections within milliseconds.
    for node in [&a, &b] {
        while !node.server().get("/readyz").text.contains("pushes are refused") {
            assert!(gone.elapsed() < PATIENCE);
        }
    }
    for node in [&a, &b] {
        let pushed = Instant::now();
        let answer = node.server().push("ops/n", "2");
        assert!(is_refused_for_now(&answer), "{} {}", answer.status, answer.text);
        assert!(pushed.elapsed() < Duration::from_millis(200), "{:?}", pushed.elapsed());
        assert!(answer.text.contains("the shared log has been away since"), "{}", answer.text);
        let board = node.server().put("/api/boards/ops", "title = \"x\"\n", &[("Content-Type", "application/toml")]);
        assert!(is_refused_for_now(&board), "{} {}", board.status, board.text);
        assert_eq!(node.server().totals("ops/n").0, 1, "history answers");
        let ready = node.server().get("/readyz");
        assert_eq!(ready.status, 200, "it can be read: {}", ready.text);
        assert!((node.server().metric("pulseboard_cluster_away") - 1.0).abs() < f64::EPSILON);
        let (picture, _) = snapshot(node.server(), "series=ops/**");
        assert_eq!(picture.series().len(), 1, "new readers get the picture as it is");
    }
    postgres.run();
    let back = Instant::now();
    while a.server().push("ops/n", "3").status != 204 {
        assert!(back.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("pushes were taken {:?} after PostgreSQL was back", back.elapsed());
    // The open stream has gone on, and gets the new point.
    let mut picture = Picture::default();
    loop {
        let event = stream.event();
        picture.apply(stream.last_id.parse().unwrap(), event).unwrap();
        let newest = picture.series().values().next().map(shared::Track::latest);
        if newest == Some(shared::track::Latest::Number(3.0)) {
            break;
        }
    }
    check_equal(&postgres, &[&a, &b]);
    assert_eq!(a.server().totals("ops/n").0, 2);
}

#[test]
fn postgres_that_does_not_answer_counts_as_away_after_a_second() {
    let postgres = Postgres::start();
    let a = Node::start(&postgres);
    a.push("ops/n", "1");
    postgres.signal_all("STOP");
    let first = Instant::now();
    let answer = a.server().push("ops/n", "2");
    assert!(is_refused_for_now(&answer), "{}", answer.text);
    assert!(first.elapsed() < Duration::from_secs(3), "{:?}", first.elapsed());
    let next = Instant::now();
    let answer = a.server().push("ops/n", "3");
    assert!(is_refused_for_now(&answer) && answer.text.contains("nothing of this was stored"), "{}", answer.text);
    assert!(next.elapsed() < Duration::from_millis(200), "{:?}", next.elapsed());
    postgres.signal_all("CONT");
    let back = Instant::now();
    while a.server().push("ops/n", "4").status != 204 {
        assert!(back.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    let count = a.server().totals("ops/n").0;
    assert!((2..=3).contains(&count), "the push in doubt is there once or not at all: {count}");
}

#[test]
fn new_node_reads_the_log_from_its_beginning() {
    let postgres = Postgres::start();
    let a = Node::start(&postgres);
    for n in 0..200 {
        a.push(&format!("ops/{}", n % 7), &n.to_string());
    }
    let lines: String = (0..3_000).map(|n| format!("{{\"series\":\"bulk/{}\",\"value\":{n}}}\n", n % 50)).collect();
    let batch = a.server().post("/in", &lines, &[("Content-Type", "application/x-ndjson")]);
    assert_eq!(batch.status, 204, "{}", batch.text);
    let b = Node::start(&postgres);
    assert_eq!(
        b.server().metric("pulseboard_cluster_position") as u64,
        head(&postgres),
        "it has read all before it listens"
    );
    check_equal(&postgres, &[&a, &b]);
    // A folder that was copied from a running member, as from a backup, is a node too.
    let mut c = Node::stopped(&postgres);
    let copy = rusqlite::Connection::open(a.data.path().join("pulseboard.sqlite")).unwrap();
    copy.execute("VACUUM INTO ?1", [c.data.path().join("pulseboard.sqlite").to_str().unwrap()]).unwrap();
    a.push("ops/1", "1000");
    c.run();
    check_equal(&postgres, &[&a, &c]);
}

/// Runs the server where it must not start. Returns its standard error.
fn refused(data: &Path, url: Option<&str>, more: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--addr", "127.0.0.1:0", "--log", "error", "--data"]).arg(data).args(more);
    if let Some(url) = url {
        command.args(["--cluster", url]);
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it runs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim().lines().count(), 1, "one line: {text}");
    text
}

#[test]
fn start_is_refused_with_one_line_that_says_what_to_do() {
    let postgres = Postgres::start();
    let other = Postgres::start();
    let folder = || tempfile::tempdir().unwrap();
    let nobody = format!("postgres://pulseboard@127.0.0.1:{}/postgres", harness::postgres::free_port());
    let missing = format!("postgres://pulseboard@127.0.0.1:{}/none", postgres.port());
    for (url, wanted) in
        [(&nobody, "start PostgreSQL there, or correct the address"), (&missing, "database \"none\" does not exist")]
    {
        let text = refused(folder().path(), Some(url), &[]);
        assert!(text.contains(wanted), "{url}: {text}");
    }
    let wrong = Command::new(BINARY).args(["serve", "--cluster", "nats://127.0.0.1"]).output().unwrap();
    assert!(
        !wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("does not begin with postgres://")
    );
    let boards = folder();
    let text = refused(folder().path(), Some(&postgres.url()), &["--boards", boards.path().to_str().unwrap()]);
    assert!(text.contains("--boards cannot be used with --cluster"), "{text}");

    // A member of one log is not started alone, nor with another log.
    let mut node = Node::start(&postgres);
    node.push("ops/n", "1");
    node.kill();
    let text = refused(node.data.path(), None, &[]);
    assert!(text.contains("belongs to a shared log"), "{text}");
    let text = refused(node.data.path(), Some(&other.url()), &[]);
    assert!(text.contains("belongs to another shared log"), "{text}");
    let made = Command::new(BINARY).args(["token", "create", "x", "--admin", "--data"]).arg(node.data.path()).output();
    let made = made.unwrap();
    assert!(!made.status.success() && String::from_utf8_lossy(&made.stderr).contains("belongs to a shared log"));

    // The log lost its end, as when an older copy of the database was restored.
    other.sql("UPDATE pulseboard_head SET product = 'other'");
    let text = refused(folder().path(), Some(&other.url()), &[]);
    assert!(text.contains("they belong to \"other\""), "{text}");
    other.sql("DROP TABLE pulseboard_head; CREATE TABLE pulseboard_head (x integer)");
    let text = refused(folder().path(), Some(&other.url()), &[]);
    assert!(text.contains("are not a shared log"), "{text}");
    postgres.sql("DELETE FROM pulseboard_log; UPDATE pulseboard_head SET position = 0");
    let text = refused(node.data.path(), Some(&postgres.url()), &[]);
    assert!(text.contains("has another past than this node"), "{text}");
    // Rows that are gone before a node has them.
    postgres.sql("UPDATE pulseboard_head SET position = 5; INSERT INTO pulseboard_log VALUES (5, 1, 1, '\\x01')");
    let text = refused(folder().path(), Some(&postgres.url()), &[]);
    assert!(text.contains("no longer has what this node needs"), "{text}");
    postgres.sql("UPDATE pulseboard_log SET position = 1; UPDATE pulseboard_head SET position = 1");
    postgres.sql("UPDATE pulseboard_log SET entries = '\\x63'");
    let text = refused(folder().path(), Some(&postgres.url()), &[]);
    assert!(text.contains("version 99") && text.contains("upgrade this node"), "{text}");
}

#[test]
fn standby_is_not_taken_for_the_primary_and_several_hosts_find_it() {
    let postgres = Postgres::start();
    let standby = Postgres::standby_of(&postgres);
    let data = tempfile::tempdir().unwrap();
    let text = refused(data.path(), Some(&standby.url()), &[]);
    assert!(text.contains("is a standby"), "{text}");
    let both = format!("postgres://pulseboard@127.0.0.1:{},127.0.0.1:{}/postgres", standby.port(), postgres.port());
    let mut command = Command::new(BINARY);
    let server = TestServer::start_with(
        command.args(["serve", "--log", "warn", "--cluster", &both]),
        "127.0.0.1:0",
        data.path(),
    );
    assert_eq!(server.push("ops/n", "1").status, 204);
}

/// Waits until the process of a node has ended.
fn ended(node: &Node) {
    let id = node.server().id();
    let deadline = Instant::now() + PATIENCE;
    // A zombie until it is reaped.
    let runs = || std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    while runs() {
        assert!(Instant::now() < deadline, "it runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn node_stops_when_the_log_comes_back_with_another_past() {
    let mut postgres = Postgres::start();
    let (a, b) = (Node::start(&postgres), Node::start(&postgres));
    (0..5).for_each(|n| a.push("ops/n", &n.to_string()));
    b.caught_up(head(&postgres));
    // As when a standby takes over that lacks the last rows, and others are appended in their place.
    let change = "DELETE FROM pulseboard_log WHERE position > 3;
        INSERT INTO pulseboard_log SELECT position + 3, run, batch, entries FROM pulseboard_log WHERE position < 4";
    let (a_id, b_id) = (a.server().id().to_string(), b.server().id().to_string());
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &a_id, &b_id]).status().unwrap();
        assert!(sent.success());
    };
    signal("-STOP");
    postgres.sql(change);
    postgres.sql("UPDATE pulseboard_head SET position = 6");
    postgres.kill();
    postgres.run();
    signal("-CONT");
    [&a, &b].into_iter().for_each(ended);
    let text = refused(a.data.path(), Some(&postgres.url()), &[]);
    assert!(text.contains("has another past than this node"), "{text}");
}

#[test]
fn entry_that_a_running_node_does_not_understand_stops_it() {
    let postgres = Postgres::start();
    let node = Node::start(&postgres);
    node.push("ops/n", "1");
    postgres.sql(
        "INSERT INTO pulseboard_log VALUES (2, 1, 1, '\\x63'); UPDATE pulseboard_head SET position = 2;
         NOTIFY pulseboard_log, 'test'",
    );
    ended(&node);
}

#[test]
fn folder_with_content_becomes_the_beginning_of_an_empty_log_and_leaves_it_again() {
    let postgres = Postgres::start();
    let mut a = Node::stopped(&postgres);
    let alone = TestServer::start(a.data.path());
    for n in 0..30 {
        assert_eq!(alone.push(&format!("ops/{}", n % 3), &n.to_string()).status, 204);
    }
    assert_eq!(alone.push("ops/log", r#"{"text":"before"}"#).status, 204);
    let board = alone.put("/api/boards/ops", "title = \"Ops\"\n", &[("Content-Type", "application/toml")]);
    assert_eq!(board.status, 201, "{}", board.text);
    let (picture, id) = snapshot(&alone, "series=ops/**");
    alone.kill();

    a.run();
    let (is_gap, ..) = resume(a.server().stream("series=ops/**", Some(&id)), picture);
    assert!(!is_gap, "a cursor from before is continued");
    a.push("ops/0", "100");
    let mut b = Node::start(&postgres);
    check_equal(&postgres, &[&a, &b]);
    assert_eq!(b.server().totals("ops/0").0, 11);
    b.push("ops/1", "101");
    a.kill();
    b.push("ops/1", "102");
    a.run();
    check_equal(&postgres, &[&a, &b]);

    // Another folder with content is not mixed into it.
    let other = tempfile::tempdir().unwrap();
    let server = TestServer::start(other.path());
    assert_eq!(server.push("ops/n", "1").status, 204);
    server.kill();
    let text = refused(other.path(), Some(&postgres.url()), &[]);
    assert!(text.contains("has content that is not from the shared log"), "{text}");

    let (picture, id) = snapshot(b.server(), "series=ops/**");
    b.kill();
    let detach = |data: &Path| Command::new(BINARY).args(["detach", "--data"]).arg(data).output().unwrap();
    let detached = detach(b.data.path());
    assert!(detached.status.success(), "{}", String::from_utf8_lossy(&detached.stderr));
    let alone = TestServer::start(b.data.path());
    let (is_gap, ..) = resume(alone.stream("series=ops/**", Some(&id)), picture);
    assert!(!is_gap, "a cursor from the cluster is continued");
    assert_eq!(alone.totals("ops/1").0, 12);
    assert_eq!(alone.push("ops/1", "103").status, 204);
    alone.kill();
    let again = detach(b.data.path());
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("belongs to no shared log"));
}

#[test]
fn publishing_that_was_interrupted_is_continued() {
    let postgres = Postgres::start();
    let mut a = Node::stopped(&postgres);
    let alone = TestServer::start(a.data.path());
    assert_eq!(alone.push("ops/n", "1").status, 204);
    alone.kill();
    a.run();
    a.kill();
    // As after a crash between marking the folder and committing its content.
    postgres.sql("DELETE FROM pulseboard_seed; UPDATE pulseboard_head SET id = 'before'");
    a.run();
    let b = Node::start(&postgres);
    check_equal(&postgres, &[&a, &b]);
    assert_eq!(b.server().totals("ops/n").0, 1);
}
