//! Reading back what the memory of the server starts from.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;
use shared::point::Kind;
use shared::track::{LOG, WINDOW};
use shared::{Bucket, Declared, Line, Log, Millis, Seq, SeriesName, Stamp, Stretch, Track};

use super::block::{self, Block, Place};
use super::directory::{Names, Row};
use super::fresh::{Fresh, Known};
use super::{SeriesId, Store, log};
use crate::clock;

/// A series as it was when the last point was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// Its name.
    pub name: SeriesName,
    /// Its row.
    pub series: SeriesId,
    /// Its recent past.
    pub track: Track,
    /// What was declared of it.
    pub declared: Option<Declared>,
    /// What of the past before late points changed, and the last of those.
    pub revised: Option<(Stretch, Seq)>,
}

impl Store {
    /// All names, and by row what was declared of each.
    pub(super) fn read_series(conn: &Connection) -> rusqlite::Result<(Names, Vec<Option<Declared>>)> {
        let count: i64 = conn.query_row("SELECT count(*) FROM series", [], |row| row.get(0))?;
        let mut names = Names::default();
        names.reserve(usize::try_from(count).unwrap_or_default());
        let mut declared = vec![None; usize::try_from(count).unwrap_or_default()];
        let mut select = conn.prepare("SELECT id, name, kind, declared FROM series")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(1)?.as_str()?.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
            })?;
            let kind = if row.get_ref(2)?.as_str()? == "text" { Kind::Text } else { Kind::Number };
            let id = SeriesId(row.get(0)?);
            if let Some(declared) = declared.get_mut(id.index()) {
                *declared = row.get_ref(3)?.as_str_or_null().ok().flatten().and_then(Declared::of);
            }
            names.insert(name, Row { id, kind });
        }
        Ok((names, declared))
    }

    /// Puts in memory what the log has and the buckets in the tables have not.
    pub(super) fn catch_up(&mut self) -> rusqlite::Result<()> {
        let now = clock::now().up;
        log::replay(&self.conn, self.settled, |numbers| {
            let numbers = numbers.into_iter().map(|logged| (logged, Known::Perhaps));
            self.fresh.add(numbers, now, |place| block::read(&self.conn, place));
        })
    }

    /// Gives `take` every series just as it was when the last point was committed. Reads only as far back as a track
    /// reaches, however long the series is.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn recover(&mut self, mut take: impl FnMut(Recovered)) -> rusqlite::Result<()> {
        let revised = self.revised()?;
        let directory = self.directory.clone();
        let names = directory.look();
        let mut by_row = vec![None; names.len() + 1];
        for (name, row) in names.iter() {
            if let Some(place) = by_row.get_mut(row.id.0 as usize) {
                *place = Some((name, row.kind));
            }
        }
        let named = |series: SeriesId| by_row.get(series.0 as usize).copied().flatten();
        let (newest, declared) = (&mut self.newest, &self.declared);
        let mut restored = |series: SeriesId, track: Track| {
            let Some((name, _)) = named(series) else { return };
            if let Some(newest) = newest.get_mut(series.index()) {
                *newest = Some(track.latest_at().ts);
            }
            let declared = declared.get(series.index()).copied().flatten();
            let revised = revised.get(&series).copied();
            take(Recovered { name: name.clone(), series, track, declared, revised });
        };
        let mut newer = Newest::default();
        let mut seen = vec![false; by_row.len()];
        block::each_newest(&self.conn, |place, block| {
            if newer.series != Some(place.series) {
                newer.finish(&mut restored);
                newer.begin(place.series, &self.fresh);
                if let Some(seen) = seen.get_mut(place.series.0 as usize) {
                    *seen = true;
                }
            }
            newer.add(place, block)
        })?;
        newer.finish(&mut restored);
        for (series, _) in (0..).map(SeriesId).zip(&seen).filter(|(_, seen)| !**seen) {
            match named(series) {
                Some((_, Kind::Number)) => {
                    newer.begin(series, &self.fresh);
                    newer.finish(&mut restored);
                }
                Some((_, Kind::Text)) => {
                    if let Some(track) = texts(&self.conn, series)? {
                        restored(series, track);
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The track of one series just as it was when the last point was committed; nothing where there is none.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn track(&self, series: SeriesId, kind: Kind) -> rusqlite::Result<Option<Track>> {
        match kind {
            Kind::Text => texts(&self.conn, series),
            Kind::Number => {
                let mut newest = Newest::default();
                newest.begin(series, &self.fresh);
                block::each_of(&self.conn, series, |place, block| newest.add(place, block))?;
                let mut track = None;
                newest.finish(&mut |_, whole| track = Some(whole));
                Ok(track)
            }
        }
    }

    /// What late points changed of each series' past.
    fn revised(&self) -> rusqlite::Result<HashMap<SeriesId, (Stretch, Seq)>> {
        let mut select = self.conn.prepare("SELECT series, start, stop, seq FROM revised")?;
        let rows = select.query_map([], |row| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
            let span = Stretch { from: Millis(number(1)?), to: Millis(number(2)?) };
            Ok((SeriesId(row.get(0)?), (span, Seq(number(3)?))))
        })?;
        rows.collect()
    }
}

/// The newest buckets of one series, gathered backwards: from the tables, and over them from what is not written yet.
#[derive(Default)]
struct Newest {
    series: Option<SeriesId>,
    /// What is not written yet, oldest first.
    fresh: Vec<(Place, Arc<Block>)>,
    /// Newest first.
    buckets: Vec<Bucket>,
}

impl Newest {
    fn begin(&mut self, series: SeriesId, fresh: &Fresh) {
        self.series = Some(series);
        self.fresh = fresh.of(series);
    }

    /// Takes in the next block of the tables, the newest first. Breaks off where there is enough.
    fn add(&mut self, place: Place, block: Block) -> ControlFlow<()> {
        while let Some((newer, fresh)) = self.fresh.pop_if(|(fresh, _)| *fresh >= place) {
            self.gather(Arc::unwrap_or_clone(fresh));
            if newer == place {
                // What is not written yet is whole.
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
        while let Some((_, fresh)) = self.fresh.pop() {
            self.gather(Arc::unwrap_or_clone(fresh));
        }
        if !self.buckets.is_empty() {
            // Of just the length that is needed: most series are short.
            let buckets: Vec<Bucket> = self.buckets.drain(..).rev().collect();
            restored(series, Track::Numbers(buckets.into()));
        }
    }
}

/// The newest lines, and what those that are gone have left behind.
fn texts(conn: &Connection, series: SeriesId) -> rusqlite::Result<Option<Track>> {
    let mut select =
        conn.prepare_cached("SELECT ts, seq, text FROM lines WHERE series = ?1 ORDER BY ts DESC, seq DESC LIMIT ?2")?;
    let mut lines = Vec::new();
    let mut rows = select.query((series.0, i64::try_from(LOG).unwrap_or(i64::MAX)))?;
    while let Some(row) = rows.next()? {
        let ts = Millis(row.get::<_, i64>(0)?.unsigned_abs());
        let seq = Seq(row.get::<_, i64>(1)?.unsigned_abs());
        lines.push(Line { at: Stamp { ts, seq }, text: row.get(2)? });
    }
    let mut count = conn.prepare_cached(
        "SELECT gone + (SELECT count(*) FROM lines WHERE series = id),
                max(gone_seq, (SELECT ifnull(max(seq), 0) FROM lines WHERE series = id))
         FROM series WHERE id = ?1",
    )?;
    let (total, changed) = count.query_row([series.0], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), Seq(row.get::<_, i64>(1)?.unsigned_abs())))
    })?;
    lines.reverse();
    Ok((!lines.is_empty()).then(|| Track::Texts(Log { lines: lines.into(), total, changed })))
}

#[cfg(test)]
mod tests {
    use super::super::Push;
    use super::super::fresh::Due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::rollup::{Pushed, Rollup};
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
            let mut memory = Rollup::new(store.epoch(), store.head());
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
                    if let Some(Pushed::Begun(index)) = memory.push(committed) {
                        memory.hold(index);
                    }
                }
                store.settle(written[round % written.len()], Due::All).unwrap();
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
