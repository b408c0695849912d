//! Reading back what the memory of the server starts from.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use shared::point::Kind;
use shared::track::{LOG, WINDOW};
use shared::{Line, Log, Millis, Seq, SeriesName, Stamp, Stretch, Tier, Track};

use super::block;
use super::fresh::Known;
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
    /// What of the past before late points changed, and the last of those.
    pub revised: Option<(Stretch, Seq)>,
}

impl Store {
    pub(super) fn read_series(conn: &Connection) -> rusqlite::Result<HashMap<SeriesName, (SeriesId, Kind)>> {
        let mut select = conn.prepare("SELECT id, name, kind FROM series")?;
        let rows = select.query_map([], |row| {
            let name: String = row.get(1)?;
            let name = name.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
            })?;
            let kind = if row.get_ref(2)?.as_str()? == "text" { Kind::Text } else { Kind::Number };
            Ok((name, (SeriesId(row.get(0)?), kind)))
        })?;
        rows.collect()
    }

    /// Puts in memory what the log has and the buckets in the tables have not.
    pub(super) fn catch_up(&mut self) -> rusqlite::Result<()> {
        let now = clock::now().up;
        log::replay(&self.conn, self.settled, |numbers| {
            let numbers = numbers.into_iter().map(|logged| (logged, Known::Perhaps));
            self.fresh.add(numbers, now, |place| block::read(&self.conn, place));
        })
    }

    /// Every series just as it was when the last point was committed. Reads only as far back as a track reaches, however
    /// long the series is.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn recover(&self) -> rusqlite::Result<Vec<Recovered>> {
        let mut revised = self.conn.prepare("SELECT start, stop, seq FROM revised WHERE series = ?1")?;
        let mut all = Vec::with_capacity(self.series.len());
        for (name, &(series, kind)) in &self.series {
            let track = match kind {
                Kind::Number => self.numbers(series)?,
                Kind::Text => self.texts(series)?,
            };
            let revised = revised.query_row([series.0], |row| {
                let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
                Ok((Stretch { from: Millis(number(0)?), to: Millis(number(1)?) }, Seq(number(2)?)))
            });
            if let Some(track) = track {
                all.push(Recovered { name: name.clone(), series, track, revised: revised.optional()? });
            }
        }
        Ok(all)
    }

    /// The newest buckets: from the tables, and over them from what is not written yet.
    fn numbers(&self, series: SeriesId) -> rusqlite::Result<Option<Track>> {
        let mut fresh = self.fresh.of(series);
        let mut buckets = VecDeque::with_capacity(WINDOW);
        let mut before = None;
        while buckets.len() < WINDOW {
            let written = block::newest_before(&self.conn, Tier::Second, series, before)?;
            let newest = match (fresh.last(), &written) {
                (Some((fresh, _)), Some((written, _))) if fresh < written => None,
                _ => fresh.pop(),
            };
            let newest = newest.map(|(place, block)| (place, Arc::unwrap_or_clone(block)));
            let Some((place, block)) = newest.or(written) else { break };
            let room = WINDOW - buckets.len();
            let newest_first = block.buckets.into_iter().rev().take(room);
            newest_first.for_each(|rolled| buckets.push_front(rolled.bucket));
            before = Some(place);
        }
        Ok((!buckets.is_empty()).then_some(Track::Numbers(buckets)))
    }

    /// The newest lines, and what those that are gone have left behind.
    fn texts(&self, series: SeriesId) -> rusqlite::Result<Option<Track>> {
        let mut select = self
            .conn
            .prepare_cached("SELECT ts, seq, text FROM lines WHERE series = ?1 ORDER BY ts DESC, seq DESC LIMIT ?2")?;
        let mut lines = VecDeque::with_capacity(LOG);
        let mut rows = select.query((series.0, i64::try_from(LOG).unwrap_or(i64::MAX)))?;
        while let Some(row) = rows.next()? {
            let ts = Millis(row.get::<_, i64>(0)?.unsigned_abs());
            let seq = Seq(row.get::<_, i64>(1)?.unsigned_abs());
            lines.push_front(Line { at: Stamp { ts, seq }, text: row.get(2)? });
        }
        let mut count = self.conn.prepare_cached(
            "SELECT gone + (SELECT count(*) FROM lines WHERE series = id),
                    max(gone_seq, (SELECT ifnull(max(seq), 0) FROM lines WHERE series = id))
             FROM series WHERE id = ?1",
        )?;
        let (total, changed) = count.query_row([series.0], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), Seq(row.get::<_, i64>(1)?.unsigned_abs())))
        })?;
        Ok((!lines.is_empty()).then_some(Track::Texts(Log { lines, total, changed })))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Push;
    use super::super::fresh::Due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::rollup::Rollup;
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
                let push = Push { points: points.collect(), key: None };
                for committed in store.commit(vec![push], NOW).committed {
                    memory.push(committed);
                }
                store.settle(written[round % written.len()], Due::All).unwrap();
            }
            drop(store);
            let store = Store::open(folder.path()).unwrap();
            let mut read = store.recover().unwrap();
            read.sort_by(|a, b| a.name.cmp(&b.name));
            let read: Vec<_> = read.into_iter().map(|read| (read.name, read.track, read.revised)).collect();
            let mut kept: Vec<_> = memory.iter().map(|(name, track)| (name.clone(), track.clone())).collect();
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
