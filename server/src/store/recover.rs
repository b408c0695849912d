//! Reading back what the memory of the server starts from.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use shared::bucket::SECOND;
use shared::point::Kind;
use shared::track::{LOG, WINDOW};
use shared::{Millis, Number, Seq, SeriesName, Stamp, Text, Track, Value};

use super::{SeriesId, Store};

impl Store {
    pub(super) fn read_series(conn: &Connection) -> rusqlite::Result<HashMap<SeriesName, (SeriesId, Kind)>> {
        let mut select = conn.prepare("SELECT id, name, kind FROM series")?;
        let rows = select.query_map([], |row| {
            let name: String = row.get(1)?;
            let name = name.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
            })?;
            let kind = if row.get_ref(2)?.as_str()? == "text" { Kind::Text } else { Kind::Number };
            Ok((name, (row.get(0)?, kind)))
        })?;
        rows.collect()
    }

    /// The recent past of every series, just as it was when the last point was committed: the same points, folded in
    /// the same order. Reads only as far back as a track reaches, however long the series is.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn tracks(&self) -> rusqlite::Result<Vec<(SeriesName, Track)>> {
        let mut select =
            self.conn.prepare("SELECT ts, seq, value FROM points WHERE series = ?1 ORDER BY ts DESC, seq DESC")?;
        let mut count = self.conn.prepare("SELECT count(*), max(seq) FROM points WHERE series = ?1")?;
        let mut tracks = Vec::with_capacity(self.series.len());
        for (name, &(id, kind)) in &self.series {
            let mut points: Vec<(Stamp, Value)> = Vec::new();
            let mut buckets = 0;
            let mut oldest = None;
            let mut rows = select.query([id])?;
            while let Some(row) = rows.next()? {
                let ts = Millis(row.get::<_, i64>(0)?.unsigned_abs());
                let bucket = ts.floor(SECOND);
                if oldest.replace(bucket) != Some(bucket) {
                    buckets += 1;
                }
                let reaches = match kind {
                    Kind::Number => buckets <= WINDOW,
                    Kind::Text => points.len() < LOG,
                };
                if !reaches {
                    break;
                }
                let seq = Seq(row.get::<_, i64>(1)?.unsigned_abs());
                // Only what passed these checks was ever written.
                if let Some(value) = value(row.get_ref(2)?) {
                    points.push((Stamp { ts, seq }, value));
                }
            }
            points.sort_by_key(|(at, _)| at.seq);
            let mut points = points.into_iter();
            if let Some((at, value)) = points.next() {
                let mut track = Track::of(at, value);
                points.for_each(|(at, value)| track.push(at, value));
                if let Track::Texts(log) = &mut track {
                    // What the lines that are not kept have left behind.
                    (log.total, log.changed) = count.query_row([id], |row| {
                        Ok((row.get::<_, i64>(0)?.unsigned_abs(), Seq(row.get::<_, i64>(1)?.unsigned_abs())))
                    })?;
                }
                tracks.push((name.clone(), track));
            }
        }
        Ok(tracks)
    }
}

fn value(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Real(number) => Number::new(number).map(Value::Number),
        ValueRef::Text(text) => Text::new(String::from_utf8_lossy(text).into_owned()).map(Value::Text),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Push;
    use super::*;
    use crate::rollup::Rollup;
    use proptest::prelude::*;
    use shared::Point;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_read_back_equals_what_was_in_memory(
            points in prop::collection::vec((0..3u8, 0..500_000u64, -1e3..1e3_f64), 1..1_500),
            group in 1..50usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = Store::open(folder.path()).unwrap();
            let mut memory = Rollup::new(store.epoch(), store.head());
            for points in points.chunks(group) {
                let points = points.iter().map(|&(series, ts, number)| Point {
                    series: format!("s/{series}").parse().unwrap(),
                    ts: Millis(1_732_399_200_000 + ts),
                    value: match series {
                        0 => Value::Text(Text::new(number.to_string()).unwrap()),
                        _ => Value::Number(Number::new(number).unwrap()),
                    },
                });
                let push = Push { points: points.collect(), key: None };
                for (seq, point) in store.commit(vec![push], Millis(0)).committed {
                    memory.push(seq, point);
                }
            }
            drop(store);
            let store = Store::open(folder.path()).unwrap();
            let mut read = store.tracks().unwrap();
            read.sort_by(|a, b| a.0.cmp(&b.0));
            let mut kept: Vec<_> = memory.iter().map(|(name, track)| (name.clone(), track.clone())).collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(read, kept);
            prop_assert_eq!(store.head(), memory.head());
        }
    }
}
