//! Reads the state that the server keeps in memory back from the database: names, tracks, and the memtable.
//!
//! Damaged rows are recorded and skipped.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use shared::point::Kind;
use shared::track::{LOG, WINDOW};
use shared::{Bucket, Declared, LogLine, Millis, Seq, SeriesName, Stamp, TextLog, Tier, TimeRange, Track};

use super::block::Block;
use super::block_id::BlockId;
use super::damage::{Damage, GREATEST, Part};
use super::directory::{Names, Row};
use super::memtable::{InTables, Memtable};
use super::removal::GONE;
use super::source::SeriesOrigin;
use super::{Store, meta, number_log, rows, sql};
use crate::clock;
use crate::log::{SeriesId, SeriesState, TrackError, Tracks};

/// The most by which the id of a row may exceed the count of readable rows. A greater id is damage itself, and lists
/// of all rows up to it would not fit in memory.
const SPARE: i64 = 1_000_000;

impl Store {
    /// Reads all names, and the declared metric type of each row up to the last. Skips rows that cannot be read.
    /// Skips rows of removed series and adds them to `removed`.
    pub(super) fn read_series(
        conn: &Connection,
        damage: &Damage,
        removed: &mut HashSet<SeriesId, RandomState>,
    ) -> rusqlite::Result<(Names, Vec<Option<Declared>>)> {
        let count = conn.query_row("SELECT count(*) FROM series", [], |row| row.get(0));
        let count: i64 = count.or_else(|error| damage.take(Part::Table("series"), error).map(|()| 0))?;
        let mut names = Names::default();
        names.reserve(usize::try_from(count).unwrap_or_default());
        let mut declared = vec![None; usize::try_from(count).unwrap_or_default()];
        let mut select = conn.prepare("SELECT id, name, kind, declared, source FROM series")?;
        let mut rows = select.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) => {
                    damage.take(Part::Table("series"), error)?;
                    break;
                }
            };
            let id: i64 = row.get(0)?;
            let known = u32::try_from(id).ok().filter(|id| (1..=count + SPARE).contains(&i64::from(*id)));
            let kind = match row.get_ref(2)?.as_str() {
                Ok("number") => Some(Kind::Number),
                Ok("text") => Some(Kind::Text),
                _ => None,
            };
            let name: Option<SeriesName> = row.get_ref(1)?.as_str().ok().and_then(|name| name.parse().ok());
            if let Some(id) = known.filter(|&id| declared.len() < id as usize) {
                declared.resize(id as usize, None);
            }
            if let Some(id) = known.filter(|&id| row.get_ref(1).is_ok_and(|name| is_gone(name, id))) {
                removed.insert(SeriesId(id));
                continue;
            }
            let (Some(id), Some(kind), Some(name)) = (known.map(SeriesId), kind, name) else {
                damage.note(Part::Series(id), "its number, its name or its kind cannot be read");
                continue;
            };
            declared[id.index()] = row.get_ref(3)?.as_str_or_null().ok().flatten().and_then(Declared::of);
            names.insert(name, Row { id, kind, origin: SeriesOrigin::of_column(row.get_ref(4)?) });
        }
        Ok((names, declared))
    }

    /// Replays the log into the memtable: the numbers that the buckets in the tables do not have.
    pub(super) fn catch_up(&mut self) -> rusqlite::Result<()> {
        let now = clock::now().up;
        let most = i64::try_from(self.directory.len()).unwrap_or(i64::MAX).saturating_add(SPARE);
        let (conn, damage) = (&self.conn, &self.damage);
        number_log::replay(conn, self.flushed, damage, |mut numbers| {
            numbers.retain(|logged| {
                if self.removals.rows.contains(&logged.series) {
                    return false;
                }
                let is_known = (1..=most).contains(&i64::from(logged.series.0));
                if is_known {
                    self.directory.reserve(logged.series);
                } else {
                    damage.note(Part::Nameless(logged.series), "the log has points of it");
                }
                is_known
            });
            let numbers = numbers.into_iter().map(|logged| (logged, InTables::Maybe));
            self.memtable.add(numbers, now, |block_id| rows::read_whole(conn, block_id, damage));
        })
    }

    /// Reserves the rows of series that have stored points but no name, so that a new series does not get their past.
    pub(super) fn reserve_rows(&mut self) -> rusqlite::Result<()> {
        let most = i64::try_from(self.directory.len()).unwrap_or(i64::MAX).saturating_add(SPARE);
        let (first, _) = BlockId::all(Tier::Second, SeriesId(0));
        let (next, _) = BlockId::all(Tier::TenSeconds, SeriesId(0));
        let greatest = |table: &'static str| {
            let select = format!("SELECT max(key) FROM {table} WHERE key >= ?1 AND key < ?2");
            let key = self.conn.query_row(&select, [first, next], |row| row.get::<_, Option<i64>>(0));
            let key = key.or_else(|error| self.damage.take(Part::Table(table), error).map(|()| None))?;
            Ok::<_, rusqlite::Error>(key.and_then(BlockId::of_key).map(|id| i64::from(id.series.0)))
        };
        let (block, extent) = (greatest("blocks")?, greatest("extents")?);
        let lines = "SELECT max(series) FROM lines WHERE typeof(series) = 'integer'";
        let line = self.conn.query_row(lines, [], |row| row.get::<_, Option<i64>>(0));
        let line = line.or_else(|error| self.damage.take(Part::Table("lines"), error).map(|()| None))?;
        for row in block.into_iter().chain(extent).chain(line).filter(|row| (1..=most).contains(row)) {
            self.directory.reserve(SeriesId(u32::try_from(row).unwrap_or_default()));
        }
        let rows = self.directory.last_row() as usize;
        self.newest = vec![None; rows];
        self.declared.resize(rows, None);
        Ok(())
    }

    /// Calls `take` with every series, in its state after the last commit. Reads only as far back as a track reaches,
    /// however long the series is.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn recover(&mut self, mut take: impl FnMut(SeriesState)) -> rusqlite::Result<()> {
        let revised = self.revised()?;
        let directory = self.directory.clone();
        let names = directory.look();
        let mut by_row = vec![None; names.last_row() as usize + 1];
        for (name, row) in names.iter() {
            if let Some(block_id) = by_row.get_mut(row.id.0 as usize) {
                *block_id = Some((name, row.kind));
            }
        }
        let named = |series: SeriesId| by_row.get(series.0 as usize).copied().flatten();
        let (newest, declared, damage) = (&mut self.newest, &self.declared, &self.damage);
        let removed = &self.removals.rows;
        let (mut head, mut listed) = (self.head, vec![false; by_row.len()]);
        let mut restored = |series: SeriesId, track: Track| {
            let Some((name, _)) = named(series) else {
                if removed.contains(&series) {
                    return;
                }
                return damage.note(Part::Nameless(series), "its row of table series is missing");
            };
            head = head.max(track.changed());
            listed[series.0 as usize] = true;
            if let Some(newest) = newest.get_mut(series.index()) {
                *newest = Some(track.latest_at().ts);
            }
            let declared = declared.get(series.index()).copied().flatten();
            let revised = revised.get(&series).copied();
            take(SeriesState { name: name.clone(), series, track, declared, revised });
        };
        let mut newer = Newest::default();
        let mut seen = vec![false; by_row.len()];
        let mut look = |block_id: BlockId, block| {
            if newer.series != Some(block_id.series) {
                newer.finish(&mut restored);
                newer.begin(block_id.series, &self.memtable);
                if let Some(seen) = seen.get_mut(block_id.series.0 as usize) {
                    *seen = true;
                }
            }
            newer.add(block_id, block)
        };
        let looked = rows::each_newest(&self.conn, damage, &mut look);
        if let Err(error) = looked {
            // After a damaged page, the series that were not read yet are read one by one below.
            damage.take(Part::Table("blocks"), error)?;
        }
        newer.finish(&mut restored);
        for (series, _) in (0..).map(SeriesId).zip(&seen).filter(|(_, seen)| !**seen) {
            match named(series) {
                Some((_, Kind::Number)) => {
                    newer.begin(series, &self.memtable);
                    if damage.has(&Part::Table("blocks")) {
                        let found =
                            rows::each_of(&self.conn, series, damage, |block_id, block| newer.add(block_id, block));
                        found.or_else(|error| damage.take(Part::Table("blocks"), error))?;
                    }
                    newer.finish(&mut restored);
                }
                Some((_, Kind::Text)) => {
                    if let Some(track) = texts(&self.conn, series, damage)? {
                        restored(series, track);
                    }
                }
                None if !self.memtable.of(series).is_empty() => {
                    damage.note(Part::Nameless(series), "its row of table series is missing");
                }
                None => {}
            }
        }
        if head > self.head {
            damage.note(Part::Meta, "its head is less than numbers of points that are stored");
        }
        self.head = head;
        let unlisted = names.iter().filter(|(_, row)| !listed[row.id.0 as usize]);
        self.unlisted = unlisted.map(|(name, row)| (row.id, name.clone())).collect();
        Ok(())
    }

    /// Returns the track of one series, in its state after the last commit; `None` if it has no readable point.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn track(&self, series: SeriesId, kind: Kind) -> rusqlite::Result<Option<Track>> {
        match kind {
            Kind::Text => texts(&self.conn, series, &self.damage),
            Kind::Number => {
                let mut newest = Newest::default();
                newest.begin(series, &self.memtable);
                let found =
                    rows::each_of(&self.conn, series, &self.damage, |block_id, block| newest.add(block_id, block));
                found.or_else(|error| self.damage.take(Part::Table("blocks"), error))?;
                let mut track = None;
                newest.finish(&mut |_, whole| track = Some(whole));
                Ok(track)
            }
        }
    }

    /// Reads the stretch of each series' past that late points changed. Skips rows that cannot be read.
    fn revised(&self) -> rusqlite::Result<HashMap<SeriesId, (TimeRange, Seq)>> {
        let mut select = self.conn.prepare("SELECT series, start, stop, seq FROM revised")?;
        let mut rows = select.query([])?;
        let mut revised = HashMap::new();
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(revised),
                Err(error) => return self.damage.take(Part::Table("revised"), error).map(|()| revised),
            };
            let series: i64 = row.get(0)?;
            let (id, from, to) = (u32::try_from(series), moment(row, 1)?, moment(row, 2)?);
            let (Ok(id), Some(from), Some(to), Some(seq)) = (id, from, to, meta::seq(row, 3)?) else {
                self.damage.note(Part::Revised(series), "a time or a number is out of range");
                continue;
            };
            revised.insert(SeriesId(id), (TimeRange { from, to }, seq));
        }
    }
}

impl Tracks for Store {
    fn track(&self, series: SeriesId, kind: Kind) -> Result<Option<Track>, TrackError> {
        Self::track(self, series, kind).map_err(|error| TrackError(error.to_string()))
    }
}

/// Returns true if the row `id` has the name of a removed series. Any other name that begins with [`GONE`] is
/// damaged.
fn is_gone(name: ValueRef<'_>, id: u32) -> bool {
    name.as_str().is_ok_and(|name| name.strip_prefix(GONE).is_some_and(|rest| rest == id.to_string()))
}

/// Reads a time; `None` if the value cannot be one.
fn moment(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Millis>> {
    let number = row.get_ref(column)?.as_i64().ok().and_then(|number| u64::try_from(number).ok());
    Ok(number.map(Millis))
}

/// Collects the newest buckets of one series, newest first, from the tables with the memtable laid over them.
#[derive(Default)]
struct Newest {
    series: Option<SeriesId>,
    /// The blocks in the memtable, oldest first.
    memtable: Vec<(BlockId, Arc<Block>)>,
    /// The collected buckets, newest first.
    buckets: Vec<Bucket>,
}

impl Newest {
    fn begin(&mut self, series: SeriesId, memtable: &Memtable) {
        self.series = Some(series);
        self.memtable = memtable.of(series);
    }

    /// Adds the next block of the tables. Blocks must come newest first. Breaks when there are enough buckets for a
    /// track.
    fn add(&mut self, block_id: BlockId, block: Block) -> ControlFlow<()> {
        while let Some((newer, memtable)) = self.memtable.pop_if(|(memtable, _)| *memtable >= block_id) {
            self.gather(Arc::unwrap_or_clone(memtable));
            if newer == block_id {
                // A block in the memtable is complete, so it replaces the stored one.
                return self.is_enough();
            }
        }
        self.gather(block);
        self.is_enough()
    }

    fn gather(&mut self, block: Block) {
        let room = WINDOW - self.buckets.len();
        self.buckets.extend(block.buckets.into_iter().rev().take(room).map(|rolled| rolled.bucket));
    }

    fn is_enough(&self) -> ControlFlow<()> {
        if self.buckets.len() < WINDOW { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn finish(&mut self, restored: &mut impl FnMut(SeriesId, Track)) {
        let Some(series) = self.series.take() else { return };
        while let Some((_, memtable)) = self.memtable.pop() {
            self.gather(Arc::unwrap_or_clone(memtable));
        }
        if !self.buckets.is_empty() {
            // Collected again for an exact capacity, since most series are short.
            let buckets: Vec<Bucket> = self.buckets.drain(..).rev().collect();
            restored(series, Track::Numbers(buckets.into()));
        }
    }
}

/// Reads the newest lines of a series, and the counts of deleted ones. Skips lines that cannot be read.
fn texts(conn: &Connection, series: SeriesId, damage: &Damage) -> rusqlite::Result<Option<Track>> {
    read_texts(conn, series, damage).or_else(|error| damage.take(Part::Line(series), error).map(|()| None))
}

fn read_texts(conn: &Connection, series: SeriesId, damage: &Damage) -> rusqlite::Result<Option<Track>> {
    let mut select =
        conn.prepare_cached("SELECT ts, seq, text FROM lines WHERE series = ?1 ORDER BY ts DESC, seq DESC LIMIT ?2")?;
    let mut lines = Vec::new();
    let mut rows = select.query((series.0, i64::try_from(LOG).unwrap_or(i64::MAX)))?;
    while let Some(row) = rows.next()? {
        match (moment(row, 0)?, meta::seq(row, 1)?, row.get_ref(2)?.as_str()) {
            (Some(ts), Some(seq), Ok(text)) => lines.push(LogLine { at: Stamp { ts, seq }, text: text.to_owned() }),
            _ => damage.note(Part::Line(series), "the time, the number or the text of a line cannot be read"),
        }
    }
    let mut count = conn.prepare_cached(
        "SELECT gone, gone_seq, (SELECT count(*) FROM lines WHERE series = id),
                (SELECT max(seq) FROM lines WHERE series = id AND typeof(seq) = 'integer' AND seq <= ?2)
         FROM series WHERE id = ?1",
    )?;
    let (gone, gone_seq, there, last) = count.query_row((series.0, sql(GREATEST)), |row| {
        Ok((meta::seq(row, 0)?, meta::seq(row, 1)?, meta::seq(row, 2)?, meta::seq(row, 3)?))
    })?;
    if gone.is_none() || gone_seq.is_none() {
        damage.note(Part::Series(series.0.into()), "it does not say which of its texts are gone");
    }
    let total = gone.unwrap_or_default().0.saturating_add(there.unwrap_or_default().0);
    let changed = gone_seq.unwrap_or_default().max(last.unwrap_or_default());
    lines.reverse();
    Ok((!lines.is_empty()).then(|| Track::Texts(TextLog { lines: lines.into(), total, changed })))
}

#[cfg(test)]
mod tests {
    use super::super::memtable::Due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::log::Push;
    use crate::rollup::{PointEffect, Rollup};
    use proptest::prelude::*;
    use shared::{Number, Point, Text, Value};

    const NOW: Now = Now { wall: Millis(1_732_399_700_000), up: Uptime(0) };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_read_back_equals_what_was_in_memory(
            points in prop::collection::vec((0..3u8, 0..500_000u64, -1e3..1e3_f64), 1..1_500),
            group in 1..50usize,
            written in prop::collection::vec(0..4usize, 30),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = Store::open(folder.path()).unwrap();
            let mut memory = Rollup::new(store.epochs(), store.head());
            for (round, points) in points.chunks(group).enumerate() {
                let points = points.iter().map(|&(series, ts, number)| Point {
                    series: format!("s/{series}").parse().unwrap(),
                    ts: Millis(1_732_399_200_000 + ts),
                    value: match series {
                        0 => Value::Text(Text::new(number.to_string()).unwrap()),
                        _ => Value::Number(Number::new(number).unwrap()),
                    },
                });
                let push = Push::of(points);
                for committed in store.commit(vec![push], NOW).committed {
                    if let Some(PointEffect::Begun(index)) = memory.push(committed) {
                        memory.mark_hot(index);
                    }
                }
                store.flush(written[round % written.len()], Due::All).unwrap();
            }
            for (name, track) in memory.iter() {
                let series = store.directory().look().iter().find(|(known, _)| *known == name).unwrap().1.id;
                let alone = store.track(series, track.kind()).unwrap();
                prop_assert_eq!(alone.as_ref(), Some(&*track), "{} alone", name);
            }
            drop(store);
            let mut store = Store::open(folder.path()).unwrap();
            let mut read = Vec::new();
            store.recover(|recovered| read.push(recovered)).unwrap();
            read.sort_by(|a, b| a.name.cmp(&b.name));
            let read: Vec<_> = read.into_iter().map(|read| (read.name, read.track, read.revised)).collect();
            let mut kept: Vec<_> = memory.iter().map(|(name, track)| (name.clone(), track.into_owned())).collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            let kept: Vec<_> = kept.into_iter().map(|(name, track)| {
                let revised = memory.revised(&name);
                (name, track, revised)
            }).collect();
            prop_assert_eq!(read, kept);
            prop_assert_eq!(store.head(), memory.head());
        }
    }
}
