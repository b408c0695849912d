//! Checks a database: the file itself, the checksum and content of each row, and the coarser tiers against the finer.
//!
//! The database is read in one transaction, so a server may go on writing to it meanwhile.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use shared::point::Kind;
use shared::{Millis, Rolled, Tier, TimeRange};

use super::block::{Block, Extent};
use super::block_id::{BlockId, ExtentId};
use super::damage::{Damage, Part, Unreadable};
use super::number_log::{self, LoggedRow};
use super::{BUSY_TIMEOUT, FILE, Store, migration, rows, schema};
use crate::log::SeriesId;

/// The most findings that are described; the others are counted.
const DESCRIBED: usize = 20;

/// The most faults of the file that SQLite describes.
const FAULTS: i64 = 100;

/// Reasons why a database cannot be checked. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no such file, or it is no database.
    #[error("cannot read {file}: {source}; name a data folder, or a file made by pulseboard backup")]
    Unreadable {
        /// The file.
        file: String,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// A later version wrote the file.
    #[error(
        "{file} was written by a later version of pulseboard (tables {found}, known {}); use that one",
        schema::VERSION
    )]
    TooNew {
        /// The file.
        file: String,
        /// The version of its tables.
        found: i64,
    },
    /// An earlier version wrote the file.
    #[error(
        "{file} was written by an earlier version of pulseboard, without checksums; start pulseboard serve once, which upgrades it"
    )]
    TooOld {
        /// The file.
        file: String,
    },
}

/// The findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What can be read, such as `1,000 rows of extents`.
    pub readable: Vec<(&'static str, u64)>,
    /// The first damaged parts.
    pub described: Vec<String>,
    /// The number of damaged parts.
    pub damaged: u64,
}

impl Report {
    /// Returns true if nothing is damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged == 0
    }

    fn add(&mut self, part: &dyn fmt::Display, why: &dyn fmt::Display) {
        if self.described.len() < DESCRIBED {
            self.described.push(format!("{part}: {why}"));
        }
        self.damaged += 1;
    }

    fn count(&mut self, what: &'static str, count: u64) {
        self.readable.push((what, count));
    }
}

/// Checks the database in a data folder, or the database file at `path`.
///
/// # Errors
/// [`CheckError`]
pub fn check(path: &Path) -> Result<Report, CheckError> {
    let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
    let shown = file.display().to_string();
    let unreadable = |source| CheckError::Unreadable { file: shown.clone(), source };
    let conn = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unreadable)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(unreadable)?;
    match conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unreadable)? {
        schema::VERSION => {}
        found if found > schema::VERSION => return Err(CheckError::TooNew { file: shown, found }),
        0 => return Err(unreadable(rusqlite::Error::InvalidQuery)),
        _ => return Err(CheckError::TooOld { file: shown }),
    }
    if migration::is_begun(&conn).map_err(unreadable)? {
        return Err(CheckError::TooOld { file: shown });
    }
    read(&conn).map_err(unreadable)
}

/// Checks an open database.
fn read(conn: &Connection) -> rusqlite::Result<Report> {
    let tx = conn.unchecked_transaction()?;
    let mut report = Report::default();
    pages(&tx, &mut report);
    let names = series(&tx, &mut report)?;
    log(&tx, &mut report);
    let with_blocks = buckets(&tx, &mut report);
    texts(&tx, &mut report);
    let damage = Damage::default();
    for series in with_blocks {
        for tier in Tier::ALL {
            if let Err(error) = tiers(&tx, series, tier, &damage, &mut report) {
                report.add(&format!("the tiers of series {}", series.0), &error);
            }
        }
        if !names.contains(&series) {
            report.add(&Part::Nameless(series), &"its row of table series is missing or cannot be read");
        }
    }
    Ok(report)
}

/// Lets SQLite check the pages of the file.
fn pages(tx: &Connection, report: &mut Report) {
    let faults = tx.prepare(&format!("PRAGMA integrity_check({FAULTS})")).and_then(|mut select| {
        let faults = select.query_map([], |row| row.get::<_, String>(0))?;
        faults.collect::<rusqlite::Result<Vec<_>>>()
    });
    match faults {
        Ok(faults) => faults.iter().filter(|fault| *fault != "ok").for_each(|fault| report.add(&"the file", fault)),
        Err(error) => report.add(&"the file", &error),
    }
}

fn series(tx: &Connection, report: &mut Report) -> rusqlite::Result<HashSet<SeriesId>> {
    let (damage, mut removed) = (Damage::default(), HashSet::default());
    let (names, _) = Store::read_series(tx, &damage, &mut removed)?;
    damage.each(|part, why| report.add(part, &why));
    report.count("series", names.len() as u64);
    Ok(names.values().filter(|row| row.kind == Kind::Number).map(|row| row.id).chain(removed).collect())
}

/// Calls `look` for each row of a select, and notes pages that cannot be read.
fn each(
    tx: &Connection,
    table: &'static str,
    select: &str,
    report: &mut Report,
    mut look: impl FnMut(&rusqlite::Row<'_>, &mut Report) -> rusqlite::Result<bool>,
) {
    let mut count = 0;
    let read = tx.prepare(select).and_then(|mut select| {
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            count += u64::from(look(row, report)?);
        }
        Ok(())
    });
    if let Err(error) = read {
        report.add(&Part::Table(table), &error);
    }
    report.count(table, count);
}

fn log(tx: &Connection, report: &mut Report) {
    each(tx, "log", "SELECT last, data, sent, sum FROM log", report, |row, report| {
        let last = row.get(0)?;
        let read = number_log::of_row(row, 1, last)?;
        match read.and_then(|LoggedRow { sent, .. }| sent) {
            Ok(()) => Ok(true),
            Err(why) => {
                report.add(&Part::Log(last), &why);
                Ok(false)
            }
        }
    });
}

/// Checks each row of buckets on its own. Returns all series that have one.
fn buckets(tx: &Connection, report: &mut Report) -> Vec<SeriesId> {
    let mut all = HashSet::new();
    let impossible = Unreadable::Content("its key is impossible");
    each(tx, "blocks", "SELECT key, data, sent FROM blocks", report, |row, report| {
        let key = row.get(0)?;
        let Some(id) = BlockId::of_key(key) else {
            report.add(&format!("row {key} of table blocks"), &impossible);
            return Ok(false);
        };
        all.insert(id.series);
        let damage = Damage::default();
        let read = rows::whole_block_of(row, [1, 2], id, &damage)?;
        sound(read.map(|_: Block| ()), &Part::Block(id), &damage, report)
    });
    each(tx, "extents", "SELECT key, data, sent FROM extents", report, |row, report| {
        let key = row.get(0)?;
        let Some(id) = ExtentId::of_key(key) else {
            report.add(&format!("row {key} of table extents"), &impossible);
            return Ok(false);
        };
        all.insert(id.series);
        let damage = Damage::default();
        let read = rows::whole_extent_of(row, [1, 2], id, &damage)?;
        sound(read.map(|_: Extent| ()), &Part::Extent(id), &damage, report)
    });
    let mut all: Vec<SeriesId> = all.into_iter().collect();
    all.sort_unstable();
    all
}

fn sound(read: Result<(), Unreadable>, part: &Part, damage: &Damage, report: &mut Report) -> rusqlite::Result<bool> {
    damage.each(|part, why| report.add(part, &why));
    let is_sound = read.is_ok() && damage.is_none();
    if let Err(why) = read {
        report.add(part, &why);
    }
    Ok(is_sound)
}

fn texts(tx: &Connection, report: &mut Report) {
    each(tx, "lines", "SELECT series, ts, seq, text FROM lines", report, |row, report| {
        let is_sound =
            row.get_ref(1)?.as_i64().is_ok() && row.get_ref(2)?.as_i64().is_ok() && row.get_ref(3)?.as_str().is_ok();
        if !is_sound {
            let series = u32::try_from(row.get_ref(0)?.as_i64().unwrap_or_default()).unwrap_or_default();
            report.add(&Part::Line(SeriesId(series)), &"the time, the number or the text of a line cannot be read");
        }
        Ok(is_sound)
    });
}

/// Compares the buckets of a tier with those of the next finer one, as far back as that reaches.
///
/// Retention deletes the oldest finer buckets first, so a bucket may have more points than its finer ones only if the
/// bucket before it has as well.
fn tiers(tx: &Connection, series: SeriesId, tier: Tier, damage: &Damage, report: &mut Report) -> rusqlite::Result<()> {
    let Some(finer) = tier.finer() else { return Ok(()) };
    let width = tier.width_ms();
    let all = TimeRange { from: Millis(0), to: Millis(u64::MAX) };
    let mut of_finer: BTreeMap<Millis, Rolled> = BTreeMap::new();
    rows::each_within(tx, finer, series, all, damage, |_, block| {
        for rolled in &block.buckets {
            let start = rolled.bucket.start.floor(width);
            match of_finer.get_mut(&start) {
                Some(sum) => sum.append(rolled),
                None => _ = of_finer.insert(start, rolled.clone()),
            }
        }
    })?;
    let (mut before_is_whole, mut differs) = (false, Vec::new());
    rows::each_within(tx, tier, series, all, damage, |_, block| {
        for Rolled { bucket, .. } in &block.buckets {
            let finer = of_finer.remove(&bucket.start);
            let Some(Rolled { bucket: finer, .. }) = finer else {
                before_is_whole = false;
                continue;
            };
            let is_less = finer.count < bucket.count;
            let sums_agree = (finer.sum - bucket.sum).abs() <= 1e-9 * (finer.max - finer.min + finer.sum.abs());
            if finer.count > bucket.count
                || (is_less && before_is_whole)
                || (finer.count == bucket.count && !sums_agree)
            {
                differs.push((bucket.start, bucket.count, finer.count));
            }
            before_is_whole = !is_less;
        }
    })?;
    for (start, count, finer_count) in differs {
        let part = format!("the bucket of {width} ms at {} of series {}", start.0, series.0);
        report.add(&part, &format!("it has {count} points, its finer buckets have {finer_count}"));
    }
    // Coarser buckets are written together with finer ones.
    for (start, finer) in of_finer {
        let part = format!("the bucket of {width} ms at {} of series {}", start.0, series.0);
        report.add(&part, &format!("it is missing; its finer buckets have {} points", finer.bucket.count));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::memtable::Due;
    use super::super::merge::merge_due;
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::log::Push;
    use proptest::prelude::*;
    use rusqlite::params;
    use shared::{Number, Point, Seq, Text, Value};
    use std::sync::LazyLock;

    const START: Millis = Millis(1_732_320_000_000);
    const NOW: Now = Now { wall: Millis(START.0 + 90 * 60_000), up: Uptime(0) };
    const ALL: TimeRange = TimeRange { from: Millis(0), to: Millis(u64::MAX) };

    /// A database with some of everything: extents, blocks, and numbers that only the log has.
    fn fill(folder: &Path) {
        let mut store = Store::open(folder).unwrap();
        store.conn.pragma_update(None, "synchronous", "OFF").unwrap();
        for minute in 0..80_u64 {
            let value = |n: u64| Value::Number(Number::new((minute * 7 % 13 + n) as f64 / 4.0).unwrap());
            let point = |name: &str, ms: u64, value| Point { series: name.parse().unwrap(), ts: START.plus(ms), value };
            let points = (0..3).map(|n| point("a", minute * 60_000 + n * 900, value(n)));
            let text = Value::Text(Text::new(minute.to_string()).unwrap());
            let points = points.chain([point("b", minute * 60_000, value(9)), point("t", minute * 60_000, text)]);
            assert_eq!(store.commit(vec![Push::of(points)], NOW).results, [Ok(())]);
            if minute == 75 {
                while store.flush(4, Due::All).unwrap() > 0 {}
                merge_due(&store.conn, SeriesId(0), SeriesId(1), usize::MAX, &store.damage).unwrap();
            }
        }
    }

    static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        std::fs::read(folder.path().join(FILE)).unwrap()
    });

    static SHOWN: LazyLock<HashSet<String>> = LazyLock::new(|| shown(&with(&SOUND).path().join(FILE)).unwrap());

    /// Returns all buckets and logged numbers that a server would show.
    fn shown(file: &Path) -> rusqlite::Result<HashSet<String>> {
        let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let damage = Damage::default();
        let mut all = HashSet::new();
        for series in (1..=2).map(SeriesId) {
            for tier in Tier::ALL {
                rows::each_within(&conn, tier, series, ALL, &damage, |id, block| {
                    all.extend(block.buckets.iter().map(|rolled| format!("{id:?} {rolled:?}")));
                })?;
            }
        }
        number_log::replay(&conn, Seq::ZERO, &damage, |numbers| {
            all.extend(numbers.iter().map(|number| format!("{number:?}")));
        })?;
        Ok(all)
    }

    fn with(bytes: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), bytes).unwrap();
        folder
    }

    #[test]
    fn sound_database_is_sound_and_its_tiers_agree() {
        let folder = with(&SOUND);
        let report = check(folder.path()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert!(report.readable.contains(&("series", 3)) && report.readable.contains(&("lines", 80)), "{report:?}");
        assert!(report.readable.iter().all(|(_, count)| *count > 0), "{report:?}");
    }

    #[test]
    fn bucket_that_does_not_agree_with_finer_ones_is_found() {
        let folder = with(&SOUND);
        let conn = Connection::open(folder.path().join(FILE)).unwrap();
        let damage = Damage::default();
        let id = BlockId::holding(Tier::Minute, SeriesId(1), START);
        let mut block = rows::read(&conn, id, &damage).unwrap();
        block.buckets[14].bucket.sum += 1.0;
        block.buckets.remove(19);
        rows::write(&conn, id, &block, &damage).unwrap();
        drop(conn);
        let report = check(folder.path()).unwrap();
        // The minute, the ten minutes that have it, and the missing minute with its ten minutes.
        assert!((3..=4).contains(&report.damaged), "{report:?}");
        assert!(report.described.iter().any(|part| part.contains("it is missing")), "{report:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        /// The law: whatever bit of the file is flipped, no number is shown that was not there before, and if one is
        /// missing, the check says so.
        #[test]
        fn flipped_bit_shows_nothing_wrong_and_is_found(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut bytes = SOUND.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let (before, after) = (&*SHOWN, with(&bytes));
            let found = shown(&after.path().join(FILE));
            let report = check(after.path());
            if let Ok(found) = found {
                let wrong: Vec<_> = found.difference(before).take(2).collect();
                prop_assert!(wrong.is_empty(), "byte {} bit {}: {:?}", at, bit, wrong);
                let is_found = report.as_ref().map_or(true, |report| !report.is_sound());
                prop_assert!(found.len() == before.len() || is_found, "byte {} bit {}: {:?}", at, bit, report);
            } else {
                prop_assert!(report.map_or(true, |report| !report.is_sound()));
            }
            if at % 8 == 0 && let Ok(mut store) = Store::open(after.path()) {
                _ = store.recover(|_| {});
            }
        }
    }

    #[test]
    fn file_that_was_cut_at_any_page_is_refused_or_read_as_far_as_it_reaches() {
        for pages in 0..SOUND.len() / 4_096 {
            let folder = with(&SOUND[..pages * 4_096]);
            if let Ok(found) = shown(&folder.path().join(FILE)) {
                assert!(found.is_subset(&SHOWN), "{pages} pages");
            }
            assert!(check(folder.path()).map_or(true, |report| !report.is_sound()), "{pages} pages");
            if let Ok(mut store) = Store::open(folder.path()) {
                _ = store.recover(|_| {});
            }
        }
    }

    #[test]
    fn later_and_earlier_versions_are_named_with_what_to_do() {
        let folder = with(&SOUND);
        for (version, wanted) in [(4, "later version"), (2, "start pulseboard serve once")] {
            let conn = Connection::open(folder.path().join(FILE)).unwrap();
            conn.pragma_update(None, "user_version", version).unwrap();
            drop(conn);
            let error = check(folder.path()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        let error = check(&folder.path().join("nothing")).unwrap_err().to_string();
        assert!(error.contains("name a data folder"), "{error}");
    }

    #[test]
    fn sqlite_has_no_known_fault_that_damages_files() {
        // Earlier ones can damage a database whose write-ahead log two connections write and copy at once.
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
        let conn = Connection::open_in_memory().unwrap();
        let version: String = conn.query_row("SELECT sqlite_version()", params![], |row| row.get(0)).unwrap();
        assert_eq!(version, rusqlite::version());
    }
}
