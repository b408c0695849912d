//! `kill -9` at random moments under load, again and again: no acknowledged point is lost, no point that was sent twice
//! counts twice, and every subscriber that lived through it ends with the server's state.
//!
//! `make chaos` runs a hundred rounds, `make test` a few: `CHAOS_ROUNDS` sets the number.

mod harness;

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::{BINARY, PATIENCE, TestServer};
use pulseboard::log::SeriesId;
use pulseboard::store::damage::Damage;
use pulseboard::store::number_log;
use shared::{Cursor, Picture, Seq, sse};

const PUSHERS: u64 = 4;

/// The query of each subscriber: different rates, and selections that overlap.
const READERS: [&str; 4] = ["series=chaos/**", "series=chaos/**&hz=1", "series=chaos/0&hz=0", "series=chaos/*&hz=200"];

/// State that the threads share.
struct Run {
    url: String,
    /// Number of points that were acknowledged, over all pushers.
    acknowledged: AtomicU64,
    /// The pushers must stop.
    stop: AtomicBool,
    /// For each subscriber the seq of the last point that it waits for, once there will be no more points. It is done
    /// when it has that point.
    last: [AtomicU64; READERS.len()],
}

impl Run {
    /// Pushes 0, 1, 2 …, each until it is acknowledged, always with the same key. Returns the number of acknowledged
    /// points.
    fn push(&self, pusher: u64) -> u64 {
        let http = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().new_agent();
        let mut next = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let request = http.post(format!("{}/in/chaos/{pusher}", self.url));
            let pushed = request.header("Idempotency-Key", format!("{pusher}-{next}")).send(next.to_string());
            if pushed.is_ok() {
                next += 1;
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        }
        next
    }

    /// Reads through all restarts, as `EventSource` does: it comes back with the last id. Returns the picture when it
    /// has the last point, and the number of reconnects.
    fn read(&self, reader: usize) -> (Picture, u64) {
        let query = READERS[reader];
        let http =
            ureq::Agent::config_builder().timeout_recv_body(Some(Duration::from_millis(300))).build().new_agent();
        let mut picture = Picture::default();
        let mut last_id = String::new();
        let mut connections = 0;
        let mut deadline = None;
        loop {
            if self.last[reader].load(Ordering::Relaxed) > 0 {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                assert!(Instant::now() < deadline, "{query} does not get to the end: {:?}", picture.cursor());
            }
            let request = http.get(format!("{}/sse?{query}", self.url)).header("Last-Event-ID", &last_id);
            let Ok(response) = request.call() else { continue };
            connections += 1;
            let mut body = response.into_body().into_reader();
            let mut parser = sse::Parser::default();
            let mut piece = [0; 16 << 10];
            while let Ok(len @ 1..) = body.read(&mut piece) {
                for message in parser.feed(&piece[..len]) {
                    let event = serde_json::from_str(&message.data).expect("every frame can be read");
                    let cursor: Cursor = message.id.parse().expect("every frame has a cursor");
                    picture.apply(cursor, event).expect("every frame continues the picture");
                    last_id = message.id;
                }
                let last = self.last[reader].load(Ordering::Relaxed);
                if last > 0 && picture.cursor().is_some_and(|cursor| cursor.seq >= Seq(last)) {
                    return (picture, connections);
                }
            }
        }
    }
}

fn start(addr: &str, data: &Path) -> TestServer {
    TestServer::start_with(Command::new(BINARY).args(["serve", "--log", "warn", "--keep-raw", "2d"]), addr, data)
}

/// Returns how many numbers of a pusher are in the database, and the set of distinct ones.
fn stored(data: &Path, pusher: u64) -> (u64, HashSet<u64>) {
    let database = rusqlite::Connection::open(data.join("pulseboard.sqlite")).expect("the database opens");
    let select = "SELECT id FROM series WHERE name = ?1";
    let series = database.query_row(select, [format!("chaos/{pusher}")], |row| row.get(0)).expect("it was pushed to");
    let mut values: Vec<u64> = Vec::new();
    let damage = Damage::default();
    number_log::replay(&database, Seq::ZERO, &damage, |numbers| {
        let own = numbers.iter().filter(|logged| logged.series == SeriesId(series));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers were pushed")]
        values.extend(own.map(|logged| logged.value.get() as u64));
    })
    .expect("it can be read");
    assert!(damage.is_none(), "{:?}", damage.warning());
    (values.len() as u64, values.into_iter().collect())
}

#[test]
fn kill_9_under_load_loses_nothing_counts_nothing_twice_and_leaves_every_reader_right() {
    let rounds: u64 =
        std::env::var("CHAOS_ROUNDS").map_or(8, |rounds| rounds.parse().expect("CHAOS_ROUNDS is a number"));
    let data = tempfile::tempdir().expect("a folder");
    let server = start("127.0.0.1:0", data.path());
    let addr = server.addr().to_owned();
    let run = Run {
        url: server.url.clone(),
        acknowledged: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        last: Default::default(),
    };

    let (acknowledged, readers, wanted, server) = std::thread::scope(|scope| {
        let (run, mut server) = (&run, server);
        let pushers: Vec<_> = (0..PUSHERS).map(|pusher| scope.spawn(move || run.push(pusher))).collect();
        let readers: Vec<_> = (0..READERS.len()).map(|reader| scope.spawn(move || run.read(reader))).collect();
        for _ in 0..rounds {
            // A random moment: after 1 to 200 more points, wherever the server is with the next ones.
            let more = 1 + u64::from(getrandom::u32().expect("chance")) % 200;
            let until = run.acknowledged.load(Ordering::Relaxed) + more;
            let deadline = Instant::now() + PATIENCE;
            while run.acknowledged.load(Ordering::Relaxed) < until {
                assert!(Instant::now() < deadline, "pushes are no longer acknowledged");
                std::thread::yield_now();
            }
            server.kill();
            server = start(&addr, data.path());
        }
        run.stop.store(true, Ordering::Relaxed);
        let acknowledged: Vec<u64> = pushers.into_iter().map(|pusher| pusher.join().expect("it pushes")).collect();
        // One more point for each series, so that every selection has an end that its subscriber can wait for.
        for pusher in 0..PUSHERS {
            assert_eq!(server.push(&format!("chaos/{pusher}"), "999999999").status, 204);
        }
        let wanted: Vec<Picture> = READERS.iter().map(|query| snapshot(&server, query)).collect();
        for (pusher, acknowledged) in (0..).zip(&acknowledged) {
            let history = server.get(&format!("/api/history?series=chaos/{pusher}&from=-1d&points=1")).json();
            let counted = &history[0]["buckets"][0]["count"];
            // A point that was not acknowledged before a kill may have been stored nevertheless, once.
            let more = counted.as_u64().expect("a count") - acknowledged;
            assert!((1..=2).contains(&more), "history has all of the {acknowledged} once: {counted}");
        }
        for (last, picture) in run.last.iter().zip(&wanted) {
            let changed = picture.series().values().map(shared::Track::changed).max().expect("there are series");
            last.store(changed.0, Ordering::Relaxed);
        }
        let readers: Vec<_> = readers.into_iter().map(|reader| reader.join().expect("it reads")).collect();
        (acknowledged, readers, wanted, server)
    });
    server.kill();

    let (mut lost, mut twice) = (0, 0);
    for (pusher, acknowledged) in (0..).zip(&acknowledged) {
        let (count, values) = stored(data.path(), pusher);
        lost += (0..*acknowledged).filter(|value| !values.contains(value)).count();
        twice += count - values.len() as u64;
    }
    let differ =
        readers.iter().zip(&wanted).filter(|((picture, _), wanted)| picture.series() != wanted.series()).count();
    let total: u64 = acknowledged.iter().sum();
    let returns: u64 = readers.iter().map(|(_, connections)| connections - 1).sum();
    println!("rounds of kill -9                              {rounds}");
    println!("points acknowledged                            {total}");
    println!("points lost                                    {lost}");
    println!("points counted twice                           {twice}");
    println!("times that a reader came back                  {returns}");
    println!("readers whose final state differs              {differ}");
    assert_eq!((lost, twice, differ), (0, 0, 0));
    assert!(returns >= rounds, "the readers lived through the kills");
}

/// Returns the picture of a new subscriber.
fn snapshot(server: &TestServer, query: &str) -> Picture {
    let mut stream = server.stream(query, None);
    let mut picture = Picture::default();
    while picture.cursor().is_none() {
        let event = stream.event();
        picture.apply(stream.last_id.parse().expect("a cursor"), event).expect("it begins with a snapshot");
    }
    picture
}
