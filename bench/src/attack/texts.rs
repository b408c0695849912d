//! Item 11: old texts that arrive faster than earlier versions of the server deleted them.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::ground::{Ground, now_ms};
use super::outcome::{Check, Outcome};
use super::state::DATABASE;
use super::subject::Setup;

/// The timeout for the deletion of all old lines: a little more than two rounds of the sweep.
const PATIENCE: Duration = Duration::from_secs(180);

/// A hundred thousand old lines of one series are deleted within a few minutes.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let server = ground.start_on(&Setup::default().flag("keep-texts", "1h"), &data)?;
    let old = now_ms()? - 20 * 3_600_000;
    let lines = ground.scale.of(100_000);
    for first in (0..lines).step_by(5_000) {
        let line = |n: usize| format!("{{\"series\":\"log\",\"text\":\"line {n}\",\"ts\":{}}}\n", old + n as u64);
        server.push("/in", (first..(first + 5_000).min(lines)).map(line).collect::<String>().as_bytes())?;
    }
    let conn = Connection::open(data.join(DATABASE))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let left = || -> anyhow::Result<i64> {
        Ok(conn.query_row("SELECT count(*) FROM lines WHERE ts < ?1", [i64::try_from(old)? + 3_600_000], |row| {
            row.get(0)
        })?)
    };
    let begun = Instant::now();
    let mut now = left()?;
    // The lines that a track shows are kept, however old they are.
    while now > 100 && begun.elapsed() < PATIENCE {
        // The log continues, since old lines are deleted along with new pushes.
        server.push("/in/log", b"{\"text\":\"now\"}")?;
        std::thread::sleep(Duration::from_millis(500));
        now = left()?;
    }
    let found = format!("{now} of {lines} after {:.0} s", begun.elapsed().as_secs_f64());
    Ok(Outcome::default().and(Check::new("at most the 100 lines that a page shows are left", now <= 100, found)))
}
