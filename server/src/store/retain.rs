//! What is kept how long.

use rusqlite::{Connection, OptionalExtension as _};
use shared::track::{LOG, WINDOW};
use shared::{Millis, Seq, Tier};

use super::block::Place;
use super::{SeriesId, Store, sql};
use crate::clock::{Now, Uptime};

/// How many series one step of a sweep looks at: a few milliseconds.
const SERIES: u32 = 100;

/// How long the rest between two sweeps is, in milliseconds.
const REST: u64 = 60_000;

/// Most rows that one statement takes away.
const ROWS: u32 = 500;

/// How long what is kept, in milliseconds; nothing: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Numbers one by one, in the log.
    pub raw: Option<u64>,
    /// Texts. The newest lines of each series stay, so that it has a track.
    pub texts: Option<u64>,
    /// Buckets, by tier, finest first. The newest one-second buckets of each series stay, so that it has a track.
    pub tiers: [Option<u64>; Tier::ALL.len()],
}

impl Retention {
    /// How long the buckets of a tier are kept.
    #[must_use]
    pub fn of(&self, tier: Tier) -> Option<u64> {
        let mut tiers = Tier::ALL.into_iter().zip(self.tiers);
        tiers.find(|&(other, _)| other == tier).and_then(|(_, keep)| keep)
    }
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Some(days * 86_400_000);
        let tiers = [days(2), days(7), days(30), days(180), days(730), None];
        Self { raw: days(2), texts: days(365), tiers }
    }
}

/// A sweep through all series, a few at a time.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The last series that was looked at.
    done: u32,
    /// When the next one begins.
    rests_until: Uptime,
}

impl Store {
    /// Takes away some of what is older than is kept: a step of a sweep through all series, which begins again after a
    /// while when it is through.
    ///
    /// # Errors
    /// Whatever SQLite says. The step is tried again.
    pub fn sweep(&mut self, retention: &Retention, now: Now) -> rusqlite::Result<()> {
        let older = |keep: Option<u64>| keep.map(|keep| Millis(now.wall.0.saturating_sub(keep)));
        if let Some(before) = older(retention.raw) {
            self.sweep_log(before)?;
        }
        if now.up < self.sweep.rests_until {
            return Ok(());
        }
        let from = self.sweep.done + 1;
        let last = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        let to = last.min(self.sweep.done.saturating_add(SERIES));
        self.in_background(|tx| {
            for series in (from..=to).map(SeriesId) {
                for tier in Tier::ALL {
                    if let Some(before) = older(retention.of(tier)) {
                        sweep_blocks(tx, tier, series, before)?;
                    }
                }
                if let Some(before) = older(retention.texts) {
                    sweep_lines(tx, series, before)?;
                }
            }
            Ok(())
        })?;
        self.sweep.done = to;
        if to == last {
            self.sweep = Sweep { done: 0, rests_until: now.up.plus(REST) };
        }
        Ok(())
    }

    /// Rows of the log go in the order in which they came. What the buckets in the tables lack stays, however old.
    fn sweep_log(&mut self, before: Millis) -> rusqlite::Result<()> {
        let old = "SELECT last FROM log WHERE last <= ?1 AND at < ?2 ORDER BY last LIMIT ?3";
        let oldest = "SELECT at FROM log ORDER BY last LIMIT 1";
        let oldest = self.conn.prepare_cached(oldest)?.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        if oldest.is_none_or(|oldest| oldest >= sql(before.0)) {
            return Ok(());
        }
        let settled = self.settled;
        self.in_background(|tx| {
            let delete = format!("DELETE FROM log WHERE last IN ({old})");
            tx.prepare_cached(&delete)?.execute((sql(settled.0), sql(before.0), ROWS))?;
            Ok(())
        })
    }
}

fn sweep_blocks(tx: &Connection, tier: Tier, series: SeriesId, before: Millis) -> rusqlite::Result<()> {
    let (first, last) = Place::all(tier, series);
    // The block with that moment stays until all of it is older.
    let mut until = Place::holding(tier, series, before).key();
    let is_old = "SELECT EXISTS (SELECT 1 FROM blocks WHERE key >= ?1 AND key < ?2)";
    if !tx.prepare_cached(is_old)?.query_row([first, until], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    if tier == Tier::Second {
        let mut select =
            tx.prepare_cached("SELECT key, buckets FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
        let mut rows = select.query([first, last])?;
        let mut room = WINDOW as u64;
        while room > 0 {
            let Some(row) = rows.next()? else { return Ok(()) };
            until = until.min(row.get(0)?);
            room = room.saturating_sub(row.get::<_, i64>(1)?.unsigned_abs());
        }
    }
    tx.prepare_cached(
        "DELETE FROM blocks WHERE key IN (SELECT key FROM blocks WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)",
    )?
    .execute((first, until, ROWS))?;
    Ok(())
}

fn sweep_lines(tx: &Connection, series: SeriesId, before: Millis) -> rusqlite::Result<()> {
    let old = "FROM lines WHERE series = ?1 AND ts < ?2 AND (ts, seq) < (SELECT ts, seq FROM lines WHERE series = ?1
               ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET ?3)";
    let newest = u32::try_from(LOG - 1).unwrap_or(u32::MAX);
    let given = (series.0, sql(before.0), newest, ROWS);
    let select = format!("SELECT count(*), ifnull(max(seq), 0) FROM (SELECT seq {old} ORDER BY ts, seq LIMIT ?4)");
    let (gone, seq): (i64, i64) = tx.prepare_cached(&select)?.query_row(given, |row| Ok((row.get(0)?, row.get(1)?)))?;
    if gone > 0 {
        let delete = format!(
            "DELETE FROM lines WHERE series = ?1 AND (ts, seq) IN (SELECT ts, seq {old} ORDER BY ts, seq LIMIT ?4)"
        );
        tx.prepare_cached(&delete)?.execute(given)?;
        tx.prepare_cached("UPDATE series SET gone = gone + ?2, gone_seq = max(gone_seq, ?3) WHERE id = ?1")?
            .execute((series.0, gone, Seq(seq.unsigned_abs()).0.cast_signed()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Push;
    use super::super::fresh::Due;
    use super::super::recover::Recovered;
    use super::*;
    use shared::{Number, Point, Text, Track, Value};

    const DAY: u64 = 86_400_000;
    const START: Now = Now { wall: Millis(1_732_320_000_000), up: Uptime(0) };

    fn after(ms: u64) -> Now {
        Now { wall: START.wall.plus(ms), up: START.up.plus(ms) }
    }

    fn push(store: &mut Store, series: &str, now: Now, value: Value) {
        let point = Point { series: series.parse().unwrap(), ts: now.wall, value };
        let outcome = store.commit(vec![Push::of([point])], now);
        assert_eq!(outcome.results, [Ok(())]);
    }

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    /// Sweeps until nothing more is to be done.
    fn sweep(store: &mut Store, now: Now) {
        while store.settle(1_000, Due::All).unwrap() > 0 {}
        for minute in 0..20 {
            let now = Now { up: now.up.plus(minute * REST), ..now };
            store.sweep(&Retention::default(), now).unwrap();
        }
    }

    fn rows(store: &Store, table: &str) -> i64 {
        store.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    fn blocks(store: &Store, tier: Tier, series: u32) -> i64 {
        let (first, last) = Place::all(tier, SeriesId(series));
        let count = "SELECT count(*) FROM blocks WHERE key BETWEEN ?1 AND ?2";
        store.conn.query_row(count, [first, last], |row| row.get(0)).unwrap()
    }

    fn recover(store: &mut Store) -> Vec<Recovered> {
        let mut all = Vec::new();
        store.recover(|recovered| all.push(recovered)).unwrap();
        all.sort_by_key(|recovered| recovered.series);
        all
    }

    #[test]
    fn what_is_old_goes_and_what_a_page_shows_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        // One that changes each minute, one each day, and texts.
        for minute in 0..400 {
            push(&mut store, "each/minute", after(minute * 60_000), number(1.0));
        }
        for day in 0..20 {
            push(&mut store, "each/day", after(day * DAY), number(2.0));
        }
        for line in 0..150_u64 {
            push(&mut store, "a/text", after(line * 1_000), Value::Text(Text::new(line.to_string()).unwrap()));
        }
        let before = recover(&mut store);
        let Track::Numbers(buckets) = &before[1].track else { panic!("numbers") };
        assert_eq!(buckets.len(), 20);

        sweep(&mut store, after(40 * DAY));
        assert_eq!(rows(&store, "log"), 0);
        assert_eq!(blocks(&store, Tier::Second, 1), 300, "as many as the track needs");
        assert_eq!(blocks(&store, Tier::Second, 2), 20);
        assert_eq!(blocks(&store, Tier::TenSeconds, 1), 0);
        assert_eq!(blocks(&store, Tier::Minute, 1), 0);
        assert!(blocks(&store, Tier::TenMinutes, 1) > 0 && blocks(&store, Tier::Day, 2) > 0);
        assert_eq!(rows(&store, "lines"), 150, "texts are kept for a year");
        sweep(&mut store, after(400 * DAY));
        assert_eq!(rows(&store, "lines"), 100, "as many as the track needs");
        assert_eq!(blocks(&store, Tier::TenMinutes, 1), 0);
        assert!(blocks(&store, Tier::Hour, 1) > 0);

        assert_eq!(recover(&mut store), before);
        drop(store);
        assert_eq!(recover(&mut Store::open(folder.path()).unwrap()), before);
    }

    #[test]
    fn the_log_keeps_what_the_buckets_lack_however_old() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        push(&mut store, "a", START, number(1.0));
        store.sweep(&Retention::default(), after(40 * DAY)).unwrap();
        assert_eq!(rows(&store, "log"), 1);
        sweep(&mut store, after(40 * DAY));
        assert_eq!(rows(&store, "log"), 0);
    }
}
