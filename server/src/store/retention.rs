//! Retention: deletes log rows, buckets and texts that are older than their retention allows, and merges flushed blocks
//! into extents ([`super::merge`]).
//!
//! The newest buckets and texts of each series stay, however old, since its track consists of them. The writer thread
//! deletes in small steps ([`Store::sweep`]), so that no push waits for long.

use rusqlite::{Connection, Row};
use shared::track::{LOG, WINDOW};
use shared::{Millis, Seq, Tier};

use super::block_id::{BlockId, ExtentId};
use super::damage::Part;
use super::merge::merge_due;
use super::{Store, sql};
use crate::clock::{Now, Uptime};
use crate::log::SeriesId;

/// The number of series that one step of a sweep looks at: a few milliseconds of work.
const SERIES: u32 = 100;

/// Milliseconds between two sweeps.
const REST: u64 = 60_000;

/// The most rows that one statement deletes: a few milliseconds of work.
pub(super) const ROWS: u32 = 500;

/// The most extents that one step of a sweep writes: a few milliseconds of work.
const EXTENTS: usize = 8;

/// The times for which data is kept, in milliseconds; `None` means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Single numbers, in the log. They stay at least until they are in buckets; no answer has them after that.
    pub raw: Option<u64>,
    /// Texts. The newest lines of each series stay, since its track consists of them.
    pub texts: Option<u64>,
    /// Buckets, by tier, finest first. The newest one-second buckets of each series stay, since its track consists of
    /// them.
    pub tiers: [Option<u64>; Tier::ALL.len()],
}

impl Retention {
    /// Returns how long the buckets of a tier are kept.
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
        Self { raw: Some(0), texts: days(365), tiers }
    }
}

/// The progress of a sweep through all series, a few at a time.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The last series that was looked at.
    done: u32,
    /// The time at which the next sweep begins.
    rests_until: Uptime,
    /// True if the last step left old rows.
    is_behind: bool,
    /// Log rows up to this one are old, although their times lie ahead: the clock was wrong when they were written.
    log_until: i64,
    /// The time of the next search for such rows.
    log_rests_until: Uptime,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Old rows are left: take the next step as soon as no job waits.
    More,
    /// Take the next step at the next tick.
    Rest,
}

impl Store {
    /// Deletes some of the data that is past its retention, and merges some blocks: one step of a sweep through all series. The next sweep
    /// begins a while after the last one has ended. A step takes a few milliseconds. `now` is the store's time
    /// ([`Store::time`]).
    ///
    /// # Errors
    /// Any SQLite error. The step is tried again.
    pub fn sweep(&mut self, retention: &Retention, now: Now) -> rusqlite::Result<Swept> {
        let older = |keep: Option<u64>| keep.map(|keep| Millis(now.wall.0.saturating_sub(keep)));
        let log = match older(retention.raw) {
            Some(before) => self.sweep_log(before, now)?,
            None => Swept::Rest,
        };
        self.sweep.is_behind = log == Swept::More;
        if now.up < self.sweep.rests_until {
            return Ok(log);
        }
        let from = self.sweep.done + 1;
        let last = self.directory.last_row();
        let to = last.min(self.sweep.done.saturating_add(SERIES));
        let damage = self.damage.clone();
        let spared: Vec<SeriesId> = (from..=to).map(SeriesId).filter(|&id| self.imports.spares(id, now.wall)).collect();
        let done = self.in_background(|tx| {
            for series in (from..=to).map(SeriesId) {
                let mut most = 0;
                let tiers = if spared.contains(&series) { &[][..] } else { &Tier::ALL[..] };
                for &tier in tiers {
                    if let Some(before) = older(retention.of(tier)) {
                        let gone = sweep_blocks(tx, tier, series, before);
                        most = most.max(gone.or_else(|error| damage.take(Part::Table("blocks"), error).map(|()| 0))?);
                    }
                }
                if let Some(before) = older(retention.texts) {
                    let gone = sweep_lines(tx, series, before);
                    most = most.max(gone.or_else(|error| damage.take(Part::Line(series), error).map(|()| 0))?);
                }
                if most >= ROWS as usize {
                    // There may be more old rows of this series, so the next step begins with it.
                    return Ok(series.0 - 1);
                }
            }
            let written = merge_due(tx, SeriesId(from), SeriesId(to), EXTENTS, &damage)?;
            Ok(if written == EXTENTS { from - 1 } else { to })
        })?;
        self.sweep.done = done;
        if done < to {
            self.sweep.is_behind = true;
            return Ok(Swept::More);
        }
        if done == last {
            (self.sweep.done, self.sweep.rests_until) = (0, now.up.plus(REST));
        }
        Ok(log)
    }

    /// Returns true if the last step left old rows.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.sweep.is_behind
    }

    /// Deletes old rows of the log, in the order of their seqs. Rows that the buckets in the tables do not cover yet
    /// stay, however old.
    fn sweep_log(&mut self, before: Millis, now: Now) -> rusqlite::Result<Swept> {
        let (flushed, log_until) = (sql(self.flushed.0), self.sweep.log_until);
        let is_old = |last: i64, at: Option<i64>| last <= log_until || at.is_some_and(|at| at < sql(before.0));
        let mut select =
            self.conn.prepare_cached("SELECT last, at FROM log WHERE last <= ?1 ORDER BY last LIMIT ?2")?;
        let oldest = select.query_map((flushed, ROWS), |row| Ok((row.get(0)?, row.get_ref(1)?.as_i64().ok())))?;
        let oldest: Vec<(i64, Option<i64>)> = oldest.collect::<Result<_, _>>()?;
        drop(select);
        // Every row before an old one is old too, whatever time the clock showed when it was written.
        if let Some(at) = oldest.iter().rposition(|&(last, at)| is_old(last, at)) {
            let upto = oldest[at].0;
            self.in_background(|tx| tx.prepare_cached("DELETE FROM log WHERE last <= ?1")?.execute([upto]))?;
            return Ok(if at + 1 == ROWS as usize { Swept::More } else { Swept::Rest });
        }
        let is_ahead = oldest.first().is_some_and(|&(_, at)| at.is_some_and(|at| at > sql(now.wall.0)));
        if is_ahead && oldest.len() == ROWS as usize && now.up >= self.sweep.log_rests_until {
            // All rows of this step have a time ahead of now. The query looks at the whole log, so it runs rarely.
            let old = "SELECT ifnull(max(last), 0) FROM log WHERE last <= ?1 AND at < ?2";
            self.sweep.log_until = self.conn.query_row(old, (flushed, sql(before.0)), |row| row.get(0))?;
            self.sweep.log_rests_until = now.up.plus(REST);
        }
        Ok(Swept::Rest)
    }
}

/// Deletes old blocks and extents of one tier of a series, at most [`ROWS`] of each. Returns the number of deleted rows.
fn sweep_blocks(tx: &Connection, tier: Tier, series: SeriesId, before: Millis) -> rusqlite::Result<usize> {
    let (first, last) = BlockId::all(tier, series);
    // The block and the extent that contain `before` stay until all of them is older.
    let mut until = [BlockId::holding(tier, series, before).key(), ExtentId::holding(tier, series, before).key()];
    let is_old = "SELECT EXISTS (SELECT 1 FROM blocks WHERE key >= ?1 AND key < ?2)
                  OR EXISTS (SELECT 1 FROM extents WHERE key >= ?1 AND key < ?3)";
    if !tx.prepare_cached(is_old)?.query_row([first, until[0], until[1]], |row| row.get::<_, bool>(0))? {
        return Ok(0);
    }
    if tier == Tier::Second {
        let Some(from) = start_of_track(tx, series)? else { return Ok(0) };
        let kept = [BlockId::holding(tier, series, from).key(), ExtentId::holding(tier, series, from).key()];
        until = [until[0].min(kept[0]), until[1].min(kept[1])];
    }
    let mut gone = 0;
    for (table, until) in ["blocks", "extents"].into_iter().zip(until) {
        let delete = format!(
            "DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)"
        );
        gone += tx.prepare_cached(&delete)?.execute((first, until.min(last), ROWS))?;
    }
    Ok(gone)
}

/// Finds a moment after which a series has as many buckets of the finest tier as its track needs, by the numbers of
/// buckets that the rows say. `None` if it has fewer.
fn start_of_track(tx: &Connection, series: SeriesId) -> rusqlite::Result<Option<Millis>> {
    let (first, last) = BlockId::all(Tier::Second, series);
    let select = |table: &str| {
        tx.prepare_cached(&format!(
            "SELECT key, buckets FROM {table} WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT {WINDOW}"
        ))
    };
    let (mut blocks, mut extents) = (select("blocks")?, select("extents")?);
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get_ref(1)?.as_i64().unwrap_or_default().unsigned_abs()));
    let mut extents =
        extents.query_map([first, last], read)?.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().peekable();
    let mut room = WINDOW as u64;
    let of_block = |key: i64| BlockId::of_key(key).map(|id| (ExtentId::of(id).key(), id.span().from));
    let of_extent = |key: i64| ExtentId::of_key(key).map(|id| id.span().from);
    let mut blocks = blocks.query_map([first, last], read)?;
    let mut block = blocks.next().transpose()?;
    loop {
        let own = block.and_then(|(key, count)| of_block(key).map(|(extent, from)| (extent, from, count)));
        let (from, count) = match (own, extents.peek().copied()) {
            (None, None) => return Ok(None),
            // What an extent and the block have in common must not count twice, so the block counts nothing.
            (Some((extent, ..)), Some((key, count))) if extent <= key => {
                extents.next();
                while let Some((of, ..)) = block.and_then(|(key, _)| of_block(key))
                    && of == key
                {
                    block = blocks.next().transpose()?;
                }
                (of_extent(key), count)
            }
            (None, Some((key, count))) => {
                extents.next();
                (of_extent(key), count)
            }
            (Some((_, from, count)), _) => {
                block = blocks.next().transpose()?;
                (Some(from), count)
            }
        };
        room = room.saturating_sub(count);
        if room == 0 {
            return Ok(from);
        }
    }
}

/// Deletes old lines of a series, at most [`ROWS`]. Returns the number of deleted rows.
fn sweep_lines(tx: &Connection, series: SeriesId, before: Millis) -> rusqlite::Result<usize> {
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
    Ok(usize::try_from(gone).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::memtable::Due;
    use super::*;
    use crate::log::{Push, SeriesState};
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

    /// Sweeps until nothing is left to delete.
    fn sweep(store: &mut Store, now: Now) {
        while store.flush(1_000, Due::All).unwrap() > 0 {}
        for minute in 0..20 {
            let now = Now { up: now.up.plus(minute * REST), ..now };
            store.sweep(&Retention::default(), now).unwrap();
        }
    }

    fn rows(store: &Store, table: &str) -> i64 {
        store.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    fn count(store: &Store, tier: Tier, series: u32) -> i64 {
        let (first, last) = BlockId::all(tier, SeriesId(series));
        let count = "SELECT ifnull(sum(buckets), 0) FROM
            (SELECT key, buckets FROM blocks UNION ALL SELECT key, buckets FROM extents) WHERE key BETWEEN ?1 AND ?2";
        store.conn.query_row(count, [first, last], |row| row.get(0)).unwrap()
    }

    fn recover(store: &mut Store) -> Vec<SeriesState> {
        let mut all = Vec::new();
        store.recover(|recovered| all.push(recovered)).unwrap();
        all.sort_by_key(|recovered| recovered.series);
        all
    }

    #[test]
    fn what_is_old_goes_and_what_a_page_shows_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        // A series that changes each minute, one that changes each day, and a series of texts.
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
        assert_eq!(count(&store, Tier::Second, 1), 340, "as many as the track needs, in whole extents");
        assert_eq!(count(&store, Tier::Second, 2), 20);
        assert_eq!(count(&store, Tier::TenSeconds, 1), 0);
        assert_eq!(count(&store, Tier::Minute, 1), 0);
        assert!(count(&store, Tier::TenMinutes, 1) > 0 && count(&store, Tier::Day, 2) > 0);
        assert_eq!(rows(&store, "lines"), 150, "texts are kept for a year");
        sweep(&mut store, after(400 * DAY));
        assert_eq!(rows(&store, "lines"), 100, "as many as the track needs");
        assert_eq!(count(&store, Tier::TenMinutes, 1), 0);
        assert!(count(&store, Tier::Hour, 1) > 0);

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

    fn lines(store: &mut Store, series: &str, count: u64, now: Now) {
        let line = |n: u64| Point {
            series: series.parse().unwrap(),
            ts: now.wall.plus(n),
            value: Value::Text(Text::new(n.to_string()).unwrap()),
        };
        let outcome = store.commit(vec![Push::of((0..count).map(line))], now);
        assert_eq!(outcome.results, [Ok(())]);
    }

    #[test]
    fn old_texts_of_one_series_are_deleted_in_small_steps_until_none_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        lines(&mut store, "a/fast", 5_300, START);
        lines(&mut store, "b/slow", 150, START);
        let mut before = rows(&store, "lines");
        let mut steps = 0;
        loop {
            let swept = store.sweep(&Retention::default(), after(400 * DAY)).unwrap();
            let now = rows(&store, "lines");
            assert!(before - now <= 2 * i64::from(ROWS), "a step is small");
            (before, steps) = (now, steps + 1);
            if swept == Swept::Rest {
                break;
            }
            assert!(store.is_behind() && steps < 50);
        }
        assert_eq!(before, 200, "as many as the tracks need, at one and the same time");
        assert!(!store.is_behind());
    }

    #[test]
    fn log_rows_written_under_a_wrong_clock_are_deleted_once_later_rows_are_old() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.time = super::super::time::StoreTime::default();
        // More rows than one step reads, three years ahead.
        for n in 0..u64::from(ROWS) + 20 {
            push(&mut store, "a", after(1_095 * DAY + n), number(1.0));
        }
        push(&mut store, "a", after(1_000), number(2.0));
        while store.flush(1_000, Due::All).unwrap() > 0 {}
        for minute in 0..5 {
            let now = Now { wall: START.wall.plus(4 * DAY), up: Uptime(minute * (REST + 1)) };
            store.sweep(&Retention::default(), now).unwrap();
        }
        assert_eq!(rows(&store, "log"), 0);
    }
}
