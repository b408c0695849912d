//! Item 14: rows of the database are damaged.

use std::path::Path;

use rusqlite::Connection;

use super::ground::{Ground, copy_folder, now_ms};
use super::outcome::{Check, Outcome};
use super::state::DATABASE;
use super::subject::Setup;

/// A kind of damage: its description, and the change to the database of a stopped server.
type Damage = (&'static str, fn(&Connection) -> rusqlite::Result<()>);

/// The kinds of damage, each tried separately.
const DAMAGES: [Damage; 7] = [
    ("numbers of points in the log run over", |conn| {
        // One row of two numbers: postcard's varints of 2^64 - 1, twice.
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        let value = 1.0_f64.to_le_bytes();
        let mut data = vec![2];
        for _ in 0..2 {
            data.push(1);
            data.extend(most);
            data.extend(most);
            data.extend(value);
        }
        conn.execute("INSERT INTO log (last, at, data) VALUES (?1, 0, ?2)", (i64::MAX, data)).map(|_| ())
    }),
    ("a row of the log is noise", |conn| {
        conn.execute("UPDATE log SET data = randomblob(200) WHERE last = (SELECT max(last) FROM log)", []).map(|_| ())
    }),
    ("the newest block of a series is noise", |conn| block(conn, vec![0x5a; 100])),
    ("the newest block of a series is empty", |conn| block(conn, Vec::new())),
    ("counts of a block run over", |conn| {
        // A block of one bucket of many points, with the greatest possible counts.
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        let value = 1.0_f64.to_le_bytes();
        let mut data = vec![1, 1, 1];
        data.extend(most);
        data.extend([value, value, value].concat());
        for _ in 0..2 {
            data.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
            data.extend(most);
            data.extend(value);
        }
        data.extend(most);
        data.extend(value);
        data.extend([2, 0]);
        data.extend(most);
        data.push(2);
        data.extend(most);
        block(conn, data)
    }),
    ("the row of a series is missing", |conn| {
        conn.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM series WHERE name = 'a/s1'")
    }),
    ("the name of a series is none", |conn| {
        conn.execute("UPDATE series SET name = '//' WHERE name = 'a/s1'", []).map(|_| ())
    }),
];

/// Replaces the newest block of the first series with a block of this minute.
fn block(conn: &Connection, data: Vec<u8>) -> rusqlite::Result<()> {
    let minute = now_ms().unwrap_or_default() / 60_000;
    let key = (1_i64 << 32) | i64::try_from(minute).unwrap_or_default();
    conn.execute("INSERT OR REPLACE INTO blocks (key, buckets, data) VALUES (?1, 1, ?2)", (key, data)).map(|_| ())
}

/// For each damage, the server starts, accepts pushes, stays up, and names the part that it could not read.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let good = prepare(ground)?;
    for (what, damage) in DAMAGES {
        let data = ground.fresh()?;
        copy_folder(&good, &data)?;
        damage(&Connection::open(data.join(DATABASE))?)?;
        let (held, found) = match lives(ground, &data) {
            Ok(named) => (named, if named { "it does".to_owned() } else { "it lives, and names nothing".to_owned() }),
            Err(error) => (false, format!("{error:#}")),
        };
        outcome = outcome.and(Check::new(format!("{what}: the server starts, lives, and names it"), held, found));
    }
    Ok(outcome)
}

/// A data folder with a few series, some of whose points are only in the log.
fn prepare(ground: &Ground) -> anyhow::Result<std::path::PathBuf> {
    let data = ground.fresh()?;
    let server = ground.start_on(&Setup::default(), &data)?;
    for n in 0..200 {
        let line = |series: usize| format!("{{\"series\":\"a/s{series}\",\"value\":{n}}}\n");
        server.push("/in", (0..5).map(line).collect::<String>().as_bytes())?;
    }
    server.end()
}

/// Returns true if the server names the part that it could not read. Fails if it does not start or does not stay up.
fn lives(ground: &Ground, data: &Path) -> anyhow::Result<bool> {
    let mut server = ground.start_on(&Setup::default(), data)?;
    for _ in 0..3 {
        for path in ["/in/a/s0", "/in/a/s1", "/in/b/new"] {
            server.push(path, b"1")?;
        }
        for path in ["/api/history?series=a/**&points=100", "/api/series", "/metrics"] {
            let status = server.other().get(path)?.status;
            anyhow::ensure!(status < 500, "{path} is {status}");
        }
        let _heard =
            super::restored::heard(&server.other(), "/sse?series=a/**", &[], std::time::Duration::from_millis(300))?;
    }
    if let Some(end) = server.ended() {
        anyhow::bail!("the server ended ({end})");
    }
    let log = server.logged().to_ascii_lowercase();
    Ok(["damage", "unreadable", "cannot be read", "cannot read", "missing", "passed over", "skipped"]
        .iter()
        .any(|word| log.contains(word)))
}
